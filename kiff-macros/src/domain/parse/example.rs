//! What a hint shows: lines in the block's own names, and where it has none yet, in those of a shop's refunds.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::actions::Key;
use super::list::is_punct;
use super::words;
use crate::domain::syntax::{Action, Approval, Risk, SectionName, SomeOrNone};

/// One name of each sort.
pub(super) struct Example {
    /// Who acts, with its kind.
    pub(super) role: (String, String),
    pub(super) human: String,
    pub(super) state: String,
    pub(super) next: String,
    pub(super) end: String,
    pub(super) reported: String,
    /// Who reports it.
    pub(super) reporter: String,
    pub(super) emitted: String,
    /// What an action may emit: that event, or `none` where every event is reported.
    emits: String,
    pub(super) action: String,
    /// Where the names are from.
    block: TokenStream,
}

impl Example {
    /// The names that are declared in these tokens, as far as they can be read.
    pub(super) fn of(block: &TokenStream) -> Self {
        let roles = declared(block, SectionName::Roles);
        let states = declared(block, SectionName::States);
        let events = declared(block, SectionName::Events);
        let is_kind = |kind: &'static str| move |item: &&Item| item.says(kind);
        let is_reported = |item: &&Item| item.says("reported");
        let first = |items: &[Item]| items.first().map(Item::name);
        let role = roles.iter().find(is_kind("agent")).or(roles.first());
        let state = states.iter().find(|item| !item.says("final")).or(states.first()).map(Item::name);
        let next = states.iter().map(Item::name).find(|name| Some(name) != state.as_ref());
        let end = states.iter().find(|item| item.says("final")).or(states.last()).map(Item::name);
        let reported = events.iter().find(is_reported).map(Item::name).or_else(|| first(&events));
        let emits = events.iter().find(|item| !item.says("reported")).map(Item::name);
        let emitted = emits.clone().or_else(|| first(&events));
        let or = |own: Option<String>, other: &str| own.unwrap_or_else(|| other.to_owned());
        Self {
            role: role.map_or(("Agent".to_owned(), "agent".to_owned()), |role| (role.name(), role.kind())),
            human: or(roles.iter().find(is_kind("human")).map(Item::name), "Operator"),
            reporter: or(roles.iter().find(is_kind("system")).or(roles.last()).map(Item::name), "System"),
            state: or(state, "Created"),
            next: or(next, "Paid"),
            end: or(end, "Refunded"),
            reported: or(reported, "OrderPlaced"),
            emits: or(emits, if events.is_empty() { "OrderPaid" } else { "none" }),
            emitted: or(emitted, "OrderPaid"),
            action: or(first(&declared(block, SectionName::Actions)), "MarkPaid"),
            block: block.clone(),
        }
    }

    /// What comes after the key in an action.
    pub(super) fn value(&self, key: Key) -> &str {
        match key {
            Key::Risk => "low",
            Key::By => &self.role.0,
            Key::Emits => &self.emits,
            Key::Approval => &self.human,
            Key::Effect => "none",
            Key::Permission => "\"refund.refund_order\"",
            Key::ApprovalPermission => "\"refund.approve_refund_order\"",
        }
    }

    /// Who may run an action that these roles approve: none of them.
    pub(super) fn runner(&self, approvers: &[Ident]) -> Option<String> {
        let roles = declared(&self.block, SectionName::Roles);
        if roles.is_empty() {
            return Some(self.role.0.clone());
        }
        let is_other = |role: &&Item| !approvers.contains(&role.name);
        let others = || roles.iter().filter(is_other);
        others().find(|role| role.says("agent")).or_else(|| others().next()).map(Item::name)
    }

    /// What this action can emit: an event that nobody reports, that leads on from each state that allows the action, and to none
    /// that `never` keeps from it.
    pub(super) fn emits_of(&self, action: &Action) -> String {
        let events = declared(&self.block, SectionName::Events);
        if events.is_empty() {
            return self.emits.clone();
        }
        let states = allowing(&self.block, &action.declared.name);
        let transitions = declared(&self.block, SectionName::Transitions);
        let leads_on = |event: &Item, state: &Ident| {
            transitions.iter().any(|line| line.name == event.name && line.sources().contains(state))
        };
        let clauses = declared(&self.block, SectionName::Never);
        let is_kept = |event: &Item| {
            let mut targets = transitions.iter().filter(|line| line.name == event.name).filter_map(Item::target);
            targets.all(|target| clauses.iter().all(|clause| clause.is_kept_by(action, target)))
        };
        let is_fit = |event: &&Item| {
            !event.says("reported") && states.iter().all(|state| leads_on(event, state)) && is_kept(event)
        };
        events.iter().find(is_fit).map_or_else(|| "none".to_owned(), Item::name)
    }

    pub(super) fn role(&self) -> String {
        format!("{}: {}", self.role.0, self.role.1)
    }

    pub(super) fn action(&self) -> String {
        format!("{} {{ risk: low, by: {}, emits: {} }}", self.action, self.role.0, self.emits)
    }

    pub(super) fn transition(&self, event: &str) -> String {
        format!("{event}: {} => {}", self.state, self.next)
    }

    pub(super) fn beginning(&self) -> String {
        format!("{}: new => {}", self.reported, self.state)
    }

    pub(super) fn allowance(&self) -> String {
        format!("{} => [{}]", self.state, self.action)
    }

    pub(super) fn without(&self) -> String {
        format!("{} without {}", self.end, self.human)
    }

    pub(super) fn alone(&self) -> String {
        let from = if self.next == self.end { &self.state } else { &self.next };
        format!("{} alone from {from} to {}", self.role.0, self.end)
    }
}

/// One declaration: its name, and the words around it.
struct Item {
    name: Ident,
    words: Vec<Ident>,
}

impl Item {
    fn name(&self) -> String {
        self.name.to_string()
    }

    fn says(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    /// Where an event comes from, of the line that says where it leads.
    fn sources(&self) -> &[Ident] {
        match self.words.as_slice() {
            [sources @ .., _] => sources,
            [] => &[],
        }
    }

    /// Where an event leads, of the same line.
    fn target(&self) -> Option<&Ident> {
        self.words.last()
    }

    /// Whether what this line of `never` promises is kept where the action leads to that state, as far as it can be read.
    fn is_kept_by(&self, action: &Action, target: &Ident) -> bool {
        let approvers = match &action.approval {
            Some(Approval::Roles(roles)) => roles.names.as_slice(),
            // An approval that is due and was left out is another rule's error.
            None if matches!(action.risk, Some((Risk::High | Risk::Critical, _))) => return true,
            _ => &[],
        };
        let runners = match &action.by {
            Some(SomeOrNone::Some(roles)) => roles.names.as_slice(),
            _ => &[],
        };
        let are_all = |roles: &[Ident], role: &Ident| !roles.is_empty() && roles.iter().all(|own| own == role);
        match self.words.as_slice() {
            [word, role] if word == "without" => {
                self.name != *target || are_all(runners, role) || are_all(approvers, role)
            }
            [word, .., to] if word == "alone" => {
                to != target || !approvers.is_empty() || !(runners.is_empty() || runners.contains(&self.name))
            }
            _ => true,
        }
    }

    /// What stands behind a role.
    fn kind(&self) -> String {
        self.words.first().map_or_else(|| "agent".to_owned(), ToString::to_string)
    }
}

/// What one section declares.
fn declared(block: &TokenStream, section: SectionName) -> Vec<Item> {
    lines(block, section, item)
}

/// The states in whose lines of `allow` the action stands.
fn allowing(block: &TokenStream, action: &Ident) -> Vec<Ident> {
    let is_action = |token: TokenTree| matches!(token, TokenTree::Ident(word) if word == *action);
    let names_it = |token: &TokenTree| match token {
        TokenTree::Group(actions) => actions.stream().into_iter().any(is_action),
        _ => false,
    };
    let states = |line: &[TokenTree]| {
        let states = line.iter().filter_map(|token| match token {
            TokenTree::Ident(state) => Some(state.clone()),
            _ => None,
        });
        line.iter().any(names_it).then(|| states.collect::<Vec<Ident>>())
    };
    lines(block, SectionName::Allow, states).concat()
}

/// What `read` makes of each line of one section.
fn lines<T>(block: &TokenStream, section: SectionName, mut read: impl FnMut(&[TokenTree]) -> Option<T>) -> Vec<T> {
    let mut tokens = block.clone().into_iter().peekable();
    let mut lines = Vec::new();
    while let Some(token) = tokens.next() {
        let opens = matches!(&token, TokenTree::Ident(word) if word == section.word());
        if let Some(TokenTree::Group(group)) = tokens.peek().filter(|_| opens)
            && group.delimiter() == Delimiter::Brace
        {
            let content: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_end = |token: &TokenTree| is_punct(Some(token), ',') || is_punct(Some(token), ';');
            lines.extend(content.split(is_end).filter_map(&mut read));
        }
    }
    lines
}

/// One line of a section; none where it begins with no name.
fn item(tokens: &[TokenTree]) -> Option<Item> {
    // Doc comments are attributes, too.
    let is_attribute = |token: &&TokenTree| is_punct(Some(token), '#') || matches!(token, TokenTree::Group(_));
    let mut names = tokens.iter().skip_while(is_attribute).map_while(|token| match token {
        TokenTree::Ident(word) => Some(word.clone()),
        _ => None,
    });
    let first = names.next()?;
    let name = if first == "final" { names.next()? } else { first };
    let is_other = |word: &&Ident| **word != name;
    let words = tokens.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    let words = words.filter(is_other).cloned().collect();
    words::refused_as_name(&name).is_none().then_some(Item { name, words })
}

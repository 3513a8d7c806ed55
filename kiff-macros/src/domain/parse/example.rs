//! What a hint shows: lines in the block's own names, and where it has none yet, in those of a shop's refunds.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::list::is_punct;
use super::words;

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
    pub(super) action: String,
}

impl Example {
    /// The names that are declared in these tokens, as far as they can be read.
    pub(super) fn of(block: &TokenStream) -> Self {
        let roles = declared(block, "roles");
        let states = declared(block, "states");
        let events = declared(block, "events");
        let is_kind = |kind: &'static str| move |item: &&Item| item.says(kind);
        let is_reported = |item: &&Item| item.says("reported");
        let first = |items: &[Item]| items.first().map(Item::name);
        let role = roles.iter().find(is_kind("agent")).or(roles.first());
        let state = states.iter().find(|item| !item.says("final")).or(states.first()).map(Item::name);
        let next = states.iter().map(Item::name).find(|name| Some(name) != state.as_ref());
        let end = states.iter().find(|item| item.says("final")).or(states.last()).map(Item::name);
        let reported = events.iter().find(is_reported).map(Item::name).or_else(|| first(&events));
        let emitted = events.iter().find(|item| !item.says("reported")).map(Item::name).or_else(|| first(&events));
        let or = |own: Option<String>, other: &str| own.unwrap_or_else(|| other.to_owned());
        Self {
            role: role.map_or(("Agent".to_owned(), "agent".to_owned()), |role| (role.name(), role.kind())),
            human: or(roles.iter().find(is_kind("human")).map(Item::name), "Operator"),
            reporter: or(roles.iter().find(is_kind("system")).or(roles.last()).map(Item::name), "System"),
            state: or(state, "Created"),
            next: or(next, "Paid"),
            end: or(end, "Refunded"),
            reported: or(reported, "OrderPlaced"),
            emitted: or(emitted, "OrderPaid"),
            action: or(first(&declared(block, "actions")), "MarkPaid"),
        }
    }

    pub(super) fn role(&self) -> String {
        format!("{}: {}", self.role.0, self.role.1)
    }

    pub(super) fn action(&self) -> String {
        format!("{} {{ risk: low, by: {}, emits: {} }}", self.action, self.role.0, self.emitted)
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

    /// What stands behind a role.
    fn kind(&self) -> String {
        self.words.first().map_or_else(|| "agent".to_owned(), ToString::to_string)
    }
}

/// What one section declares.
fn declared(block: &TokenStream, section: &str) -> Vec<Item> {
    let mut tokens = block.clone().into_iter().peekable();
    let mut items = Vec::new();
    while let Some(token) = tokens.next() {
        let opens = matches!(&token, TokenTree::Ident(word) if word == section);
        if let Some(TokenTree::Group(group)) = tokens.peek().filter(|_| opens)
            && group.delimiter() == Delimiter::Brace
        {
            let content: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_end = |token: &TokenTree| is_punct(Some(token), ',') || is_punct(Some(token), ';');
            items.extend(content.split(is_end).filter_map(item));
        }
    }
    items
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

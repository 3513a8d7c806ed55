//! Actions with their keys, and the lines that say where they are allowed.

use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::LitStr;

use super::items::{declared, unreadable, used};
use super::list::{self, List, Pipes, is_punct};
use super::reader::Reader;
use crate::domain::syntax::{Action, Allowance, Approval, Effect, Names, Risk, SomeOrNone};
use crate::suggest;

pub(super) const ACTIONS: List = List {
    within: "`actions`",
    separator: ';',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(opens_action),
};
const KEYS: List =
    List { within: "an action", separator: ',', starts: |reader| reader.at_ident_and(|next| is_punct(next, ':')) };
pub(super) const ALLOW: List = List {
    within: "`allow`",
    separator: ';',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(|next| is_punct(next, '=')),
};
const ALLOWED: List =
    List { within: "`[ ]`", separator: ',', starts: |reader| reader.peek_ident().is_some() && !reader.at_reserved() };

const RISKS: [(&str, Risk); 4] =
    [("low", Risk::Low), ("medium", Risk::Medium), ("high", Risk::High), ("critical", Risk::Critical)];
const EFFECTS: [(&str, Effect); 2] = [("none", Effect::None), ("outside", Effect::Outside)];

/// What can be said of an action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Risk,
    By,
    Emits,
    Approval,
    Effect,
    Permission,
    ApprovalPermission,
}

impl Key {
    const ALL: [Self; 7] =
        [Self::Risk, Self::By, Self::Emits, Self::Approval, Self::Effect, Self::Permission, Self::ApprovalPermission];

    const fn word(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::By => "by",
            Self::Emits => "emits",
            Self::Approval => "approval",
            Self::Effect => "effect",
            Self::Permission => "permission",
            Self::ApprovalPermission => "approval_permission",
        }
    }
}

/// `RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }`
pub(super) fn action(reader: &mut Reader<'_>) -> Option<Action> {
    let attributes = reader.attributes();
    let declared = declared(reader, &format!("an action, as in `{}`", reader.example().action()))?;
    let mut action = Action {
        attributes,
        declared,
        risk: None,
        by: None,
        emits: None,
        approval: None,
        effect: None,
        permission: None,
        approval_permission: None,
        whole: true,
    };
    let mut given = Vec::new();
    let mut keys = |reader: &mut Reader<'_>| {
        list::list(reader, &KEYS, |reader| key(reader, &mut action, &mut given));
    };
    if reader.at_group(Delimiter::Brace) {
        reader.group(Delimiter::Brace, &mut keys);
    } else {
        reader.unexpected(&format!("`{{`, as in `{}`", reader.example().action()));
        if reader.at_group(Delimiter::Parenthesis) {
            reader.group(Delimiter::Parenthesis, &mut keys);
        }
        action.whole = false;
    }
    missing_keys(reader, &mut action, &given);
    Some(action)
}

/// One `key: value`.
fn key(reader: &mut Reader<'_>, action: &mut Action, given: &mut Vec<Key>) {
    let Some((key, typed)) = key_word(reader) else {
        action.whole = false;
        return;
    };
    let (word, again) = (key.word(), given.contains(&key));
    if again {
        reader.remark(typed.span(), format!("`{word}` is given twice: remove one"));
    }
    given.push(key);
    reader.colon(&format!("`{word}`"), &example(reader, key));
    match key {
        Key::Risk => {
            let risk = list::choice(reader, "risk", "risks", &RISKS);
            if !again {
                action.risk = risk;
            }
        }
        Key::Effect => {
            let effect = list::choice(reader, "effect", "effects", &EFFECTS).map(|(effect, _)| effect);
            action.effect = action.effect.or(effect);
        }
        Key::By => {
            let by = some_or_none(reader, "roles", role);
            action.by.get_or_insert(by);
        }
        Key::Emits => {
            let emits = some_or_none(reader, "events", |reader| used(reader, "an event or `none`"));
            action.emits.get_or_insert(emits);
        }
        Key::Approval => {
            let approval = approval(reader);
            action.approval.get_or_insert(approval);
        }
        Key::Permission => {
            let permission = permission(reader, key);
            if !again {
                action.permission = permission;
            }
        }
        Key::ApprovalPermission => {
            let permission = permission(reader, key);
            if !again {
                action.approval_permission = permission;
            }
        }
    }
    // What a key is missing is not what the action lacks.
    action.whole &= !reader.failed;
}

/// The key that stands here, or that was meant.
fn key_word(reader: &mut Reader<'_>) -> Option<(Key, Ident)> {
    let Some(typed) = reader.peek_ident() else {
        reader.unexpected("a key, as in `risk: low`");
        return None;
    };
    let text = typed.to_string();
    if let Some(key) = Key::ALL.into_iter().find(|key| key.word() == text) {
        reader.ident();
        return Some((key, typed));
    }
    if !reader.at_ident_and(|next| is_punct(next, ':') || is_punct(next, '=')) {
        let message = format!("expected a key such as `risk`, found `{text}`: put `|` between several names");
        if reader.at_reserved() {
            reader.unexpected("a key");
        }
        reader.fail_here(message);
        reader.ident();
        return None;
    }
    let valid: Vec<String> = Key::ALL.into_iter().map(|key| key.word().to_owned()).collect();
    let meant = suggest::closest(&text, &valid);
    let message = format!("unknown key `{text}`: {}", suggest::hint(&text, "keys", &valid));
    reader.ident();
    if let Some(key) = meant.first().and_then(|position| Key::ALL.get(*position).copied()) {
        reader.remark(typed.span(), message);
        return Some((key, typed));
    }
    reader.fail_between(typed.span(), typed.span(), message);
    None
}

fn permission(reader: &mut Reader<'_>, key: Key) -> Option<LitStr> {
    reader.text(&format!("a permission, as in `{}`", example(reader, key)))
}

fn role(reader: &mut Reader<'_>) -> Option<Ident> {
    used(reader, "a role")
}

fn some_or_none(reader: &mut Reader<'_>, what: &str, name: fn(&mut Reader<'_>) -> Option<Ident>) -> SomeOrNone {
    match reader.eat_word("none") {
        Some(word) => SomeOrNone::None(word),
        None => SomeOrNone::Some(list::piped(reader, Pipes::InAction, what, name)),
    }
}

/// Roles, or `unapproved("…")`.
fn approval(reader: &mut Reader<'_>) -> Approval {
    if let Some(word) = reader.eat_word("none") {
        return Approval::None(word);
    }
    let is_call = reader.at_ident_and(|next| matches!(next, Some(TokenTree::Group(_))));
    if !is_call && !reader.at_word("unapproved") {
        return Approval::Roles(list::piped(reader, Pipes::InAction, "roles", role));
    }
    if let Some(word) = reader.ident()
        && word != "unapproved"
    {
        reader.remark(word.span(), format!("unknown word `{word}`: did you mean `unapproved`?"));
    }
    let expected = "the reason, as in `unapproved(\"read-only export\")`";
    let mut reason = None;
    let mut in_parentheses = |reader: &mut Reader<'_>| {
        reason = reader.text(expected);
        if !reader.is_empty() {
            reader.unexpected("`)`");
        }
    };
    if !reader.group(Delimiter::Parenthesis, &mut in_parentheses) {
        reader.unexpected(expected);
    }
    reason.map_or(Approval::Unreadable, Approval::Waived)
}

/// Keys without which an action cannot be understood; that `by` alone is missing is a rule of its own.
fn missing_keys(reader: &mut Reader<'_>, action: &mut Action, given: &[Key]) {
    let missing: Vec<Key> = [Key::Risk, Key::By, Key::Emits].into_iter().filter(|key| !given.contains(key)).collect();
    if !action.whole || missing.is_empty() || missing == [Key::By] {
        return;
    }
    let name = &action.declared.name;
    let approvers = match &action.approval {
        Some(Approval::Roles(roles)) => roles.names.as_slice(),
        _ => &[],
    };
    let own = reader.example();
    let words: Vec<&str> = missing.iter().copied().map(Key::word).collect();
    let examples = missing.iter().map(|key| match key {
        Key::By => format!("by: {}", own.runner(approvers).unwrap_or_else(|| "…".to_owned())),
        Key::Emits => format!("emits: {}", own.emits_of(action)),
        Key::Risk | Key::Approval | Key::Effect | Key::Permission | Key::ApprovalPermission => example(reader, *key),
    });
    let message = format!(
        "the action `{name}` does not say {}: add it, as in `{}`",
        suggest::enumerate(&words, "and"),
        examples.collect::<Vec<_>>().join(", ")
    );
    reader.remark(name.span(), message);
    if action.by.is_none() && missing.contains(&Key::By) {
        action.by = Some(SomeOrNone::Some(unreadable()));
    }
}

fn example(reader: &Reader<'_>, key: Key) -> String {
    format!("{}: {}", key.word(), reader.example().value(key))
}

/// `Created | Held => [MarkPaid, CancelOrder]`
#[expect(clippy::unnecessary_wraps, reason = "all items of all sections are read alike")]
pub(super) fn allowance(reader: &mut Reader<'_>) -> Option<Allowance> {
    reader.only_docs("an `allow` line");
    let states = list::piped(reader, Pipes::BeforeArrow, "states", |reader| used(reader, "a state"));
    let line = reader.example().allowance();
    let arrow = reader.arrow(&line);
    let mut actions = Names { names: Vec::new(), whole: true };
    let mut read_actions = |reader: &mut Reader<'_>| {
        if reader.is_empty() {
            reader.unexpected(&format!("an action in `[ ]`, as in `{line}`"));
            actions.whole = false;
        }
        list::list(reader, &ALLOWED, |reader| match used(reader, "an action") {
            Some(action) => actions.names.push(action),
            None => actions.whole = false,
        });
    };
    if reader.group(Delimiter::Bracket, &mut read_actions) {
        return Some(Allowance { states, actions });
    }
    if arrow {
        reader.unexpected(&format!("`[`, as in `{line}`"));
    }
    for delimiter in [Delimiter::Brace, Delimiter::Parenthesis] {
        if reader.at_group(delimiter) {
            reader.group(delimiter, &mut read_actions);
            return Some(Allowance { states, actions });
        }
    }
    let bare = reader.at_ident_and(|next| next.is_none() || is_punct(next, ';'));
    actions = match used(reader, "an action") {
        Some(action) if bare => Names { names: vec![action], whole: true },
        _ => unreadable(),
    };
    Some(Allowance { states, actions })
}

fn opens_action(next: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(TokenTree::Ident(word)) => word == "as",
        _ => false,
    }
}

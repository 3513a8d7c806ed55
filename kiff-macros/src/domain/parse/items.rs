//! Roles, states, events, transitions and promises, one item each.

use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::LitStr;

use super::list::{self, List, Pipes, is_punct};
use super::reader::Reader;
use super::words;
use crate::domain::syntax::{
    ActorKind, Clause, Event, Field, Named, Names, Promise, Reported, Role, State, Transition,
};
use crate::domain::wire;

pub(super) const ROLES: List = List {
    within: "`roles`",
    separator: ',',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(|next| is_punct(next, ':')),
};
pub(super) const STATES: List = List {
    within: "`states`",
    separator: ',',
    starts: |reader| !reader.at_reserved() && (reader.at_punct('#') || reader.peek_ident().is_some()),
};
pub(super) const EVENTS: List = List {
    within: "`events`",
    separator: ';',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(opens_event),
};
const FIELDS: List = List {
    within: "an event",
    separator: ',',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(|next| is_punct(next, ':')),
};
pub(super) const TRANSITIONS: List = List {
    within: "`transitions`",
    separator: ';',
    starts: |reader| reader.at_punct('#') || reader.at_ident_and(|next| is_punct(next, ':')),
};
pub(super) const NEVER: List = List {
    within: "`never`",
    separator: ';',
    starts: |reader| {
        reader.at_punct('#')
            || reader.at_ident_and(
                |next| matches!(next, Some(TokenTree::Ident(word)) if word == "without" || word == "alone"),
            )
    },
};

/// How some write `reported by`.
const REPORTED_BY: &str = "reported_by";

const KINDS: [(&str, ActorKind); 5] = [
    ("agent", ActorKind::Agent),
    ("human", ActorKind::Human),
    ("service", ActorKind::Service),
    ("system", ActorKind::System),
    ("external", ActorKind::External),
];

/// A name that is declared here, with its name on the wire if it has its own.
pub(super) fn declared(reader: &mut Reader<'_>, what: &str) -> Option<Named> {
    let name = name(reader, what)?;
    let wire = match reader.eat_word("as") {
        Some(_) => text_after_as(reader, &name),
        None => None,
    };
    Some(Named { name, wire })
}

/// The name on the wire; one without its quotes is no name of the next line.
fn text_after_as(reader: &mut Reader<'_>, name: &Ident) -> Option<LitStr> {
    let wire = wire::screaming(&wire::plain(name));
    let text = reader.text(&format!("a text after `as`, as in `as \"{wire}\"`"));
    if text.is_none() && !reader.at_word("governs") && !reader.at_word("reported") {
        reader.ident();
    }
    text
}

/// A name, whether it is declared or used here.
pub(super) fn name(reader: &mut Reader<'_>, what: &str) -> Option<Ident> {
    if reader.at_reserved() {
        reader.unexpected(what);
        reader.ident();
        return None;
    }
    name_unless(reader, what, words::refused_as_name)
}

/// A name, unless `refused` says why it is none. That of a field may be a word which a later version needs elsewhere.
fn name_unless(reader: &mut Reader<'_>, what: &str, refused: fn(&Ident) -> Option<String>) -> Option<Ident> {
    let Some(name) = reader.ident() else {
        reader.unexpected(what);
        return None;
    };
    if name == "final" {
        reader.fail_between(name.span(), name.span(), "`final` belongs before a state in `states`".to_owned());
        return None;
    }
    if let Some(refusal) = refused(&name) {
        reader.fail_between(name.span(), name.span(), refusal);
        return None;
    }
    Some(name)
}

/// A name that is used here; one that begins the next line leaves this one unfinished.
pub(super) fn used(reader: &mut Reader<'_>, what: &str) -> Option<Ident> {
    if reader.at_ident_and(|next| is_punct(next, ':')) {
        let place = reader.last_place();
        reader.fail_between(place, place, format!("expected {what} after `{}`", reader.last_text()));
        return None;
    }
    if reader.at_word("new") {
        reader.fail_here(format!("expected {what}: `new` is only where an entity comes from"));
        reader.ident();
        return None;
    }
    name(reader, what)
}

/// `Agent: agent`
pub(super) fn role(reader: &mut Reader<'_>) -> Option<Role> {
    let attributes = reader.attributes();
    let declared = declared(reader, &format!("a role, as in `{}`", reader.example().role()))?;
    reader.colon(&format!("the role `{}`", declared.name), &format!("{}: agent", declared.name));
    let kind = list::choice(reader, "kind of actor", "kinds", &KINDS).map(|(kind, _)| kind);
    Some(Role { attributes, declared, kind })
}

/// `final Refunded`
pub(super) fn state(reader: &mut Reader<'_>) -> Option<State> {
    let attributes = reader.attributes();
    let mut is_final = reader.eat_word("final").is_some() || nearly_final(reader);
    let declared = declared(reader, &format!("a state, as in `{}`", reader.example().state))?;
    if reader.at_group(Delimiter::Brace) {
        reader.fail_here(words::reserved_message(&format!("{} {{ … }}", declared.name)));
        reader.eat_token();
    }
    if reader.at_word("final") && !reader.at_ident_and(|next| matches!(next, Some(TokenTree::Ident(_)))) {
        reader.fail_here(format!("`final` stands before the name: write `final {}`", declared.name));
        reader.eat_token();
        is_final = true;
    }
    Some(State { attributes, is_final, declared })
}

fn nearly_final(reader: &mut Reader<'_>) -> bool {
    let two_words = reader.at_ident_and(|next| matches!(next, Some(TokenTree::Ident(_))));
    let Some(typed) = reader.peek_ident().filter(|_| two_words && list::nearly(reader, "final")) else {
        return false;
    };
    reader.remark(typed.span(), format!("unknown word `{typed}` before a state: did you mean `final`?"));
    reader.ident();
    true
}

/// `OrderPlaced { total: Cents } reported by System`
pub(super) fn event(reader: &mut Reader<'_>) -> Option<Event> {
    let attributes = reader.attributes();
    let declared = declared(reader, &format!("an event, as in `{} {{ total: Cents }}`", reader.example().reported))?;
    let mut fields = Vec::new();
    let mut read_fields = |reader: &mut Reader<'_>| {
        list::list(reader, &FIELDS, |reader| fields.push(field(reader)));
    };
    if reader.at_group(Delimiter::Parenthesis) {
        let example = format!("`{} {{ name: Type }}`", declared.name);
        reader.unexpected(&format!("the event's fields in braces, as in {example}"));
        reader.group(Delimiter::Parenthesis, |_| ());
    }
    reader.group(Delimiter::Brace, &mut read_fields);
    let reported = reported(reader);
    let ends = reader.is_empty()
        || reader.at_punct(';')
        || reader.at_punct(',')
        || (EVENTS.starts)(reader)
        || super::section_ahead(reader).is_some();
    Some(Event { attributes, declared, fields, reported, whole: ends && !reader.failed })
}

/// `total: Cents`
fn field(reader: &mut Reader<'_>) -> Field {
    let attributes = reader.attributes();
    let name = name_unless(reader, "a field, as in `total: Cents`", words::refused_as_field);
    let called = name.as_ref().map_or_else(String::new, ToString::to_string);
    reader.colon(&format!("the field `{called}`"), &format!("{called}: Cents"));
    let kind = reader.syntax();
    if kind.is_none() {
        reader.unexpected(&format!("the type of `{called}`, as in `{called}: Cents`"));
    }
    Field { attributes, name, kind }
}

/// `reported by System | Operator`
fn reported(reader: &mut Reader<'_>) -> Option<Reported> {
    let keyword = reader.peek_ident().filter(|_| {
        reader.at_word("reported")
            || reader.at_word(REPORTED_BY)
            || (list::nearly(reader, "reported")
                && reader.at_ident_and(|next| matches!(next, Some(TokenTree::Ident(by)) if by == "by")))
    })?;
    if keyword != "reported" && keyword != REPORTED_BY {
        reader.remark(keyword.span(), format!("unknown word `{keyword}`: did you mean `reported by`?"));
    }
    reader.ident();
    by(reader, &keyword);
    let roles = list::piped(reader, Pipes::InEvent, "roles", |reader| {
        if reader.at_ident_and(|next| matches!(next, Some(TokenTree::Group(_)))) {
            let place = reader.last_place();
            reader.fail_between(place, place, format!("expected a role after `{}`", reader.last_text()));
            return None;
        }
        used(reader, "a role")
    });
    Some(Reported { keyword, roles })
}

/// `by`, without what other languages write around it.
fn by(reader: &mut Reader<'_>, keyword: &Ident) {
    let is_key = reader.at_punct(':');
    if keyword == REPORTED_BY || is_key {
        reader.remark(keyword.span(), "write `reported by`, as two words and without `:`".to_owned());
        reader.eat_punct(':');
        reader.eat_word("by");
        reader.eat_punct(':');
        return;
    }
    list::word(reader, "by", "`reported`");
    if reader.at_punct(':') {
        reader.remark(reader.here(), "no `:` stands after `reported by`: remove it".to_owned());
        reader.eat_punct(':');
    }
}

/// `OrderPaid: Created | Held => Paid`
#[expect(clippy::unnecessary_wraps, reason = "all items of all sections are read alike")]
pub(super) fn transition(reader: &mut Reader<'_>) -> Option<Transition> {
    reader.only_docs("a transition");
    let example = reader.example();
    let line = example.transition(&example.emitted);
    let event = name(reader, &format!("an event, as in `{line}`"));
    let called = event.as_ref().map_or_else(String::new, ToString::to_string);
    reader.colon(&format!("the event `{called}`"), &example.transition(&called));
    let sources = list::piped(reader, Pipes::BeforeArrow, "states", place);
    reader.arrow(&line);
    let target = used(reader, "the state that the event leads to");
    if reader.at_punct('|') {
        let message = "an event leads to one state: let another event lead to the other, each in its own line";
        reader.fail_here(message.to_owned());
    }
    Some(Transition { event, sources, target })
}

/// `new`, or a state.
pub(super) fn place(reader: &mut Reader<'_>) -> Option<Ident> {
    if reader.at_word("new") { reader.ident() } else { used(reader, "a state or `new`") }
}

/// `Refunded without Operator`, or `Agent alone from Paid to Refunded`
#[expect(clippy::unnecessary_wraps, reason = "all items of all sections are read alike")]
pub(super) fn clause(reader: &mut Reader<'_>) -> Option<Clause> {
    reader.only_docs("a promise");
    let start = reader.here();
    let example = reader.example();
    let first = name(reader, &format!("a promise, as in `{}`", example.without()));
    let promise = if reader.at_word("alone") || list::nearly(reader, "alone") {
        Some(alone(reader, first))
    } else if reader.at_word("without") || list::nearly(reader, "without") {
        list::word(reader, "without", "the state");
        Some(Promise::Without { state: first, role: used(reader, "a role") })
    } else {
        let (without, alone) = (example.without(), example.alone());
        reader.unexpected(&format!("`without` or `alone`, as in `{without}` or `{alone}`"));
        None
    };
    Some(Clause { promise, ends: (start, reader.last_place()) })
}

fn alone(reader: &mut Reader<'_>, role: Option<Ident>) -> Promise {
    list::word(reader, "alone", "the role");
    list::word(reader, "from", "`alone`");
    let from = if reader.at_word("to") {
        reader.unexpected("a state or `new`");
        None
    } else {
        place(reader)
    };
    list::word(reader, "to", "the state");
    Promise::Alone { role, from, to: used(reader, "a state") }
}

fn opens_event(next: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(TokenTree::Ident(word)) => word == "as" || word == "reported" || word == REPORTED_BY,
        _ => false,
    }
}

/// Names that could not be read.
pub(super) const fn unreadable() -> Names {
    Names { names: Vec::new(), whole: false }
}

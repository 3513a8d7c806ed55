//! Rules about single names: each is declared, and each is fit for the wire.

use proc_macro2::Ident;
use syn::LitStr;

use super::permissions::overlong_permission;
use crate::domain::model::{Declared, Model, PlaceReference, Promise, Reference, Target};
use crate::domain::wire::plain;
use crate::errors::Errors;
use crate::suggest;

const RULE: &str = "unknown_name";
const MALFORMED: &str = "malformed_name";

/// The longest name on the wire.
const LONGEST: usize = 128;

/// A name that the block does not declare governs nothing, whatever its reader believes.
pub(crate) fn unknown_name(model: &Model, errors: &Errors) {
    let names = Names::of(model);
    let roles = |used: &Reference<_>| names.check(errors, Kind::Role, used, model.roles.whole);
    let states = |used: &Reference<_>| names.check(errors, Kind::State, used, model.states.whole);
    let events = |used: &Reference<_>| names.check(errors, Kind::Event, used, model.events.whole);
    let actions = |used: &Reference<_>| names.check(errors, Kind::Action, used, model.actions.whole);
    let places = |used: &PlaceReference| {
        if let PlaceReference::State(used) = used {
            names.check(errors, Kind::Place, used, model.states.whole);
        }
    };
    for (_, event) in model.events.iter() {
        event.reporters.iter().for_each(roles);
    }
    for line in &model.transitions.items {
        events(&line.event);
        line.sources.iter().for_each(places);
        states(&line.target);
    }
    for (_, action) in model.actions.iter() {
        action.runners.roles().iter().chain(action.approval.roles()).for_each(roles);
        action.emits.iter().for_each(events);
    }
    for line in &model.allowances.items {
        line.states.iter().for_each(states);
        line.actions.iter().for_each(actions);
    }
    for clause in &model.clauses.items {
        match &clause.promise {
            Promise::Without { state, role } => {
                states(state);
                roles(role);
            }
            Promise::Alone { role, from, to } => {
                roles(role);
                places(from);
                states(to);
            }
        }
    }
}

/// What a name can be the name of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    State,
    /// A state, or `new`.
    Place,
    Event,
    Action,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::State | Self::Place => "state",
            Self::Event => "event",
            Self::Action => "action",
        }
    }

    /// As what it is declared.
    fn declared(self) -> Self {
        if self == Self::Place { Self::State } else { self }
    }

    /// `a role`, `an event`
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Role => "a role",
            Self::State | Self::Place => "a state",
            Self::Event => "an event",
            Self::Action => "an action",
        }
    }
}

/// Every declared name, with what it is the name of.
struct Names<'m> {
    declared: Vec<(Kind, &'m Declared)>,
}

impl<'m> Names<'m> {
    fn of(model: &'m Model) -> Self {
        Self { declared: declarations(model) }
    }

    fn check<T>(&self, errors: &Errors, kind: Kind, used: &Reference<T>, whole: bool) {
        let Some(token) = used.token.as_ref().filter(|_| !matches!(used.target, Target::Exact(_))) else {
            return;
        };
        // Where a declaration could not be read, the name may be the one that it was meant to declare.
        if !whole {
            return;
        }
        match self.begins_small(kind, token) {
            Some(declared) => {
                let (small, used) = (declared.plain(), plain(token));
                let message = format!("the {} `{small}` is used as `{used}`: write `{used}` here", kind.word());
                errors.report(RULE, &declared.name, message);
            }
            None => errors.report(RULE, token, self.message(kind, token)),
        }
    }

    /// The declaration that this name differs from in its first letter alone: the small one is the mistake, and it is one.
    fn begins_small(&self, kind: Kind, token: &Ident) -> Option<&'m Declared> {
        let small = suggest::begun_small(&plain(token))?;
        let of_kind = |(own, _): &&(Kind, &Declared)| *own == kind.declared();
        self.declared.iter().filter(of_kind).map(|(_, declared)| *declared).find(|declared| declared.plain() == small)
    }

    fn message(&self, kind: Kind, token: &Ident) -> String {
        let text = plain(token);
        let mut valid: Vec<String> = Vec::new();
        for (_, declared) in self.declared.iter().filter(|(own, _)| *own == kind.declared()) {
            let name = declared.plain();
            if !valid.contains(&name) {
                valid.push(name);
            }
        }
        let plural = format!("{}s", kind.word());
        if let Some((other, _)) = self.declared.iter().find(|(_, declared)| declared.plain() == text) {
            let list = suggest::hint("", &plural, &valid);
            return format!("`{text}` is {}, not {}: {list}", other.one(), kind.one());
        }
        let hint = suggest::hint(&text, &plural, &valid);
        let is_guess = !suggest::closest(&text, &valid).is_empty();
        let beginning = match kind {
            Kind::Place if !is_guess => ", and an entity that does not exist yet comes from `new`",
            _ => "",
        };
        format!("unknown {} `{text}`: {hint}{beginning}", kind.word())
    }
}

/// Every declaration of the block, section by section.
pub(super) fn declarations(model: &Model) -> Vec<(Kind, &Declared)> {
    let roles = model.roles.iter().map(|(_, role)| (Kind::Role, &role.declared));
    let states = model.states.iter().map(|(_, state)| (Kind::State, &state.declared));
    let events = model.events.iter().map(|(_, event)| (Kind::Event, &event.declared));
    let actions = model.actions.iter().map(|(_, action)| (Kind::Action, &action.declared));
    roles.chain(states).chain(events).chain(actions).collect()
}

/// Names on the wire end up in records, permissions and URLs, where blanks and control characters deceive.
pub(crate) fn malformed_name(model: &Model, errors: &Errors) {
    let header = [&model.header.domain, &model.header.entity].into_iter().flatten();
    let mut given: Vec<&LitStr> = header.filter_map(|named| named.wire.as_ref()).collect();
    given.extend(declarations(model).into_iter().filter_map(|(_, declared)| declared.given_wire.as_ref()));
    for (_, action) in model.actions.iter() {
        given.extend(&action.syntax.permission);
        given.extend(&action.syntax.approval_permission);
    }
    for name in given {
        if !is_fit_for_the_wire(&name.value()) {
            let message = format!(
                "{:?} cannot be a name on the wire: use letters, digits, `_`, `-`, `.`, `:` and `/`, \
                 {LONGEST} of them at most",
                name.value()
            );
            errors.report(MALFORMED, name, message);
        }
    }
    for (name, wire) in derived(model) {
        let count = wire.chars().count();
        if count > LONGEST {
            let message = format!(
                "`{}` would have {count} letters on the wire, and the most is {LONGEST}: \
                 rename it, or give it a shorter name there with `as \"…\"`",
                plain(name)
            );
            errors.report(MALFORMED, name, message);
        }
    }
    overlong_permission(model, MALFORMED, LONGEST, errors);
}

/// The names on the wire that are made of those in the block. Rust has seen to their letters.
fn derived(model: &Model) -> Vec<(&Ident, String)> {
    let header = &model.header;
    let domain = header.domain.iter().map(|named| (named, header.domain_wire()));
    let entity = header.entity.iter().map(|named| (named, header.entity_wire()));
    let named = domain.chain(entity).filter(|(named, _)| named.wire.is_none());
    let declared = declarations(model).into_iter().filter(|(_, declared)| declared.given_wire.is_none());
    let named = named.map(|(named, wire)| (&named.name, wire));
    named.chain(declared.map(|(_, declared)| (&declared.name, declared.wire.clone()))).collect()
}

fn is_fit_for_the_wire(name: &str) -> bool {
    let is_fit = |letter: char| letter.is_alphanumeric() || "_-.:/".contains(letter);
    !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(is_fit)
}

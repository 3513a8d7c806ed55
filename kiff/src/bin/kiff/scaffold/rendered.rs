//! The names of a draft as Rust writes them, and what is guessed of its parameters.

use std::collections::BTreeMap;

use super::draft::{Action, Draft};
use super::names::{Identifiers, Name, parameter};

/// Every name of the block.
pub(crate) struct Rendered<'d> {
    pub(crate) draft: &'d Draft,
    pub(crate) domain: Name,
    pub(crate) entity: Name,
    roles: BTreeMap<&'d str, Name>,
    states: BTreeMap<&'d str, Name>,
    events: BTreeMap<&'d str, Name>,
    actions: BTreeMap<&'d str, Name>,
}

/// A parameter as its executor takes it.
pub(crate) struct Parameter {
    pub(crate) ident: String,
    pub(crate) kind: Kind,
}

/// What a parameter probably is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Amount,
    Count,
    Flag,
    Text,
}

impl Kind {
    fn of(name: &str) -> Self {
        let name = super::names::snake(name);
        let has = |words: &[&str]| name.split(['_', '-', '.']).any(|part| words.contains(&part));
        let begins = |words: &[&str]| name.split(['_', '-', '.']).next().is_some_and(|first| words.contains(&first));
        if begins(&["is", "has", "can", "should"]) {
            Self::Flag
        } else if has(&["count", "quantity", "qty"]) {
            Self::Count
        } else if has(&["amount", "balance", "cents", "cost", "fee", "price", "sum", "total"]) {
            Self::Amount
        } else {
            Self::Text
        }
    }

    /// The type.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Amount => "Cents",
            Self::Count => "u32",
            Self::Flag => "bool",
            Self::Text => "String",
        }
    }

    /// What its value must fulfil.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Amount => "#[param(range(min = 1, max = 1_000_000))] ",
            Self::Count => "#[param(range(min = 1, max = 1_000))] ",
            Self::Flag => "",
            Self::Text => "#[param(length(min = 1, max = 500))] ",
        }
    }

    /// A value that fulfils it.
    pub(crate) const fn sample(self) -> &'static str {
        match self {
            Self::Amount => "Cents(4_900)",
            Self::Count => "1",
            Self::Flag => "true",
            Self::Text => "\"a sample\".into()",
        }
    }
}

impl<'d> Rendered<'d> {
    /// Names for everything in the draft.
    pub(crate) fn new(domain: &str, entity: &str, draft: &'d Draft) -> Self {
        let (mut identifiers, domain, entity) = Identifiers::new(domain, entity);
        let roles = draft.roles.iter().map(|role| (role.name.as_str(), identifiers.role(&role.name))).collect();
        let states = draft.states.iter().map(|state| (state.name.as_str(), identifiers.state(&state.name))).collect();
        let events = draft.events.iter().map(|event| (event.name.as_str(), identifiers.event(&event.name))).collect();
        let actions = draft.actions.iter().map(|action| {
            let name = identifiers.action(&action.name, action.emits.len() > 1);
            (action.name.as_str(), name)
        });
        let actions = actions.collect();
        Self { draft, domain, entity, roles, states, events, actions }
    }

    pub(crate) fn role(&self, name: &str) -> &str {
        self.roles.get(name).map_or("", |name| &name.ident)
    }

    pub(crate) fn state(&self, name: &str) -> &str {
        self.states.get(name).map_or("", |name| &name.ident)
    }

    pub(crate) fn event(&self, name: &str) -> &str {
        self.events.get(name).map_or("", |name| &name.ident)
    }

    pub(crate) fn action(&self, name: &str) -> &str {
        self.actions.get(name).map_or("", |name| &name.ident)
    }

    /// The name as it stands where it is declared, of whatever it is the name.
    pub(crate) fn declared(&self, of: Declared, name: &str) -> String {
        let names = match of {
            Declared::Role => &self.roles,
            Declared::State => &self.states,
            Declared::Event => &self.events,
            Declared::Action => &self.actions,
        };
        names.get(name).map(Name::declared).unwrap_or_default()
    }

    /// What executors may touch.
    pub(crate) fn services(&self) -> String {
        format!("{}Services", self.domain.ident)
    }

    /// What an action takes.
    pub(crate) fn parameters(action: &Action) -> Vec<Parameter> {
        let own = action.parameters.iter();
        own.map(|name| Parameter { ident: parameter(name), kind: Kind::of(name) }).collect()
    }

    /// What an event says: what every action that emits it takes, so that each can answer with it.
    pub(crate) fn fields(&self, event: &str) -> Vec<Parameter> {
        let mut emitters = self.draft.actions.iter().filter(|action| action.emits.iter().any(|own| own == event));
        let Some(first) = emitters.next() else { return Vec::new() };
        let others: Vec<&Action> = emitters.collect();
        let mut fields = Self::parameters(first);
        fields.retain(|field| {
            others.iter().all(|other| Self::parameters(other).iter().any(|own| own.ident == field.ident))
        });
        fields
    }
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Declared {
    Role,
    State,
    Event,
    Action,
}

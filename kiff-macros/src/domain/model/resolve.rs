//! From syntax to model: each used name finds its declaration, or the one that it is close to.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::{
    Action, Allowance, Approval, Clause, Declared, Event, Id, Lines, Model, PlaceReference, Promise, Reference, Role,
    Runners, State, Table, Target, Transition,
};
use crate::domain::syntax::{self, Block, Named, Names, Section, SomeOrNone};
use crate::domain::wire::{plain, screaming, snake};
use crate::suggest;

impl Model {
    /// Resolves every name of the block.
    pub(crate) fn resolve(block: Block) -> Self {
        let domain = block.header.domain_wire();
        let roles = table(block.roles, |role| Role { declared: declare(&role.declared, snake), syntax: role });
        let states =
            table(block.states, |state| State { declared: declare(&state.declared, screaming), syntax: state });
        let role_names = names_of(&roles);
        let events = table(block.events, |event| {
            let reporters = match &event.reported {
                Some(reported) => references(&role_names, &reported.roles),
                None if event.whole => Vec::new(),
                None => vec![Reference::UNREADABLE],
            };
            Event { declared: declare(&event.declared, screaming), reporters, syntax: event }
        });
        let event_names = names_of(&events);
        let actions = table(block.actions, |action| self::action(action, &domain, &role_names, &event_names));
        let state_names = names_of(&states);
        let action_names = names_of(&actions);
        let mut model = Self {
            transitions: lines(block.transitions, |line| transition(&line, &event_names, &state_names)),
            allowances: lines(block.allow, |line| Allowance {
                states: references(&state_names, &line.states),
                actions: references(&action_names, &line.actions),
            }),
            clauses: lines(block.never, |line| clause(line, &state_names, &role_names)),
            header: block.header,
            services: block.services,
            elsewhere: block.elsewhere,
            roles,
            states,
            events,
            actions,
        };
        model.mark_twins();
        model
    }

    /// A name that is declared twice, in whichever sections, leaves open what was meant by either.
    fn mark_twins(&mut self) {
        fn names<T: Declaration>(table: &Table<T>) -> impl Iterator<Item = String> {
            table.iter().map(|(_, item)| item.declared().plain())
        }
        fn mark<T: Declaration>(table: &mut Table<T>, counts: &HashMap<String, usize>) {
            for item in table.items_mut() {
                let declared = item.declared_mut();
                declared.twin = counts.get(&declared.plain()).is_some_and(|count| *count > 1);
            }
        }
        let mut counts = HashMap::new();
        let declared = names(&self.roles).chain(names(&self.states));
        for name in declared.chain(names(&self.events)).chain(names(&self.actions)) {
            *counts.entry(name).or_insert(0) += 1;
        }
        mark(&mut self.roles, &counts);
        mark(&mut self.states, &counts);
        mark(&mut self.events, &counts);
        mark(&mut self.actions, &counts);
    }
}

/// The names that one section declares, ready to be looked up.
struct Known<T> {
    names: Vec<(Id<T>, String)>,
    /// Each name once, for the search for a close one.
    texts: Vec<String>,
}

impl<T> Known<T> {
    fn reference(&self, used: &Ident) -> Reference<T> {
        let text = plain(used);
        let find = |wanted: &str| self.names.iter().find(|(_, name)| name == wanted).map(|(id, _)| *id);
        let target = match find(&text) {
            Some(id) => Target::Exact(id),
            None => match suggest::closest(&text, &self.texts).as_slice() {
                // Two names that are equally close leave open which is meant.
                [only] => self.texts.get(*only).and_then(|name| find(name)).map_or(Target::Unknown, Target::Guessed),
                _ => Target::Unknown,
            },
        };
        Reference { token: Some(used.clone()), target }
    }

    fn optional(&self, used: Option<&Ident>) -> Reference<T> {
        used.map_or(Reference::UNREADABLE, |used| self.reference(used))
    }
}

/// What can be looked up by name.
pub(crate) trait Declaration {
    fn declared(&self) -> &Declared;
    fn declared_mut(&mut self) -> &mut Declared;
}

macro_rules! declarations {
    ($($kind:ident)*) => {$(
        impl Declaration for $kind {
            fn declared(&self) -> &Declared {
                &self.declared
            }

            fn declared_mut(&mut self) -> &mut Declared {
                &mut self.declared
            }
        }
    )*};
}

declarations!(Role State Event Action);

fn table<S, T: Declaration>(section: Section<S>, item: impl Fn(S) -> T) -> Table<T> {
    let there = section.keyword.is_some();
    let mut table = Table::new(section.whole && there);
    for syntax in section.items {
        table.push(item(syntax));
    }
    table
}

fn lines<S, T>(section: Section<S>, line: impl Fn(S) -> T) -> Lines<T> {
    let there = section.keyword.is_some();
    Lines {
        keyword: section.keyword,
        items: section.items.into_iter().map(line).collect(),
        whole: section.whole && there,
    }
}

fn declare(named: &Named, derive: fn(&str) -> String) -> Declared {
    Declared {
        name: named.name.clone(),
        wire: named.wire.as_ref().map_or_else(|| derive(&plain(&named.name)), syn::LitStr::value),
        given_wire: named.wire.clone(),
        twin: false,
    }
}

fn names_of<T: Declaration>(table: &Table<T>) -> Known<T> {
    let names: Vec<(Id<T>, String)> = table.iter().map(|(id, item)| (id, item.declared().plain())).collect();
    let mut texts: Vec<String> = Vec::new();
    for (_, name) in &names {
        if !texts.contains(name) {
            texts.push(name.clone());
        }
    }
    Known { names, texts }
}

/// Each name of a list, and one that is unknown if a part of the list could not be read.
fn references<T>(known: &Known<T>, names: &Names) -> Vec<Reference<T>> {
    let mut references: Vec<Reference<T>> = names.names.iter().map(|name| known.reference(name)).collect();
    if !names.whole {
        references.push(Reference::UNREADABLE);
    }
    references
}

fn action(syntax: syntax::Action, domain: &str, roles: &Known<Role>, events: &Known<Event>) -> Action {
    let name = snake(&plain(&syntax.declared.name));
    let runners = match &syntax.by {
        Some(SomeOrNone::Some(names)) => Runners::Roles(references(roles, names)),
        Some(SomeOrNone::None(word)) => Runners::Nobody(word.clone()),
        None if syntax.whole => Runners::LeftOut,
        None => Runners::Roles(vec![Reference::UNREADABLE]),
    };
    let emits = match &syntax.emits {
        Some(SomeOrNone::Some(names)) => references(events, names),
        Some(SomeOrNone::None(_)) => Vec::new(),
        None => vec![Reference::UNREADABLE],
    };
    let approval = match &syntax.approval {
        Some(syntax::Approval::Roles(names)) => Approval::Roles(references(roles, names)),
        Some(syntax::Approval::Waived(reason)) => Approval::Waived(reason.clone()),
        Some(syntax::Approval::None(word)) => Approval::Nobody(word.clone()),
        None if syntax.whole => Approval::LeftOut,
        Some(syntax::Approval::Unreadable) | None => Approval::Roles(vec![Reference::UNREADABLE]),
    };
    let given =
        |permission: &Option<syn::LitStr>, derived: String| permission.as_ref().map_or(derived, syn::LitStr::value);
    Action {
        declared: declare(&syntax.declared, screaming),
        permission: given(&syntax.permission, format!("{domain}.{name}")),
        approval_permission: given(&syntax.approval_permission, format!("{domain}.approve_{name}")),
        runners,
        emits,
        approval,
        syntax,
    }
}

fn place(used: &Ident, states: &Known<State>) -> PlaceReference {
    if used == "new" { PlaceReference::New(used.clone()) } else { PlaceReference::State(states.reference(used)) }
}

fn transition(line: &syntax::Transition, events: &Known<Event>, states: &Known<State>) -> Transition {
    let mut sources: Vec<PlaceReference> = line.sources.names.iter().map(|used| place(used, states)).collect();
    if !line.sources.whole {
        sources.push(PlaceReference::State(Reference::UNREADABLE));
    }
    Transition { event: events.optional(line.event.as_ref()), sources, target: states.optional(line.target.as_ref()) }
}

fn clause(line: syntax::Clause, states: &Known<State>, roles: &Known<Role>) -> Clause {
    let promise = match line.promise {
        Some(syntax::Promise::Without { state, role }) => {
            Promise::Without { state: states.optional(state.as_ref()), role: roles.optional(role.as_ref()) }
        }
        Some(syntax::Promise::Alone { role, from, to }) => Promise::Alone {
            role: roles.optional(role.as_ref()),
            from: from.map_or(PlaceReference::State(Reference::UNREADABLE), |used| place(&used, states)),
            to: states.optional(to.as_ref()),
        },
        None => Promise::Without { state: Reference::UNREADABLE, role: Reference::UNREADABLE },
    };
    Clause { promise, ends: line.ends }
}

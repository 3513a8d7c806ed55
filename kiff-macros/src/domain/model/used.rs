//! The names that a block uses, wherever it uses them.

use proc_macro2::Ident;

use super::{Model, PlaceReference, Promise, Reference};

/// Every name that the block uses, as written.
#[derive(Default)]
pub(crate) struct Used<'m> {
    pub(crate) roles: Vec<&'m Ident>,
    pub(crate) states: Vec<&'m Ident>,
    pub(crate) events: Vec<&'m Ident>,
    pub(crate) actions: Vec<&'m Ident>,
}

impl<'m> Used<'m> {
    pub(crate) fn of(model: &'m Model) -> Self {
        let mut used = Self::default();
        for (_, event) in model.events.iter() {
            used.roles.extend(tokens(&event.reporters));
        }
        for (_, action) in model.actions.iter() {
            used.roles.extend(tokens(action.runners.roles()));
            used.roles.extend(tokens(action.approval.roles()));
            used.events.extend(tokens(&action.emits));
        }
        for line in &model.transitions.items {
            used.events.extend(&line.event.token);
            used.states.extend(line.sources.iter().filter_map(state));
            used.states.extend(&line.target.token);
        }
        for line in &model.allowances.items {
            used.states.extend(tokens(&line.states));
            used.actions.extend(tokens(&line.actions));
        }
        for clause in &model.clauses.items {
            match &clause.promise {
                Promise::Without { state, role } => {
                    used.states.extend(&state.token);
                    used.roles.extend(&role.token);
                }
                Promise::Alone { role, from, to } => {
                    used.roles.extend(&role.token);
                    used.states.extend(state(from).into_iter().chain(&to.token));
                }
            }
        }
        used
    }
}

fn tokens<T>(references: &[Reference<T>]) -> impl Iterator<Item = &Ident> {
    references.iter().filter_map(|used| used.token.as_ref())
}

fn state(place: &PlaceReference) -> Option<&Ident> {
    match place {
        PlaceReference::New(_) => None,
        PlaceReference::State(state) => state.token.as_ref(),
    }
}

//! What an editor needs to complete, find and rename the names that the block uses.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::Names;
use crate::domain::model::{Model, PlaceReference, Promise, Reference};

/// Every name that the block uses, as written, where only rust-analyzer looks: there it is a path that can be completed.
pub(super) fn hook(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, role, state, event, .. } = names;
    let used = Used::of(model);
    let (roles, states, events, actions) = (used.roles, used.states, used.events, used.actions);
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn names(action: #domain, role: #role, state: #state, event: #event) {
                match role { #(#role::#roles => (),)* _ => () }
                match state { #(#state::#states => (),)* _ => () }
                match event { #(#event::#events(_) => (),)* _ => () }
                match action { #(#domain::#actions => (),)* _ => () }
            }
        };
    }
}

#[derive(Default)]
struct Used<'m> {
    roles: Vec<&'m Ident>,
    states: Vec<&'m Ident>,
    events: Vec<&'m Ident>,
    actions: Vec<&'m Ident>,
}

impl<'m> Used<'m> {
    fn of(model: &'m Model) -> Self {
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

//! Bounds: a block that is too large to be read is too large to be governed by reading it.

use proc_macro2::Ident;

use crate::domain::model::Model;
use crate::errors::Errors;

const STATES: usize = 128;
const ROLES: usize = 64;
const EVENTS: usize = 512;
const ACTIONS: usize = 512;

/// A reviewer's patience has a fixed size.
pub(crate) fn too_many(model: &Model, errors: &Errors) {
    let over = |what: &str, bound: usize, first_over: Option<&Ident>| {
        if let Some(name) = first_over {
            let message = format!("a domain has at most {bound} {what}, and `{name}` is one more: split the domain");
            errors.report("too_many", name, message);
        }
    };
    over("roles", ROLES, model.roles.iter().nth(ROLES).map(|(_, role)| &role.declared.name));
    over("states", STATES, model.states.iter().nth(STATES).map(|(_, state)| &state.declared.name));
    over("events", EVENTS, model.events.iter().nth(EVENTS).map(|(_, event)| &event.declared.name));
    over("actions", ACTIONS, model.actions.iter().nth(ACTIONS).map(|(_, action)| &action.declared.name));
}

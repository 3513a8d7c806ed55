//! The parts of a schema in few words, as the macros write them: rustc checks a call much sooner than the literal that it makes.

use std::borrow::Cow;

use super::{
    ApprovalRule, Contract, Effect, EventSchema, FieldSchema, List, Parameter, Permission, Risk, Role, RoleSchema,
    Rule, StateSchema, Text, Transition,
};
use crate::actor::ActorKind;

/// A text of the block.
#[must_use]
pub const fn text(text: &'static str) -> Text {
    Cow::Borrowed(text)
}

/// A list of the block.
#[must_use]
pub const fn list<T: Clone>(items: &'static [T]) -> List<T> {
    Cow::Borrowed(items)
}

/// A role of the schema.
#[must_use]
pub const fn role_schema(name: &'static str, kind: ActorKind, documentation: &'static str) -> RoleSchema {
    RoleSchema { name: text(name), kind, documentation: text(documentation) }
}

/// A state of the schema.
#[must_use]
pub const fn state_schema(name: &'static str, is_final: bool, documentation: &'static str) -> StateSchema {
    StateSchema { name: text(name), is_final, documentation: text(documentation) }
}

/// An event of the schema.
#[must_use]
pub const fn event_schema(
    name: &'static str,
    documentation: &'static str,
    fields: &'static [FieldSchema],
    report: Permission,
) -> EventSchema {
    EventSchema { name: text(name), documentation: text(documentation), fields: list(fields), report }
}

/// A field of an event.
#[must_use]
pub const fn field_schema(name: &'static str, type_name: &'static str, documentation: &'static str) -> FieldSchema {
    FieldSchema { name: text(name), type_name: text(type_name), documentation: text(documentation) }
}

/// A transition between two states.
#[must_use]
pub const fn transition(event: &'static str, from: &'static str, to: &'static str) -> Transition {
    Transition { event: text(event), from: Some(text(from)), to: text(to) }
}

/// A transition from `new`.
#[must_use]
pub const fn beginning(event: &'static str, to: &'static str) -> Transition {
    Transition { event: text(event), from: None, to: text(to) }
}

/// The contract of an action.
#[must_use]
#[expect(
    clippy::too_many_arguments,
    reason = "a block says so much of an action, and each that has a name of its own costs"
)]
pub const fn contract(
    name: &'static str,
    documentation: &'static str,
    risk: Risk,
    effect: Effect,
    permission: Permission,
    approval: ApprovalRule,
    emits: &'static [Text],
    allowed_in: &'static [Text],
    parameters: &'static [Parameter],
) -> Contract {
    Contract {
        name: text(name),
        documentation: text(documentation),
        risk,
        effect,
        permission,
        approval,
        emits: list(emits),
        allowed_in: list(allowed_in),
        parameters: list(parameters),
    }
}

/// A permission and the roles that carry it.
#[must_use]
pub const fn permission(name: &'static str, roles: &'static [Role]) -> Permission {
    Permission { name: text(name), roles: list(roles) }
}

/// A parameter of an action.
#[must_use]
pub const fn parameter(
    name: &'static str,
    type_name: &'static str,
    documentation: &'static str,
    optional: bool,
    rules: &'static [Rule],
) -> Parameter {
    Parameter {
        name: text(name),
        type_name: text(type_name),
        documentation: text(documentation),
        optional,
        rules: list(rules),
    }
}

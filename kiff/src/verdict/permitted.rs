//! Whether somebody may, by the policy and by who asked.

use std::fmt;

use crate::actor::{Actor, ActorKind};
use crate::identifier::EntityKey;
use crate::permission::{self, Policy};
use crate::schema::Permission;

use super::{Refused, sentence};

/// Refuses an actor who does not have the permission on the entity, or of whom that cannot be decided.
pub(super) fn permitted(
    policy: &dyn Policy,
    actor: &Actor,
    permission: &Permission,
    key: &EntityKey,
) -> Result<(), Refused> {
    match permission::has(policy, actor, permission, key) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refused::blocked(sentence::permission_denied(actor, permission))),
        Err(_) => Err(Refused::blocked(sentence::undecided(actor, permission))),
    }
}

/// Refuses whoever is no human, or has asked for it themselves, or does not have the permission. `deed` is what only a human can
/// do, and `own` what the one who asked did and cannot do.
pub(super) fn by_another_human(
    policy: &dyn Policy,
    actor: &Actor,
    permission: &Permission,
    key: &EntityKey,
    asked_by: &Actor,
    deed: &str,
    own: fmt::Arguments<'_>,
) -> Result<(), Refused> {
    let denied = |message| Err(Refused::blocked(sentence::not_by_them(message, permission)));
    if actor.kind() != ActorKind::Human {
        return denied(format!("only a human can {deed}; `{}` is of kind {}", actor.id(), actor.kind()));
    }
    if actor.id() == asked_by.id() {
        return denied(format!("`{}` {own}", actor.id()));
    }
    permitted(policy, actor, permission, key)
}

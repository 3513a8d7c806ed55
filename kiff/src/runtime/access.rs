//! Who may look.

use crate::actor::Actor;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::permission::{self, PolicyError};
use crate::schema::{Permission, Schema};
use crate::store::Store;

use super::Runtime;

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Whether `actor` may see the entity's journal and what follows from it: who holds any role of the domain on the
    /// entity may. An entity of another domain nobody may see here.
    ///
    /// The methods of a runtime do not ask this themselves: a program that holds a runtime sees everything. A face that
    /// shows an entity to somebody asks before.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot decide; nothing is then shown.
    pub fn may_read(&self, actor: &Actor, key: &EntityKey) -> Result<bool, PolicyError> {
        self.may(actor, key, &self.reading)
    }

    /// Whether `actor` holds a role on the entity that carries the permission: what a page shows as theirs to do. On an entity of
    /// another domain they may do nothing here.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot decide.
    pub fn may(&self, actor: &Actor, key: &EntityKey, permission: &Permission) -> Result<bool, PolicyError> {
        if Self::governed(key).is_err() {
            return Ok(false);
        }
        permission::has(&*self.policy, actor, permission, key)
    }
}

/// The permission to look: that of whoever holds any role. No action can have its name, also where it is called `Read`.
pub(super) fn reading(schema: &Schema) -> Permission {
    Permission { name: format!("{}.entity.read", schema.domain).into(), roles: schema.permission_roles().collect() }
}

//! Ready actors: two who hold each role of a domain, one who holds all of a kind, strangers who hold none, and the policy
//! that says so.

use std::marker::PhantomData;

use kiff::{Actor, ActorId, ActorKind, Domain, Permission, Role, RolePolicy};

use crate::failure::must;

/// Ready actors of a domain: for each role two actors of the right kind who hold it, named `operator-1` and
/// `operator-2`, and a stranger of every kind who holds none. Where several roles are for one kind, somebody of that kind
/// holds them all, named `all-roles-human`: nobody approves their own wish, whatever else they may.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff::{ActorKind, MemoryStore, Runtime};
/// use kiff_test::Actors;
///
/// let actors = Actors::<Refund>::new();
/// let operator = actors.holder(RefundRole::Operator);
/// assert_eq!(operator.to_string(), "operator-1 (human)");
/// assert_ne!(operator, actors.other_holder(RefundRole::Operator));
///
/// let runtime = Runtime::<Refund>::new(MemoryStore::new(), actors.policy(), RefundDesk::default());
/// # let _ = runtime;
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Actors<D: Domain>(PhantomData<D>);

impl<D: Domain> Actors<D> {
    /// The actors of the domain.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// Who holds the role.
    #[must_use]
    #[track_caller]
    pub fn holder(&self, role: impl Into<Role>) -> Actor {
        named(&role.into(), 1)
    }

    /// Somebody else who holds the role.
    #[must_use]
    #[track_caller]
    pub fn other_holder(&self, role: impl Into<Role>) -> Actor {
        named(&role.into(), 2)
    }

    /// Somebody of a kind who holds no role.
    #[must_use]
    #[track_caller]
    pub fn stranger(&self, kind: ActorKind) -> Actor {
        Actor::new(must(ActorId::new(format!("stranger-{kind}"))), kind)
    }

    /// The policy by which they hold their roles, and nobody else holds any.
    #[must_use]
    #[track_caller]
    pub fn policy(&self) -> RolePolicy {
        let single = roles::<D>().fold(RolePolicy::new(), |policy, role| {
            let (one, other) = (named(&role, 1), named(&role, 2));
            policy.assign(&one, role.clone()).assign(&other, role)
        });
        versatile::<D>().fold(single, |policy, actor| {
            let own = roles::<D>().filter(|role| role.kind == actor.kind());
            own.fold(policy, |policy, role| policy.assign(&actor, role))
        })
    }

    /// Everybody: both holders of each role, those who hold several, and the strangers.
    pub(crate) fn everybody(self) -> Vec<Actor> {
        let holders = roles::<D>().flat_map(|role| [named(&role, 1), named(&role, 2)]);
        holders.chain(versatile::<D>()).chain(ActorKind::ALL.map(|kind| self.stranger(kind))).collect()
    }

    /// Who has the permission.
    #[track_caller]
    pub(crate) fn able(permission: &Permission) -> Vec<Actor> {
        let holders = permission.roles.iter().flat_map(|role| [named(role, 1), named(role, 2)]);
        let is_able = |actor: &Actor| permission.roles.iter().any(|role| role.kind == actor.kind());
        holders.chain(versatile::<D>().filter(is_able)).collect()
    }
}

impl<D: Domain> Default for Actors<D> {
    fn default() -> Self {
        Self::new()
    }
}

fn roles<D: Domain>() -> impl Iterator<Item = Role> {
    D::schema().permission_roles()
}

/// One for each kind that several roles are for, who holds them all.
fn versatile<D: Domain>() -> impl Iterator<Item = Actor> {
    let has_several = |kind: &ActorKind| roles::<D>().filter(|role| role.kind == *kind).count() > 1;
    let kinds = ActorKind::ALL.into_iter().filter(has_several);
    kinds.map(|kind| Actor::new(must(ActorId::new(format!("all-roles-{kind}"))), kind))
}

#[track_caller]
fn named(role: &Role, number: u8) -> Actor {
    Actor::new(must(ActorId::new(format!("{}-{number}", role.name))), role.kind)
}

/// Who can be named as acting in a test: an [`Actor`], or a role, which stands for its first holder.
pub trait Who<D: Domain, By> {
    /// The actor.
    #[doc(hidden)]
    fn actor(self) -> Actor;
}

/// An actor is named by the role that it holds.
#[derive(Debug)]
pub enum ByRole {}

/// An actor is named as itself.
#[derive(Debug)]
pub enum AsItself {}

impl<D: Domain, R: Into<Role>> Who<D, ByRole> for R {
    #[track_caller]
    fn actor(self) -> Actor {
        Actors::<D>::new().holder(self)
    }
}

impl<D: Domain> Who<D, AsItself> for Actor {
    fn actor(self) -> Actor {
        self
    }
}

impl<D: Domain> Who<D, AsItself> for &Actor {
    fn actor(self) -> Actor {
        self.clone()
    }
}

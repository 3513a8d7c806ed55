//! Who may: the policy, which knows which actor holds which role.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::actor::Actor;
use crate::identifier::{ActorId, EntityKey};
use crate::schema::{Permission, Role};

/// What a policy is asked: does this actor hold this role?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who wants to act.
    pub actor: &'a Actor,
    /// The role that would let them; it is of the actor's own kind.
    pub role: &'a Role,
    /// The permission that the role carries. Those that a block does not make are `<domain>.entity.read`, to look, and
    /// `<domain>.approval.withdraw`, to deny or to withdraw what nobody has to approve any more.
    pub permission: &'a Permission,
    /// On what.
    pub entity: &'a EntityKey,
}

/// Which actor holds which role.
///
/// The block says what a role may do; a policy says only who holds it. It is never asked about a role that is
/// declared for another kind of actor, and whatever it cannot answer is refused.
///
/// ```
/// use kiff::{Policy, PolicyError, Question};
///
/// /// Holds the roles that a directory lists.
/// struct Directory {
///     reachable: bool,
/// }
///
/// impl Policy for Directory {
///     fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
///         if !self.reachable {
///             return Err(PolicyError::new("the directory does not answer"));
///         }
///         Ok(question.actor.id().as_str().starts_with(question.role.name.as_ref()))
///     }
/// }
/// ```
pub trait Policy: Send + Sync + 'static {
    /// Whether the actor holds the role.
    ///
    /// # Errors
    /// [`PolicyError`] when that cannot be decided; what was proposed is then refused.
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError>;
}

/// A policy that others hold as well, for instance to change what it says.
impl<P: Policy + ?Sized> Policy for Arc<P> {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        P::holds(self, question)
    }
}

/// A policy cannot decide.
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    /// An error with a sentence for the log. Whoever asked is told only that it could not be decided.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy cannot decide: {}", self.0)
    }
}

crate::debug::debug_as_message!(PolicyError);

impl std::error::Error for PolicyError {}

/// A policy that is a list of actors and their roles.
///
/// ```
/// # use kiff::{Cents, Failure, action, domain};
/// # domain! {
/// #     pub domain Refund governs Order;
/// #     roles { Agent: agent, Operator: human, Shop: system }
/// #     states { Paid, final Refunded }
/// #     events { OrderPaid { total: Cents } reported by Shop; OrderRefunded { amount: Cents }; }
/// #     transitions { OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }
/// #     actions { RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }; }
/// #     allow { Paid => [RefundOrder]; }
/// # }
/// # #[action(Refund::RefundOrder)]
/// # async fn refund_order(amount: Cents) -> Result<OrderRefunded, Failure> {
/// #     Ok(OrderRefunded { amount })
/// # }
/// use kiff::{Actor, RolePolicy};
///
/// let nora = Actor::human("nora")?;
/// let policy = RolePolicy::new().assign(&nora, RefundRole::Operator);
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RolePolicy {
    held: HashMap<ActorId, Vec<Role>>,
}

impl RolePolicy {
    /// A policy by which nobody holds any role.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same policy, by which `actor`, an [`ActorId`] or a `&Actor`, also holds `role`.
    #[must_use]
    pub fn assign(mut self, actor: impl Into<ActorId>, role: impl Into<Role>) -> Self {
        self.held.entry(actor.into()).or_default().push(role.into());
        self
    }
}

impl Policy for RolePolicy {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        let held = self.held.get(question.actor.id());
        Ok(held.is_some_and(|roles| roles.contains(question.role)))
    }
}

/// Whether `actor` has `permission` on `entity`: some role of the actor's own kind carries it and the policy says that
/// the actor holds that role. Where it cannot say, the log is told why.
pub(crate) fn has(
    policy: &dyn Policy,
    actor: &Actor,
    permission: &Permission,
    entity: &EntityKey,
) -> Result<bool, PolicyError> {
    Said::of(policy, actor, permission, entity).0.inspect_err(|error| tell_undecided(actor, permission, entity, error))
}

/// What a policy said of one permission, for whoever has to look at it more than once: asked again, it may say something else.
pub(crate) struct Said(pub(crate) Result<bool, PolicyError>);

impl Said {
    /// As [`has`], where the log is told by whoever asks this.
    pub(crate) fn of(policy: &dyn Policy, actor: &Actor, permission: &Permission, entity: &EntityKey) -> Self {
        for role in permission.roles.iter().filter(|role| role.kind == actor.kind()) {
            match policy.holds(&Question { actor, role, permission, entity }) {
                Ok(false) => {}
                said => return Self(said),
            }
        }
        Self(Ok(false))
    }
}

impl Policy for Said {
    fn holds(&self, _: &Question<'_>) -> Result<bool, PolicyError> {
        self.0.clone()
    }
}

/// Says why nobody knows whether `actor` has `permission` on `entity`. Whoever asked is not told that: it may name what is nobody
/// else's business, and refusals are on the record for ever.
fn tell_undecided(actor: &Actor, permission: &Permission, entity: &EntityKey, error: &PolicyError) {
    tracing::error!(
        target: "kiff::policy",
        permission = &*permission.name,
        entity = %entity,
        actor_id = actor.id().as_str(),
        %error,
        "a policy could not decide",
    );
}

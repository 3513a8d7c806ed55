//! Typed handles: an entity in a known state, on which an action that the state does not allow does not compile.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::action::Governed;
use crate::actor::Actor;
use crate::domain::Domain;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::runtime::{Error, Executed, Outcome, Propose, Runtime};
use crate::store::Store;

/// Some state: the handle knows which only at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Any;

/// The type of a state.
pub trait InState<D: Domain>: Send + Sync + 'static {
    /// The state.
    const STATE: D::State;
}

/// An action that a state allows.
#[diagnostic::on_unimplemented(
    message = "action `{Self}` is not allowed in state `{S}`",
    label = "not allowed in `{S}`",
    note = "the `allow` section of the domain says which state allows what"
)]
pub trait AllowedIn<D: Domain, S> {
    /// The type of the state that it leads to; [`Any`] where it can lead to several.
    type To;
}

#[diagnostic::do_not_recommend]
impl<D: Domain, A: Governed<D>, S: Allows<A::Declared>> AllowedIn<D, S> for A {
    type To = S::To;
}

#[diagnostic::do_not_recommend]
impl<D: Domain, A: AllowedIn<D, S>, S> AllowedIn<D, S> for crate::decision::Proposal<A> {
    type To = A::To;
}

/// The state type `Self` allows the declared action `A`.
pub trait Allows<A> {
    /// The type of the state that it leads to.
    type To;
}

/// An entity as it was when the handle was made; `S` is the type of its state.
///
/// It saves a program from asking for what cannot be. It grants nothing: whatever is executed is judged again by the
/// journal.
///
/// ```
/// # use kiff::{Actor, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
/// # domain! {
/// #     pub domain Desk governs Ticket;
/// #     roles { Clerk: human }
/// #     states { Open, final Closed }
/// #     events { TicketOpened reported by Clerk; TicketClosed; }
/// #     transitions { TicketOpened: new => Open; TicketClosed: Open => Closed; }
/// #     actions { CloseTicket { risk: low, by: Clerk, emits: TicketClosed }; }
/// #     allow { Open => [CloseTicket]; }
/// # }
/// # #[action(Desk::CloseTicket)]
/// # async fn close_ticket() -> Result<TicketClosed, Failure> {
/// #     Ok(TicketClosed)
/// # }
/// # pollster::block_on(async {
/// # let nora = Actor::human("nora")?;
/// # let policy = RolePolicy::new().assign(&nora, DeskRole::Clerk);
/// # let runtime = Runtime::<Desk>::new(MemoryStore::new(), policy, ());
/// # let ticket = Desk::entity("t-1")?;
/// # runtime.ingest(&nora, &ticket, TicketOpened).await?;
/// if let Some(handle) = runtime.handle(&ticket).await?
///     && let Ok(open) = handle.in_state::<desk::Open>()
/// {
///     // On a handle in the state `Closed` this line would not compile.
///     let moved = open.execute(&runtime, &nora, CloseTicket {}).await?;
///     assert_eq!(moved.executed().map(|moved| moved.handle.state()), Some(TicketState::Closed));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle<D: Domain, S = Any> {
    key: EntityKey,
    state: D::State,
    in_state: PhantomData<fn() -> S>,
}

impl<D: Domain> Handle<D, Any> {
    /// The handle in the state `S`.
    ///
    /// # Errors
    /// The handle as it is, when the entity was in another state.
    pub fn in_state<S: InState<D>>(self) -> Result<Handle<D, S>, Self> {
        if self.state == S::STATE { Ok(self.assume()) } else { Err(self) }
    }
}

impl<D: Domain, S> Handle<D, S> {
    fn assume<T>(self) -> Handle<D, T> {
        Handle { key: self.key, state: self.state, in_state: PhantomData }
    }

    /// Which entity it is.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.key
    }

    /// What it was when the handle was made; what its run led to, where it was made by one.
    #[must_use]
    pub const fn state(&self) -> D::State {
        self.state
    }
}

impl<D: Executable, S> Handle<D, S> {
    /// Executes an action that this state allows; on success the answer holds the handle in the state that the run led to. Where the
    /// entity is in another state by now, nothing runs, also where that state allows the action as well. What ran earlier, under the
    /// same idempotency key, gives the handle that it gave then: whatever the entity has become since is judged when it is used.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    // The answer is boxed because of what rustc says when the state does not allow the action: of a boxed one it says so
    // once, at the action, and of an `async fn` it does at the call and at the `await` as well.
    pub fn execute<'a, A, T>(
        self,
        runtime: &'a Runtime<D, impl Store>,
        actor: &'a Actor,
        action: A,
    ) -> MovedLater<'a, D, T>
    where
        A: AllowedIn<D, S, To = T> + Propose<D> + 'a,
        T: 'static,
    {
        Box::pin(async move {
            let outcome = runtime.execute_in(self.state, actor, &self.key, action).await?;
            Ok(outcome.map(|executed| {
                let handle = Handle { key: self.key, state: executed.state, in_state: PhantomData };
                Moved { handle, executed }
            }))
        })
    }
}

/// The answer to an action that is executed through a handle.
type MovedLater<'a, D, T> = Pin<Box<dyn Future<Output = Result<Outcome<Moved<D, T>>, Error>> + Send + 'a>>;

/// An action was executed through a handle.
#[derive(Debug)]
pub struct Moved<D: Domain, S> {
    /// The entity in the state that the run led to.
    pub handle: Handle<D, S>,
    /// What the executor did.
    pub executed: Executed<D>,
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// A handle on an entity in whatever state it is; none when there is no such entity.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn handle(&self, key: &EntityKey) -> Result<Option<Handle<D>>, Error> {
        let state = self.entity(key).await?.state();
        Ok(state.map(|state| Handle { key: key.clone(), state, in_state: PhantomData }))
    }
}

impl<D: Domain, S> Clone for Handle<D, S> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), state: self.state, in_state: PhantomData }
    }
}

impl<D: Domain, S> fmt::Debug for Handle<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("key", &self.key).field("state", &self.state).finish()
    }
}

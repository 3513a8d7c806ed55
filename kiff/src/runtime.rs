//! The loop: events in, proposals judged, humans asked, executors run, and every step on the record.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::actor::Actor;
use crate::bounds::Bounds;
use crate::digest::Digest;
use crate::domain::Domain;
use crate::entity::Entity;
use crate::event::Trace;
use crate::executor::Executable;
use crate::identifier::{EntityKey, ExecutionId, IdentifierError, Identifiers, UuidIdentifiers};
use crate::journal::{BrokenJournal, Content, Fact, Matter, Open, RecordId, Sealed};
use crate::matters::Matters;
use crate::permission::Policy;
use crate::remembered::Remembered;
use crate::schema::Permission;
use crate::store::{Appended, MemoryStore, PAGE, Store, StoreError};
use crate::time::{Clock, SystemClock, Timestamp};

use store_health::StoreHealth;

mod access;
mod announce;
mod approve;
mod at_once;
mod attempt;
mod execute;
mod ingest;
mod live;
mod outcome;
mod panics;
mod propose;
mod read;
mod reconcile;
mod repeat;
mod settle;
mod store_health;

pub use approve::Pending;
pub use attempt::Propose;
pub use ingest::{Arrival, Incoming, Ingested};
pub use outcome::{Executed, Failed, Outcome, Unexecuted};
pub use read::{Rebuilt, Replayed, replay};
pub use reconcile::Inquiry;
#[cfg(feature = "http")]
pub(crate) use settle::AHEAD;
pub use settle::{Doubt, Settlement};

/// A governed domain at work.
///
/// Every way to change an entity leads through here, and every one of them puts a record into the journal. No
/// caller's word grants anything: the state comes from the journal, the roles from the policy, the approvals from
/// the journal.
///
/// All methods take `&self`; share a runtime behind an [`Arc`]. Several runtimes of a process may share a store, also behind an
/// `Arc`: what one of them runs is in doubt for none.
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
/// let nora = Actor::human("nora")?;
/// let policy = RolePolicy::new().assign(&nora, DeskRole::Clerk);
/// let runtime = Runtime::<Desk>::new(MemoryStore::new(), policy, ());
/// let ticket = Desk::entity("t-1")?;
/// runtime.ingest(&nora, &ticket, TicketOpened).await?;
///
/// let done = runtime.execute(&nora, &ticket, CloseTicket {}).await?;
/// assert_eq!(done.outcome(), "executed");
/// assert_eq!(runtime.entity(&ticket).await?.state(), Some(TicketState::Closed));
///
/// // A refusal is a value, which says why.
/// let again = runtime.execute(&nora, &ticket, CloseTicket {}).await?;
/// assert_eq!(again.outcome(), "blocked");
/// assert!(again.refusal().is_some_and(|refusal| refusal.message.contains("`CLOSED`")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Runtime<D: Domain, S: Store = MemoryStore> {
    store: S,
    policy: Arc<dyn Policy>,
    services: D::Services,
    clock: Arc<dyn Clock>,
    identifiers: Arc<dyn Identifiers>,
    bounds: Bounds,
    approval_lifetime: Duration,
    longest_run: Duration,
    entities: Remembered<D>,
    fingerprints: Vec<(D, Digest)>,
    /// What it takes to look at an entity: any role of the domain.
    reading: Permission,
    store_health: StoreHealth,
}

/// After how many commits of an entity what it folds to is kept beside its journal, so that a long journal is not read
/// from its beginning after a restart.
const FOLD_KEPT_EVERY: u64 = 256;

/// How far two clocks may be apart before it is told.
const SKEW: Duration = Duration::from_mins(1);

/// How often a step is judged again because its entity has moved in the meantime, before that becomes an error.
const TRIES: u16 = 10_000;

impl<D: Executable, S: Store> Runtime<D, S> {
    /// A runtime that keeps its journals in `store`, asks `policy` who holds which role, and hands `services` to the
    /// executors.
    #[must_use]
    pub fn new(store: S, policy: impl Policy, services: D::Services) -> Self {
        let fingerprint = |action: &D| (*action, D::schema().fingerprint_of(action.contract()));
        let fingerprints = D::actions().iter().map(fingerprint).collect();
        Self {
            store,
            policy: Arc::new(policy),
            services,
            clock: Arc::new(SystemClock),
            identifiers: Arc::new(UuidIdentifiers),
            bounds: Bounds::DEFAULT,
            approval_lifetime: Self::APPROVAL_LIFETIME,
            longest_run: Self::LONGEST_RUN,
            entities: Remembered::new(Bounds::DEFAULT.remembered, Bounds::DEFAULT.remembered_approvals),
            fingerprints,
            reading: access::reading(D::schema()),
            store_health: StoreHealth::default(),
        }
    }

    /// How long an approval holds unless the runtime is told otherwise: a day.
    pub const APPROVAL_LIFETIME: Duration = Duration::from_hours(24);

    /// How long an action that another process has started is left in peace unless the runtime is told otherwise: ten
    /// minutes.
    pub const LONGEST_RUN: Duration = Duration::from_mins(10);

    /// The same runtime with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same runtime with another source of identifiers.
    #[must_use]
    pub fn with_identifiers(mut self, identifiers: impl Identifiers) -> Self {
        self.identifiers = Arc::new(identifiers);
        self
    }

    /// The same runtime with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.entities = Remembered::new(bounds.remembered, bounds.remembered_approvals);
        self.bounds = bounds;
        self
    }

    /// The same runtime whose approvals hold for `lifetime` from the request on.
    #[must_use]
    pub fn with_approval_lifetime(mut self, lifetime: Duration) -> Self {
        self.approval_lifetime = lifetime;
        self
    }

    /// The same runtime, which calls an action that another process has started in doubt after `longest`: longer than any
    /// executor takes and than the store takes at most to keep a record, together. It matters only where several processes
    /// [share](Store::is_shared) a store. A run whose start the store took longer to keep does not begin, so that with
    /// zero none does.
    #[must_use]
    pub fn with_longest_run(mut self, longest: Duration) -> Self {
        self.longest_run = longest;
        self
    }

    /// Where the journals are kept.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// What the executors touch.
    #[must_use]
    pub const fn services(&self) -> &D::Services {
        &self.services
    }

    /// The bounds on what comes in.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The present, by the clock that the runtime was given.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When the store failed to take a commit, where it has taken none since.
    #[cfg(feature = "http")]
    pub(crate) fn failed_append(&self) -> Option<Timestamp> {
        self.store_health.failed()
    }

    fn next_identifier<T: TryFrom<Arc<str>, Error = IdentifierError>>(&self, kind: &'static str) -> Result<T, Error> {
        self.identifiers.next(kind).try_into().map_err(Error::Identifier)
    }

    pub(crate) fn fingerprint(&self, action: D) -> Digest {
        let known = self.fingerprints.iter().find(|(known, _)| *known == action);
        known.map_or_else(|| D::schema().fingerprint_of(action.contract()), |(_, fingerprint)| *fingerprint)
    }

    /// What is open of this domain's entities, of one tenant or of all.
    fn open<'s>(
        &'s self,
        matter: Matter,
        tenant: Option<&'s str>,
        after: Option<&Open>,
        wanted: usize,
    ) -> Matters<'s, S> {
        Matters::of(&D::schema().entity_type, &self.store, matter, tenant, self.now(), after, wanted)
    }

    /// Appends one batch to the journal of `entity` as it was judged; none when it has moved in the meantime.
    async fn commit(&self, entity: Arc<Entity<D>>, batch: Batch<'_>) -> Result<Option<Arc<Entity<D>>>, Error> {
        Ok(self.try_commit(entity, batch).await?.ok())
    }

    /// As [`Runtime::commit`]; when the entity has moved, the facts come back to be tried again.
    async fn try_commit(
        &self,
        entity: Arc<Entity<D>>,
        batch: Batch<'_>,
    ) -> Result<Result<Arc<Entity<D>>, Box<[Fact]>>, Error> {
        let snapshot =
            (entity.number() > 0 && entity.number().is_multiple_of(FOLD_KEPT_EVERY)).then(|| entity.snapshot());
        let snapshot = snapshot.transpose()?;
        let at = entity.present(batch.at);
        let lasts = |fact: &Fact| matches!(fact, Fact::StateChanged(_) | Fact::ApprovalRecorded(_));
        if at > batch.at.after(SKEW) && batch.facts.iter().any(lasts) {
            tracing::warn!(target: "kiff::clock", entity = %entity.key(), last = %at, now = %batch.at,
                "the journal ends in the future: what is written now gets that time, and approvals hold longer");
        }
        let content = Content {
            at,
            actor: batch.actor.clone(),
            trace: (!batch.trace.is_empty()).then(|| Box::new(batch.trace.clone())),
            cause: batch.cause,
            fold: snapshot.as_ref().map(|snapshot| Box::new(snapshot.digest())),
            facts: batch.facts,
        };
        let mut sealed = Sealed::behind(entity.end().clone(), entity.key().clone(), content);
        if let Some(snapshot) = snapshot {
            sealed = sealed.with_snapshot(snapshot);
        }
        let commit = Arc::clone(sealed.commit());
        let appended = self.store.append(sealed).await;
        self.store_health.note(&appended, || self.now());
        match appended? {
            Appended::Conflict => {
                // Where nobody has moved it on, the store has lost what is remembered of it.
                self.entities.forget_unless_kept(&self.store, &entity).await?;
                Ok(Err(commit.facts().into()))
            }
            Appended::Written => {
                let moved = self.entities.advance(entity, &commit)?;
                announce::commit(&D::schema().domain, &commit);
                Ok(Ok(moved))
            }
        }
    }
}

/// What is said of one entity among many; none where its journal is broken, which is logged and hides nothing of the others.
pub(crate) fn readable<T>(said: Result<T, Error>) -> Result<Option<T>, Error> {
    match said {
        Err(Error::Journal(broken)) => {
            tracing::error!(target: "kiff::journal", entity = %broken.key, error = %broken, "the entity is passed over");
            Ok(None)
        }
        said => said.map(Some),
    }
}

/// What is to be appended at once: when, who, in which story, after which record, and the facts.
struct Batch<'a> {
    at: Timestamp,
    actor: &'a Actor,
    trace: &'a Trace,
    cause: Option<RecordId>,
    facts: Box<[Fact]>,
}

impl<D: Domain, S: Store + fmt::Debug> fmt::Debug for Runtime<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("store", &self.store).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// Something broke. A refusal is no error.
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    Store(StoreError),
    /// A journal is not what was written, or not one of this domain.
    Journal(BrokenJournal),
    /// The source of identifiers gave one that is none.
    Identifier(IdentifierError),
    /// The entity moved each time before the step could be recorded.
    Contended(EntityKey),
    /// An action has started, and how it ended could not be recorded: it is in doubt.
    Unrecorded {
        /// The run's number.
        execution: ExecutionId,
        /// Why it could not be recorded.
        cause: Box<Error>,
    },
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.broken() {
            Some(broken) => Self::Journal(broken.clone()),
            None => Self::Store(error),
        }
    }
}

impl From<BrokenJournal> for Error {
    fn from(error: BrokenJournal) -> Self {
        Self::Journal(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Journal(error) => error.fmt(f),
            Self::Identifier(error) => error.fmt(f),
            Self::Contended(key) => write!(f, "`{key}` moved {TRIES} times before a step could be recorded"),
            Self::Unrecorded { execution, cause } => {
                write!(f, "execution `{execution}` has started, and how it ended could not be recorded: {cause}")
            }
        }
    }
}

crate::debug::debug_as_message!(Error);

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::Unrecorded { cause, .. } => cause.source(),
            Self::Journal(_) | Self::Identifier(_) | Self::Contended(_) => None,
        }
    }
}

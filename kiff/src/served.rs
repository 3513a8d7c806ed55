//! A domain as a face serves it: by names and JSON, whatever its types and its store are.

#[cfg(feature = "http")]
mod recorded;
mod records;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::actor::Actor;
use crate::approval::{Approval, Review};
use crate::bounds::Bounds;
use crate::decision::{Call, Proposal};
use crate::domain::{Domain, Event, State};
use crate::entity::{Entity, Running};
use crate::event::{Envelope, Trace};
use crate::executor::Executable;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::journal::{Commit, Cursor, Open, Query, RecordId};
use crate::json::Json;
use crate::permission::PolicyError;
#[cfg(feature = "mcp")]
use crate::probe::Shapes;
use crate::runtime::{Doubt, Error, Inquiry, Outcome, Pending, Propose, Runtime, Settlement};
#[cfg(feature = "mcp")]
use crate::schema::Text;
use crate::schema::{Contract, Permission, Schema};
use crate::store::Store;
use crate::time::Timestamp;
#[cfg(feature = "http")]
use crate::tool::described;
use crate::tool::{Dialect, ToolError, Tools, tools};
use crate::verdict::{ReasonCode, Refusal, Verdict, unknown_event};

#[cfg(feature = "http")]
pub(crate) use recorded::Recorded;
pub(crate) use records::{Records, Room, records};

/// An answer on its way.
pub(crate) type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A domain at work, without its types.
///
/// What an entity is is told by value, because its fold has the domain's types.
pub(crate) trait Served: Send + Sync {
    /// Whether only its journals are here, and nothing is known of what it allows.
    fn is_recorded(&self) -> bool {
        false
    }
    fn schema(&self) -> &'static Schema;
    fn bounds(&self) -> &Bounds;
    /// The present, by the domain's own clock.
    fn now(&self) -> Timestamp;
    /// When the store failed to take a commit, where it has taken none since.
    #[cfg(feature = "http")]
    fn failed_append(&self) -> Option<Timestamp> {
        None
    }
    fn tools(&self, dialect: Dialect) -> Result<Tools, ToolError>;
    /// The same, also where an action has a name that agents do not accept: for readers that are none.
    #[cfg(feature = "http")]
    fn described(&self, dialect: Dialect) -> Tools;
    /// The parameters of a call as they go on the record; none when they could not be read.
    #[cfg(feature = "mcp")]
    fn recorded_parameters(&self, call: &Call) -> Option<Json>;
    /// What the types of the fields of these events look like as JSON, and the definitions that these refer to.
    #[cfg(feature = "mcp")]
    fn event_shapes(&self, events: &[Text]) -> EventShapes;
    /// The diagram of the states, as SVG.
    fn diagram(&self) -> &'static str;
    fn may_read(&self, actor: &Actor, key: &EntityKey) -> Result<bool, PolicyError>;
    /// Whether the actor holds a role that carries the permission.
    fn may(&self, actor: &Actor, key: &EntityKey, permission: &Permission) -> Result<bool, PolicyError>;
    /// Whether an approval is of a contract that still holds, as far as is known here.
    fn is_current(&self, _: &Approval) -> bool {
        true
    }
    /// Whether it waits, or is granted, under a contract that is no more, so that nothing can come of it.
    fn is_outdated(&self, approval: &Approval) -> bool {
        approval.status.is_open() && !approval.has_expired(self.now()) && !self.is_current(approval)
    }
    fn standing<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Standing>;
    fn allowed_actions<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Vec<&'static Contract>>>;
    fn ingest<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey, event: Envelope) -> Answering<'a, Verdict<Accepted>>;
    fn evaluate<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey, proposal: Proposal<Call>)
    -> Answering<'a, Verdict>;
    fn validate<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey, proposal: Proposal<Call>)
    -> Answering<'a, Verdict>;
    fn execute<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Outcome<Done>>;
    fn request_approval<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Verdict<Approval>>;
    fn review<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        approval: &'a ApprovalId,
        review: Review,
    ) -> Answering<'a, Verdict<Approval>>;
    /// The requests that wait for a review, of one tenant or of all, the oldest first.
    fn pending_approvals<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Pending>>;
    /// The actions in doubt, of one tenant or of all, the oldest first.
    fn in_doubt<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Doubt>>;
    fn doubt<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Running>>;
    fn settle<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        execution: &'a ExecutionId,
        told: Told,
    ) -> Answering<'a, Verdict<&'static str>>;
    fn reconcile<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey) -> Answering<'a, Found>;
    /// The commits of an entity behind one of them, in order.
    fn read<'a>(&'a self, key: &'a EntityKey, after: u64, limit: usize) -> Answering<'a, Vec<Arc<Commit>>>;
    /// The commits of the store, which other domains may share, each with its position.
    fn search<'a>(&'a self, query: &'a Query, cursor: Cursor, limit: usize) -> Answering<'a, Vec<(u64, Arc<Commit>)>>;
    /// The entities of the store, which other domains may share, in the order of their keys.
    fn entities<'a>(&'a self, after: Option<&'a EntityKey>, limit: usize) -> Answering<'a, Vec<EntityKey>>;
}

/// What events look like as JSON.
#[cfg(feature = "mcp")]
#[derive(Debug, Default)]
pub(crate) struct EventShapes {
    /// The fields of each event, in order.
    pub(crate) fields: Vec<Vec<schemars::Schema>>,
    pub(crate) definitions: serde_json::Map<String, serde_json::Value>,
}

/// What an entity is now.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// None while it does not exist.
    pub(crate) state: Option<&'static str>,
    /// The number of its last commit.
    pub(crate) number: u64,
    pub(crate) running: Option<Running>,
    /// The approvals that are open, or were until lately, the oldest first.
    pub(crate) approvals: Vec<Approval>,
}

impl Standing {
    fn of<D: Domain>(entity: &Entity<D>) -> Self {
        Self {
            state: entity.state().map(State::name),
            number: entity.number(),
            running: entity.running().cloned(),
            approvals: entity.approvals().cloned().collect(),
        }
    }
}

/// An event that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) state: &'static str,
    pub(crate) record: RecordId,
    /// What it says on the record.
    pub(crate) payload: Option<Json>,
}

/// An action that was done.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) execution: ExecutionId,
    /// The event and what it says; none where the action emits none.
    pub(crate) event: Option<(&'static str, Option<Json>)>,
    /// What the entity is now.
    pub(crate) state: &'static str,
    /// When it was done.
    pub(crate) at: Timestamp,
    /// Whether it was done earlier, under the same key, and nothing was done now.
    pub(crate) deduplicated: bool,
}

/// What a person says became of a run, as the entity's domain has still to read it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) became: Became,
    pub(crate) reason: String,
    pub(crate) trace: Trace,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub(crate) enum Became {
    /// It was done, with this event and what it says; none where the action makes none happen.
    Happened(Option<(String, Json)>),
    DidNotHappen,
}

/// What asking the outside world about an action in doubt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is known now; what the entity is.
    Settled(&'static str),
    /// It is still not known, for the reason that is given.
    StillUnknown(String),
    /// Another process may still be at it, and until then nobody is asked.
    MayStillRun(Timestamp),
    /// A person has to settle it.
    NobodyToAsk,
    NothingInDoubt,
}

impl<D: Executable, S: Store> Served for Runtime<D, S> {
    fn schema(&self) -> &'static Schema {
        D::schema()
    }

    fn bounds(&self) -> &Bounds {
        Self::bounds(self)
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    #[cfg(feature = "http")]
    fn failed_append(&self) -> Option<Timestamp> {
        Self::failed_append(self)
    }

    fn tools(&self, dialect: Dialect) -> Result<Tools, ToolError> {
        tools::<D>(dialect)
    }

    #[cfg(feature = "http")]
    fn described(&self, dialect: Dialect) -> Tools {
        described::<D>(dialect)
    }

    #[cfg(feature = "mcp")]
    fn recorded_parameters(&self, call: &Call) -> Option<Json> {
        self.recorded_parameters(call)
    }

    #[cfg(feature = "mcp")]
    fn event_shapes(&self, events: &[Text]) -> EventShapes {
        let mut shapes = Shapes::new();
        let fields = events.iter().map(|event| {
            D::Event::shapes(event, &mut shapes);
            shapes.take()
        });
        let fields = fields.collect();
        EventShapes { fields, definitions: shapes.into_parts().1 }
    }

    fn diagram(&self) -> &'static str {
        D::diagram()
    }

    fn may_read(&self, actor: &Actor, key: &EntityKey) -> Result<bool, PolicyError> {
        Self::may_read(self, actor, key)
    }

    fn may(&self, actor: &Actor, key: &EntityKey, permission: &Permission) -> Result<bool, PolicyError> {
        Self::may(self, actor, key, permission)
    }

    fn is_current(&self, approval: &Approval) -> bool {
        Self::is_current(self, approval)
    }

    fn standing<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Standing> {
        Box::pin(async move {
            let entity = self.entity(key).await?;
            Ok(Standing::of(&entity))
        })
    }

    fn allowed_actions<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Vec<&'static Contract>>> {
        Box::pin(Self::allowed_actions(self, key))
    }

    fn ingest<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey, event: Envelope) -> Answering<'a, Verdict<Accepted>> {
        // As the runtime writes it: what its struct does not have is not on the record.
        let read = D::Event::decode(&event.event, &event.payload).and_then(Result::ok);
        let payload = read.and_then(|read| read.encode(Self::bounds(self)).ok());
        Box::pin(async move {
            let verdict = Self::ingest(self, actor, key, event).await?;
            Ok(verdict.map(|done| Accepted { state: done.state.name(), record: done.record, payload }))
        })
    }

    fn evaluate<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Verdict> {
        let attempt = proposal.attempt(Self::bounds(self));
        Box::pin(async move { self.evaluate_attempt(actor, key, &attempt).await })
    }

    fn validate<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Verdict> {
        let attempt = proposal.attempt(Self::bounds(self));
        Box::pin(async move { self.validate_attempt(actor, key, &attempt).await })
    }

    fn execute<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Outcome<Done>> {
        // In two boxes, which find room in the cache that an allocator has for small things; one that held both would not.
        let mut attempt = Box::new(proposal.attempt(Self::bounds(self)));
        Box::pin(async move {
            let outcome = self.execute_attempt(actor, key, &mut attempt).await?;
            // What ran earlier led to a state that the entity may have left since.
            let is_repeated = outcome.executed().is_some_and(|done| done.deduplicated);
            let present = if is_repeated { self.entity(key).await?.state() } else { None };
            Ok(outcome.map(|done| Done {
                execution: done.execution,
                event: done.event.map(|event| (event.name(), event.encode(Self::bounds(self)).ok())),
                state: present.unwrap_or(done.state).name(),
                at: done.at,
                deduplicated: done.deduplicated,
            }))
        })
    }

    fn request_approval<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        proposal: Proposal<Call>,
    ) -> Answering<'a, Verdict<Approval>> {
        let mut attempt = proposal.attempt(Self::bounds(self));
        Box::pin(async move { self.request_for_attempt(actor, key, &mut attempt).await })
    }

    fn review<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        approval: &'a ApprovalId,
        review: Review,
    ) -> Answering<'a, Verdict<Approval>> {
        Box::pin(Self::review(self, actor, key, approval, review))
    }

    fn pending_approvals<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Pending>> {
        Box::pin(self.pending_of(tenant, after, limit))
    }

    fn in_doubt<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Doubt>> {
        Box::pin(self.in_doubt_of(tenant, after, limit))
    }

    fn doubt<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Running>> {
        Box::pin(Self::doubt(self, key))
    }

    fn settle<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a EntityKey,
        execution: &'a ExecutionId,
        told: Told,
    ) -> Answering<'a, Verdict<&'static str>> {
        Box::pin(async move {
            let settlement = match settlement::<D>(&told.became, told.reason) {
                Ok(settlement) => settlement.trace(told.trace),
                Err(problem) => return Ok(Verdict::Invalid(problem)),
            };
            Ok(Self::settle(self, actor, key, execution, settlement).await?.map(State::name))
        })
    }

    fn reconcile<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey) -> Answering<'a, Found> {
        Box::pin(async move {
            Ok(match Self::reconcile(self, actor, key).await? {
                Inquiry::Settled { state, .. } => Found::Settled(state.name()),
                Inquiry::StillUnknown { why, .. } => Found::StillUnknown(why),
                Inquiry::NobodyToAsk(_) => Found::NobodyToAsk,
                Inquiry::StillRuns(running) => Found::StillUnknown(format!("it still runs, since {}", running.since)),
                Inquiry::MayStillRun { until, .. } => Found::MayStillRun(until),
                Inquiry::NothingInDoubt => Found::NothingInDoubt,
            })
        })
    }

    fn read<'a>(&'a self, key: &'a EntityKey, after: u64, limit: usize) -> Answering<'a, Vec<Arc<Commit>>> {
        Box::pin(async move { Ok(self.store().read(key, after, limit).await?) })
    }

    fn search<'a>(&'a self, query: &'a Query, cursor: Cursor, limit: usize) -> Answering<'a, Vec<(u64, Arc<Commit>)>> {
        Box::pin(async move { Ok(self.store().search(query, cursor, limit).await?) })
    }

    fn entities<'a>(&'a self, after: Option<&'a EntityKey>, limit: usize) -> Answering<'a, Vec<EntityKey>> {
        Box::pin(async move { Ok(self.store().entities(after, limit).await?) })
    }
}

/// What is told, in the domain's own types.
fn settlement<D: Executable>(told: &Became, reason: String) -> Result<Settlement<D>, Refusal> {
    let invalid = |message: String| Refusal { code: ReasonCode::InvalidParameter, message, remedy: None };
    match told {
        Became::DidNotHappen => Ok(Settlement::did_not_happen(reason)),
        Became::Happened(None) => Ok(Settlement::event(None, reason)),
        Became::Happened(Some((name, payload))) => match D::Event::decode(name, payload) {
            Some(Ok(event)) => Ok(Settlement::event(Some(event), reason)),
            Some(Err(error)) => Err(invalid(format!("the payload of `{name}` is invalid: {error}"))),
            None => Err(unknown_event(D::schema(), name)),
        },
    }
}

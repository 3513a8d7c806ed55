//! Journals whose domain is not here, as a face shows them: what they say themselves, and nothing can be changed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::actor::Actor;
use crate::approval::{Approval, ApprovalStatus, Review};
use crate::bounds::Bounds;
use crate::decision::{Call, Proposal};
use crate::domain::{Domain, Event, State};
use crate::entity::{Entity, Running};
use crate::event::Envelope;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::journal::{Commit, Cursor, Matter, Open, Query};
use crate::json::{Json, JsonError};
use crate::matters::Matters;
use crate::permission::PolicyError;
use crate::remembered::Remembered;
use crate::runtime::{AHEAD, Doubt, Error, Outcome, Pending, readable};
use crate::schema::{Contract, List, Permission, Schema, Text};
use crate::store::{Store, StoreError};
use crate::time::{Clock, SystemClock, Timestamp};
use crate::tool::{Dialect, ToolError, Tools};
use crate::verdict::{ReasonCode, Refusal, Verdict};

use super::{Accepted, Answering, Done, Found, Served, Standing, Told};

/// How many entities are remembered between two calls, with how many bytes of approvals.
const REMEMBERED: (usize, usize) = (1 << 16, 64 * 1024 * 1024);

/// How long an action that has started is left in peace before it is called in doubt: a server may be running it.
const LONGEST_RUN: Duration = Duration::from_mins(10);

/// The journals of one sort of entity.
pub(crate) struct Recorded<S> {
    store: Arc<S>,
    schema: &'static Schema,
    entities: Remembered<Unknown>,
}

impl<S: Store> Recorded<S> {
    /// The sorts of entity that a store has journals of.
    pub(crate) async fn all(store: &Arc<S>) -> Result<Vec<Self>, StoreError> {
        let (mut found, mut after) = (BTreeSet::new(), None);
        while let Some(key) = store.entities(after.as_ref(), 1).await?.pop() {
            // From the first of a sort to the first of the next one.
            let beyond = EntityKey::new(&format!("{} ", key.entity_type()), " ");
            let beyond = beyond.and_then(|beyond| beyond.in_tenant(key.tenant()));
            found.insert(key.entity_type().to_owned());
            after = Some(beyond.unwrap_or(key));
        }
        Ok(found.into_iter().map(|entity_type| Self::new(Arc::clone(store), entity_type)).collect())
    }

    fn new(store: Arc<S>, entity_type: String) -> Self {
        let schema = Schema { domain: entity_type.clone().into(), entity_type: entity_type.into(), ..NOTHING };
        // As a domain's own schema it is there for the life of the process, which reads one store.
        let (most, room) = REMEMBERED;
        Self { store, schema: Box::leak(Box::new(schema)), entities: Remembered::new(most, room) }
    }

    async fn entity(&self, key: &EntityKey) -> Result<Arc<Entity<Unknown>>, StoreError> {
        self.entities.entity(&*self.store, key).await
    }

    /// What is open of these entities, of one tenant or of all, as far as `find` makes something of it.
    async fn open<T>(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        after: Option<&Open>,
        limit: usize,
        find: impl Fn(&Entity<Unknown>, Open) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let now = SystemClock.now();
        let mut open = Matters::of(&self.schema.entity_type, &*self.store, matter, tenant, now, after, limit);
        while found.len() < limit
            && let Some(open) = open.next().await?
        {
            let entity = readable(self.entity(&open.key).await.map_err(Error::from))?;
            found.extend(entity.and_then(|entity| find(&entity, open)));
        }
        Ok(found)
    }
}

/// The action that has started and that nobody will answer for any more, as far as a journal can say.
fn in_doubt(entity: &Entity<Unknown>) -> Option<&Running> {
    let now = SystemClock.now();
    // One that began far in the future, by a clock that was ahead, began nobody knows when.
    let is_old = |since: Timestamp| since.after(LONGEST_RUN) < now || now.after(AHEAD) < since;
    entity.running().filter(|running| running.unknown || is_old(running.since))
}

/// Why nothing is done.
fn refusal() -> Refusal {
    Refusal {
        code: ReasonCode::PermissionDenied,
        message: "only the journal is here, without its domain: nothing can be changed".to_owned(),
        remedy: Some("ask the server that has the domain".to_owned()),
    }
}

fn refused<'a, T: Send + 'a>() -> Answering<'a, Verdict<T>> {
    Box::pin(async { Ok(Verdict::Blocked(refusal())) })
}

impl<S: Store> Served for Recorded<S> {
    fn is_recorded(&self) -> bool {
        true
    }

    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn bounds(&self) -> &Bounds {
        &Bounds::DEFAULT
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn tools(&self, dialect: Dialect) -> Result<Tools, ToolError> {
        Ok(Tools::none(dialect, &self.schema.entity_type))
    }

    fn described(&self, dialect: Dialect) -> Tools {
        Tools::none(dialect, &self.schema.entity_type)
    }

    #[cfg(feature = "mcp")]
    fn recorded_parameters(&self, _: &Call) -> Option<Json> {
        None
    }

    #[cfg(feature = "mcp")]
    fn event_shapes(&self, _: &[Text]) -> super::EventShapes {
        super::EventShapes::default()
    }

    fn diagram(&self) -> &'static str {
        ""
    }

    /// There is no policy here: whoever is let in at all may read.
    fn may_read(&self, _: &Actor, _: &EntityKey) -> Result<bool, PolicyError> {
        Ok(true)
    }

    fn may(&self, _: &Actor, _: &EntityKey, _: &Permission) -> Result<bool, PolicyError> {
        Ok(false)
    }

    fn standing<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Standing> {
        Box::pin(async move { Ok(Standing::of(&*self.entity(key).await?)) })
    }

    fn allowed_actions<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Vec<&'static Contract>>> {
        Box::pin(async move { Ok(self.entity(key).await?.state().map(|_| Vec::new())) })
    }

    fn ingest<'a>(&'a self, _: &'a Actor, _: &'a EntityKey, _: Envelope) -> Answering<'a, Verdict<Accepted>> {
        refused()
    }

    fn evaluate<'a>(&'a self, _: &'a Actor, _: &'a EntityKey, _: Proposal<Call>) -> Answering<'a, Verdict> {
        refused()
    }

    fn validate<'a>(&'a self, _: &'a Actor, _: &'a EntityKey, _: Proposal<Call>) -> Answering<'a, Verdict> {
        refused()
    }

    fn execute<'a>(&'a self, _: &'a Actor, _: &'a EntityKey, _: Proposal<Call>) -> Answering<'a, Outcome<Done>> {
        Box::pin(async { Ok(Outcome::Blocked(refusal())) })
    }

    fn request_approval<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a EntityKey,
        _: Proposal<Call>,
    ) -> Answering<'a, Verdict<Approval>> {
        refused()
    }

    fn review<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a EntityKey,
        _: &'a ApprovalId,
        _: Review,
    ) -> Answering<'a, Verdict<Approval>> {
        refused()
    }

    fn pending_approvals<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Pending>> {
        let find = |entity: &Entity<Unknown>, open: Open| {
            let found = entity.open_approvals().iter().find(|approval| approval.id.as_str() == open.id);
            let found = found.filter(|approval| approval.status == ApprovalStatus::Pending);
            found.map(|approval| Pending { approval: Approval::clone(approval), open })
        };
        Box::pin(self.open(Matter::Review, tenant, after, limit, find))
    }

    fn in_doubt<'a>(
        &'a self,
        tenant: Option<&'a str>,
        after: Option<&'a Open>,
        limit: usize,
    ) -> Answering<'a, Vec<Doubt>> {
        let find = |entity: &Entity<Unknown>, open: Open| {
            let running = in_doubt(entity).filter(|running| running.execution.as_str() == open.id).cloned();
            running.map(|running| Doubt { open, running })
        };
        Box::pin(self.open(Matter::Execution, tenant, after, limit, find))
    }

    fn doubt<'a>(&'a self, key: &'a EntityKey) -> Answering<'a, Option<Running>> {
        Box::pin(async move { Ok(in_doubt(&*self.entity(key).await?).cloned()) })
    }

    fn settle<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a EntityKey,
        _: &'a ExecutionId,
        _: Told,
    ) -> Answering<'a, Verdict<&'static str>> {
        refused()
    }

    fn reconcile<'a>(&'a self, _: &'a Actor, _: &'a EntityKey) -> Answering<'a, Found> {
        Box::pin(async { Ok(Found::NobodyToAsk) })
    }

    fn read<'a>(&'a self, key: &'a EntityKey, after: u64, limit: usize) -> Answering<'a, Vec<Arc<Commit>>> {
        Box::pin(async move { Ok(self.store.read(key, after, limit).await?) })
    }

    fn search<'a>(&'a self, query: &'a Query, cursor: Cursor, limit: usize) -> Answering<'a, Vec<(u64, Arc<Commit>)>> {
        Box::pin(async move { Ok(self.store.search(query, cursor, limit).await?) })
    }

    fn entities<'a>(&'a self, after: Option<&'a EntityKey>, limit: usize) -> Answering<'a, Vec<EntityKey>> {
        Box::pin(async move { Ok(self.store.entities(after, limit).await?) })
    }
}

/// A domain of which nothing is known: its journals are folded all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unknown {}

const NOTHING: Schema = Schema {
    domain: Text::Borrowed(""),
    entity_type: Text::Borrowed(""),
    documentation: Text::Borrowed(""),
    roles: List::Borrowed(&[]),
    states: List::Borrowed(&[]),
    events: List::Borrowed(&[]),
    transitions: List::Borrowed(&[]),
    actions: List::Borrowed(&[]),
    never: List::Borrowed(&[]),
};

impl Domain for Unknown {
    type State = Name;
    type Event = Self;
    type Services = ();

    fn schema() -> &'static Schema {
        &NOTHING
    }

    fn from_name(_: &str) -> Option<Self> {
        None
    }

    fn contract(self) -> &'static Contract {
        match self {}
    }

    fn allowed_in(self, _: Name) -> bool {
        match self {}
    }

    fn transition(_: Option<Name>, _: &str) -> Option<Name> {
        None
    }

    fn actions() -> &'static [Self] {
        &[]
    }
}

impl Event for Unknown {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn encode(&self, _: &Bounds) -> Result<Json, JsonError> {
        match *self {}
    }

    fn decode(_: &str, _: &Json) -> Option<Result<Self, JsonError>> {
        None
    }
}

/// A state, of which only the name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Name(&'static str);

impl State for Name {
    fn from_name(name: &str) -> Option<Self> {
        static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(name).copied().unwrap_or_else(|| {
            // As the names of a domain it is there for the life of the process. There are as many as states.
            let name: &'static str = Box::leak(name.into());
            known.insert(name);
            name
        });
        Some(Self(known))
    }

    fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

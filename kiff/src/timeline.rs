//! The record as people read it.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::identifier::EntityKey;
use crate::journal::{Commit, Fact, Record, Settled};
use crate::json::visible;
use crate::schema::Text;
use crate::time::Timestamp;

/// Every record of one entity, in order.
///
/// Shown as text it is one line a record; as JSON it is a list of objects.
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
/// let timeline = runtime.timeline(&ticket).await?;
/// assert_eq!(timeline.kinds(), ["event_ingested", "state_changed"]);
/// println!("{timeline}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timeline {
    key: EntityKey,
    commits: Vec<Arc<Commit>>,
}

impl Timeline {
    /// The timeline of these commits of one entity.
    #[must_use]
    pub const fn new(key: EntityKey, commits: Vec<Arc<Commit>>) -> Self {
        Self { key, commits }
    }

    /// Whose timeline it is.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.key
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.commits.iter().flat_map(|commit| commit.records())
    }

    /// The kinds of the records, in order.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.records().map(|record| record.fact().kind()).collect()
    }

    /// The records, each as a line for people, in columns.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        /// How wide the column of actors is at least, and at most, in characters.
        const NARROWEST: usize = 12;
        const WIDEST: usize = 32;
        let actors = self.commits.iter().map(|commit| commit.actor().id().as_str().chars().count());
        let width = actors.max().unwrap_or(0).clamp(NARROWEST, WIDEST);
        self.records().map(move |record| Line { record, width })
    }

    /// Whether there is no record.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// The states that the entity went through, in order.
    #[must_use]
    pub fn lifecycle(&self) -> Vec<Phase> {
        let mut phases: Vec<Phase> = Vec::new();
        let mut event: Option<&Text> = None;
        for record in self.records() {
            match record.fact() {
                Fact::EventIngested(ingested) => event = Some(&ingested.event),
                Fact::StateChanged(change) => {
                    let at = record.commit().at();
                    if let Some(last) = phases.last_mut() {
                        last.left_at = Some(at);
                    }
                    let by = event.cloned().unwrap_or_default();
                    phases.push(Phase { state: change.to.clone(), entered_by: by, entered_at: at, left_at: None });
                }
                _ => {}
            }
        }
        phases
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Serialize for Timeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lines())
    }
}

/// A stay in one state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Phase {
    /// The state.
    pub state: Text,
    /// The event that led there.
    pub entered_by: Text,
    /// When.
    pub entered_at: Timestamp,
    /// When it ended; none while it lasts.
    pub left_at: Option<Timestamp>,
}

/// One record as people read it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    record: Record<'a>,
    /// How wide the column of actors is.
    width: usize,
}

impl<'a> Line<'a> {
    /// The record.
    #[must_use]
    pub const fn record(&self) -> Record<'a> {
        self.record
    }

    /// What happened, in words, with whatever a terminal or a page would obey written out.
    #[must_use]
    pub fn message(&self) -> String {
        visible(&self.words())
    }

    fn words(&self) -> String {
        match self.record.fact() {
            Fact::EventIngested(data) => format!("{} {}", data.event, data.payload),
            Fact::StateChanged(data) => format!("{} -> {}", data.from.as_deref().unwrap_or("new"), data.to),
            Fact::StateRebuilt(data) => {
                let answer = if data.matches { "as recorded" } else { "NOT as recorded" };
                format!("{} from {} events, {answer}", data.state, data.events)
            }
            Fact::DecisionProposed(data) => match &data.reasons.rationale {
                Some(rationale) => format!("{} because \"{}\"", data.action, rationale),
                None => data.action.to_string(),
            },
            Fact::ActionValidated(data) => format!("{} {}", data.action, data.parameters),
            Fact::ApprovalRequired(data) => data.message.clone(),
            Fact::ApprovalRecorded(data) => {
                format!("{} asks for {} {}, until {}", data.approval, data.action, data.parameters, data.expires_at)
            }
            Fact::ApprovalGranted(data) | Fact::ApprovalDenied(data) | Fact::ApprovalWithdrawn(data) => {
                match &data.reason {
                    Some(reason) => format!("{} because \"{}\"", data.approval, reason),
                    None => data.approval.to_string(),
                }
            }
            Fact::ApprovalReviewRejected(data) => format!("{}: {}", data.code, data.message),
            Fact::ActionStarted(data) => match &data.approval {
                Some(approval) => format!("{} as {}, spends {approval}", data.action, data.execution),
                None => format!("{} as {}", data.action, data.execution),
            },
            Fact::ActionExecuted(data) => {
                format!("{} as {}{}", data.action, data.execution, settled(data.settled.as_ref()))
            }
            Fact::ActionFailed(data) => {
                let doubt = if data.is_doubt() { ", in doubt" } else { "" };
                format!("{} {}: {}{doubt}{}", data.action, data.code, data.message, settled(data.settled.as_ref()))
            }
            Fact::ActionDeduplicated(data) => {
                format!("{} under key {} was {}", data.action, data.key, data.execution)
            }
            Fact::Unknown(unknown) => {
                format!("{} version {}, of a later kiff: {}", unknown.kind, unknown.version, unknown.data)
            }
        }
    }
}

/// How a doubt was settled, as the end of a sentence.
fn settled(settled: Option<&Settled>) -> String {
    match settled {
        None => String::new(),
        Some(Settled::Reconcile) => ", as the outside world says".to_owned(),
        Some(Settled::Person { reason }) => format!(", settled because \"{reason}\""),
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, width } = *self;
        let (id, commit) = (record.id().to_string(), record.commit());
        let (kind, actor) = (record.fact().kind(), commit.actor().id());
        write!(f, "{id:>5}  {}  {kind:<24}  {actor:<width$}  {}", commit.at(), self.message())
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let commit = record.commit();
        let trace = commit.trace();
        let mut line = serializer.serialize_struct("Line", 12)?;
        line.serialize_field("id", &record.id())?;
        line.serialize_field("kind", record.fact().kind())?;
        line.serialize_field("entity_id", commit.key().id())?;
        line.serialize_field("entity_type", commit.key().entity_type())?;
        line.serialize_field("actor_id", commit.actor().id())?;
        line.serialize_field("message", &self.message())?;
        line.serialize_field("data", &record.fact().data())?;
        line.serialize_field("trace_id", &trace.and_then(|trace| trace.trace_id.as_ref()))?;
        line.serialize_field("correlation_id", &trace.and_then(|trace| trace.correlation_id.as_ref()))?;
        line.serialize_field("origin_id", &trace.and_then(|trace| trace.causation_id.as_ref()))?;
        line.serialize_field("causation_id", &record.cause())?;
        line.serialize_field("created_at", &commit.at())?;
        line.end()
    }
}

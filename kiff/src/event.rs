//! What happened: an event with who, when and which trace.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::identifier::{EventId, TraceId};
use crate::json::Json;
use crate::time::Timestamp;

/// Which larger story a proposal or an event belongs to; every record that follows from it inherits it.
///
/// ```
/// use kiff::{Trace, TraceId};
///
/// let trace = Trace { trace_id: Some(TraceId::new("4bf92f3577b34da6")?), ..Trace::default() };
/// # assert!(!trace.is_empty());
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// The distributed trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// What the caller wants to find together: a ticket, a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<TraceId>,
    /// What outside of this journal caused it. A timeline calls it `origin_id`, because there `causation_id` is the record before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<TraceId>,
}

impl Trace {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.trace_id.is_none() && self.correlation_id.is_none() && self.causation_id.is_none()
    }
}

/// One event as it arrives: what, from where, when, in which trace.
///
/// Who reports it and of which entity is no part of it: the actor comes from the edge's authentication.
///
/// ```
/// use kiff::{Bounds, Envelope, Json};
///
/// let payload = Json::parse(r#"{"total": 99900}"#, &Bounds::DEFAULT)?;
/// let placed = Envelope::new("ORDER_PLACED", payload);
/// assert_eq!(placed.event, "ORDER_PLACED");
/// # Ok::<(), kiff::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The event's wire name.
    pub event: Cow<'static, str>,
    /// What it says, as JSON.
    pub payload: Json,
    /// The number that its source gave it, if it gave one.
    pub id: Option<EventId>,
    /// The system that it comes from, if it is told.
    pub source: Option<TraceId>,
    /// When it happened, if that is known better than by the time of arrival.
    pub occurred_at: Option<Timestamp>,
    /// Which story it belongs to.
    pub trace: Trace,
}

impl Envelope {
    /// An event that happens now and comes from nowhere in particular.
    #[must_use]
    pub fn new(event: impl Into<Cow<'static, str>>, payload: Json) -> Self {
        Self { event: event.into(), payload, id: None, source: None, occurred_at: None, trace: Trace::default() }
    }
}

/// An event's struct with what its source says beside: which number it has there, when it happened, and in which story.
///
/// ```
/// # use kiff::{Domain, Failure, action, domain};
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
/// use kiff::{Actor, EventId, MemoryStore, Reported, RolePolicy, Runtime};
///
/// let nora = Actor::human("nora")?;
/// let policy = RolePolicy::new().assign(&nora, DeskRole::Clerk);
/// let runtime = Runtime::<Desk>::new(MemoryStore::new(), policy, ());
/// let opened = Reported::new(TicketOpened).id(EventId::new("mail-4711")?);
/// runtime.ingest(&nora, &Desk::entity("t-1")?, opened).await?.into_result()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported<E> {
    pub(crate) event: E,
    pub(crate) id: Option<EventId>,
    pub(crate) source: Option<TraceId>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) trace: Trace,
}

impl<E> Reported<E> {
    /// An event that happens now and comes from nowhere in particular.
    #[must_use]
    pub fn new(event: E) -> Self {
        Self { event, id: None, source: None, occurred_at: None, trace: Trace::default() }
    }

    /// The same event with the number that its source gave it.
    #[must_use]
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same event from a system that is told.
    #[must_use]
    pub fn source(mut self, source: TraceId) -> Self {
        self.source = Some(source);
        self
    }

    /// The same event, which happened at another time than that of its arrival.
    #[must_use]
    pub fn occurred_at(mut self, at: Timestamp) -> Self {
        self.occurred_at = Some(at);
        self
    }

    /// The same event as part of a larger story.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }
}

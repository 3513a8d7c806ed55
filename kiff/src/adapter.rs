//! From what a system sends to an event of the domain.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use crate::bounds::Bounds;
use crate::event::{Envelope, Trace};
use crate::identifier::{EntityKey, EventId, IdentifierError, TraceId};
use crate::json::{Excerpt, Json, JsonError, Object};
use crate::time::Timestamp;

/// An event as a system sends it, before anybody has looked at it.
#[derive(Debug, Clone, Deserialize)]
pub struct RawEvent {
    /// The number that its source gave it.
    #[serde(default)]
    pub id: Option<EventId>,
    /// What its source calls it.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The system that it comes from.
    #[serde(default)]
    pub source: Option<TraceId>,
    /// Of which entity.
    pub entity_id: String,
    /// Of which sort of entity.
    pub entity_type: String,
    /// When its source received it: the best that is known of when it happened, and so the event's `occurred_at`.
    #[serde(default)]
    pub received_at: Option<Timestamp>,
    /// Which story it belongs to.
    #[serde(default)]
    pub metadata: Trace,
    /// What it says.
    #[serde(default)]
    pub payload: Option<Json>,
}

impl RawEvent {
    /// Reads an event from JSON.
    ///
    /// # Errors
    /// [`AdapterError`] when it is over a bound, readable in two ways, or of another shape.
    pub fn parse(text: &str, bounds: &Bounds) -> Result<Self, AdapterError> {
        /// What an event may have around its payload, in bytes.
        const AROUND: usize = 4 * Bounds::IDENTIFIER * 4;
        let outer = Bounds { payload: bounds.payload.saturating_add(AROUND), ..*bounds };
        Ok(Json::parse(text, &outer)?.decode()?)
    }

    fn into_envelope(self, event: Cow<'static, str>, payload: Json) -> Result<(EntityKey, Envelope), AdapterError> {
        let key = EntityKey::new(&self.entity_type, &self.entity_id)?;
        let envelope = Envelope {
            event,
            payload,
            id: self.id,
            source: self.source,
            occurred_at: self.received_at,
            trace: self.metadata,
        };
        Ok((key, envelope))
    }
}

/// Turns what a system sends into an event of the domain.
///
/// Nothing of what it answers is believed: the runtime asks whether the event may happen, and whether who reports it
/// may.
pub trait Adapter: Send + Sync {
    /// Which entity it is about, and what happened to it.
    ///
    /// # Errors
    /// [`AdapterError`] when it is nothing that this adapter knows.
    fn adapt(&self, raw: RawEvent) -> Result<(EntityKey, Envelope), AdapterError>;
}

/// The adapter for systems that already speak in the domain's words: type and payload are taken as they are.
///
/// ```
/// use kiff::{Adapter, Bounds, Passthrough, RawEvent};
///
/// let raw = RawEvent::parse(
///     r#"{"type": "ORDER_PLACED", "entity_type": "Order", "entity_id": "ord-1", "payload": {"total": 99900}}"#,
///     &Bounds::DEFAULT,
/// )?;
/// let (order, placed) = Passthrough.adapt(raw)?;
/// assert_eq!((order.id(), placed.event.as_ref()), ("ord-1", "ORDER_PLACED"));
/// # Ok::<(), kiff::AdapterError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Passthrough;

impl Adapter for Passthrough {
    fn adapt(&self, mut raw: RawEvent) -> Result<(EntityKey, Envelope), AdapterError> {
        let event = std::mem::take(&mut raw.event_type);
        let payload = raw.payload.take().unwrap_or_else(Json::empty_object);
        raw.into_envelope(event.into(), payload)
    }
}

/// The adapter for systems with words of their own: it maps their types to events and their fields to the event's.
///
/// ```
/// use kiff::{Adapter, Bounds, Mapping, RawEvent};
///
/// let shop = Mapping::new().event("checkout.completed", "ORDER_PLACED", &[("amount_total", "total")]);
/// let raw = RawEvent::parse(
///     r#"{"type": "checkout.completed", "entity_type": "Order", "entity_id": "ord-1",
///         "payload": {"amount_total": 99900, "currency": "eur"}}"#,
///     &Bounds::DEFAULT,
/// )?;
/// let (_, placed) = shop.adapt(raw)?;
/// assert_eq!(placed.payload.as_str(), r#"{"total":99900}"#);
/// # Ok::<(), kiff::AdapterError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The last one of a type counts.
    events: Vec<Mapped>,
}

#[derive(Debug, Clone)]
struct Mapped {
    event_type: &'static str,
    event: &'static str,
    fields: Vec<(&'static str, &'static str)>,
}

impl Mapping {
    /// A mapping that knows no type yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same mapping, which also makes `event` of what its source calls `event_type`; each of `fields` is a field
    /// of the source and the field of the event that it becomes. Other fields of the source are left out. Whether one that is not
    /// there may be missing is for the event to say.
    #[must_use]
    pub fn event(
        mut self,
        event_type: &'static str,
        event: &'static str,
        fields: &[(&'static str, &'static str)],
    ) -> Self {
        self.events.push(Mapped { event_type, event, fields: fields.to_vec() });
        self
    }
}

impl Adapter for Mapping {
    fn adapt(&self, mut raw: RawEvent) -> Result<(EntityKey, Envelope), AdapterError> {
        let Some(mapped) = self.events.iter().rfind(|mapped| mapped.event_type == raw.event_type) else {
            return Err(AdapterError::UnknownType(Excerpt(&raw.event_type).to_string()));
        };
        let given = raw.payload.take();
        let members = given.as_ref().map_or_else(|| Ok(Object::default()), Json::members)?;
        let mut renamed = Object::default();
        for (from, to) in &mapped.fields {
            if let Some(value) = members.get(from) {
                renamed.0.push((Cow::Borrowed(to), value));
            }
        }
        let payload = Json::encode(&renamed, &Bounds { payload: usize::MAX, ..Bounds::DEFAULT })?;
        raw.into_envelope(Cow::Borrowed(mapped.event), payload)
    }
}

/// What a system sent is nothing that an adapter knows.
#[non_exhaustive]
pub enum AdapterError {
    /// It is no JSON, over a bound, readable in two ways, or of another shape.
    Json(JsonError),
    /// An identifier in it is none.
    Identifier(IdentifierError),
    /// The mapping has no such type; an excerpt of it.
    UnknownType(String),
}

impl From<JsonError> for AdapterError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<IdentifierError> for AdapterError {
    fn from(error: IdentifierError) -> Self {
        Self::Identifier(error)
    }
}

impl fmt::Display for AdapterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Identifier(error) => error.fmt(f),
            Self::UnknownType(event_type) => write!(f, "no event is mapped to the type `{event_type}`"),
        }
    }
}

crate::debug::debug_as_message!(AdapterError);

impl std::error::Error for AdapterError {}

//! What can be on the record: one struct a kind, and the enum of them all.

use std::borrow::Cow;

use serde::de;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::encode;
use crate::approval::Binding;
use crate::decision::Rationale;
use crate::identifier::{ApprovalId, DecisionId, EventId, ExecutionId, IdempotencyKey, TraceId};
use crate::json::Json;
use crate::schema::Text;
use crate::time::Timestamp;

/// The version of the records that are written today, as a literal.
macro_rules! version {
    () => {
        1
    };
}

/// The version of the records that are written today.
const VERSION: u32 = version!();

macro_rules! facts {
    ($($(#[$documentation:meta])* $variant:ident($data:ty) = $kind:literal,)*) => {
        /// One thing that is on the record.
        ///
        /// On the wire `{"kind": …, "v": …, "data": {…}}`. Those that say much are boxed, so that the many small ones stay small.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fact {
            $($(#[$documentation])* $variant($data),)*
            /// A record of a kind or version that only a later kiff knows: it is kept and shown as it is, and nothing is
            /// decided on an entity that has one.
            Unknown(Unknown),
        }

        impl Fact {
            /// The kinds that this version writes. A new one is added at the end, so that a kind's place is stable.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// The kind on the wire; `unknown` for one that only a later version knows.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            /// Counts the record under its kind, through the `metrics` facade.
            pub(crate) fn count(&self) {
                match self {
                    $(Self::$variant(_) => metrics::counter!("kiff_records_total", "kind" => $kind).increment(1),)*
                    Self::Unknown(_) => {}
                }
            }

            /// Adds its JSON, byte for byte as serde writes it.
            pub(super) fn write(&self, out: &mut String) {
                match self {
                    $(Self::$variant(data) => {
                        encode::record(out, concat!("{\"kind\":\"", $kind, "\",\"v\":", version!(), ",\"data\":"), data);
                    },)*
                    Self::Unknown(unknown) => encode::unknown(out, unknown),
                }
            }
        }

        /// What a fact says, without its kind.
        #[derive(Serialize)]
        #[serde(untagged)]
        pub(crate) enum Data<'a> {
            $($variant(&'a $data),)*
            Unknown(&'a Json),
        }

        impl Fact {
            /// What it says, without its kind.
            pub(crate) fn data(&self) -> Data<'_> {
                match self {
                    $(Self::$variant(data) => Data::$variant(data),)*
                    Self::Unknown(unknown) => Data::Unknown(&unknown.data),
                }
            }

            /// Reads what a record of this version says; none when this version has no such kind.
            fn read(kind: &str, data: &str) -> Option<serde_json::Result<Self>> {
                match kind {
                    $($kind => Some(serde_json::from_str(data).map(Self::$variant)),)*
                    _ => None,
                }
            }
        }
    };
}

facts! {
    /// An event was accepted.
    EventIngested(EventIngested) = "event_ingested",
    /// The entity is in another state, or in its first.
    StateChanged(StateChanged) = "state_changed",
    /// Somebody replayed the events and compared.
    StateRebuilt(StateRebuilt) = "state_rebuilt",
    /// Somebody wants to act and says why.
    DecisionProposed(Box<DecisionProposed>) = "decision_proposed",
    /// A proposal fulfils everything that its contract demands.
    ActionValidated(ActionValidated) = "action_validated",
    /// A proposal is held until a human has signed it off.
    ApprovalRequired(ApprovalRequired) = "approval_required",
    /// Somebody asked for a sign-off.
    ApprovalRecorded(Box<ApprovalRecorded>) = "approval_recorded",
    /// A human said yes.
    ApprovalGranted(ApprovalReviewed) = "approval_granted",
    /// A human said no.
    ApprovalDenied(ApprovalReviewed) = "approval_denied",
    /// Somebody answered who may not, or too late.
    ApprovalReviewRejected(ApprovalReviewRejected) = "approval_review_rejected",
    /// An executor is about to run.
    ActionStarted(ActionStarted) = "action_started",
    /// An executor ran and answered.
    ActionExecuted(ActionExecuted) = "action_executed",
    /// A proposal was refused, or an executor did not answer with its event.
    ActionFailed(Box<ActionFailed>) = "action_failed",
    /// The same was proposed before under the same key; nothing ran.
    ActionDeduplicated(ActionDeduplicated) = "action_deduplicated",
    /// A human took a yes back before anything ran by it.
    ApprovalWithdrawn(ApprovalReviewed) = "approval_withdrawn",
}

macro_rules! from_data {
    ($($data:ident),* $(,)?) => {$(
        impl From<$data> for Fact {
            fn from(data: $data) -> Self {
                Self::$data(data.into())
            }
        }
    )*};
}

from_data!(
    EventIngested,
    StateChanged,
    StateRebuilt,
    DecisionProposed,
    ActionValidated,
    ApprovalRequired,
    ApprovalRecorded,
    ApprovalReviewRejected,
    ActionStarted,
    ActionExecuted,
    ActionFailed,
    ActionDeduplicated,
);

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, version) = match self {
            Self::Unknown(unknown) => (&*unknown.kind, unknown.version),
            known => (known.kind(), VERSION),
        };
        let mut record = serializer.serialize_struct("Record", 3)?;
        record.serialize_field("kind", kind)?;
        record.serialize_field("v", &version)?;
        record.serialize_field("data", &self.data())?;
        record.end()
    }
}

/// A record as it stands in the journal, before its kind and version are looked at.
#[derive(Deserialize)]
struct RawRecord<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    v: u32,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawRecord::deserialize(deserializer)?;
        read(&raw).map_err(de::Error::custom)
    }
}

fn read(raw: &RawRecord<'_>) -> serde_json::Result<Fact> {
    let RawRecord { kind, v, data } = raw;
    let known = if *v == VERSION { Fact::read(kind, data.get()) } else { None };
    known.unwrap_or_else(|| {
        let data = serde_json::from_str(data.get())?;
        Ok(Fact::Unknown(Unknown { kind: kind.clone().into_owned(), version: *v, data }))
    })
}

/// A record that only a later version knows, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The kind on the wire.
    pub kind: String,
    /// Its version.
    pub version: u32,
    /// What it says.
    pub data: Json,
}

/// What is on the record of an accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventIngested {
    /// The event's wire name.
    pub event: Text,
    /// What it says.
    pub payload: Json,
    /// The number that its source gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The system that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TraceId>,
    /// When it happened, where that is known better than by the time of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// What is on the record of a change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChanged {
    /// The state before; none where the entity begins.
    pub from: Option<Text>,
    /// The state after.
    pub to: Text,
}

/// What is on the record of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRebuilt {
    /// The state that the events alone lead to.
    pub state: Text,
    /// How many events were replayed.
    pub events: u64,
    /// Whether it is the recorded state.
    pub matches: bool,
}

/// What is on the record of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionProposed {
    /// Its number.
    pub id: DecisionId,
    /// The action's wire name, as it was written.
    pub action: Text,
    /// The parameters; none where they are over a bound or no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Json>,
    /// Why, as its actor says.
    #[serde(default, skip_serializing_if = "Rationale::is_empty")]
    pub reasons: Rationale,
}

/// What is on the record of a proposal that may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionValidated {
    /// The action's wire name.
    pub action: Text,
    /// With what.
    pub parameters: Json,
}

/// What is on the record of a proposal that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequired {
    /// The action's wire name.
    pub action: Text,
    /// With what.
    pub parameters: Json,
    /// The approval that the proposal named, if it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// Why it is held: that nobody signed it off, or what drifted since somebody did.
    pub message: String,
}

/// What is on the record of a request for a sign-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecorded {
    /// Its number.
    pub approval: ApprovalId,
    /// The action's wire name.
    pub action: Text,
    /// With what.
    pub parameters: Json,
    /// Why, as its requester says.
    #[serde(default, skip_serializing_if = "Rationale::is_empty")]
    pub reasons: Rationale,
    /// What a sign-off is bound to.
    pub binding: Binding,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// What is on the record of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalReviewed {
    /// The request's number.
    pub approval: ApprovalId,
    /// Why so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is on the record of a review that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalReviewRejected {
    /// The request's number, as it was written.
    pub approval: ApprovalId,
    /// The reason code.
    pub code: Text,
    /// Why it does not count.
    pub message: String,
}

/// What is on the record of a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionStarted {
    /// The action's wire name.
    pub action: Text,
    /// The run's number, which the outside world gets as its idempotency key.
    pub execution: ExecutionId,
    /// The approval that this start spends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The key under which its actor may ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
}

/// What is on the record of an executor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionExecuted {
    /// The action's wire name.
    pub action: Text,
    /// The run's number.
    pub execution: ExecutionId,
    /// Who found out that it happened, where the executor did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// What is on the record of a refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFailed {
    /// The action's wire name, as it was written.
    pub action: Text,
    /// Whether the gate or the executor said so.
    pub outcome: FailedOutcome,
    /// The reason code.
    pub code: Text,
    /// Why.
    pub message: String,
    /// With what; none where the parameters are over a bound or no JSON, and after a start, which has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Json>,
    /// The run's number; none where nothing ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionId>,
    /// Who found out that it did not happen, where the executor did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// How a doubt was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Settled {
    /// The action's reconcile fn asked the outside world.
    Reconcile,
    /// A person looked and said so.
    Person {
        /// How they know.
        reason: String,
    },
}

/// What is on the record of a proposal that was made before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionDeduplicated {
    /// The action's wire name.
    pub action: Text,
    /// The run that it led to then.
    pub execution: ExecutionId,
    /// The key.
    pub key: IdempotencyKey,
}

/// Who said no, and whether something may have happened all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailedOutcome {
    /// The gate: the state or the permissions do not allow it. Nothing ran.
    Blocked,
    /// The gate: the proposal is not well formed. Nothing ran.
    Invalid,
    /// The executor: nothing happened.
    Refused,
    /// The executor did not say, or said that it does not know: the action is in doubt.
    Unknown,
    /// The executor, or why it was not called, when the run was no longer under way: it changes nothing.
    Late,
}

impl FailedOutcome {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Late => "late",
        }
    }
}

//! What can be on the record: one struct a kind, and the enum of them all.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::approval::Binding;
use crate::decision::Rationale;
use crate::identifier::{ApprovalId, DecisionId, EventId, ExecutionId, TraceId};
use crate::json::Json;
use crate::schema::Text;
use crate::time::Timestamp;

/// The version of the records that are written today.
const VERSION: u32 = 1;

macro_rules! facts {
    ($($(#[$documentation:meta])* $variant:ident($data:ty) = $kind:literal,)*) => {
        /// One thing that is on the record.
        ///
        /// On the wire `{"kind": …, "v": …, "data": {…}}`, in this order.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fact {
            $($(#[$documentation])* $variant(Box<$data>),)*
        }

        impl Fact {
            /// The kind on the wire.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                }
            }

            /// Counts the record under its kind, through the `metrics` facade.
            pub(crate) fn count(&self) {
                match self {
                    $(Self::$variant(_) => metrics::counter!("kiff_records_total", "kind" => $kind).increment(1),)*
                }
            }
        }

        /// What a fact says, without its kind.
        #[derive(Serialize)]
        #[serde(untagged)]
        pub(crate) enum Data<'a> {
            $($variant(&'a $data),)*
        }

        impl Fact {
            /// What it says, without its kind.
            pub(crate) fn data(&self) -> Data<'_> {
                match self {
                    $(Self::$variant(data) => Data::$variant(data),)*
                }
            }
        }

        impl Serialize for Fact {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut record = serializer.serialize_struct("Record", 3)?;
                record.serialize_field("kind", self.kind())?;
                record.serialize_field("v", &VERSION)?;
                record.serialize_field("data", &self.data())?;
                record.end()
            }
        }

        /// Reads what a record of a kind says.
        fn read_data<'de, A: MapAccess<'de>>(kind: &str, members: &mut A) -> Result<Fact, A::Error> {
            match kind {
                $($kind => Ok(Fact::$variant(members.next_value()?)),)*
                other => Err(de::Error::custom(format_args!("`{other}` is no kind of record that this version knows"))),
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
    DecisionProposed(DecisionProposed) = "decision_proposed",
    /// A proposal fulfils everything that its contract demands.
    ActionValidated(ActionValidated) = "action_validated",
    /// A proposal is held until a human has signed it off.
    ApprovalRequired(ApprovalRequired) = "approval_required",
    /// Somebody asked for a sign-off.
    ApprovalRecorded(ApprovalRecorded) = "approval_recorded",
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
    ActionFailed(ActionFailed) = "action_failed",
}

macro_rules! from_data {
    ($($data:ident),* $(,)?) => {$(
        impl From<$data> for Fact {
            fn from(data: $data) -> Self {
                Self::$data(Box::new(data))
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
);

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;

        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = Fact;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record with `kind`, `v` and `data`, in this order")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fact, A::Error> {
                let kind: String = member(&mut members, "kind")?;
                let version: u32 = member(&mut members, "v")?;
                if version != VERSION {
                    return Err(de::Error::custom(format_args!("version {version} of `{kind}` is not known")));
                }
                expect_key(&mut members, "data")?;
                read_data(&kind, &mut members)
            }
        }

        deserializer.deserialize_struct("Record", &["kind", "v", "data"], RecordVisitor)
    }
}

fn member<'de, A: MapAccess<'de>, T: Deserialize<'de>>(members: &mut A, name: &'static str) -> Result<T, A::Error> {
    expect_key(members, name)?;
    members.next_value()
}

fn expect_key<'de, A: MapAccess<'de>>(members: &mut A, name: &'static str) -> Result<(), A::Error> {
    match members.next_key::<String>()? {
        Some(key) if key == name => Ok(()),
        _ => Err(de::Error::missing_field(name)),
    }
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
}

/// What is on the record of an executor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionExecuted {
    /// The action's wire name.
    pub action: Text,
    /// The run's number.
    pub execution: ExecutionId,
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
}

/// Who said no, and whether something may have happened all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedOutcome {
    /// The gate: the state or the permissions do not allow it. Nothing ran.
    Blocked,
    /// The gate: the proposal is not well formed. Nothing ran.
    Invalid,
    /// The executor: nothing happened.
    Refused,
    /// The executor did not say, or said that it does not know: the action is in doubt.
    Unknown,
}

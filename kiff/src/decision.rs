//! A wish to act, with its reasons.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::bounds::{Bounds, OverBound};
use crate::event::Trace;
use crate::identifier::{ApprovalId, DecisionId, IdempotencyKey};
use crate::json::{Json, JsonError};

/// What an actor wants to do, and why it says that it wants it.
///
/// A bare action is a proposal without reasons, so that both of these are proposals of the same thing:
///
/// ```
/// # use kiff::{Call, Proposal};
/// let bare = Call::new("REFUND_ORDER", r#"{"amount": 999, "reason": "damaged"}"#);
/// let reasoned = Proposal::new(bare.clone()).because("the photo shows a broken lamp").confidence(0.9)?;
/// assert_eq!(reasoned.reasons().rationale.as_deref(), Some("the photo shows a broken lamp"));
/// # Ok::<(), kiff::ConfidenceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Proposal<A> {
    pub(crate) action: A,
    pub(crate) reasons: Rationale,
    pub(crate) approval: Option<ApprovalId>,
    pub(crate) trace: Trace,
    pub(crate) key: Option<IdempotencyKey>,
}

impl<A> Proposal<A> {
    /// The wish to do `action`, without reasons.
    #[must_use]
    pub fn new(action: A) -> Self {
        Self { action, reasons: Rationale::default(), approval: None, trace: Trace::default(), key: None }
    }

    /// The same proposal with the reason that its actor gives.
    #[must_use]
    pub fn because(mut self, rationale: impl Into<String>) -> Self {
        self.reasons.rationale = Some(rationale.into());
        self
    }

    /// The same proposal with how sure its actor says it is, from 0 to 1.
    ///
    /// # Errors
    /// [`ConfidenceError`] when it is no number from 0 to 1.
    pub fn confidence(mut self, confidence: f64) -> Result<Self, ConfidenceError> {
        self.reasons.confidence = Some(Confidence::new(confidence)?);
        Ok(self)
    }

    /// The same proposal with one more piece of evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.reasons.evidence.push(evidence);
        self
    }

    /// The same proposal under an approval that was asked for before. Without one, any open approval of exactly this
    /// action and these parameters serves.
    #[must_use]
    pub fn approval(mut self, approval: ApprovalId) -> Self {
        self.approval = Some(approval);
        self
    }

    /// The same proposal under a key of its actor's own. Executing it again under the same key, with the same parameters,
    /// gives the first answer and runs nothing; anything else under that key is refused. A proposal that was held or
    /// refused has used no key.
    #[must_use]
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The same proposal as part of a larger story.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// What is to be done.
    #[must_use]
    pub const fn action(&self) -> &A {
        &self.action
    }

    /// The approval that it names.
    #[must_use]
    pub const fn named_approval(&self) -> Option<&ApprovalId> {
        self.approval.as_ref()
    }

    /// The reasons.
    #[must_use]
    pub const fn reasons(&self) -> &Rationale {
        &self.reasons
    }
}

impl<A: Action> From<A> for Proposal<A> {
    fn from(action: A) -> Self {
        Self::new(action)
    }
}

impl From<Call> for Proposal<Call> {
    fn from(call: Call) -> Self {
        Self::new(call)
    }
}

/// An action by its wire name with its parameters as JSON: what an agent's tool call comes as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub(crate) action: String,
    pub(crate) parameters: String,
}

impl Call {
    /// The action `action` with the JSON object `parameters`, which is checked when it is judged.
    #[must_use]
    pub fn new(action: impl Into<String>, parameters: impl Into<String>) -> Self {
        Self { action: action.into(), parameters: parameters.into() }
    }

    /// The action's wire name.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &str {
        &self.parameters
    }
}

/// Why an actor says that it wants to act. It is a claim: nothing that is decided depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rationale {
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// How sure it says it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What it shows for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

impl Rationale {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rationale.is_none() && self.confidence.is_none() && self.evidence.is_empty()
    }

    pub(crate) fn check(&self, bounds: &Bounds) -> Result<(), OverBound> {
        let rationale = self.rationale.as_deref().unwrap_or_default();
        Bounds::check("bytes of rationale", rationale.len(), bounds.text)?;
        Bounds::check("pieces of evidence", self.evidence.len(), bounds.evidence_items)?;
        self.evidence.iter().try_for_each(|evidence| {
            Bounds::check("bytes in a piece of evidence", evidence.content.as_str().len(), bounds.evidence)?;
            Bounds::check("bytes in a source of evidence", evidence.source.len(), Bounds::IDENTIFIER)
        })
    }
}

/// How sure an actor says that it is, in thousandths, so that it is the same number for every reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Confidence(u16);

impl Confidence {
    /// A number from 0 to 1, rounded to thousandths.
    ///
    /// # Errors
    /// [`ConfidenceError`] when it is something else.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at least 0 and at most 1000")]
    pub fn new(confidence: f64) -> Result<Self, ConfidenceError> {
        if !(0.0..=1.0).contains(&confidence) {
            return Err(ConfidenceError);
        }
        Ok(Self((confidence * 1000.0).round() as u16))
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        Self::from(confidence.0) / 1000.0
    }
}

impl TryFrom<f64> for Confidence {
    type Error = ConfidenceError;

    fn try_from(confidence: f64) -> Result<Self, Self::Error> {
        Self::new(confidence)
    }
}

/// A confidence is no number from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConfidenceError;

impl fmt::Display for ConfidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a confidence is a number from 0 to 1")
    }
}

crate::debug::debug_as_message!(ConfidenceError);

impl std::error::Error for ConfidenceError {}

/// Something that an actor shows for its wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it comes from: a ticket, a document, a measurement.
    pub source: String,
    /// What it says.
    pub content: Json,
}

impl Evidence {
    /// A piece of evidence.
    ///
    /// # Errors
    /// [`JsonError`] when `content` cannot be written as JSON or is over a bound.
    pub fn new<T: Serialize + ?Sized>(source: impl Into<String>, content: &T) -> Result<Self, JsonError> {
        Ok(Self { source: source.into(), content: Json::encode(content, &Bounds::DEFAULT)? })
    }
}

/// A proposal that was put on the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// The action's wire name.
    pub action: String,
}

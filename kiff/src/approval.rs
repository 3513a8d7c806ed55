//! A human's sign-off: what exactly was shown, who asked, who answered, and until when it holds.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::decision::Rationale;
use crate::digest::Digest;
use crate::event::Trace;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::json::Json;
use crate::schema::{Contract, Schema, Text};
use crate::time::Timestamp;

/// What an approval is bound to: the digest of everything that binds it, and of each part of that, so that a drift can be
/// named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Entity, action, parameters and contract together, without the evidence.
    pub whole: Digest,
    /// The parameters, whatever their order and white space.
    pub parameters: Digest,
    /// The contract as it was compiled, and where its event leads.
    pub contract: Digest,
    /// The evidence; none when none was shown.
    pub evidence: Option<Digest>,
}

impl Binding {
    /// What an approval of the domain's action of that wire name with these parameters is bound to; none where the domain has no
    /// such action.
    #[must_use]
    pub fn of(key: &EntityKey, schema: &Schema, action: &str, parameters: &Json, reasons: &Rationale) -> Option<Self> {
        let contract = schema.action(action)?;
        Some(Self::under(contract, schema.fingerprint_of(contract), key, parameters, reasons))
    }

    /// The same under the contract whose fingerprint is known.
    pub(crate) fn under(
        contract: &Contract,
        fingerprint: Digest,
        key: &EntityKey,
        parameters: &Json,
        reasons: &Rationale,
    ) -> Self {
        let parameters = Digest::of(&[b"kiff/parameters", parameters.canonical().as_bytes()]);
        let evidence = (!reasons.evidence.is_empty()).then(|| {
            let parts: Vec<String> =
                reasons.evidence.iter().flat_map(|item| [item.source.clone(), item.content.canonical()]).collect();
            Digest::of(&parts.iter().map(String::as_bytes).collect::<Vec<_>>())
        });
        let whole = Digest::of(&[
            b"kiff/approval",
            key.tenant().as_bytes(),
            key.entity_type().as_bytes(),
            key.id().as_bytes(),
            contract.name.as_bytes(),
            parameters.as_bytes(),
            fingerprint.as_bytes(),
        ]);
        Self { whole, parameters, contract: fingerprint, evidence }
    }
}

/// A request for a human's sign-off, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its number.
    pub id: ApprovalId,
    /// The action's wire name.
    pub action: Text,
    /// The parameters that the reviewer sees.
    pub parameters: Json,
    /// What the requester says; a claim.
    pub reasons: Rationale,
    /// What it is bound to.
    pub binding: Binding,
    /// Who asked.
    pub requested_by: Actor,
    /// When.
    pub requested_at: Timestamp,
    /// When it stops holding, granted or not.
    pub expires_at: Timestamp,
    /// What became of it.
    pub status: ApprovalStatus,
}

impl Approval {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let reasons = &self.reasons;
        let evidence = reasons.evidence.iter().map(|item| item.source.len() + item.content.as_str().len());
        size_of::<Self>()
            + self.parameters.as_str().len()
            + reasons.rationale.as_ref().map_or(0, String::len)
            + evidence.sum::<usize>()
            + self.status.signature().and_then(|signature| signature.reason.as_ref()).map_or(0, String::len)
    }

    /// About how many bytes a client is told of it.
    #[cfg(feature = "http")]
    pub(crate) fn size(&self) -> usize {
        /// What stands beside that which its requester has sent.
        const AROUND: usize = 512;
        let written = |said: serde_json::Result<String>| said.map_or(0, |text| text.len());
        // The rationale is told among the claims and by itself.
        let reasons = written(serde_json::to_string(&self.reasons));
        AROUND + self.parameters.as_str().len() + reasons + written(serde_json::to_string(&self.reasons.rationale))
    }

    /// Whether its time is over at `now`. One that was answered with no, or is spent, ended before.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// The word for what has become of it by `now`: that of its [status](ApprovalStatus::as_str), or `expired`.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> &'static str {
        if self.status.is_open() && self.has_expired(now) { "expired" } else { self.status.as_str() }
    }
}

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalStatus {
    /// It waits for a review.
    Pending,
    /// It was granted and waits for the action.
    Granted(Signature),
    /// It was denied.
    Denied(Signature),
    /// The action that it authorised has started.
    Spent(ExecutionId),
    /// It was granted, and the grant was withdrawn before anything ran by it.
    Withdrawn(Signature),
}

impl ApprovalStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Granted(_) => "granted",
            Self::Denied(_) => "denied",
            Self::Spent(_) => "spent",
            Self::Withdrawn(_) => "withdrawn",
        }
    }

    /// The last answer, of one that no run has spent.
    #[must_use]
    pub const fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Granted(signature) | Self::Denied(signature) | Self::Withdrawn(signature) => Some(signature),
            Self::Pending | Self::Spent(_) => None,
        }
    }

    /// Whether a human's last word was no.
    #[must_use]
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Withdrawn(_))
    }

    /// Whether something can still come of it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Pending | Self::Granted(_))
    }
}

/// Who reviewed, when, and why so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The human.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The reason that they gave.
    pub reason: Option<String>,
}

/// A human's answer to a request.
///
/// ```
/// use kiff::Review;
///
/// let yes = Review::grant().because("the photo shows the damage");
/// let no = Review::deny().because("bought elsewhere");
/// let no_more = Review::withdraw().because("the photo is from somebody else's order");
/// assert_ne!(no, no_more);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub(crate) answer: Answer,
    pub(crate) reason: Option<String>,
    pub(crate) trace: Trace,
}

/// Yes, no, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The action may run, once, as it was shown.
    Grant,
    /// It may not.
    Deny,
    /// It may no longer.
    Withdraw,
}

impl Review {
    /// Yes: exactly this, once.
    #[must_use]
    pub fn grant() -> Self {
        Self::new(Answer::Grant)
    }

    /// No, to what waits for an answer.
    #[must_use]
    pub fn deny() -> Self {
        Self::new(Answer::Deny)
    }

    /// No longer, to what was granted and has not run: whoever could have said no can say so, not the giver alone.
    #[must_use]
    pub fn withdraw() -> Self {
        Self::new(Answer::Withdraw)
    }

    fn new(answer: Answer) -> Self {
        Self { answer, reason: None, trace: Trace::default() }
    }

    /// The same answer with a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same answer as part of a larger story.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }
}

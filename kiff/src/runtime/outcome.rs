//! What became of an execution.

use std::fmt;

use crate::action::Failure;
use crate::domain::Domain;
use crate::identifier::ExecutionId;
use crate::time::Timestamp;
use crate::verdict::{Refusal, Refused, Verdict};

/// What became of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an action may have been held, refused, or in doubt"]
pub enum Outcome<T> {
    /// The executor ran and answered with its event.
    Executed(T),
    /// A human has to sign it off; nothing ran.
    ApprovalRequired(Refusal),
    /// The state, the permissions or an action under way do not allow it, or it could not be decided; nothing ran.
    Blocked(Refusal),
    /// It cannot be done as it was asked; nothing ran.
    Invalid(Refusal),
    /// The executor ran and did not answer with its event.
    Failed(Failed),
}

impl<T> Outcome<T> {
    /// The word on the wire.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Executed(_) => "executed",
            Self::ApprovalRequired(_) => "approval_required",
            Self::Blocked(_) => "blocked",
            Self::Invalid(_) => "invalid",
            Self::Failed(_) => "failed",
        }
    }

    /// Why nothing ran; none when something did.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Executed(_) | Self::Failed(_) => None,
            Self::ApprovalRequired(refusal) | Self::Blocked(refusal) | Self::Invalid(refusal) => Some(refusal),
        }
    }

    /// What the executor did; none when it did nothing or failed.
    #[must_use]
    pub const fn executed(&self) -> Option<&T> {
        match self {
            Self::Executed(done) => Some(done),
            _ => None,
        }
    }

    /// What the executor did, or why it did not: for callers to whom anything else is the end of what they are about.
    ///
    /// # Errors
    /// [`Unexecuted`] where the outcome is not [`Outcome::Executed`].
    ///
    /// ```
    /// use kiff::{ExecutionId, Failed, Failure, Outcome, ReasonCode, Refusal, Unexecuted};
    ///
    /// let held: Outcome<u64> = Outcome::ApprovalRequired(Refusal {
    ///     code: ReasonCode::ApprovalRequired,
    ///     message: "a human has to agree".into(),
    ///     remedy: None,
    /// });
    /// assert_eq!(held.into_result().unwrap_err().to_string(), "approval_required: a human has to agree");
    ///
    /// let failed: Outcome<u64> = Outcome::Failed(Failed {
    ///     execution: ExecutionId::new("execution-1")?,
    ///     failure: Failure::unknown("no answer from the bank"),
    ///     deduplicated: false,
    /// });
    /// assert!(matches!(failed.into_result(), Err(Unexecuted::Failed(failed)) if failed.is_in_doubt()));
    ///
    /// assert_eq!(Outcome::Executed(4_900).into_result(), Ok(4_900));
    /// # Ok::<(), kiff::IdentifierError>(())
    /// ```
    pub fn into_result(self) -> Result<T, Unexecuted> {
        match self {
            Self::Executed(done) => Ok(done),
            Self::ApprovalRequired(refusal) | Self::Blocked(refusal) | Self::Invalid(refusal) => {
                Err(Unexecuted::Refused(refusal))
            }
            Self::Failed(failed) => Err(Unexecuted::Failed(failed)),
        }
    }

    /// The same outcome of something else.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Executed(done) => Outcome::Executed(convert(done)),
            Self::ApprovalRequired(refusal) => Outcome::ApprovalRequired(refusal),
            Self::Blocked(refusal) => Outcome::Blocked(refusal),
            Self::Invalid(refusal) => Outcome::Invalid(refusal),
            Self::Failed(failed) => Outcome::Failed(failed),
        }
    }
}

impl<T> From<Verdict<T>> for Outcome<T> {
    fn from(verdict: Verdict<T>) -> Self {
        match verdict {
            Verdict::Allowed(done) => Self::Executed(done),
            Verdict::ApprovalRequired(refusal) => Self::ApprovalRequired(refusal),
            Verdict::Blocked(refusal) => Self::Blocked(refusal),
            Verdict::Invalid(refusal) => Self::Invalid(refusal),
        }
    }
}

impl<T> From<Refused> for Outcome<T> {
    fn from(refused: Refused) -> Self {
        Verdict::<T>::from(refused).into()
    }
}

/// An executor ran and answered with its event.
#[derive(Debug, Clone)]
pub struct Executed<D: Domain> {
    /// The run's number.
    pub execution: ExecutionId,
    /// The event; none where the action emits none, and none where it ran earlier and what it answered then no longer fits the
    /// event's struct.
    pub event: Option<D::Event>,
    /// The state that the run led to; where it ran earlier, the entity may have moved on since.
    pub state: D::State,
    /// The time of the commit that says so, also where it ran earlier.
    pub at: Timestamp,
    /// Whether it ran earlier, under the same idempotency key, and nothing ran now.
    pub deduplicated: bool,
}

/// An executor ran and did not answer with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The run's number.
    pub execution: ExecutionId,
    /// What it said; [`Failure::is_unknown`] when it may have happened all the same.
    pub failure: Failure,
    /// Whether it ran earlier, under the same idempotency key, and nothing ran now.
    pub deduplicated: bool,
}

impl Failed {
    /// Whether the action is in doubt, so that nothing else happens to the entity until somebody settles it. An answer that came
    /// after that is none.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        self.failure.is_doubt()
    }
}

/// An outcome that is not [`Outcome::Executed`], for those to whom it is an error.
#[derive(Clone, PartialEq, Eq)]
pub enum Unexecuted {
    /// The gate did not let it through, or holds it; nothing ran.
    Refused(Refusal),
    /// The executor ran and did not answer with its event.
    Failed(Failed),
}

impl fmt::Display for Unexecuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(failed) if failed.is_in_doubt() => {
                write!(f, "{}: it may have happened, and waits until somebody settles it", failed.failure)
            }
            Self::Failed(failed) => failed.failure.fmt(f),
        }
    }
}

/// Its message and, with a refusal, what would allow it.
impl fmt::Debug for Unexecuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => fmt::Debug::fmt(refusal, f),
            Self::Failed(_) => fmt::Display::fmt(self, f),
        }
    }
}

impl std::error::Error for Unexecuted {}

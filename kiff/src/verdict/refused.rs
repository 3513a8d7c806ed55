//! A refusal on its way out of the gate and of the runtime, where it is what `?` hands on.

use crate::journal::FailedOutcome;

use super::{Refusal, Verdict};

/// Why something was refused, and how.
#[derive(Debug)]
pub(crate) struct Refused {
    how: How,
    pub(crate) refusal: Refusal,
}

/// Which verdict a refusal is.
#[derive(Debug, Clone, Copy)]
enum How {
    ApprovalRequired,
    Blocked,
    Invalid,
}

impl Refused {
    /// It may run once a human has signed it off.
    pub(super) const fn unapproved(refusal: Refusal) -> Self {
        Self { how: How::ApprovalRequired, refusal }
    }

    /// It may not run as things are.
    pub(crate) const fn blocked(refusal: Refusal) -> Self {
        Self { how: How::Blocked, refusal }
    }

    /// It cannot be done as it was asked.
    pub(crate) const fn invalid(refusal: Refusal) -> Self {
        Self { how: How::Invalid, refusal }
    }

    /// The same with what would allow it.
    pub(crate) fn remedied(mut self, remedy: String) -> Self {
        self.refusal.remedy = Some(remedy);
        self
    }

    /// What goes on the record of an action that was not run.
    pub(crate) const fn outcome(&self) -> FailedOutcome {
        match self.how {
            How::ApprovalRequired | How::Blocked => FailedOutcome::Blocked,
            How::Invalid => FailedOutcome::Invalid,
        }
    }
}

impl<P> From<Refused> for Verdict<P> {
    fn from(Refused { how, refusal }: Refused) -> Self {
        match how {
            How::ApprovalRequired => Self::ApprovalRequired(refusal),
            How::Blocked => Self::Blocked(refusal),
            How::Invalid => Self::Invalid(refusal),
        }
    }
}

impl<P> From<Result<P, Refused>> for Verdict<P> {
    fn from(answer: Result<P, Refused>) -> Self {
        match answer {
            Ok(allowed) => Self::Allowed(allowed),
            Err(refused) => refused.into(),
        }
    }
}

//! What a journal leaves open until somebody acts: requests that wait for a review, and actions that have not ended.

use crate::identifier::EntityKey;
use crate::time::Timestamp;

use super::{ActionFailed, Commit, Fact, FailedOutcome};

/// What can be open in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Matter {
    /// A request for a sign-off that nobody has reviewed.
    Review,
    /// An action that has started and not ended: it runs somewhere, or it is in doubt.
    Execution,
}

impl Matter {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Execution => "execution",
        }
    }
}

/// One matter that is open.
///
/// The order is the order in which they are listed: the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The time of the commit that opened it.
    pub since: Timestamp,
    /// Of which entity.
    pub key: EntityKey,
    /// The number of the approval or of the run.
    pub id: String,
    /// The number of the commit that opened it.
    pub commit: u64,
    /// When it stops to matter by itself; none where it never does.
    pub until: Option<Timestamp>,
}

/// What a commit opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'c> {
    /// It is open from here on, until that time if there is one.
    Opened(Matter, &'c str, Option<Timestamp>),
    /// It is no longer.
    Closed(Matter, &'c str),
}

impl Commit {
    /// What this commit opens and closes. What it opens and closes itself is left out.
    #[must_use]
    pub fn changes(&self) -> Vec<Change<'_>> {
        let mut changes = Vec::new();
        for change in self.facts().iter().filter_map(Fact::change) {
            let Change::Closed(matter, id) = change else {
                changes.push(change);
                continue;
            };
            let opened =
                changes.iter().position(|known| matches!(known, Change::Opened(m, i, _) if (*m, *i) == (matter, id)));
            match opened {
                Some(place) => drop(changes.remove(place)),
                None => changes.push(change),
            }
        }
        changes
    }

    /// A matter that had stopped to matter by itself at this time ([`Open::until`]) is forgotten by a store that keeps this
    /// commit, if the commit opens a review. So expired requests which nobody has reviewed do not gather for ever. A day lies
    /// between, because the clocks of those who write differ. A store that forgets what stands in the journals of other entities
    /// asks a clock of its own as well: by one commit whose time is far ahead everything would be forgotten.
    #[must_use]
    pub fn forgets(&self) -> Timestamp {
        Self::forgets_at(self.at())
    }

    /// The same of a commit of this time.
    pub(crate) fn forgets_at(at: Timestamp) -> Timestamp {
        const DAY: u64 = 24 * 60 * 60 * 1_000_000;
        Timestamp::from_microseconds(at.as_microseconds().saturating_sub(DAY))
    }

    /// One of the matters that this commit opens, as a store lists it.
    #[must_use]
    pub fn opening(&self, id: &str, until: Option<Timestamp>) -> Open {
        Open { since: self.at(), key: self.key().clone(), id: id.to_owned(), commit: self.number(), until }
    }
}

impl ActionFailed {
    /// Whether the run is in doubt by this: nobody knows how it ended.
    pub(crate) fn is_doubt(&self) -> bool {
        self.outcome == FailedOutcome::Unknown
    }

    /// Whether this says how the run ended.
    pub(crate) const fn is_end(&self) -> bool {
        !matches!(self.outcome, FailedOutcome::Unknown | FailedOutcome::Late)
    }
}

impl Fact {
    /// What this opens or closes.
    pub(crate) fn change(&self) -> Option<Change<'_>> {
        match self {
            Self::ApprovalRecorded(recorded) => {
                Some(Change::Opened(Matter::Review, recorded.approval.as_str(), Some(recorded.expires_at)))
            }
            Self::ApprovalGranted(reviewed) | Self::ApprovalDenied(reviewed) => {
                Some(Change::Closed(Matter::Review, reviewed.approval.as_str()))
            }
            Self::ActionStarted(started) => Some(Change::Opened(Matter::Execution, started.execution.as_str(), None)),
            Self::ActionExecuted(executed) => Some(Change::Closed(Matter::Execution, executed.execution.as_str())),
            Self::ActionFailed(failed) if failed.is_end() => {
                failed.execution.as_ref().map(|execution| Change::Closed(Matter::Execution, execution.as_str()))
            }
            _ => None,
        }
    }
}

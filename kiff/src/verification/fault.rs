//! What can be wrong with a store.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::digest::Digest;
use crate::identifier::EntityKey;
use crate::journal::BrokenJournal;
use crate::json::visible;
use crate::store::StoreError;

/// One thing that is wrong with a store, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// A commit is not what was written: its hash does not fit what it says, or it cannot be read.
    Edited {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// What stands in the places of two commits belongs each in the place of the other.
    Swapped {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The one commit.
        number: u64,
        /// Whose journal the other one is in.
        #[serde(serialize_with = "as_parts")]
        other_key: EntityKey,
        /// The other one.
        other_number: u64,
    },
    /// A commit is gone, and later ones of its entity are there.
    Missing {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
    },
    /// The commits of an entity stand in another order.
    Reordered {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The first commit that is not at its place.
        number: u64,
    },
    /// The journal of one entity has a commit of another.
    Misplaced {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
        /// Whose commit it is.
        #[serde(serialize_with = "as_parts")]
        found: EntityKey,
    },
    /// A commit does not follow on the one before: one of the two was replaced.
    Replaced {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The later one.
        number: u64,
    },
    /// What a commit says does not follow from those before, although it was chained to them: it was appended past the gate.
    Unfounded {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
        /// What does not follow.
        problem: String,
    },
    /// What the store looks things up by is not what the commit says: a key would run again, or what is open would not be seen.
    Mislaid {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
        /// What does not fit.
        problem: String,
    },
    /// What is open cannot be listed.
    Unlisted {
        /// What the store says.
        problem: String,
    },
    /// The journal of an entity cannot be read from a commit on.
    Unreadable {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The first commit that cannot be read.
        number: u64,
        /// What the store says.
        problem: String,
    },
    /// A commit is not the one that was logged at its position, although its hash fits: it was written anew, or a backup was
    /// restored and has gone on.
    Forged {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The first commit of this entity that was.
        number: u64,
        /// Its position.
        position: u64,
    },
    /// A commit stands at another position than the one at which it was logged.
    Moved {
        /// Whose journal.
        #[serde(serialize_with = "as_parts")]
        key: EntityKey,
        /// The commit.
        number: u64,
        /// Where it stands.
        position: u64,
        /// Where it was logged.
        logged: u64,
    },
    /// No commit stands at these positions, and some behind them: they were removed.
    Removed {
        /// The first position without a commit.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The order of all commits cannot be read from a position on.
    Unwalkable {
        /// The position.
        position: u64,
        /// What the store says.
        problem: String,
    },
    /// The store has fewer commits than were signed: its end was cut, or an old copy was put back.
    Truncated {
        /// The last position of the store.
        last: u64,
        /// How many commits were signed.
        signed: u64,
    },
    /// The first commits of the store are not those that were signed.
    Diverged {
        /// How many were signed.
        size: u64,
        /// The root that was signed.
        signed: Digest,
        /// The root that the store has.
        found: Digest,
    },
    /// The leaves of the log do not lead to the head that was signed, so that no commit can be held against them.
    Log {
        /// How many commits were signed.
        size: u64,
        /// What is wrong with the leaves.
        problem: String,
    },
    /// Entities have more commits than there are positions: some were inserted.
    Inserted {
        /// How many commits the entities have.
        commits: u64,
        /// How many positions there are.
        positions: u64,
    },
}

impl Fault {
    /// The entity whose journal is at fault; none where it is the order of all commits.
    #[must_use]
    pub const fn entity(&self) -> Option<&EntityKey> {
        match self {
            Self::Edited { key, .. }
            | Self::Swapped { key, .. }
            | Self::Missing { key, .. }
            | Self::Reordered { key, .. }
            | Self::Misplaced { key, .. }
            | Self::Replaced { key, .. }
            | Self::Unfounded { key, .. }
            | Self::Mislaid { key, .. }
            | Self::Unreadable { key, .. }
            | Self::Forged { key, .. }
            | Self::Moved { key, .. } => Some(key),
            _ => None,
        }
    }

    /// The commit that was edited; none where something else is wrong.
    pub(super) const fn edit(&self) -> Option<(&EntityKey, u64)> {
        match self {
            Self::Edited { key, number, .. } => Some((key, *number)),
            _ => None,
        }
    }

    /// Where a commit stands that is not the one which was logged there.
    pub(super) const fn position(&self) -> Option<u64> {
        match self {
            Self::Forged { position, .. } | Self::Moved { position, .. } => Some(*position),
            _ => None,
        }
    }

    /// Whether the numbers of an entity's commits are not those that follow on each other.
    pub(super) const fn is_of_numbers(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Reordered { .. })
    }

    pub(super) fn edited(broken: &BrokenJournal) -> Self {
        let BrokenJournal { key, number, problem, .. } = broken.clone();
        Self::Edited { key, number, problem }
    }

    pub(super) fn swapped(one: &BrokenJournal, other: &BrokenJournal) -> Self {
        let (key, other_key) = (one.key.clone(), other.key.clone());
        Self::Swapped { key, number: one.number, other_key, other_number: other.number }
    }

    pub(super) fn unfounded(broken: BrokenJournal) -> Self {
        let BrokenJournal { key, number, problem, .. } = broken;
        Self::Unfounded { key, number, problem }
    }

    pub(super) fn mislaid(key: &EntityKey, number: u64, problem: String) -> Self {
        Self::Mislaid { key: key.clone(), number, problem }
    }

    pub(super) const fn missing(key: EntityKey, number: u64) -> Self {
        Self::Missing { key, number }
    }

    pub(super) const fn reordered(key: EntityKey, number: u64) -> Self {
        Self::Reordered { key, number }
    }

    /// The journal of `key` could not be read behind `after`.
    pub(super) fn unreadable(key: EntityKey, after: u64, error: &StoreError) -> Self {
        Self::Unreadable { key, number: after + 1, problem: error.to_string() }
    }
}

/// Its text alone may be that of two entities.
fn as_parts<S: Serializer>(key: &EntityKey, serializer: S) -> Result<S::Ok, S::Error> {
    let mut parts = serializer.serialize_struct("EntityKey", 3)?;
    parts.serialize_field("tenant", key.tenant())?;
    parts.serialize_field("entity_type", key.entity_type())?;
    parts.serialize_field("id", key.id())?;
    parts.end()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { key, number, problem } => {
                write!(f, "edited: commit {number} of `{key}`: {}", visible(problem))
            }
            Self::Swapped { key, number, other_key, other_number } => write!(
                f,
                "swapped: commit {number} of `{key}` and commit {other_number} of `{other_key}` stand in each other's place"
            ),
            Self::Missing { key, number } => write!(f, "missing: commit {number} of `{key}`"),
            Self::Reordered { key, number } => write!(f, "reordered: commit {number} of `{key}` is not at its place"),
            Self::Misplaced { key, number, found } => {
                write!(f, "misplaced: commit {number} of `{key}` is one of `{found}`")
            }
            Self::Replaced { key, number } => write!(
                f,
                "replaced: commit {number} of `{key}` does not follow on commit {}; one of the two is not what was written",
                number - 1
            ),
            Self::Unfounded { key, number, problem } => {
                write!(f, "unfounded: commit {number} of `{key}`: {}", visible(problem))
            }
            Self::Mislaid { key, number, problem } => {
                write!(f, "mislaid: commit {number} of `{key}`: {}", visible(problem))
            }
            Self::Unlisted { problem } => write!(f, "unlisted: what is open cannot be listed: {}", visible(problem)),
            Self::Unreadable { key, number, problem } => {
                write!(f, "unreadable: `{key}` from commit {number} on: {}", visible(problem))
            }
            Self::Forged { key, number, position } => write!(
                f,
                "forged: commit {number} of `{key}` at position {position} is not the one that was logged there; the journal \
                 was written anew, or has gone on from a backup"
            ),
            Self::Moved { key, number, position, logged } => {
                write!(f, "moved: commit {number} of `{key}` stands at position {position}, and was logged at {logged}")
            }
            Self::Removed { from, to } if from == to => write!(f, "removed: there is no commit at position {from}"),
            Self::Removed { from, to } => write!(f, "removed: there are no commits at positions {from} to {to}"),
            Self::Unwalkable { position, problem } => {
                write!(f, "unwalkable: the order of all commits from position {position} on: {}", visible(problem))
            }
            Self::Truncated { last, signed } => {
                write!(f, "truncated: the store ends at position {last}, and {signed} commits were signed")
            }
            Self::Diverged { size, signed, found } => write!(
                f,
                "diverged: the first {size} commits are not those that were signed (root {found}, signed was {signed})"
            ),
            Self::Log { size, problem } => {
                write!(f, "log: its leaves do not lead to the {size} commits that were signed: {}", visible(problem))
            }
            Self::Inserted { commits, positions } => {
                write!(f, "inserted: the entities have {commits} commits, and there are {positions} positions")
            }
        }
    }
}

//! A journal that is not what was written: what is wrong, and what stands there instead.

use std::fmt;
use std::sync::Arc;

use super::chain;
use crate::digest::Digest;
use crate::identifier::EntityKey;
use crate::json::visible;

/// A journal is not what was written, or not one of this domain.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokenJournal {
    /// Whose journal.
    pub key: EntityKey,
    /// The first commit that is wrong.
    pub number: u64,
    /// What is wrong with it.
    pub problem: String,
    /// What stands in its place, where its hash does not fit that.
    found: Option<Found>,
}

#[derive(Clone, PartialEq, Eq)]
struct Found {
    previous: Digest,
    hash: Digest,
    body: Arc<[u8]>,
}

impl BrokenJournal {
    pub(crate) const fn new(key: EntityKey, number: u64, problem: String) -> Self {
        Self { key, number, problem, found: None }
    }

    /// The hash of a commit does not fit what stands there.
    pub(super) fn unfit(key: EntityKey, number: u64, previous: Digest, hash: Digest, body: &[u8]) -> Self {
        let found = Found { previous, hash, body: body.into() };
        Self { key, number, problem: "its hash does not fit what it says".to_owned(), found: Some(found) }
    }

    /// Whether what stands in the place of one commit belongs in the place of the other, and the other way round: the two
    /// were swapped, as a whole or in part.
    #[must_use]
    pub fn is_swapped_with(&self, other: &Self) -> bool {
        let (Some(own), Some(theirs)) = (&self.found, &other.found) else {
            return false;
        };
        let belongs = |body: &[u8], at: &Self| {
            [own, theirs].into_iter().any(|before| {
                let hash = chain::hash(&at.key, at.number, before.previous, body);
                hash == own.hash || hash == theirs.hash
            })
        };
        belongs(&theirs.body, self) && belongs(&own.body, other)
    }
}

impl fmt::Display for BrokenJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal of `{}` is broken at commit {}: {}", self.key, self.number, visible(&self.problem))
    }
}

crate::debug::debug_as_message!(BrokenJournal);

impl std::error::Error for BrokenJournal {}

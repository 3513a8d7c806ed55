//! What the records of one journal lead to, whatever its domain.

use std::sync::Arc;

use crate::entity::Fold;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Fact};

/// The records of one journal, as they are read.
pub(super) struct Records {
    /// What they lead to; none behind one that only a later kiff knows.
    fold: Option<Fold<String>>,
}

impl Records {
    pub(super) fn new(key: EntityKey) -> Self {
        Self { fold: Some(Fold::empty(key)) }
    }

    /// Whether this version knows all of them.
    pub(super) const fn are_known(&self) -> bool {
        self.fold.is_some()
    }

    /// Reads one more commit, whose place in the chain was checked.
    pub(super) fn follow(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        if commit.facts().iter().any(|fact| matches!(fact, Fact::Unknown(_))) {
            self.fold = None;
        }
        self.fold.as_mut().map_or(Ok(()), |fold| fold.apply(commit))
    }
}

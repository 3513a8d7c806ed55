//! The fold: what a journal says that its entity is now.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::approval::Approval;
use crate::digest::Digest;
use crate::domain::Domain;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::journal::{BrokenJournal, Commit, End, RecordId, Snapshot};
use crate::schema::Text;
use crate::time::Timestamp;

mod fold;
mod kept;

pub(crate) use fold::Fold;

/// What an entity is, by its journal and by nothing else.
///
/// It can be had only by folding commits that follow on each other, and it is what they say. A runtime judges before it appends
/// one; whoever writes commits past it is judged by nobody.
#[derive(Debug, Clone)]
pub struct Entity<D: Domain> {
    fold: Fold<D::State>,
}

/// An action that has started and of which it is not known how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The action's wire name.
    pub action: Text,
    /// The run's number.
    pub execution: ExecutionId,
    /// Who asked for it.
    pub by: Actor,
    /// When it started.
    pub since: Timestamp,
    /// The record of its start.
    pub record: RecordId,
    /// Whether its executor has said that it does not know what happened.
    pub unknown: bool,
}

impl<D: Domain> Entity<D> {
    /// The entity whose journal is still empty.
    #[must_use]
    pub fn empty(key: EntityKey) -> Self {
        Self { fold: Fold::empty(key) }
    }

    /// Folds a whole journal.
    ///
    /// # Errors
    /// [`BrokenJournal`] when a commit does not follow on the one before, says of those before what they do not say, or speaks of
    /// what the domain does not have.
    pub fn fold<'a>(key: EntityKey, commits: impl IntoIterator<Item = &'a Arc<Commit>>) -> Result<Self, BrokenJournal> {
        let mut entity = Self::empty(key);
        for commit in commits {
            entity.apply(commit)?;
        }
        Ok(entity)
    }

    /// Folds one more commit.
    ///
    /// # Errors
    /// [`BrokenJournal`] as for [`Entity::fold`]; the entity is then as it was before.
    pub fn apply(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        self.fold.apply(commit)
    }

    /// Folds a commit that was made of this entity as it stands, so that what it says of it need not be checked.
    pub(crate) fn advance(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        self.fold.advance(commit)
    }

    /// What the journal folds to so far, to be kept beside it.
    ///
    /// # Errors
    /// [`BrokenJournal`] when it cannot be written as JSON.
    pub fn snapshot(&self) -> Result<Snapshot, BrokenJournal> {
        self.fold.snapshot()
    }

    /// The entity at the commit `next`, by what was kept of it at the commit before.
    ///
    /// `next` must say the snapshot's digest, so that a snapshot is as hard to forge as the journal itself. Whether that is what
    /// the records fold to is known to those who [fold](Self::fold) the whole journal.
    ///
    /// # Errors
    /// [`BrokenJournal`] when `next` says another digest or none, or the fold is not one of this domain.
    pub fn restore(snapshot: &Snapshot, next: &Arc<Commit>) -> Result<Self, BrokenJournal> {
        Fold::restore(snapshot, next).map(|fold| Self { fold })
    }

    /// Whose journal it is the fold of.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.fold.key
    }

    /// The number of its last commit; 0 while the journal is empty.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.fold.end.number()
    }

    /// The hash of its last commit.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.fold.end.hash()
    }

    /// The time of its last commit.
    pub(crate) const fn at(&self) -> Timestamp {
        self.fold.at
    }

    /// About how many bytes its approvals take.
    pub(crate) const fn held(&self) -> usize {
        self.fold.held
    }

    /// Where its journal ends: what the next commit follows on.
    pub(crate) const fn end(&self) -> &End {
        &self.fold.end
    }

    /// The present as its journal has it: `now`, unless a clock that was ahead has already written a later time. What has once
    /// expired stays so, whatever becomes of the clock.
    pub(crate) fn present(&self, now: Timestamp) -> Timestamp {
        now.max(self.fold.at)
    }

    /// What it is; none while it does not exist.
    #[must_use]
    pub const fn state(&self) -> Option<D::State> {
        self.fold.state
    }

    /// The action that has started and not ended, if there is one.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        self.fold.running.as_ref()
    }

    /// The approvals that wait for a review or for their action, oldest first.
    #[must_use]
    pub fn open_approvals(&self) -> &[Arc<Approval>] {
        &self.fold.open
    }

    /// An approval that is open, or was until lately.
    #[must_use]
    pub fn approval(&self, id: &ApprovalId) -> Option<&Approval> {
        self.approvals().find(|approval| approval.id == *id)
    }

    /// Whether there may have been approvals before those that it tells of.
    pub(crate) fn has_forgotten_approvals(&self) -> bool {
        self.fold.has_forgotten()
    }

    /// All approvals that are open, or were until lately.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        self.fold.closed().chain(&self.fold.open).map(|approval| &**approval)
    }
}

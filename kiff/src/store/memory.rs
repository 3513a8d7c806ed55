//! A store that lives and dies with the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Appended, Store, StoreError};
use crate::identifier::EntityKey;
use crate::journal::{Commit, Sealed};
use crate::sharded::Sharded;

type Journal = Arc<Mutex<Vec<Arc<Commit>>>>;

/// Journals in memory, for tests and trials.
///
/// Each entity has a lock of its own, so that two entities do not wait for each other, and what one entity costs does
/// not depend on how many others there are.
pub struct MemoryStore {
    journals: Sharded<Journal>,
}

impl MemoryStore {
    /// A store without any journal.
    #[must_use]
    pub fn new() -> Self {
        Self { journals: Sharded::new() }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

fn lock(journal: &Journal) -> MutexGuard<'_, Vec<Arc<Commit>>> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        let commit = commit.into_commit();
        let first = commit.number() == 1 && commit.previous() == Commit::GENESIS;
        let journal = match self.journals.get(commit.key()) {
            Some(journal) => journal,
            None if first => self.journals.get_or_insert_with(commit.key(), Journal::default),
            None => return Ok(Appended::Conflict),
        };
        let mut journal = lock(&journal);
        let head = journal.last().map_or(Commit::GENESIS, |last| last.hash());
        if commit.number() != journal.len() as u64 + 1 || commit.previous() != head {
            return Ok(Appended::Conflict);
        }
        journal.push(commit);
        Ok(Appended::Written)
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let Some(journal) = self.journals.get(key) else {
            return Ok(Vec::new());
        };
        let journal = lock(&journal);
        let Ok(after) = usize::try_from(after) else {
            return Ok(Vec::new());
        };
        Ok(journal.get(after..).unwrap_or_default().iter().take(limit).cloned().collect())
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let mut keys: Vec<_> = self.journals.keys();
        keys.retain(|key| after.is_none_or(|after| key > after));
        // A journal is there for an instant before its first commit is.
        keys.retain(|key| self.journals.get(key).is_some_and(|journal| !lock(&journal).is_empty()));
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }
}

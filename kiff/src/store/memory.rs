//! A store that lives and dies with the process.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Appended, Store, StoreError};
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{Change, Commit, Cursor, Matter, Open, Query, Sealed, Snapshot};
use crate::sharded::Sharded;
use crate::time::Timestamp;

/// Journals in memory, for tests and trials.
///
/// Each entity has a lock of its own, so that two entities do not wait for each other, and what one entity costs does
/// not depend on how many others there are. Searching looks at every commit.
pub struct MemoryStore {
    journals: Sharded<Shared>,
    /// The entities of which something is open, so that nobody has to look at the others.
    open: Mutex<HashSet<EntityKey>>,
    order: Order,
}

type Shared = Arc<Mutex<Journal>>;

/// What is kept of one entity.
#[derive(Default)]
struct Journal {
    commits: Vec<Arc<Commit>>,
    keys: BTreeMap<IdempotencyKey, u64>,
    open: Vec<(Matter, Open)>,
    snapshot: Option<Snapshot>,
}

impl Journal {
    fn push(&mut self, commit: &Arc<Commit>) {
        for change in commit.changes() {
            match change {
                Change::Opened(matter, id, until) => {
                    if matter == Matter::Review {
                        self.open.retain(|(_, open)| open.until.is_none_or(|until| until > commit.forgets()));
                    }
                    self.open.push((matter, commit.opening(id, until)));
                }
                Change::Closed(matter, id) => self.open.retain(|(known, open)| (*known, &*open.id) != (matter, id)),
            }
        }
        if let Some(key) = commit.idempotency_key() {
            self.keys.entry(key.clone()).or_insert(commit.number());
        }
        self.commits.push(Arc::clone(commit));
    }
}

/// The one order of all commits. Writers hand theirs in without waiting for each other; whoever reads takes them out.
struct Order {
    sender: Sender<Arc<Commit>>,
    taken: Mutex<Taken>,
}

/// What is still to be taken out, and what has been.
struct Taken {
    receiver: Receiver<Arc<Commit>>,
    commits: Vec<Arc<Commit>>,
}

impl Order {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, taken: Mutex::new(Taken { receiver, commits: Vec::new() }) }
    }

    fn push(&self, commit: Arc<Commit>) {
        // INVARIANT: the receiver lives as long as the sender, so that this cannot fail.
        let _ = self.sender.send(commit);
    }

    fn walk(&self, query: &Query, cursor: Cursor, limit: usize) -> Vec<(u64, Arc<Commit>)> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Taken { receiver, commits } = &mut *taken;
        commits.extend(receiver.try_iter());
        let wanted = |(_, commit): &(usize, &Arc<Commit>)| query.matches(commit);
        let found = |(index, commit): (usize, &Arc<Commit>)| (index as u64 + 1, Arc::clone(commit));
        let place = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
        match cursor {
            Cursor::After(after) => {
                commits.iter().enumerate().skip(place(after)).filter(wanted).map(found).take(limit).collect()
            }
            Cursor::Before(before) => {
                let older = commits.iter().enumerate().take(place(before.saturating_sub(1)));
                older.rev().filter(wanted).map(found).take(limit).collect()
            }
        }
    }
}

impl MemoryStore {
    /// A store without any journal.
    #[must_use]
    pub fn new() -> Self {
        Self { journals: Sharded::new(), open: Mutex::default(), order: Order::new() }
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

fn lock(journal: &Shared) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let commit = sealed.commit();
        let first = commit.number() == 1 && commit.previous() == Commit::GENESIS;
        let journal = match self.journals.get(commit.key()) {
            Some(journal) => journal,
            None if first => self.journals.get_or_insert_with(commit.key(), Shared::default),
            None => return Ok(Appended::Conflict),
        };
        let mut journal = lock(&journal);
        let head = journal.commits.last().map_or(Commit::GENESIS, |last| last.hash());
        if commit.number() != journal.commits.len() as u64 + 1 || commit.previous() != head {
            return Ok(Appended::Conflict);
        }
        let was_open = !journal.open.is_empty();
        journal.push(commit);
        let is_open = !journal.open.is_empty();
        if was_open != is_open {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let _changed = if is_open { open.insert(commit.key().clone()) } else { open.remove(commit.key()) };
        }
        if let Some(snapshot) = sealed.snapshot() {
            journal.snapshot = Some(snapshot.clone());
        }
        self.order.push(sealed.into_commit());
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
        Ok(journal.commits.get(after..).unwrap_or_default().iter().take(limit).cloned().collect())
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let mut keys: Vec<_> = self.journals.keys();
        keys.retain(|key| after.is_none_or(|after| key > after));
        // A journal is there for an instant before its first commit is.
        keys.retain(|key| self.journals.get(key).is_some_and(|journal| !lock(&journal).commits.is_empty()));
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        Ok(self.order.walk(query, cursor, limit))
    }

    async fn open(
        &self,
        matter: Matter,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        let mut found = Vec::new();
        let keys: Vec<EntityKey> = self.open.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for journal in keys.iter().filter_map(|key| self.journals.get(key)) {
            let journal = lock(&journal);
            let open = journal.open.iter().filter(|(known, _)| *known == matter).map(|(_, open)| open);
            let open = open.filter(|open| open.until.is_none_or(|until| now < until));
            found.extend(open.filter(|open| after.is_none_or(|after| *open > after)).cloned());
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        let journal = self.journals.get(key);
        Ok(journal.and_then(|journal| lock(&journal).keys.get(idempotency_key).copied()))
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.journals.get(key).and_then(|journal| lock(&journal).snapshot.clone()))
    }
}

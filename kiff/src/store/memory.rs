//! A store that lives and dies with the process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{array, fmt, mem};

use super::{Appended, Store, StoreError};
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{Change, Commit, Cursor, End, Matter, Open, Query, RecordId, Sealed, Snapshot};
use crate::sharded::Sharded;
use crate::time::Timestamp;

/// Journals in memory, for tests and trials.
///
/// Each entity has a lock of its own, so that two entities do not wait for each other, and what one entity costs does
/// not depend on how many others there are. Searching looks at every commit.
pub struct MemoryStore {
    journals: Sharded<Shared>,
    /// The entities of which something was open since somebody last asked, so that nobody has to look at the others.
    open: Sharded<()>,
    order: Order,
    /// The entities in their order, as they were when somebody last listed them.
    sorted: Mutex<Vec<EntityKey>>,
}

type Shared = Arc<Mutex<Journal>>;

/// What is kept of one entity.
#[derive(Default)]
struct Journal {
    commits: Vec<Arc<Commit>>,
    keys: BTreeMap<IdempotencyKey, u64>,
    /// The records that open what is open.
    open: Vec<RecordId>,
    /// Whether the entity is among those of which something was open.
    is_listed: bool,
    snapshot: Option<Snapshot>,
}

impl Journal {
    fn push(&mut self, commit: &Arc<Commit>) {
        self.commits.push(Arc::clone(commit));
        for record in commit.records() {
            match record.fact().change() {
                Some(Change::Opened(matter, ..)) => {
                    if matter == Matter::Review {
                        let (commits, forgets) = (&self.commits, commit.forgets());
                        let waits = |(.., until): Opened<'_>| until.is_none_or(|until| until > forgets);
                        self.open.retain(|record| opened(commits, *record).is_some_and(waits));
                    }
                    if self.open.capacity() == 0 {
                        // There are many entities, and seldom is more than one thing open of one.
                        self.open.reserve_exact(1);
                    }
                    self.open.push(record.id());
                }
                Some(Change::Closed(matter, id)) => {
                    let commits = &self.commits;
                    let is_other = |(_, known, open, _)| (known, open) != (matter, id);
                    self.open.retain(|record| opened(commits, *record).is_some_and(is_other));
                }
                None => {}
            }
        }
        if let Some(key) = commit.idempotency_key() {
            self.keys.entry(key.clone()).or_insert(commit.number());
        }
    }

    /// What is open of one sort.
    fn open(&self, matter: Matter) -> impl Iterator<Item = Open> {
        let open = self.open.iter().filter_map(|record| opened(&self.commits, *record));
        open.filter(move |(_, known, ..)| *known == matter).map(|(commit, _, id, until)| commit.opening(id, until))
    }
}

/// A commit that opens something, and what that is.
type Opened<'c> = (&'c Commit, Matter, &'c str, Option<Timestamp>);

/// What a record opens, if it does.
fn opened(commits: &[Arc<Commit>], record: RecordId) -> Option<Opened<'_>> {
    let commit = commits.get(usize::try_from(record.commit).ok()?.checked_sub(1)?)?;
    let fact = commit.facts().get(usize::try_from(record.place).ok()?.checked_sub(1)?)?;
    match fact.change()? {
        Change::Opened(matter, id, until) => Some((commit, matter, id, until)),
        Change::Closed(..) => None,
    }
}

/// The one order of all commits.
///
/// Each thread notes its commits in a log that it seldom shares with another, and numbers them from one count, so that
/// writers of different entities do not wait for each other. Whoever reads puts the logs together.
struct Order {
    count: Count,
    logs: Box<[Log; LOGS]>,
    commits: Mutex<Vec<Arc<Commit>>>,
}

/// Commits with their numbers in the one order, from when they are noted until somebody reads; on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Log(Mutex<Vec<(u64, Arc<Commit>)>>);

/// On lines of the cache of its own: every append changes it, and nothing beside it.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// How many logs there are.
const LOGS: usize = 16;

impl Order {
    fn new() -> Self {
        Self { count: Count::default(), logs: Box::new(array::from_fn(|_| Log::default())), commits: Mutex::default() }
    }

    fn push(&self, commit: Arc<Commit>) {
        let [first, ..] = &*self.logs;
        let mut log = lock(&self.logs.get(own_log()).unwrap_or(first).0);
        // INVARIANT: a number is drawn under the lock of the log that it is noted in, so that whoever holds all locks
        // finds every number that was drawn.
        let number = self.count.0.fetch_add(1, Ordering::Relaxed);
        log.push((number, commit));
    }

    /// All commits so far. The order of those that somebody has seen never changes.
    fn commits(&self) -> MutexGuard<'_, Vec<Arc<Commit>>> {
        let mut commits = lock(&self.commits);
        let mut logs = self.logs.each_ref().map(|log| lock(&log.0));
        let noted = logs.each_mut().map(|log| mem::take(&mut **log));
        drop(logs);
        let mut noted: Vec<_> = noted.into_iter().flatten().collect();
        noted.sort_unstable_by_key(|(number, _)| *number);
        commits.extend(noted.into_iter().map(|(_, commit)| commit));
        commits
    }

    fn walk(&self, query: &Query, cursor: Cursor, limit: usize) -> Vec<(u64, Arc<Commit>)> {
        let commits = self.commits();
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

/// The log of this thread.
fn own_log() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % LOGS;
    }
    OWN.with(|own| *own)
}

impl MemoryStore {
    /// A store without any journal.
    #[must_use]
    pub fn new() -> Self {
        Self { journals: Sharded::new(), open: Sharded::new(), order: Order::new(), sorted: Mutex::default() }
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

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let commit = sealed.commit();
        let journal = match self.journals.get(commit.key()) {
            Some(journal) => journal,
            None if commit.follows(&End::EMPTY) => self.journals.get_or_insert_with(commit.key(), Shared::default),
            None => return Ok(Appended::Conflict),
        };
        let mut journal = lock(&journal);
        let follows = match journal.commits.last() {
            Some(last) => commit.follows_on(last),
            None => commit.follows(&End::EMPTY),
        };
        if !follows {
            return Ok(Appended::Conflict);
        }
        journal.push(commit);
        if !journal.open.is_empty() && !journal.is_listed {
            journal.is_listed = true;
            self.open.get_or_insert_with(commit.key(), || ());
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
        let mut sorted = lock(&self.sorted);
        // None is ever removed: as long as there are as many, they are the same.
        if sorted.len() != self.journals.len() {
            *sorted = self.journals.keys();
            sorted.sort_unstable();
        }
        let behind = after.map_or(0, |after| sorted.partition_point(|key| key <= after));
        // A journal is there for an instant before its first commit is.
        let has_commits =
            |key: &&EntityKey| self.journals.get(key).is_some_and(|journal| !lock(&journal).commits.is_empty());
        Ok(sorted.iter().skip(behind).filter(has_commits).take(limit).cloned().collect())
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        Ok(self.order.walk(query, cursor, limit))
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        let mut found = Vec::new();
        let wanted = |key: &EntityKey| tenant.is_none_or(|tenant| tenant == key.tenant());
        for key in self.open.keys().into_iter().filter(wanted) {
            let Some(journal) = self.journals.get(&key) else { continue };
            let mut journal = lock(&journal);
            if journal.open.is_empty() {
                journal.is_listed = false;
                self.open.remove(&key);
            }
            let open = journal.open(matter).filter(|open| open.until.is_none_or(|until| now < until));
            found.extend(open.filter(|open| after.is_none_or(|after| open > after)));
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        let journal = self.journals.get(key);
        Ok(journal.and_then(|journal| lock(&journal).keys.get(idempotency_key).copied()))
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.journals.get(key).and_then(|journal| lock(&journal).snapshot.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::identifier::ExecutionId;
    use crate::journal::{ActionExecuted, ActionStarted, Content, Fact};

    #[test]
    fn what_is_opened_again_after_somebody_has_looked_is_listed_again() {
        let (store, key) = (MemoryStore::new(), EntityKey::new("Order", "ord-1").unwrap());
        let execution = ExecutionId::new("run-1").unwrap();
        let started =
            || ActionStarted { action: "PAY".into(), execution: execution.clone(), approval: None, key: None };
        let ended = || ActionExecuted { action: "PAY".into(), execution: execution.clone(), settled: None };
        let mut end = End::EMPTY;
        let mut append = |fact: Fact| {
            let (at, actor) = (Timestamp::from_microseconds(1), Actor::agent("agent-7").unwrap());
            let content = Content { at, actor, trace: None, cause: None, fold: None, facts: Box::new([fact]) };
            let sealed = Sealed::behind(end.clone(), key.clone(), content);
            end = End::of(sealed.commit());
            assert_eq!(pollster::block_on(store.append(sealed)).unwrap(), Appended::Written);
        };
        let is_listed = || {
            let open = store.open(Matter::Execution, None, Timestamp::from_microseconds(2), None, 9);
            !pollster::block_on(open).unwrap().is_empty()
        };
        for _ in 0..2 {
            append(started().into());
            assert!(is_listed());
            append(ended().into());
            assert!(!is_listed() && store.open.keys().is_empty());
        }
    }
}

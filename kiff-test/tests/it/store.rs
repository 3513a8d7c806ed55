//! The laws of a store: stores that obey them pass, and each way to break one is found out.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "this file is a test")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::task::Poll;
use std::{mem, thread};

use kiff::journal::Change;
use kiff::{
    Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Query, Sealed, Snapshot, Store,
    StoreError, Timestamp,
};
use kiff_test::store::laws;

mod races;

/// A plain store, and what is wrong with it.
struct Plain {
    journals: Mutex<BTreeMap<EntityKey, Vec<Arc<Commit>>>>,
    /// All commits in order, and the snapshots.
    order: Mutex<Vec<Arc<Commit>>>,
    snapshots: Mutex<BTreeMap<EntityKey, Snapshot>>,
    /// What came too late for its number, and behind how many commits a position was given to such a one.
    losers: Mutex<Vec<Arc<Commit>>>,
    burned: Mutex<Vec<usize>>,
    /// Held over check and append; of this store alone, as other tests have theirs at the same time.
    alone: Mutex<()>,
    /// How often somebody has searched.
    searches: Arc<AtomicUsize>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    IsInTheWay,
    AnyNumber,
    AnyPrevious,
    ForgetsTenants,
    ReadsFromAfter,
    ReadsPastLimit,
    ListsPastLimit,
    ListsFromAfter,
    ListsBackwards,
    ListsTheUnwritten,
    ChecksBeforeItLocks,
    Fails,
    SearchesPastLimit,
    SearchesFromCursor,
    SearchesOldestFirst,
    SearchesWithoutKind,
    FindsNoActor,
    ListsTheClosed,
    ListsTheExpired,
    ListsOpenFromAfter,
    ListsOpenOfOthers,
    TakesTheLastKey,
    ForgetsSnapshots,
    Rewrites,
    BurnsPositions,
    LeavesTheLosersKeys,
    OpensForTheLosers,
    KeepsTheLosersSnapshot,
    ShowsBeforeItDecides,
    WritesInTwoSteps,
    CutsLongIds,
    IgnoresCase,
    IgnoresAccents,
    TakesNoLongBody,
    LosesItsPlace,
    FailsAtTheTenth,
}

impl Plain {
    fn new(fault: Fault) -> Self {
        Self {
            journals: Mutex::default(),
            order: Mutex::default(),
            snapshots: Mutex::default(),
            losers: Mutex::default(),
            burned: Mutex::default(),
            alone: Mutex::default(),
            searches: Arc::default(),
            fault,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &EntityKey) -> EntityKey {
        match self.fault {
            Fault::ForgetsTenants => key.in_tenant("default").unwrap(),
            // It leaves the last byte of the longest ids out.
            Fault::CutsLongIds if key.id().len() > 255 => {
                EntityKey::new(key.entity_type(), key.id().get(..255).unwrap())
                    .unwrap()
                    .in_tenant(key.tenant())
                    .unwrap()
            }
            _ => key.clone(),
        }
    }

    fn is_same(&self, key: &IdempotencyKey, other: &IdempotencyKey) -> bool {
        let folded = |key: &IdempotencyKey| match self.fault {
            Fault::IgnoresCase => key.as_str().to_lowercase(),
            Fault::IgnoresAccents => key.as_str().replace('é', "e").replace('\u{301}', ""),
            _ => key.to_string(),
        };
        folded(key) == folded(other)
    }

    fn follows(&self, commit: &Commit) -> bool {
        let mut journals = self.journals.lock().unwrap();
        let key = self.key(commit.key());
        if self.has(Fault::ListsTheUnwritten) {
            journals.entry(key.clone()).or_default();
        }
        let last = journals.get(&key).and_then(|journal| journal.last());
        let (number, hash) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
        (commit.number() == number + 1 || self.has(Fault::AnyNumber))
            && (commit.previous() == hash || self.has(Fault::AnyPrevious))
    }

    /// Leaves behind what a careless store does of a commit that would have followed, had another one not been faster.
    fn refuse(&self, commit: Arc<Commit>, snapshot: Option<Snapshot>) -> Appended {
        let journals = self.journals.lock().unwrap();
        let last = journals.get(commit.key()).and_then(|journal| journal.last());
        if last.is_some_and(|last| last.previous() == commit.previous() && last.hash() != commit.hash()) {
            if self.has(Fault::BurnsPositions) {
                let behind = self.order.lock().unwrap().len();
                self.burned.lock().unwrap().push(behind);
            }
            if let Some(snapshot) = snapshot.filter(|_| self.has(Fault::KeepsTheLosersSnapshot)) {
                self.snapshots.lock().unwrap().insert(commit.key().clone(), snapshot);
            }
            let mut losers = self.losers.lock().unwrap();
            // A page shows one of them, and then none any more.
            if self.has(Fault::ShowsBeforeItDecides) {
                losers.clear();
            }
            losers.push(commit);
        }
        Appended::Conflict
    }

    fn write(&self, sealed: &Sealed) -> Result<Appended, StoreError> {
        // Where writers have an entity each.
        let is_tenth = sealed.commit().number() == 10 && sealed.commit().key().id() == "ord-2";
        if self.has(Fault::Fails) || (self.has(Fault::FailsAtTheTenth) && is_tenth) {
            return Err(StoreError::new("the disk is full"));
        }
        if self.has(Fault::TakesNoLongBody) && sealed.body().len() > 60_000 {
            return Err(StoreError::new("the row is too long"));
        }
        let (snapshot, mut commit) = (sealed.snapshot().cloned(), Arc::clone(sealed.commit()));
        let _alone = match self.alone.try_lock() {
            Err(TryLockError::WouldBlock) if self.has(Fault::IsInTheWay) => return Ok(Appended::Conflict),
            taken => {
                drop(taken);
                (!self.has(Fault::ChecksBeforeItLocks)).then(|| self.alone.lock().unwrap())
            }
        };
        if self.has(Fault::IsInTheWay) {
            thread::yield_now();
        }
        if !self.follows(&commit) {
            return Ok(self.refuse(commit, snapshot));
        }
        if self.has(Fault::ChecksBeforeItLocks) {
            thread::yield_now();
        }
        if self.has(Fault::Rewrites) {
            let body = String::from_utf8(commit.body().into_owned()).unwrap().replace("1.50", "1.5").into_bytes();
            commit =
                Sealed::verbatim(commit.key().clone(), commit.number(), commit.previous(), body).unwrap().into_commit();
        }
        if let Some(snapshot) = snapshot.filter(|_| !self.has(Fault::ForgetsSnapshots)) {
            self.snapshots.lock().unwrap().insert(commit.key().clone(), snapshot);
        }
        if !self.has(Fault::WritesInTwoSteps) {
            self.order.lock().unwrap().push(Arc::clone(&commit));
        }
        self.journals.lock().unwrap().entry(self.key(commit.key())).or_default().push(commit);
        Ok(Appended::Written)
    }
}

impl Store for Plain {
    async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let commit = Arc::clone(sealed.commit());
        let appended = self.write(&sealed)?;
        if self.has(Fault::WritesInTwoSteps) && appended == Appended::Written {
            let mut is_second = false;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if mem::replace(&mut is_second, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.order.lock().unwrap().push(commit);
        }
        Ok(appended)
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let limit = if self.has(Fault::ReadsPastLimit) { limit.saturating_add(1) } else { limit };
        let from = |number: u64| number > after || (number == after && self.has(Fault::ReadsFromAfter));
        let journals = self.journals.lock().unwrap();
        let journal = journals.get(&self.key(key)).map(Vec::as_slice).unwrap_or_default();
        let mut read: Vec<_> = journal.iter().filter(|commit| from(commit.number())).take(limit).cloned().collect();
        // Those who write read whole journals. Whoever pages sees one that loses in the place of the last one, once.
        if self.has(Fault::ShowsBeforeItDecides) && limit < usize::MAX {
            let mut losers = self.losers.lock().unwrap();
            if let (Some(last), Some(loser)) = (read.last_mut(), losers.last())
                && loser.previous() == last.previous()
                && Some(&*last) == journal.last()
            {
                *last = losers.pop().unwrap();
            }
        }
        Ok(read)
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let limit = if self.has(Fault::ListsPastLimit) { limit.saturating_add(1) } else { limit };
        let from = |key: &EntityKey| {
            after.is_none_or(|after| key > after || (key == after && self.has(Fault::ListsFromAfter)))
        };
        let journals = self.journals.lock().unwrap();
        let mut keys: Vec<_> = journals.keys().filter(|key| from(key)).take(limit).cloned().collect();
        if self.has(Fault::ListsBackwards) {
            keys.reverse();
        }
        Ok(keys)
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.searches.fetch_add(1, Ordering::Relaxed);
        let limit = if self.has(Fault::SearchesPastLimit) { limit.saturating_add(1) } else { limit };
        let kind = query.kind.clone().filter(|_| !self.has(Fault::SearchesWithoutKind));
        let query = Query { kind, ..query.clone() };
        let from = self.has(Fault::SearchesFromCursor);
        if self.has(Fault::FindsNoActor) && query.actor.is_some() {
            return Ok(Vec::new());
        }
        let (order, burned) = (self.order.lock().unwrap(), self.burned.lock().unwrap());
        let position = |place: usize| (place + 1 + burned.iter().filter(|burned| **burned <= place).count()) as u64;
        let all = order.iter().cloned().enumerate().map(|(place, commit)| (position(place), commit));
        let all = all.filter(|(_, commit)| query.matches(commit));
        Ok(match cursor {
            Cursor::After(after) => {
                all.filter(|(position, _)| *position > after || (from && *position == after)).take(limit).collect()
            }
            Cursor::Before(before) if self.has(Fault::SearchesOldestFirst) => {
                all.filter(|(position, _)| *position < before).take(limit).collect()
            }
            Cursor::Before(before) => {
                let all: Vec<_> = all.filter(|(position, _)| *position < before).collect();
                all.into_iter().rev().take(limit).collect()
            }
        })
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        let mut open: Vec<Open> = Vec::new();
        let losers = self.losers.lock().unwrap();
        let losers = losers.iter().filter(|_| self.has(Fault::OpensForTheLosers));
        for commit in losers.chain(self.order.lock().unwrap().iter()) {
            for change in commit.changes() {
                match change {
                    Change::Opened(opened, id, until) if opened == matter => open.push(commit.opening(id, until)),
                    Change::Closed(closed, id) if closed == matter && !self.has(Fault::ListsTheClosed) => {
                        open.retain(|open| (&open.key, &*open.id) != (commit.key(), id));
                    }
                    _ => {}
                }
            }
        }
        if self.has(Fault::LosesItsPlace) && after.is_some_and(|after| !open.contains(after)) {
            return Ok(Vec::new());
        }
        let tenant = tenant.filter(|_| !self.has(Fault::ListsOpenOfOthers));
        open.retain(|open| tenant.is_none_or(|tenant| tenant == open.key.tenant()));
        open.retain(|open| open.until.is_none_or(|until| now < until || self.has(Fault::ListsTheExpired)));
        let from = self.has(Fault::ListsOpenFromAfter);
        open.retain(|open| after.is_none_or(|after| open > after || (from && open == after)));
        open.sort();
        open.truncate(limit);
        Ok(open)
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        let journals = self.journals.lock().unwrap();
        let journal = journals.get(key).map(Vec::as_slice).unwrap_or_default();
        let losers = self.losers.lock().unwrap();
        let losers = losers.iter().filter(|commit| self.has(Fault::LeavesTheLosersKeys) && commit.key() == key);
        let mut found = losers
            .chain(journal)
            .filter(|commit| commit.idempotency_key().is_some_and(|key| self.is_same(key, idempotency_key)));
        let found = if self.has(Fault::TakesTheLastKey) { found.next_back() } else { found.next() };
        Ok(found.map(|commit| commit.number()))
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshots.lock().unwrap().get(key).cloned())
    }
}

/// What the laws say of a store with a fault.
fn found(fault: Fault) -> String {
    found_in(|| Plain::new(fault))
}

fn found_in(make_store: impl Fn() -> Plain) -> String {
    // What is made up is made up anew each time: what is missed once is hardly missed eight times.
    let panic = (0..8).find_map(|_| catch_unwind(AssertUnwindSafe(|| laws(&make_store))).err());
    panic.expect("the fault is not found").downcast_ref::<String>().expect("a message").clone()
}

#[track_caller]
fn check(fault: Fault, parts: &[&str]) {
    let message = found(fault);
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn the_store_in_memory_obeys_the_laws() {
    laws(MemoryStore::new);
}

#[test]
fn a_plain_store_obeys_the_laws() {
    laws(|| Plain::new(Fault::None));
}

#[test]
fn a_commit_that_does_not_follow_is_refused() {
    check(Fault::AnyNumber, &["Number(", "expected Conflict"]);
    check(
        Fault::AnyPrevious,
        &["1. Append { entity: 0, place: Previous, facts: 1, seed: 0 }", "is Written, expected Conflict"],
    );
}

#[test]
fn tenants_are_kept_apart() {
    check(Fault::ForgetsTenants, &["the store breaks a law"]);
}

#[test]
fn what_is_as_long_as_it_may_be_is_kept_whole() {
    check(Fault::CutsLongIds, &["the store breaks a law", "xxxxxxxx"]);
    check(Fault::TakesNoLongBody, &["the store failed: the row is too long"]);
}

#[test]
fn reading_pages() {
    check(Fault::ReadsFromAfter, &["reading ", " gives [1 ("]);
    check(Fault::ReadsPastLimit, &["reading ", " commits of "]);
}

#[test]
fn listing_pages() {
    check(Fault::ListsPastLimit, &["listing ", " entities after None gives ["]);
    check(Fault::ListsFromAfter, &["listing ", "after Some("]);
    check(Fault::ListsBackwards, &["listing "]);
    check(Fault::ListsTheUnwritten, &["listing "]);
}

#[test]
fn a_store_that_fails_obeys_no_law() {
    check(Fault::Fails, &["the store failed: the disk is full"]);
}

#[test]
fn searching_pages_and_finds_what_is_asked_for() {
    check(Fault::SearchesPastLimit, &["searching"]);
    check(Fault::SearchesFromCursor, &["searching", "After("]);
    check(Fault::SearchesOldestFirst, &["searching", "Before("]);
    check(Fault::SearchesWithoutKind, &["Kind"]);
    check(Fault::FindsNoActor, &["searching", "Actor"]);
}

#[test]
fn what_is_open_is_listed_until_it_is_closed_or_expires() {
    check(Fault::ListsTheClosed, &["listing ", " of open "]);
    check(Fault::ListsTheExpired, &["Review"]);
    check(Fault::ListsOpenFromAfter, &["listing ", "after Some("]);
    check(Fault::ListsOpenOfOthers, &["listing ", " of open ", " of `"]);
    check(Fault::LosesItsPlace, &["listing ", "after Some(", "gives [], expected [Open"]);
}

#[test]
fn the_first_use_of_a_key_is_found() {
    check(Fault::TakesTheLastKey, &["was first used by commit"]);
    check(Fault::IgnoresCase, &["was first used by commit Some("]);
    check(Fault::IgnoresAccents, &["was first used by commit Some("]);
}

#[test]
fn snapshots_are_kept() {
    check(Fault::ForgetsSnapshots, &["the snapshot of"]);
}

#[test]
fn a_commit_is_kept_as_it_was_written() {
    check(Fault::Rewrites, &["Append {", "reading"]);
}

#[test]
fn an_append_that_is_dropped_leaves_a_whole_commit_or_nothing() {
    check(Fault::WritesInTwoSteps, &["when an append is dropped", "searching all commits gives ["]);
}

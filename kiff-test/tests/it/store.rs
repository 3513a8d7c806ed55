//! The laws of a store: stores that obey them pass, and each way to break one is found out.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "this file is a test")]

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};
use std::thread;

use kiff::{Appended, Commit, EntityKey, MemoryStore, Sealed, Store, StoreError};
use kiff_test::store::laws;

/// A plain store, and what is wrong with it.
struct Plain {
    journals: Mutex<BTreeMap<EntityKey, Vec<Arc<Commit>>>>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
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
}

impl Plain {
    fn new(fault: Fault) -> Self {
        Self { journals: Mutex::default(), fault }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &EntityKey) -> EntityKey {
        if self.has(Fault::ForgetsTenants) { key.in_tenant("default").unwrap() } else { key.clone() }
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
}

impl Store for Plain {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        /// Held over check and append.
        static ALONE: Mutex<()> = Mutex::new(());
        if self.has(Fault::Fails) {
            return Err(StoreError::new("the disk is full"));
        }
        let commit = Arc::clone(commit.commit());
        let _alone = (!self.has(Fault::ChecksBeforeItLocks)).then(|| ALONE.lock().unwrap());
        if !self.follows(&commit) {
            return Ok(Appended::Conflict);
        }
        if self.has(Fault::ChecksBeforeItLocks) {
            thread::yield_now();
        }
        self.journals.lock().unwrap().entry(self.key(commit.key())).or_default().push(commit);
        Ok(Appended::Written)
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let limit = if self.has(Fault::ReadsPastLimit) { limit.saturating_add(1) } else { limit };
        let from = |number: u64| number > after || (number == after && self.has(Fault::ReadsFromAfter));
        let journals = self.journals.lock().unwrap();
        let journal = journals.get(&self.key(key)).map(Vec::as_slice).unwrap_or_default();
        Ok(journal.iter().filter(|commit| from(commit.number())).take(limit).cloned().collect())
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
}

/// What the laws say of a store with a fault.
fn found(fault: Fault) -> String {
    let panic = catch_unwind(|| laws(|| Plain::new(fault))).expect_err("the fault is not found");
    panic.downcast_ref::<String>().expect("a message").clone()
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
fn reading_pages() {
    check(Fault::ReadsFromAfter, &["Read { entity: ", "after 1 gives [1 ("]);
    check(Fault::ReadsPastLimit, &["reading 0 commits of "]);
}

#[test]
fn listing_pages() {
    check(Fault::ListsPastLimit, &["listing 0 entities after None gives ["]);
    check(Fault::ListsFromAfter, &["List { after: Some("]);
    check(Fault::ListsBackwards, &["listing "]);
    check(Fault::ListsTheUnwritten, &["listing "]);
}

#[test]
fn p5_writers_that_race_are_one_after_the_other() {
    check(Fault::ChecksBeforeItLocks, &["when threads race"]);
}

#[test]
fn a_store_that_fails_obeys_no_law() {
    check(Fault::Fails, &["the store failed: the disk is full"]);
}

//! The laws that every [`Store`] obeys, as one function to call.
//!
//! # A store of your own
//! A store decides one thing: whether a commit still follows on the last one of its entity. The rest is looking commits up, and
//! what for, each commit says itself. This one keeps them on a shelf, and obeys all laws; a real one keeps what it looks up
//! beside the commits, and answers an append only when the commit is safe.
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::sync::{Arc, Mutex};
//!
//! use kiff::journal::Change;
//! use kiff::{
//!     Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, Open, Query, Sealed, Snapshot, Store, StoreError,
//!     Timestamp,
//! };
//!
//! #[derive(Default)]
//! struct Shelf(Mutex<Vec<Sealed>>);
//!
//! impl Shelf {
//!     fn commits(&self) -> Vec<Arc<Commit>> {
//!         self.0.lock().unwrap().iter().map(|sealed| Arc::clone(sealed.commit())).collect()
//!     }
//!
//!     fn of<'k>(&self, key: &'k EntityKey) -> impl Iterator<Item = Arc<Commit>> + 'k {
//!         self.commits().into_iter().filter(move |commit| commit.key() == key)
//!     }
//! }
//!
//! impl Store for Shelf {
//!     async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
//!         // Looked at and put in under one lock, so that nobody comes between.
//!         let mut shelf = self.0.lock().unwrap();
//!         let commit = sealed.commit();
//!         let last = shelf.iter().rev().map(Sealed::commit).find(|last| last.key() == commit.key());
//!         let (number, hash) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
//!         if (commit.number(), commit.previous()) != (number + 1, hash) {
//!             return Ok(Appended::Conflict);
//!         }
//!         shelf.push(sealed);
//!         Ok(Appended::Written)
//!     }
//!
//!     async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
//!         Ok(self.of(key).filter(|commit| commit.number() > after).take(limit).collect())
//!     }
//!
//!     async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
//!         let keys: BTreeSet<EntityKey> = self.commits().iter().map(|commit| commit.key().clone()).collect();
//!         Ok(keys.into_iter().filter(|key| after.is_none_or(|after| key > after)).take(limit).collect())
//!     }
//!
//!     async fn search(
//!         &self,
//!         query: &Query,
//!         cursor: Cursor,
//!         limit: usize,
//!     ) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
//!         let mut found: Vec<_> = (1..).zip(self.commits()).filter(|(_, commit)| query.matches(commit)).collect();
//!         match cursor {
//!             Cursor::After(after) => found.retain(|(position, _)| *position > after),
//!             Cursor::Before(before) => {
//!                 found.retain(|(position, _)| *position < before);
//!                 found.reverse();
//!             }
//!         }
//!         found.truncate(limit);
//!         Ok(found)
//!     }
//!
//!     async fn open(
//!         &self,
//!         matter: Matter,
//!         tenant: Option<&str>,
//!         now: Timestamp,
//!         after: Option<&Open>,
//!         limit: usize,
//!     ) -> Result<Vec<Open>, StoreError> {
//!         let mut open: Vec<Open> = Vec::new();
//!         for commit in self.commits() {
//!             for change in commit.changes() {
//!                 match change {
//!                     Change::Opened(of, id, until) if of == matter => open.push(commit.opening(id, until)),
//!                     Change::Closed(of, id) if of == matter => {
//!                         open.retain(|open| (&open.key, &*open.id) != (commit.key(), id));
//!                     }
//!                     _ => {}
//!                 }
//!             }
//!         }
//!         open.retain(|open| tenant.is_none_or(|tenant| tenant == open.key.tenant()));
//!         open.retain(|open| open.until.is_none_or(|until| now < until));
//!         open.retain(|open| after.is_none_or(|after| open > after));
//!         open.sort();
//!         open.truncate(limit);
//!         Ok(open)
//!     }
//!
//!     async fn keyed(&self, key: &EntityKey, wanted: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
//!         let first = self.of(key).find(|commit| commit.idempotency_key() == Some(wanted));
//!         Ok(first.map(|commit| commit.number()))
//!     }
//!
//!     fn is_shared(&self) -> bool {
//!         // Nobody else can append to what lies in this process.
//!         false
//!     }
//!
//!     async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
//!         let shelf = self.0.lock().unwrap();
//!         let mut kept = shelf.iter().rev().filter(|sealed| sealed.commit().key() == key);
//!         Ok(kept.find_map(|sealed| sealed.snapshot().cloned()))
//!     }
//! }
//!
//! kiff_test::store::laws(Shelf::default);
//! ```

use kiff::Store;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::failure::fail;

mod dropped;
mod machine;
mod race;
mod sample;

use machine::operations;

/// Holds a store to the laws of [`Store`]:
///
/// - a commit is kept whole if it follows on the last one of its entity, and otherwise none of it is: neither a number
///   nor a hash before that does not follow, nor the same commit once more;
/// - what is read back is what was appended, in order, with hashes that fit;
/// - `read` and `entities` page by `after` and `limit`, from any place and of any size;
/// - a commit is kept byte for byte, with whatever it says that only a later kiff knows, and as long as it may be;
/// - `search` finds, in the order in which they were appended and with positions without gaps, the commits that a query
///   looks for, and pages in both directions;
/// - `open` lists what is open, of one tenant or of all, the oldest first, until it is closed or stops to matter by itself, and goes on behind what was
///   closed meanwhile;
/// - `keyed` finds the first use of an idempotency key and of none that is only like it, and `snapshot` the last snapshot;
/// - an entity is listed once it has a commit and not before, in order of the keys;
/// - tenants, entity types and ids are kept apart, whatever characters they are of and however long they are;
/// - of writers that race, exactly one wins each number, and of the commits of the others nothing is left: no position, no
///   key, nothing open and no snapshot;
/// - a reader sees a journal without gaps at any time, in which what was seen once stays, and all commits of the store without
///   skipping one;
/// - writers of different entities do not stand in each other's way;
/// - a commit is kept whole or not at all, wherever the future that appends it is dropped.
///
/// Those of writers and readers are tried with threads, the last one by dropping, and all others with made-up operations
/// against a plain model: a failure is shrunk to the operations that are needed for it. `make_store` makes a store without any journal each time it is
/// called: about 256 times, or as often as the environment variable `PROPTEST_CASES` says.
///
/// ```
/// use kiff::MemoryStore;
///
/// kiff_test::store::laws(MemoryStore::new);
/// ```
///
/// # Panics
/// When the store breaks a law, with the operations that show it.
#[track_caller]
pub fn laws<S: Store>(make_store: impl Fn() -> S) {
    laws_in(Config::default().cases, make_store);
}

/// The same in that many made-up histories, for a store that takes its time.
///
/// ```
/// use kiff::MemoryStore;
///
/// kiff_test::store::laws_in(16, MemoryStore::new);
/// ```
///
/// # Panics
/// As [`laws`].
#[track_caller]
pub fn laws_in<S: Store>(cases: u32, make_store: impl Fn() -> S) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let played = TestRunner::new(config)
        .run(&operations(), |operations| machine::play(&make_store(), &operations).map_err(TestCaseError::fail));
    match played {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => fail(format_args!("no operations could be made up: {reason}")),
        Err(TestError::Fail(reason, operations)) => {
            fail(format_args!("the store breaks a law\n\n{}\n{}", machine::shown(&operations), reason.message()))
        }
    }
    for raced in [race::on_one_entity(&make_store()), race::on_entities_of_their_own(&make_store())] {
        if let Err(problem) = raced {
            fail(format_args!("the store breaks a law when threads race: {problem}"));
        }
    }
    if let Err(problem) = dropped::on_the_way(&make_store()) {
        fail(format_args!("the store breaks a law when an append is dropped: {problem}"));
    }
}

//! The store in one file: the laws, what is told when it cannot be used, and what is left when it is killed.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use kiff::{Actor, Appended, Commit, Cursor, Digest, EntityKey, Query, Sealed, SqliteStore, Store, Timestamp, journal};
use kiff_test::block_on;
use tempfile::TempDir;

mod cost;
mod crash;
mod fault;
mod file;
mod killed;
mod laws;
mod once;
mod queue;

/// A store in a folder of its own, which goes with it.
pub(crate) struct Fresh {
    // Dropped first.
    store: SqliteStore,
    folder: TempDir,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let folder = folder();
        Self { store: SqliteStore::open(folder.path().join("journal.db")).unwrap(), folder }
    }

    /// Closes the store and opens its file again.
    pub(crate) fn reopened(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self { store: SqliteStore::open(folder.path().join("journal.db")).unwrap(), folder }
    }
}

impl Deref for Fresh {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

/// A folder that goes with what it holds; in memory where the system has such a place, because thousands of stores are made.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    tempfile::tempdir_in(place).unwrap()
}

pub(crate) fn order(number: usize) -> EntityKey {
    EntityKey::new("Order", &format!("ord-{number}")).unwrap()
}

/// A commit of one fact that follows on `last`.
pub(crate) fn next(key: &EntityKey, last: Option<&Commit>, says: &str) -> Sealed {
    let (number, previous) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
    sealed(key, number + 1, previous, says)
}

fn sealed(key: &EntityKey, number: u64, previous: Digest, says: &str) -> Sealed {
    let fact = journal::StateRebuilt { state: says.to_owned().into(), events: number, matches: true };
    let content = journal::Content {
        at: Timestamp::from_microseconds(1_700_000_000_000_000 + number),
        actor: Actor::agent("agent-7").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: [fact.into()].into(),
    };
    Sealed::new(key.clone(), number, previous, content)
}

/// Appends `count` commits to an entity.
pub(crate) fn fill(store: &impl Store, key: &EntityKey, count: usize) {
    let mut last = block_on(store.read(key, 0, usize::MAX)).unwrap().pop();
    for number in 0..count {
        let commit = next(key, last.as_deref(), &format!("state {number}"));
        last = Some(commit.commit().clone());
        assert_eq!(block_on(store.append(commit)).unwrap(), Appended::Written);
    }
}

/// All that a store has, in order.
pub(crate) fn everything(store: &impl Store) -> Vec<std::sync::Arc<Commit>> {
    let found = block_on(store.search(&Query::default(), Cursor::FIRST, usize::MAX)).unwrap();
    let positions: Vec<u64> = found.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=found.len() as u64).collect::<Vec<_>>(), "the positions have no gaps");
    found.into_iter().map(|(_, commit)| commit).collect()
}

pub(crate) fn path_of(folder: &Path) -> PathBuf {
    folder.join("journal.db")
}

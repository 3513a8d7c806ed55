//! What a commit costs on the disk, counted: flushes and bytes.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use kiff::journal::{Content, EventIngested, StateChanged};
use kiff::{Actor, Appended, Bounds, Commit, EntityKey, Json, Sealed, SqliteStore, Store, Timestamp};
use kiff_test::block_on;
use rusqlite::Connection;

use super::{fill, folder, next, order, path_of};

/// How many transactions the log beside the file holds. Each was flushed once: the last of its frames says how large the
/// file is with it, the others say nothing there.
fn transactions(path: &Path) -> usize {
    let log = fs::read(format!("{}-wal", path.display())).unwrap();
    let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
    let frames = log[32..].chunks_exact(24 + page);
    frames.filter(|frame| frame[4..8] != [0; 4]).count()
}

#[test]
fn one_writer_costs_one_flush_a_commit() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    let before = transactions(&path);
    fill(&store, &order(1), 100);
    assert_eq!(transactions(&path) - before, 100);
    // One that is refused costs none.
    assert_eq!(block_on(store.append(next(&order(1), None, "again"))).unwrap(), Appended::Conflict);
    assert_eq!(transactions(&path) - before, 100);
}

#[test]
fn commits_that_wait_together_cost_one_flush() {
    const COMMITS: usize = 64;
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    let before = transactions(&path);
    // Somebody holds the file for a while, as a slow disk would.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let appends: Vec<_> = (0..COMMITS).map(|entity| store.append(next(&order(entity), None, "one"))).collect();
    let mut appends: Vec<_> = appends.into_iter().map(Box::pin).collect();
    for append in &mut appends {
        // It is handed in, and is not answered before it is flushed.
        assert!(pin!(append).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    for append in appends {
        assert_eq!(block_on(append).unwrap(), Appended::Written);
    }
    let flushes = transactions(&path) - before;
    // Those that the writer had in its hands already, and all others.
    assert!(flushes <= 2, "{flushes} flushes for {COMMITS} commits");
}

/// A commit of three records and about 1,100 bytes.
fn usual(key: &EntityKey, last: Option<&Commit>) -> Sealed {
    let event = || {
        let payload = Json::parse(&format!(r#"{{"total": 99900, "note": "{}"}}"#, "x".repeat(340)), &Bounds::DEFAULT);
        let payload = payload.unwrap();
        EventIngested { event: "ORDER_PLACED".into(), payload, id: None, source: None, occurred_at: None }.into()
    };
    let (number, previous) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
    let content = Content {
        at: Timestamp::from_microseconds(1_700_000_000_000_000 + number),
        actor: Actor::agent("agent-7").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: [event(), StateChanged { from: None, to: "CREATED".into() }.into(), event()].into(),
    };
    Sealed::new(key.clone(), number + 1, previous, content)
}

#[test]
fn a_journal_takes_at_most_a_third_more_than_what_is_in_it() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    let mut payload = 0;
    for entity in 0..300 {
        let mut last: Option<Arc<Commit>> = None;
        for _ in 0..10 {
            let commit = usual(&order(entity), last.as_deref());
            payload += commit.body().len();
            last = Some(Arc::clone(commit.commit()));
            assert_eq!(block_on(store.append(commit)).unwrap(), Appended::Written);
        }
    }
    drop(store);
    let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    assert!(size * 100 <= payload * 135, "{size} bytes for {payload}");
}

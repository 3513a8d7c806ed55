//! What the store in a file costs, beside a bare loop over the same database: `cargo bench --features sqlite --bench sqlite`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench that goes wrong has nothing to measure"
)]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use kiff::journal::{Content, EventIngested, StateChanged};
use kiff::{Actor, Appended, Bounds, Commit, Digest, EntityKey, Json, Sealed, SqliteStore, Store, Timestamp};
use pollster::block_on;
use rusqlite::{Connection, TransactionBehavior, params};

/// How long each is measured, and how often in turn.
const TIME: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

/// A commit of three records and about 1,100 bytes.
fn commit(key: &EntityKey, number: u64, previous: Digest) -> Sealed {
    let event = |size: usize| EventIngested {
        event: "ORDER_PLACED".into(),
        payload: Json::parse(&format!(r#"{{"total": {number}, "note": "{}"}}"#, "x".repeat(size)), &Bounds::DEFAULT)
            .unwrap(),
        id: None,
        source: None,
        occurred_at: None,
    };
    let changed = StateChanged { from: None, to: "CREATED".into() };
    let content = Content {
        at: Timestamp::from_microseconds(1_700_000_000_000_000 + number),
        actor: Actor::agent("agent-7").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: [event(340).into(), changed.into(), event(340).into()].into(),
    };
    Sealed::new(key.clone(), number, previous, content)
}

fn key(writer: usize, entity: usize) -> EntityKey {
    EntityKey::new("Order", &format!("ord-{writer}-{entity}")).unwrap()
}

/// Each writer appends to one entity after the other, three commits to each, as long as `go_on`; how many were kept.
fn writers(count: usize, append: impl Fn(Sealed) + Sync) -> f64 {
    let (over, kept) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for writer in 0..count {
            let (over, kept, append) = (&over, &kept, &append);
            scope.spawn(move || {
                for entity in 0.. {
                    let (key, mut previous) = (key(writer, entity), Commit::GENESIS);
                    for number in 1..=3 {
                        let sealed = commit(&key, number, previous);
                        previous = sealed.commit().hash();
                        append(sealed);
                        kept.fetch_add(1, Ordering::Relaxed);
                        if over.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                }
            });
        }
        thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
    });
    kept.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// The least that keeps a commit in SQLite, with one flush for all that have gathered.
fn bare(path: &Path, count: usize) -> f64 {
    let mut connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 4096;
             CREATE TABLE commits (key TEXT, number INTEGER, hash BLOB, body BLOB, PRIMARY KEY (key, number))",
        )
        .unwrap();
    let (sender, receiver) = channel::<(Sealed, SyncSender<()>)>();
    let writer = thread::spawn(move || flush_in_groups(&mut connection, &receiver));
    let rate = writers(count, |sealed| {
        let (answer, answered) = sync_channel(1);
        sender.send((sealed, answer)).unwrap();
        answered.recv().unwrap();
    });
    drop(sender);
    writer.join().unwrap();
    rate
}

fn flush_in_groups(connection: &mut Connection, receiver: &Receiver<(Sealed, SyncSender<()>)>) {
    while let Ok(first) = receiver.recv() {
        let group: Vec<_> = [first].into_iter().chain(receiver.try_iter()).collect();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        for (sealed, _) in &group {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO commits SELECT ?1, ?2, ?3, ?4
                     WHERE ?2 = 1 OR EXISTS (SELECT 1 FROM commits WHERE key = ?1 AND number = ?2 - 1 AND hash = ?5)",
                )
                .unwrap();
            let commit = sealed.commit();
            let (key, number) = (commit.key().to_string(), i64::try_from(commit.number()).unwrap());
            let (hash, previous) = (commit.hash(), commit.previous());
            let inserted = insert.execute(params![key, number, hash.as_bytes(), sealed.body(), previous.as_bytes()]);
            assert_eq!(inserted.unwrap(), 1);
        }
        transaction.commit().unwrap();
        for (_, answer) in &group {
            answer.send(()).unwrap();
        }
    }
}

fn ours(path: &Path, count: usize) -> f64 {
    let store = SqliteStore::open(path).unwrap();
    writers(count, |sealed| assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A journal of a million records, in 3,334 entities of a hundred commits of three.
fn a_million_records(path: &Path) -> SqliteStore {
    const ENTITIES: usize = 3334;
    let store = SqliteStore::open(path).unwrap();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                while let Some(entity) =
                    Some(next.fetch_add(1, Ordering::Relaxed) as usize).filter(|next| *next < ENTITIES)
                {
                    let (key, mut previous) = (key(0, entity), Commit::GENESIS);
                    for number in 1..=100 {
                        let sealed = commit(&key, number, previous);
                        previous = sealed.commit().hash();
                        assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written);
                    }
                }
            });
        }
    });
    store
}

fn copied(from: &Path, to: &Path) {
    for beside in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{beside}", path.display()));
        std::fs::copy(name(from), name(to)).unwrap();
    }
}

fn time<T>(what: &str, ask: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = ask();
    println!("{what}: {:?}", start.elapsed());
    answer
}

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sqlite-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room for a folder");
    println!("writers    bare/s    kiff/s    ratio of the medians");
    for count in [1, 16, 64] {
        let (mut theirs, mut own) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            theirs.push(bare(&folder.join(format!("bare-{count}-{round}.db")), count));
            own.push(ours(&folder.join(format!("kiff-{count}-{round}.db")), count));
        }
        let (theirs, own) = (median(theirs), median(own));
        println!("{count:>7} {theirs:>9.0} {own:>9.0} {:>8.2}", own / theirs);
    }
    let (path, killed) = (folder.join("million.db"), folder.join("killed.db"));
    let store = time("writing a million records", || a_million_records(&path));
    copied(&path, &killed);
    drop(store);
    let payload = 333_400 * commit(&key(0, 0), 50, Commit::GENESIS).body().len() as u64;
    let size = std::fs::metadata(&path).unwrap().len();
    println!("disk: {size} bytes for {payload} of payload, {:.2} times", size as f64 / payload as f64);
    let store = time("opening it", || SqliteStore::open(&path).unwrap());
    drop(time("opening it after a kill", || SqliteStore::open(&killed).unwrap()));
    for entity in [1000, 2000, 3000] {
        let read =
            time("reading one entity of 100 commits", || block_on(store.read(&key(0, entity), 0, 1000)).unwrap());
        assert_eq!(read.len(), 100);
    }
    let read = time("reading the last 34 of its commits", || block_on(store.read(&key(0, 1500), 66, 1000)).unwrap());
    assert_eq!(read.len(), 34);
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder is there");
}

//! What a receipt costs in a log of a million commits: `cargo bench --features proof --bench proof`.

#![expect(clippy::expect_used, reason = "a bench that goes wrong has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the size is a figure too")]

use std::sync::{Arc, LazyLock};

use divan::{AllocProfiler, Bencher, black_box};
use kiff::journal::{Content, EventIngested, StateChanged};
use kiff::proof::{Log, Receipt, Sequencer, SigningKey, VerifyingKey};
use kiff::{
    Actor, Appended, Bounds, Commit, Cursor, EntityKey, IdempotencyKey, Json, Matter, Open, Query, Sealed, Snapshot,
    Store, StoreError, Timestamp, Verification,
};
use pollster::block_on;
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const COMMITS: u64 = 1_000_000;

fn main() {
    let text = &SIGNED.receipt;
    let commit = text.lines().nth(1).and_then(|line| line.parse::<kiff::Exported>().ok()).expect("it has its commit");
    let body = commit.commit().body().len();
    println!("a receipt of {} bytes around a body of {body}", text.len() - body);
    divan::main();
}

/// Made-up commits, each the first of its order.
struct Orders(u64);

fn commit(position: u64) -> Arc<Commit> {
    let known = "a commit of the bench is one";
    let payload = Json::parse(&format!(r#"{{"total":{position}}}"#), &Bounds::DEFAULT).expect(known);
    let placed = EventIngested { event: "ORDER_PLACED".into(), payload, id: None, source: None, occurred_at: None };
    let content = Content {
        at: Timestamp::default(),
        actor: Actor::system("shop").expect(known),
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new([placed.into(), StateChanged { from: None, to: "CREATED".into() }.into()]),
    };
    let key = EntityKey::new("Order", &format!("ord-{position:07}")).expect(known);
    Sealed::new(key, 1, Commit::GENESIS, content).into_commit()
}

impl Store for Orders {
    async fn append(&self, _: Sealed) -> Result<Appended, StoreError> {
        Ok(Appended::Conflict)
    }

    async fn read(&self, key: &EntityKey, after: u64, _: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let position = key.id().trim_start_matches("ord-").parse().expect("a key of the bench ends with its number");
        Ok(if after == 0 { vec![commit(position)] } else { Vec::new() })
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let after =
            after.map_or(0, |key| key.id().trim_start_matches("ord-").parse().expect("it ends with its number"));
        Ok((after + 1..=self.0).take(limit).map(|position| commit(position).key().clone()).collect())
    }

    async fn search(&self, _: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        let Cursor::After(after) = cursor else { return Ok(Vec::new()) };
        Ok((after + 1..=self.0).take(limit).map(|position| (position, commit(position))).collect())
    }

    async fn open(
        &self,
        _: Matter,
        _: Option<&str>,
        _: Timestamp,
        _: Option<&Open>,
        _: usize,
    ) -> Result<Vec<Open>, StoreError> {
        Ok(Vec::new())
    }

    async fn keyed(&self, _: &EntityKey, _: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn snapshot(&self, _: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }
}

/// A log of a million commits.
struct Signed {
    folder: TempDir,
    trusted: [VerifyingKey; 1],
    receipt: String,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let folder = TempDir::new().expect("there is a folder for what does not last");
    let key = SigningKey::generate("example.com/refunds").expect("there is randomness");
    let mut sequencer = Sequencer::open(folder.path(), key.clone()).expect("the folder is new");
    block_on(sequencer.advance(&Orders(COMMITS))).expect("made-up commits can be read");
    let log = Log::open(folder.path()).expect("the log was signed");
    let receipt = log.receipt(73_895, &commit(73_895)).expect("it is in the log").to_string();
    Signed { folder, trusted: [key.verifying_key().clone()], receipt }
});

#[divan::bench]
fn receipt_made(bencher: Bencher<'_, '_>) {
    let log = Log::open(SIGNED.folder.path()).expect("the log was signed");
    let mut position = 0;
    bencher
        .with_inputs(|| {
            position = (position + 997) % COMMITS;
            (position + 1, commit(position + 1))
        })
        .bench_local_values(|(position, commit)| log.receipt(position, &commit).map(|receipt| receipt.to_string()));
}

#[divan::bench]
fn receipt_read_and_verified(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let receipt: Receipt = black_box(&SIGNED.receipt).parse().expect("it is one");
        receipt.verify(&SIGNED.trusted).map(|verified| verified.position())
    });
}

/// 10,000 commits of as many orders, with their chains, their positions and their log.
#[divan::bench(sample_count = 10)]
fn store_verified(bencher: Bencher<'_, '_>) {
    let log = Log::open(SIGNED.folder.path()).expect("the log was signed");
    let whole = block_on(Verification::of(&Orders(10_000)).run(|_| ())).expect("made-up commits can be read");
    let head = whole.head.expect("no commit is gone");
    bencher.bench_local(|| {
        let report = block_on(Verification::of(&Orders(10_000)).log(head, log.leaves()).run(|_| ()));
        assert!(report.expect("made-up commits can be read").is_sound());
    });
}

//! Others who write whenever somebody looks: whoever walks a store comes to an end all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiff::proof::{Sequencer, SigningKey};
use kiff::{
    Appended, Cents, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Query, Runtime, Sealed,
    Snapshot, Store, StoreError, Timestamp, Verification,
};
use pollster::block_on;
use tempfile::TempDir;

use crate::shop::{Desk, MarkPaid, Mood, OrderPlaced, Refund, order, people, policy, refund};

/// How often others write at most: a walk that waits for them to stop has waited for all of that.
const MOST: usize = 300;

/// A store in memory to which others append whenever it has answered.
struct Busy {
    inner: Arc<MemoryStore>,
    others: Runtime<Refund, Arc<MemoryStore>>,
    written: AtomicUsize,
}

impl Busy {
    /// A store with three orders of each sort.
    fn new() -> Self {
        let inner = Arc::new(MemoryStore::new());
        let others = Runtime::new(Arc::clone(&inner), policy(), Desk::default());
        let busy = Self { inner, others, written: AtomicUsize::new(0) };
        (0..3).for_each(|_| busy.write());
        busy
    }

    /// Others write two more orders, behind all that there are: one whose payment nobody knows the end of, and one with a refund
    /// that waits for a review.
    fn write(&self) {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        if number >= MOST {
            return;
        }
        let (others, people) = (&self.others, people());
        block_on(async {
            for (mood, number) in [(Mood::Silent, 2 * number), (Mood::Willing, 2 * number + 1)] {
                let key = order(&format!("ord-{number:04}"));
                let placed = others.ingest(&people.shop, &key, OrderPlaced { total: Cents(5) }).await.unwrap();
                assert!(placed.is_allowed(), "{placed:?}");
                others.services().be(mood);
                let pay = MarkPaid { payment_id: "pay-1".into() };
                let outcome = others.execute(&people.agent, &key, pay).await.unwrap();
                if outcome.executed().is_some() {
                    let asked = others.request_approval(&people.agent, &key, refund(5)).await.unwrap();
                    assert!(asked.is_allowed(), "{asked:?}");
                }
            }
        });
    }

    /// How often others have written.
    fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}

impl Store for Busy {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        self.inner.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let read = self.inner.read(key, after, limit).await;
        self.write();
        read
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let listed = self.inner.entities(after, limit).await;
        self.write();
        listed
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        let found = self.inner.search(query, cursor, limit).await;
        self.write();
        found
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        let open = self.inner.open(matter, tenant, now, after, limit).await;
        self.write();
        open
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.inner.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.inner.snapshot(key).await
    }
}

fn runtime() -> Runtime<Refund, Busy> {
    Runtime::new(Busy::new(), policy(), Desk::default())
}

#[test]
fn a_log_is_signed_as_far_as_its_store_went_while_others_write() {
    let (folder, store) = (TempDir::new().unwrap(), Busy::new());
    let key = SigningKey::generate("example.com/refunds").unwrap();
    let mut sequencer = Sequencer::open(folder.path(), key).unwrap();
    let newest = || block_on(store.inner.search(&Query::default(), Cursor::LAST, 1)).unwrap()[0].0;
    let before = newest();
    assert_eq!(block_on(sequencer.advance(&store)).unwrap().size, before);
    // What has come meanwhile is signed next.
    let before = newest();
    assert!(block_on(sequencer.advance(&store)).unwrap().size >= before);
    assert!(store.written() < 10, "others have written {} times", store.written());
}

#[test]
fn a_check_ends_while_others_write() {
    let store = Busy::new();
    let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
    assert!(report.is_sound() && report.entities > 5, "{report}");
    assert!(store.written() < 100, "others have written {} times", store.written());
}

#[test]
fn what_is_in_doubt_is_listed_while_others_start_more() {
    let runtime = runtime();
    assert_eq!(block_on(runtime.in_doubt(None, 1_000)).unwrap().len(), 3);
    assert!(runtime.store().written() < 20, "others have written {} times", runtime.store().written());
}

#[test]
fn what_is_in_doubt_is_asked_about_while_others_start_more() {
    let runtime = runtime();
    assert_eq!(block_on(runtime.recover(&people().shop)).unwrap().len(), 3);
    assert!(runtime.store().written() < 20, "others have written {} times", runtime.store().written());
}

#[test]
fn what_waits_for_a_review_is_listed_while_others_ask_for_more() {
    let runtime = runtime();
    assert_eq!(block_on(runtime.pending_approvals(None, 1_000)).unwrap().len(), 3);
    assert!(runtime.store().written() < 20, "others have written {} times", runtime.store().written());
}

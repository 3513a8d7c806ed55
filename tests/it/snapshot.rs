//! A long journal is not read from its beginning, and a snapshot that the journal does not vouch for is not believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiff::{
    Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Query, Runtime, Sealed, Snapshot,
    Store, StoreError, Timestamp,
};
use pollster::block_on;

use crate::shop::{AddNote, Desk, MarkPaid, OrderPlaced, OrderState, Refund, granted, order, people, policy, refund};

/// A store in memory that counts the commits that it reads out, and may forge a snapshot.
#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    read: AtomicUsize,
    forged: Option<Snapshot>,
}

impl Store for Counting {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        self.inner.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let read = self.inner.read(key, after, limit).await?;
        self.read.fetch_add(read.len(), Ordering::Relaxed);
        Ok(read)
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.inner.entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.inner.search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.inner.open(matter, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.inner.keyed(key, idempotency_key).await
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.forged.clone().or(self.inner.snapshot(key).await?))
    }
}

/// A store with an order of many commits, one of which holds an approval that waits for its action.
fn long() -> (Counting, EntityKey, kiff::ApprovalId) {
    let (people, key) = (people(), order("ord-1"));
    let store = block_on(async {
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default());
        assert!(runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(runtime.execute(&people.agent, &key, pay).await.unwrap().executed().is_some());
        let approval = granted(&runtime, &key, refund(7)).await;
        for note in 0..1_000 {
            let note = AddNote { text: note.to_string() };
            assert!(runtime.execute(&people.agent, &key, note).await.unwrap().executed().is_some());
        }
        let copy = Counting::default();
        let commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        for commit in commits {
            let content = commit.content().clone();
            let mut sealed = Sealed::new(key.clone(), commit.number(), commit.previous(), content).unwrap();
            if commit.content().fold.is_some() {
                let before =
                    runtime.store().read(&key, 0, usize::try_from(commit.number() - 1).unwrap()).await.unwrap();
                let before = kiff::Entity::<Refund>::fold(key.clone(), before.iter().map(|commit| &**commit)).unwrap();
                sealed = sealed.with_snapshot(before.snapshot().unwrap());
            }
            assert_eq!(copy.append(sealed).await.unwrap(), Appended::Written);
        }
        (copy, approval)
    });
    (store.0, key, store.1)
}

fn runtime(store: Counting) -> Runtime<Refund, Counting> {
    Runtime::new(store, policy(), Desk::default())
}

#[test]
fn after_a_restart_a_long_journal_is_read_from_its_last_snapshot_on() {
    let (store, key, approval) = long();
    let runtime = runtime(store);
    let entity = block_on(runtime.entity(&key)).unwrap();
    let read = runtime.store().read.load(Ordering::Relaxed);
    assert!(read < 260, "{read} commits were read");
    assert_eq!((entity.number(), entity.state()), (1_005, Some(OrderState::Paid)));
    assert_eq!(entity.open_approvals()[0].id, approval);
    // What the snapshot says of approvals counts as what the journal says.
    let done = block_on(runtime.execute(&people().agent, &key, refund(7))).unwrap();
    assert!(done.executed().is_some(), "{done:?}");
    assert!(block_on(runtime.rebuild(&people().shop, &key)).unwrap().is_allowed());
}

#[test]
fn p1_a_snapshot_that_the_journal_does_not_vouch_for_is_not_believed() {
    let (mut store, key, _) = long();
    let kept = block_on(store.snapshot(&key)).unwrap().unwrap();
    let body = String::from_utf8(kept.body).unwrap();
    assert!(body.contains(r#""state":"PAID""#), "{body}");
    let body = body.replace(r#""state":"PAID""#, r#""state":"CREATED""#).into_bytes();
    store.forged = Some(Snapshot { number: kept.number, body });
    let runtime = runtime(store);
    let entity = block_on(runtime.entity(&key)).unwrap();
    assert_eq!((entity.number(), entity.state()), (1_005, Some(OrderState::Paid)));
}

//! A store that does not answer everything: whoever checks it is told what was not looked at, and never that all is well.

use std::sync::Arc;

use kiff::{
    Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Proposal, Query, Runtime, Sealed,
    Snapshot, Store, StoreError, Timestamp, Verification,
};
use pollster::block_on;

use crate::shop::{Desk, MarkPaid, Refund, people, place, policy};

/// What a store is asked.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Read,
    Entities,
    Search,
    Open,
    Keyed,
}

/// A store in memory that has no answer to one sort of question.
struct Silent {
    inner: Arc<MemoryStore>,
    to: Asked,
}

impl Silent {
    fn answers(&self, asked: Asked) -> Result<(), StoreError> {
        if self.to == asked { Err(StoreError::new("the disk is away")) } else { Ok(()) }
    }
}

impl Store for Silent {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        self.inner.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.answers(Asked::Read)?;
        self.inner.read(key, after, limit).await
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.answers(Asked::Entities)?;
        self.inner.entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.answers(Asked::Search)?;
        self.inner.search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.answers(Asked::Open)?;
        self.inner.open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.answers(Asked::Keyed)?;
        self.inner.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.inner.snapshot(key).await
    }
}

#[test]
fn p8_p9_a_check_that_cannot_look_everywhere_finds_nothing_sound() {
    block_on(async {
        let inner = Arc::new(MemoryStore::new());
        let runtime = Runtime::<Refund, _>::new(Arc::clone(&inner), policy(), Desk::default());
        let key = place(&runtime, "ord-1").await;
        let wish = Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key("wish-1".parse().unwrap());
        assert!(runtime.execute(&people().agent, &key, wish).await.unwrap().executed().is_some());
        assert!(Verification::of(&*inner).run(|_| ()).await.unwrap().is_sound());
        for (to, told) in [
            (Asked::Read, "unreadable: `Order/ord-1` from commit 1 on: the store failed: the disk is away"),
            (Asked::Search, "unwalkable: the order of all commits from position 1 on: the store failed: the disk is"),
            (Asked::Open, "unlisted: what is open cannot be listed: the store failed: the disk is away"),
            (Asked::Keyed, "the key `wish-1` does not lead to it"),
        ] {
            let store = Silent { inner: Arc::clone(&inner), to };
            let report = Verification::of(&store).run(|_| ()).await.unwrap();
            assert!(!report.is_sound() && report.to_string().contains(told), "{report}");
        }
        let store = Silent { inner, to: Asked::Entities };
        assert!(Verification::of(&store).run(|_| ()).await.is_err());
    });
}

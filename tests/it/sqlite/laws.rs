//! The laws of every store, and what is special about one that outlives its process.

use std::future::Future;
use std::sync::Arc;

use kiff::{
    Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, Open, Query, Sealed, Snapshot, Store, StoreError,
    Timestamp,
};

use super::Fresh;

/// A store in a folder of its own.
impl Store for Fresh {
    fn append(&self, commit: Sealed) -> impl Future<Output = Result<Appended, StoreError>> + Send {
        (**self).append(commit)
    }

    fn read(
        &self,
        key: &EntityKey,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Commit>>, StoreError>> + Send {
        (**self).read(key, after, limit)
    }

    fn entities(
        &self,
        after: Option<&EntityKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EntityKey>, StoreError>> + Send {
        (**self).entities(after, limit)
    }

    fn search(
        &self,
        query: &Query,
        cursor: Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(u64, Arc<Commit>)>, StoreError>> + Send {
        (**self).search(query, cursor, limit)
    }

    fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Open>, StoreError>> + Send {
        Store::open(&**self, matter, tenant, now, after, limit)
    }

    fn keyed(
        &self,
        key: &EntityKey,
        idempotency_key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send {
        (**self).keyed(key, idempotency_key)
    }

    fn is_shared(&self) -> bool {
        (**self).is_shared()
    }

    fn snapshot(&self, key: &EntityKey) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
        (**self).snapshot(key)
    }
}

#[test]
fn a_file_obeys_the_laws_of_a_store() {
    kiff_test::store::laws(Fresh::new);
}

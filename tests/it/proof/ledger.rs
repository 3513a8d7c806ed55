//! A store of plain rows, which a test can change as somebody with access to the disk would.

use std::sync::{Arc, Mutex, MutexGuard};

use kiff::journal::{Content, EventIngested};
use kiff::{
    Actor, Appended, Bounds, Commit, Cursor, Digest, EntityKey, IdempotencyKey, Json, Matter, Open, Query, Sealed,
    Snapshot, Store, StoreError, Timestamp,
};
use pollster::block_on;

/// One commit as it lies on the disk.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) position: u64,
    /// In whose journal it is found.
    pub(super) shelf: EntityKey,
    pub(super) key: EntityKey,
    pub(super) number: u64,
    pub(super) previous: Digest,
    pub(super) hash: Digest,
    pub(super) body: Vec<u8>,
}

impl Row {
    fn open(&self) -> Result<Arc<Commit>, StoreError> {
        let Self { key, number, previous, hash, body, .. } = self;
        Ok(Arc::new(Commit::open(key.clone(), *number, *previous, *hash, body)?))
    }
}

/// The rows of all entities, in order of their positions.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Vec<Row>>);

/// The content of a commit that says so much.
pub(super) fn content(text: &str) -> Content {
    let payload = Json::parse(&format!(r#"{{"text":"{text}"}}"#), &Bounds::DEFAULT).unwrap();
    let event = EventIngested { event: "NOTE_ADDED".into(), payload, id: None, source: None, occurred_at: None };
    Content {
        at: "2026-11-23T10:00:00Z".parse().unwrap(),
        actor: Actor::system("shop").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new([event.into()]),
    }
}

pub(super) fn order(number: u64) -> EntityKey {
    EntityKey::new("Order", &format!("ord-{number}")).unwrap()
}

impl Ledger {
    /// So many commits of so many orders, which take turns.
    pub(super) fn of(commits: u64, orders: u64) -> Self {
        let ledger = Self::default();
        ledger.grow(commits, orders);
        ledger
    }

    /// Appends so many commits more.
    pub(super) fn grow(&self, commits: u64, orders: u64) {
        for _ in 0..commits {
            let at = self.rows().len() as u64;
            self.note(&order(at % orders + 1), &format!("note {at}"));
        }
    }

    /// Appends a commit to a journal.
    pub(super) fn note(&self, key: &EntityKey, text: &str) {
        let last = self.rows().iter().rev().find(|row| row.key == *key).map(|row| (row.number, row.hash));
        let (number, head) = last.unwrap_or((0, Commit::GENESIS));
        let sealed = Sealed::new(key.clone(), number + 1, head, content(text));
        assert_eq!(block_on(self.append(sealed)).unwrap(), Appended::Written);
    }

    /// The rows as they lie there.
    pub(super) fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.0.lock().unwrap()
    }

    /// The commit at a position.
    pub(super) fn commit(&self, position: u64) -> Arc<Commit> {
        self.rows().iter().find(|row| row.position == position).unwrap().open().unwrap()
    }

    /// Writes the journal of an entity anew: `number` says something else, and all hashes behind it fit again.
    pub(super) fn rewrite(&self, key: &EntityKey, number: u64, text: &str) {
        let mut previous = Commit::GENESIS;
        for row in self.rows().iter_mut().filter(|row| row.key == *key) {
            if row.number == number {
                row.body = Sealed::new(key.clone(), number, previous, content(text)).body().to_vec();
            }
            let sealed = Sealed::verbatim(key.clone(), row.number, previous, row.body.clone()).unwrap();
            (row.previous, row.hash) = (previous, sealed.commit().hash());
            previous = row.hash;
        }
    }
}

impl Store for Ledger {
    async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let mut rows = self.rows();
        let commit = sealed.commit();
        let last = rows.iter().rev().find(|row| row.key == *commit.key()).map(|row| (row.number, row.hash));
        let (number, head) = last.unwrap_or((0, Commit::GENESIS));
        if (commit.number(), commit.previous()) != (number + 1, head) {
            return Ok(Appended::Conflict);
        }
        let position = rows.last().map_or(0, |row| row.position) + 1;
        let (number, previous, hash) = (commit.number(), commit.previous(), commit.hash());
        let (key, body) = (commit.key().clone(), sealed.body().to_vec());
        rows.push(Row { position, shelf: key.clone(), key, number, previous, hash, body });
        Ok(Appended::Written)
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let mut rows: Vec<_> =
            self.rows().iter().filter(|row| row.shelf == *key && row.number > after).cloned().collect();
        rows.sort_by_key(|row| row.number);
        rows.iter().take(limit).map(Row::open).collect()
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        // By its first commit, as a database lists them.
        let mut keys: Vec<_> = self.rows().iter().filter(|row| row.number == 1).map(|row| row.shelf.clone()).collect();
        keys.retain(|key| after.is_none_or(|after| key > after));
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(limit);
        Ok(keys)
    }

    async fn search(&self, _: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        let mut rows = self.rows().clone();
        rows.sort_by_key(|row| row.position);
        match cursor {
            Cursor::After(after) => rows.retain(|row| row.position > after),
            Cursor::Before(before) => {
                rows.retain(|row| row.position < before);
                rows.reverse();
            }
        }
        rows.iter().take(limit).map(|row| Ok((row.position, row.open()?))).collect()
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

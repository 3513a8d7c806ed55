//! The store for production: journals in PostgreSQL.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_postgres::Row;

use super::{Appended, Store, StoreError};
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{Commit, Cursor, Matter, Open, Query, Sealed, Snapshot};
use crate::time::Timestamp;

mod engine;
mod error;
mod group;
mod lane;
mod link;
mod options;
mod queue;
mod schema;
mod search;
mod tls;

pub use error::PostgresError;
pub use options::PostgresOptions;
pub use schema::Migrated;

use engine::Engine;
use error::Problem;
use lane::Lane;
use link::{Link, Statement};
use queue::Queue;

/// Journals in PostgreSQL 14 or later.
///
/// Commits that are made at the same time are written together, so that many writers share one flush of the server's disk.
/// What was acknowledged survives a crash of the server, and a commit whose answer was lost with the connection is settled by
/// its hash: it is neither lost nor written twice. The store brings a thread of its own, so that it works from any executor.
///
/// The tables are made by [`PostgresStore::migrate`], once and by their owner. Who appends needs no right to write: see
/// [`PostgresOptions::grants`].
///
/// ```no_run
/// use kiff::{MemoryStore, PostgresStore};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// PostgresStore::migrate("postgres://owner:secret@localhost/shop").await?;
/// PostgresStore::options("postgres://owner:secret@localhost/shop").grant("writer").await?;
///
/// let store = PostgresStore::connect("postgres://writer:secret@localhost/shop").await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    link: Arc<Link>,
    queue: Arc<Queue>,
    running: Vec<JoinHandle<()>>,
    engine: Engine,
}

impl PostgresStore {
    /// How long the order of all commits may lag behind while nobody looks at it.
    const LAG: Duration = Duration::from_millis(250);

    /// Opens the journal in the schema `kiff` of a database.
    ///
    /// # Errors
    /// As for [`PostgresOptions::connect`].
    pub async fn connect(url: &str) -> Result<Self, PostgresError> {
        Self::options(url).connect().await
    }

    /// Makes the journal's tables in the schema `kiff` of a database, or brings them up to date; the role of the URL becomes
    /// their owner.
    ///
    /// # Errors
    /// As for [`PostgresOptions::migrate`].
    pub async fn migrate(url: &str) -> Result<Migrated, PostgresError> {
        Self::options(url).migrate().await
    }

    /// How to reach a journal in another schema, with certificates of your own, or with more connections.
    pub fn options(url: &str) -> PostgresOptions {
        PostgresOptions::new(url)
    }

    fn start(engine: Engine, link: Arc<Link>, lanes: usize) -> Self {
        let written = Arc::new(Notify::new());
        let queue = Arc::new(Queue::new());
        let lane = || Lane { link: Arc::clone(&link), queue: Arc::clone(&queue), written: Arc::clone(&written) };
        let running = (0..lanes).map(|_| engine.spawn(lane().run())).collect();
        engine.spawn(keep_order(Arc::downgrade(&link), written));
        Self { link, queue, running, engine }
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let link = Arc::clone(&self.link);
        Ok(self.engine.run(async move { link.read(&statement).await }).await??)
    }
}

/// Gives positions to what was written, so that whoever searches does not find too much without one.
async fn keep_order(link: Weak<Link>, written: Arc<Notify>) {
    loop {
        written.notified().await;
        sleep(PostgresStore::LAG).await;
        let Some(link) = link.upgrade() else {
            return;
        };
        let statement = Statement::new(link.names.fill("SELECT {schema}.sequence()"));
        // Whoever searches tries it again, and is told what is wrong.
        let _ = link.ask(&statement, link.end()).await;
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // The lanes end when what was submitted is written.
        self.queue.close();
        self.engine.stop_after(std::mem::take(&mut self.running));
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("lanes", &self.running.len()).finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    async fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let answered = self.queue.push(sealed.written()).ok_or(Problem::Closed)?;
        answered.await.map_err(|_| Problem::Closed)?
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let rows = self.rows(search::read(&self.link.names, key, after, limit)).await?;
        rows.iter().map(|row| search::commit_of(row, key.clone())).collect()
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        let rows = self.rows(search::entities(&self.link.names, after, limit)).await?;
        rows.iter().map(search::key_of).collect()
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        // What was acknowledged before gets its position first.
        self.rows(Statement::new(self.link.names.fill("SELECT {schema}.sequence()"))).await?;
        let (mut cursor, mut found) = (cursor, Vec::new());
        while let Some(statement) = search::search(&self.link.names, query, cursor, limit - found.len()) {
            let rows = self.rows(statement).await?;
            let is_last = rows.len() < limit - found.len() || rows.is_empty();
            for row in &rows {
                let position = search::number(row, "position")?;
                cursor = match cursor {
                    Cursor::After(_) => Cursor::After(position),
                    Cursor::Before(_) => Cursor::Before(position),
                };
                let commit = search::commit_of(row, search::key_of(row)?)?;
                // A record that was not known when it was written may be of any kind.
                if query.matches(&commit) {
                    found.push((position, commit));
                }
            }
            if is_last || found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        // No text in the server holds it.
        if tenant.is_some_and(|tenant| tenant.contains('\0')) {
            return Ok(Vec::new());
        }
        let rows = self.rows(search::open(&self.link.names, matter, tenant, now, after, limit)).await?;
        rows.iter().map(search::open_of).collect()
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        let rows = self.rows(search::keyed(&self.link.names, key, idempotency_key)).await?;
        rows.first().map(|row| search::number(row, "number")).transpose()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        let rows = self.rows(search::snapshot(&self.link.names, key)).await?;
        rows.first().map(search::snapshot_of).transpose()
    }
}

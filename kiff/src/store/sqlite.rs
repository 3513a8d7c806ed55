//! A store in one file: `SQLite`, a writer that flushes once for all commits that have gathered, and readers beside it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::{Appended, Store, StoreError};
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{Commit, Cursor, Matter, Open, Query, Sealed, Snapshot};
use crate::time::Timestamp;

mod error;
mod file;
mod lock;
mod queue;
mod read;
mod row;
mod search;
mod write;

/// What the queue is made of; a test puts a model checker's in its place.
mod sync {
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
}

pub use error::SqliteError;

use file::Place;
use lock::Lock;
use queue::Queue;
use read::Readers;
use write::{Commits, Writer};

/// Journals in one `SQLite` file.
///
/// ```
/// use kiff::SqliteStore;
///
/// # let folder = std::env::temp_dir().join(format!("kiff-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("refunds.db");
/// # let path = path.as_path();
/// # /*
/// let path = "refunds.db";
/// # */
/// let store = SqliteStore::open(path)?;
///
/// // Somebody else may read meanwhile, and nobody else may write.
/// let reader = SqliteStore::open_read_only(path)?;
/// assert!(SqliteStore::open(path).is_err());
/// # drop((store, reader));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
/// An append is answered when the commit is flushed to the disk. A thread of the store's own writes; while it waits for the disk,
/// commits gather, and the next flush is for all of them. When the disk fails below it, it stops to write and says so
/// until the file is opened anew; when the disk is only full, the next commit is tried again.
///
/// # In an async runtime
/// The store needs none and works under any: an append waits without holding up its thread. The other calls read on the
/// thread that asks, which takes microseconds for what the runtime asks. Somebody who reads much at once, such as
/// the whole journal, does it where blocking is allowed, as on tokio's `spawn_blocking`.
///
/// # The file
/// Beside it stand, while it is in use, a log (`-wal`) and its index (`-shm`), and a lock (`-lock`) which a process that
/// ends gives up, however it ends. The bodies of the commits are kept as they are, as JSON; the view `journal` shows them to
/// people with the `sqlite3` shell.
pub struct SqliteStore {
    readers: Readers,
    place: Place,
    /// None where the file was opened to be read.
    writer: Option<Handle>,
}

impl SqliteStore {
    /// Opens the journal in the file at `path`; where there is no file, it is made.
    ///
    /// # Errors
    /// [`SqliteError`] when another process writes to the file, when it is not a journal or one of a later version, and when
    /// it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let place = Place::at(path.as_ref())?;
        let lock = Lock::take(place.path())?;
        let connection = place.open_to_write()?;
        let readers = Readers::new(place.clone())?;
        let writer = Handle::new(Writer::new(connection, place.clone()), lock)
            .map_err(|error| SqliteError::io(place.path(), "be written", error))?;
        Ok(Self { readers, place, writer: Some(writer) })
    }

    /// Opens the journal to read it only, also while another process writes to it.
    ///
    /// # Errors
    /// [`SqliteError`] as for [`SqliteStore::open`], and when there is no file.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let place = Place::at(path.as_ref())?;
        Ok(Self { readers: Readers::new(place.clone())?, place, writer: None })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path())
            .field("is_read_only", &self.writer.is_none())
            .finish_non_exhaustive()
    }
}

/// The thread that writes. When this is dropped, it writes what waits, and ends.
struct Handle {
    queue: Arc<Commits>,
    thread: Option<JoinHandle<()>>,
    /// Given up when nothing more is written.
    _lock: Lock,
}

impl Handle {
    fn new(writer: Writer, lock: Lock) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let held = HeldQueue(Arc::clone(&queue));
        let thread = thread::Builder::new().name("kiff-sqlite".to_owned()).spawn(move || writer.run(&held.0))?;
        Ok(Self { queue, thread: Some(thread), _lock: lock })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing more to write.
            let _ = thread.join();
        }
    }
}

/// The queue in the hands of the thread that writes: when that ends, however it ends, nobody waits for it.
struct HeldQueue(Arc<Commits>);

impl Drop for HeldQueue {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Store for SqliteStore {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(SqliteError::read_only(self.path()).into());
        };
        let answer = match writer.queue.push(commit.written()) {
            Some(answer) => answer.await,
            None => None,
        };
        answer.unwrap_or_else(|| Err(SqliteError::stopped(self.path(), "its thread ended").into()))
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.readers.read(|connection| read::commits(connection, key, after, limit))
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.readers.read(|connection| read::entities(connection, after, limit))
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.readers.read(|connection| search::search(connection, query, cursor, limit))
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.readers.read(|connection| read::open_matters(connection, matter, tenant, now, after, limit))
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.readers.read(|connection| read::keyed(connection, key, idempotency_key))
    }

    /// Whoever only reads sees what somebody else appends.
    fn is_shared(&self) -> bool {
        self.writer.is_none()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.readers.read(|connection| read::snapshot(connection, key))
    }
}

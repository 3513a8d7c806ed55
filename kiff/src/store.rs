//! The place for facts: one small trait, and the store that lives in memory.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{BrokenJournal, Commit, Cursor, Matter, Open, Query, Sealed, Snapshot};
use crate::time::Timestamp;

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{Migrated, PostgresError, PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteError, SqliteStore};

/// How many commits or open matters are read at a time: as many as there are behind a fold that was kept. Each may be as large as
/// the bounds allow.
pub(crate) const PAGE: usize = 256;

/// The place where journals are kept.
///
/// A store keeps commits and decides one thing: whether a commit still follows on the last one of its entity. All
/// that a domain means stays above it: what a store looks commits up by, each commit says itself
/// ([`Commit::changes`], [`Commit::idempotency_key`], [`Query::matches`]). The laws that every store obeys are in
/// `kiff_test::store`, with a store of one's own that obeys them.
///
/// What no law can find out, the store has to say or to see to by itself:
///
/// - whether [others append](Store::is_shared) as well;
/// - where it is a handle of which there are several, [where](Store::place) it lies, and that they decide as one: of two commits
///   that follow on the same one, at most one is kept, whichever handles they came by;
/// - that an answer lasts: where journals outlive the process, a commit that was answered is there after a crash, whole.
pub trait Store: Send + Sync + 'static {
    /// Appends a commit if its number and the hash before still follow on the entity's last commit. The
    /// [snapshot](Sealed::snapshot) that may come along is kept with it, in place of the last one.
    ///
    /// When this answers [`Appended::Written`], the whole commit is kept; otherwise none of it is.
    ///
    /// The future may be dropped wherever it waits, as when a client hangs up: the commit is then kept whole or not at all, be it
    /// a moment later.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether the commit is kept.
    fn append(&self, commit: Sealed) -> impl Future<Output = Result<Appended, StoreError>> + Send;

    /// The commits of an entity whose number is greater than `after`, in order, at most `limit` of them: fewer only where there are
    /// no more.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read; one made of a [`BrokenJournal`] when they are not what was written.
    fn read(
        &self,
        key: &EntityKey,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Commit>>, StoreError>> + Send;

    /// The entities that have a commit, in order of their keys, the first `limit` after `after`: fewer only where there are no
    /// more.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be listed.
    fn entities(
        &self,
        after: Option<&EntityKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EntityKey>, StoreError>> + Send;

    /// The commits that `query` looks for, each with its position in the one order of all commits of the store, from
    /// `cursor` on, at most `limit` of them: fewer only where there are no more.
    ///
    /// Whoever walks them oldest first, each time from behind the last position that they saw, skips none, even while
    /// others write.
    ///
    /// # Errors
    /// [`StoreError`] as for [`Store::read`].
    fn search(
        &self,
        query: &Query,
        cursor: Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(u64, Arc<Commit>)>, StoreError>> + Send;

    /// The matters that are open, of one tenant or of all, the oldest first, behind `after`, at most `limit` of them: fewer only
    /// where there are no more. One that has stopped to matter by itself ([`Open::until`]) at `now` is left out, and may be
    /// forgotten later ([`Commit::forgets`]).
    ///
    /// However much other tenants have open, those of one are found as fast: nobody's view is filled by others.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be listed.
    fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Open>, StoreError>> + Send;

    /// The number of the entity's first commit that starts an action under `idempotency_key`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be looked up.
    fn keyed(
        &self,
        key: &EntityKey,
        idempotency_key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send;

    /// Whether other processes may append as well. What has started elsewhere may then still run there, so that a runtime
    /// gives it time before it calls it in doubt.
    ///
    /// A store that is wrong about this lets an action run twice: one over a server says `true`.
    fn is_shared(&self) -> bool;

    /// The last snapshot that was kept of the entity.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn snapshot(&self, key: &EntityKey) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send;

    /// Where it lies in this process: runtimes whose stores say the same know of each other's runs. A store that is a handle to
    /// another one says where that one lies.
    fn place(&self) -> usize
    where
        Self: Sized,
    {
        std::ptr::from_ref(self).addr()
    }
}

impl<S: Store> Store for Arc<S> {
    fn append(&self, commit: Sealed) -> impl Future<Output = Result<Appended, StoreError>> + Send {
        S::append(self, commit)
    }

    fn read(
        &self,
        key: &EntityKey,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Commit>>, StoreError>> + Send {
        S::read(self, key, after, limit)
    }

    fn entities(
        &self,
        after: Option<&EntityKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EntityKey>, StoreError>> + Send {
        S::entities(self, after, limit)
    }

    fn search(
        &self,
        query: &Query,
        cursor: Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(u64, Arc<Commit>)>, StoreError>> + Send {
        S::search(self, query, cursor, limit)
    }

    fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Open>, StoreError>> + Send {
        S::open(self, matter, tenant, now, after, limit)
    }

    fn keyed(
        &self,
        key: &EntityKey,
        idempotency_key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send {
        S::keyed(self, key, idempotency_key)
    }

    fn is_shared(&self) -> bool {
        S::is_shared(self)
    }

    fn snapshot(&self, key: &EntityKey) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
        S::snapshot(self, key)
    }

    fn place(&self) -> usize {
        S::place(self)
    }
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is kept.
    Written,
    /// It is not: the entity has moved since it was read.
    Conflict,
}

/// A store failed.
pub struct StoreError(Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// An error with its cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// What failed, for whoever knows the store's own errors. Its text is a part of this error's.
    #[must_use]
    pub fn cause(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self.0.as_ref()
    }

    /// What is wrong with the journal, where that is what failed.
    #[must_use]
    pub fn broken(&self) -> Option<&BrokenJournal> {
        self.0.downcast_ref()
    }
}

#[cfg(feature = "sqlite")]
impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        Self::new(error)
    }
}

impl From<BrokenJournal> for StoreError {
    fn from(broken: BrokenJournal) -> Self {
        Self::new(broken)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store failed: {}", self.0)
    }
}

crate::debug::debug_as_message!(StoreError);

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

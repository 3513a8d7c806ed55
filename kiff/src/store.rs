//! The place for facts: one small trait, and the store that lives in memory.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::identifier::EntityKey;
use crate::journal::{Commit, Sealed};

mod memory;

pub use memory::MemoryStore;

/// The place where journals are kept.
///
/// A store keeps commits and decides one thing: whether a commit still follows on the last one of its entity. All
/// that a domain means stays above it. The laws that every store obeys are in `kiff_test::store`.
pub trait Store: Send + Sync + 'static {
    /// Appends a commit if its number and the hash before still follow on the entity's last commit.
    ///
    /// When this answers [`Appended::Written`], the whole commit is kept; otherwise none of it is.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether the commit is kept.
    fn append(&self, commit: Sealed) -> impl Future<Output = Result<Appended, StoreError>> + Send;

    /// The commits of an entity whose number is greater than `after`, in order, at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn read(
        &self,
        key: &EntityKey,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Commit>>, StoreError>> + Send;

    /// The entities that have a commit, in order of their keys, the first `limit` after `after`.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be listed.
    fn entities(
        &self,
        after: Option<&EntityKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EntityKey>, StoreError>> + Send;
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
#[derive(Debug)]
pub struct StoreError(Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// An error with its cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store failed: {}", self.0)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

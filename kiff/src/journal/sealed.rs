//! What is handed to a store: a commit with its JSON, and now and then the fold of the journal before it.

use std::sync::{Arc, OnceLock};

use super::chain::{Chain, End, hash};
use super::{BrokenJournal, Commit, Content};
use crate::digest::Digest;
use crate::identifier::EntityKey;

/// What a journal folds to at one of its commits, kept beside it so that a long journal is not read from its beginning.
///
/// It is taken at its word only where the commit that follows says its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the last commit that it covers.
    pub number: u64,
    /// The fold, as JSON.
    pub body: Vec<u8>,
}

impl Snapshot {
    /// What the commit that follows says of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[b"kiff/fold/1", &self.number.to_be_bytes(), &self.body])
    }
}

/// A commit together with its JSON, which a store keeps as it is.
#[derive(Debug, Clone)]
pub struct Sealed {
    commit: Arc<Commit>,
    /// Written when it is first asked for, and the hash with it.
    body: OnceLock<Vec<u8>>,
    /// Boxed, because it is seldom there.
    snapshot: Option<Box<Snapshot>>,
}

impl Sealed {
    /// Chains `content` to the commit whose number is `number - 1` and whose hash is `previous`.
    #[must_use]
    pub fn new(key: EntityKey, number: u64, previous: Digest, content: Content) -> Self {
        Self::chained(key, number, Chain::behind_hash(previous), content)
    }

    /// Chains `content` to the commit with which the journal of `key` ends.
    pub(crate) fn behind(end: End, key: EntityKey, content: Content) -> Self {
        Self::chained(key, end.number() + 1, Chain::behind(end), content)
    }

    fn chained(key: EntityKey, number: u64, chain: Chain, content: Content) -> Self {
        let commit = Arc::new(Commit { key, number, chain, content, body: None });
        Self { commit, body: OnceLock::new(), snapshot: None }
    }

    /// Chains a body as another store kept it.
    ///
    /// # Errors
    /// [`BrokenJournal`] when the body is no commit.
    pub fn verbatim(key: EntityKey, number: u64, previous: Digest, body: Vec<u8>) -> Result<Self, BrokenJournal> {
        let hash = hash(&key, number, previous, &body);
        let commit = Arc::new(Commit::open(key, number, previous, hash, &body)?);
        Ok(Self { commit, body: OnceLock::from(body), snapshot: None })
    }

    /// The same commit together with the fold of the journal before it, whose digest it says.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(Box::new(snapshot));
        self
    }

    /// The fold that the store is to keep in place of the one that it has of this entity; none most of the time.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }

    /// The commit.
    #[must_use]
    pub const fn commit(&self) -> &Arc<Commit> {
        &self.commit
    }

    /// Its JSON: what is stored and hashed. It is written when it is first asked for, and the hash is worked out with it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.get_or_init(|| self.commit.encode())
    }

    /// The same commit with its JSON and its hash worked out, for a store that hands it to another thread: whoever appends
    /// does that work, and not the one who writes for all.
    #[must_use]
    pub fn written(self) -> Self {
        self.body.get_or_init(|| self.commit.encode());
        self
    }

    /// The commit alone.
    #[must_use]
    pub fn into_commit(self) -> Arc<Commit> {
        self.commit
    }
}

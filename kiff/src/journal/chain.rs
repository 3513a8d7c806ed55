//! The hash chain: what each commit follows on, and its hash, which is worked out when somebody first asks for it.

use std::sync::{Arc, OnceLock};
use std::{fmt, mem};

use super::{Commit, encode};
use crate::digest::Digest;
use crate::identifier::EntityKey;

/// The hash of a commit: it covers what the commit says, its place, and everything before it.
pub(super) fn hash(key: &EntityKey, number: u64, previous: Digest, body: &[u8]) -> Digest {
    Digest::of(&[
        b"kiff/commit/1",
        key.tenant().as_bytes(),
        key.entity_type().as_bytes(),
        key.id().as_bytes(),
        &number.to_be_bytes(),
        previous.as_bytes(),
        body,
    ])
}

/// Where a journal ends: the number of its last commit, and its hash.
#[derive(Debug, Clone)]
pub(crate) struct End {
    number: u64,
    link: Link,
}

impl End {
    /// The end of a journal that has no commit.
    pub(crate) const EMPTY: Self = Self::at(0, Commit::GENESIS);

    /// The end that has this number and this hash.
    pub(crate) const fn at(number: u64, hash: Digest) -> Self {
        Self { number, link: Link::Hash(hash) }
    }

    /// The end of a journal whose last commit this is.
    pub(crate) fn of(commit: &Arc<Commit>) -> Self {
        let link = match commit.chain.hash.get() {
            Some(hash) => Link::Hash(*hash),
            None => Link::Commit(Arc::clone(commit)),
        };
        Self { number: commit.number, link }
    }

    /// Whether it is the end of a journal whose last commit this is.
    pub(crate) fn is_of(&self, commit: &Arc<Commit>) -> bool {
        let is_same = matches!(&self.link, Link::Commit(last) if Arc::ptr_eq(last, commit));
        self.number == commit.number && (is_same || self.link.is(&Self::of(commit).link))
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn hash(&self) -> Digest {
        self.link.hash()
    }
}

/// A hash: known, or that of a commit at hand, so that it need not be worked out yet.
#[derive(Clone)]
enum Link {
    Hash(Digest),
    Commit(Arc<Commit>),
}

impl Link {
    fn hash(&self) -> Digest {
        match self {
            Self::Hash(hash) => *hash,
            Self::Commit(commit) => commit.hash(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Commit(one), Self::Commit(other)) if Arc::ptr_eq(one, other) => true,
            _ => self.hash() == other.hash(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => hash.fmt(f),
            // Not what it says: it follows on others.
            Self::Commit(commit) => write!(f, "the hash of commit {}", commit.number),
        }
    }
}

/// A commit's place in the chain.
///
/// A store that keeps commits as bytes needs the hash at once. One that keeps them as they are can tell without it whether a
/// commit follows on another, so that nobody waits there for a hash that nobody looks at.
#[derive(Debug)]
pub(super) struct Chain {
    /// What the commit follows on.
    before: Link,
    /// Its own hash, once somebody has asked for it.
    hash: OnceLock<Digest>,
}

impl Chain {
    pub(super) fn behind(end: End) -> Self {
        Self { before: end.link, hash: OnceLock::new() }
    }

    pub(super) const fn behind_hash(previous: Digest) -> Self {
        Self { before: Link::Hash(previous), hash: OnceLock::new() }
    }

    pub(super) fn known(previous: Digest, hash: Digest) -> Self {
        Self { before: Link::Hash(previous), hash: OnceLock::from(hash) }
    }

    /// The commit before, where it is at hand.
    fn take(&mut self) -> Option<Arc<Commit>> {
        match mem::replace(&mut self.before, Link::Hash(Commit::GENESIS)) {
            Link::Commit(before) => Some(before),
            Link::Hash(_) => None,
        }
    }
}

impl Drop for Chain {
    /// Lets go of the commits before one by one: a journal may be longer than a stack is deep.
    fn drop(&mut self) {
        let mut before = self.take();
        while let Some(mut commit) = before.and_then(Arc::into_inner) {
            before = commit.chain.take();
        }
    }
}

impl Commit {
    /// The hash of the commit before.
    #[must_use]
    pub fn previous(&self) -> Digest {
        self.chain.before.hash()
    }

    /// Its own hash, which covers everything that it says and the hash before.
    #[must_use]
    pub fn hash(&self) -> Digest {
        // Those before that have no hash yet come first: a journal may be longer than a stack is deep.
        let mut open: Vec<&Self> = Vec::new();
        let mut commit = self;
        while let (None, Link::Commit(before)) = (commit.chain.hash.get(), &commit.chain.before) {
            open.push(commit);
            commit = before;
        }
        loop {
            let hash = *commit.chain.hash.get_or_init(|| commit.work_out(&encode::content(&commit.content)));
            match open.pop() {
                Some(next) => commit = next,
                None => return hash,
            }
        }
    }

    /// Its JSON as this version writes it; the hash is worked out with it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let body = encode::content(&self.content);
        self.chain.hash.get_or_init(|| self.work_out(&body));
        body
    }

    fn work_out(&self, body: &[u8]) -> Digest {
        hash(&self.key, self.number, self.previous(), body)
    }

    /// Whether it follows on this commit of its entity's journal.
    pub(crate) fn follows_on(&self, last: &Arc<Self>) -> bool {
        let is_same = matches!(&self.chain.before, Link::Commit(before) if Arc::ptr_eq(before, last));
        self.number == last.number + 1 && (is_same || self.chain.before.hash() == last.hash())
    }

    /// Whether it is the one that follows on the end of its entity's journal.
    pub(crate) fn follows(&self, end: &End) -> bool {
        self.number == end.number + 1 && self.chain.before.is(&end.link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::journal::{Content, Sealed, StateChanged};
    use crate::time::Timestamp;

    /// More commits than drops or hashes within each other fit on the stack of a thread.
    const MANY: u64 = 30_000;

    fn content(number: u64) -> Content {
        Content {
            at: Timestamp::from_microseconds(number),
            actor: Actor::system("shop").unwrap(),
            trace: None,
            cause: None,
            fold: None,
            facts: Box::new([StateChanged { from: None, to: "CREATED".into() }.into()]),
        }
    }

    /// A journal of which nobody has asked for a hash.
    fn journal(commits: u64) -> Vec<Arc<Commit>> {
        let key = EntityKey::new("Order", "ord-1").unwrap();
        let mut end = End::EMPTY;
        let next = |number| {
            let commit = Sealed::behind(end.clone(), key.clone(), content(number)).into_commit();
            assert!(commit.follows(&end));
            end = End::of(&commit);
            commit
        };
        (1..=commits).map(next).collect()
    }

    #[test]
    fn p8_a_hash_that_is_asked_for_late_is_the_one_that_a_store_on_disk_has() {
        for late in [0, 1, 4] {
            let commits = journal(5);
            let _ = commits[late].hash();
            let mut end = (0, Commit::GENESIS);
            for commit in &commits {
                let at_once = Sealed::new(commit.key.clone(), end.0 + 1, end.1, commit.content.clone()).written();
                assert_eq!((commit.number, commit.previous()), (end.0 + 1, end.1));
                assert_eq!(commit.hash(), hash(&commit.key, commit.number, end.1, at_once.body()));
                assert_eq!(**commit, **at_once.commit());
                assert_eq!(commit.verify(), Ok(()));
                end = (commit.number, commit.hash());
            }
        }
    }

    #[test]
    fn p8_a_commit_follows_on_the_one_that_it_was_made_for_and_on_no_other_past() {
        let (commits, others) = (journal(3), journal(3));
        assert!(commits[2].follows(&End::of(&commits[1])) && !commits[2].follows(&End::of(&commits[0])));
        // The same past at another place in memory, by its hash; and another past of the same length.
        assert!(commits[2].follows(&End::of(&others[1])) && commits[2].follows(&End::at(2, others[1].hash())));
        assert!(!commits[2].follows(&End::at(2, Digest::from_bytes([7; 32]))));
        assert!(!commits[1].follows(&End::EMPTY) && commits[0].follows(&End::EMPTY));
    }

    #[test]
    fn a_journal_that_is_longer_than_a_stack_is_deep_is_hashed_and_let_go_of() {
        let commits = journal(MANY);
        let last = Arc::clone(&commits[commits.len() - 1]);
        drop(commits);
        drop(last);
        let commits = journal(MANY);
        assert_ne!(commits[commits.len() - 1].hash(), Commit::GENESIS);
    }
}

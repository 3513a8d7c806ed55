//! The check of the one order of all commits against what was signed.

use std::collections::HashMap;

use super::logged::{Leaves, Logged};
use super::swap::Broken;
use super::{Fault, PAGE};
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Cursor, Query};
use crate::merkle::{self, Frontier, TreeHead};
use crate::store::{Store, StoreError};

/// The walk over all commits, oldest first.
pub(super) struct Order<'a> {
    /// The heads to be met, the smallest first.
    signed: Vec<TreeHead>,
    leaves: Option<Logged<'a>>,
    /// The tree over the commits so far; none behind the first that cannot be read.
    tree: Option<Frontier>,
    last: u64,
    count: u64,
    /// The last number that was met of each entity; none behind a commit of it that cannot be read.
    numbers: HashMap<EntityKey, Option<u64>>,
    confirmed: Vec<TreeHead>,
    faults: Vec<Fault>,
    /// The commits that are not what was written.
    broken: Broken,
}

impl<'a> Order<'a> {
    pub(super) fn new(signed: Vec<TreeHead>, log: Option<(TreeHead, Leaves<'a>)>) -> Self {
        let mut order = Self {
            leaves: log.map(|(head, leaves)| Logged::new(leaves, head)),
            signed,
            tree: Some(Frontier::default()),
            last: 0,
            count: 0,
            numbers: HashMap::new(),
            confirmed: Vec::new(),
            faults: Vec::new(),
            broken: Broken::default(),
        };
        order.compare();
        order
    }

    /// The head over all commits; none where one of them cannot be read or is gone.
    pub(super) fn head(&self) -> Option<TreeHead> {
        self.tree.as_ref().map(Frontier::head)
    }

    /// How many commits have a position.
    pub(super) const fn positions(&self) -> u64 {
        self.count
    }

    /// Walks the whole store, as far as it goes now: where others write all the time it has no end that can be reached. A commit
    /// that cannot be read is stepped over, so that those behind it are checked.
    pub(super) async fn walk<S: Store>(&mut self, store: &S, mut progress: impl FnMut(u64)) {
        let all = Query::default();
        // How many commits are still read one by one, because a page with a broken one is not read at all.
        let mut singly = 0_usize;
        let mut broken = None;
        let newest = store.search(&all, Cursor::LAST, 1).await;
        // One that cannot be read, or is gone, does not say where it stands.
        let end = newest.ok().and_then(|newest| newest.first().map(|(position, _)| *position)).unwrap_or(u64::MAX);
        while self.last < end {
            let limit = if singly > 0 { 1 } else { PAGE };
            match store.search(&all, Cursor::After(self.last), limit).await {
                Ok(page) if page.is_empty() => break,
                Ok(page) => {
                    for (position, commit) in page {
                        self.meet(position, &commit);
                    }
                    progress(self.last);
                    singly = singly.saturating_sub(1);
                    broken = None;
                }
                Err(_) if limit > 1 => singly = PAGE,
                Err(error) if self.is_at_end_of(&error, broken.as_ref()) => break,
                Err(error) => {
                    broken = error.broken().cloned();
                    singly = singly.max(1);
                }
            }
        }
    }

    /// Steps over the commit that cannot be read, and says whether there is no way on.
    fn is_at_end_of(&mut self, error: &StoreError, before: Option<&BrokenJournal>) -> bool {
        self.tree = None;
        let (position, steps) = (self.last + 1, PAGE as u64);
        match error.broken() {
            // Met again behind the position that it was thought to have: no commit stands there.
            Some(broken) if before == Some(broken) => self.gap(self.last, self.last),
            Some(broken) => {
                self.faults.push(Fault::edited(broken));
                self.broken.push(broken);
                // Its number may be what was changed.
                self.numbers.insert(broken.key.clone(), None);
                self.count += 1;
            }
            None => {}
        }
        let is_stuck = matches!(self.faults.last(), Some(Fault::Removed { from, to }) if to - from > steps);
        if error.broken().is_none() || is_stuck {
            self.faults.push(Fault::Unwalkable { position, problem: error.to_string() });
            return true;
        }
        self.last = position;
        false
    }

    fn gap(&mut self, from: u64, to: u64) {
        self.tree = None;
        match self.faults.last_mut() {
            Some(Fault::Removed { to: end, .. }) if *end + 1 == from => *end = to,
            _ => self.faults.push(Fault::Removed { from, to }),
        }
    }

    /// Holds the number of a commit against the last one of its entity. A store may list an entity by its first commit and keep
    /// the order beside the commits: what has no first one is in no chain that was checked, and one may stand in the place of
    /// another.
    fn follow(&mut self, commit: &Commit) -> Option<Fault> {
        let (key, number) = (commit.key(), commit.number());
        let Some(last) = self.numbers.get_mut(key) else {
            self.numbers.insert(key.clone(), Some(number));
            return (number > 1).then(|| Fault::missing(key.clone(), 1));
        };
        let expected = last.map_or(number, |known| known.saturating_add(1));
        if number < expected {
            return Some(Fault::reordered(key.clone(), number));
        }
        *last = Some(number);
        (number > expected).then(|| Fault::missing(key.clone(), expected))
    }

    fn meet(&mut self, position: u64, commit: &Commit) {
        let misnumbered = self.follow(commit);
        if position <= self.last {
            self.faults.push(Fault::Reordered { key: commit.key().clone(), number: commit.number() });
            return;
        }
        if position > self.last + 1 {
            self.gap(self.last + 1, position - 1);
        }
        self.faults.extend(misnumbered);
        (self.last, self.count) = (position, self.count + 1);
        let leaf = merkle::leaf(&commit.hash());
        if let Some(leaves) = &mut self.leaves {
            leaves.compare(position, leaf, commit);
        }
        if let Some(tree) = &mut self.tree {
            tree.push(leaf);
            self.compare();
        }
    }

    /// Compares the tree with the heads that are as large as it is.
    fn compare(&mut self) {
        let Some(head) = self.head() else { return };
        for signed in self.signed.iter().filter(|signed| signed.size == head.size) {
            if signed.root == head.root {
                self.confirmed.push(*signed);
            } else {
                let (size, signed, found) = (head.size, signed.root, head.root);
                self.faults.push(Fault::Diverged { size, signed, found });
            }
        }
    }

    /// What was confirmed, what is wrong, and what is broken.
    pub(super) fn finish(mut self) -> (Vec<TreeHead>, Vec<Fault>, Broken) {
        if let Some(signed) = self.signed.last().filter(|signed| signed.size > self.last) {
            self.faults.push(Fault::Truncated { last: self.last, signed: signed.size });
        }
        if let Some(leaves) = self.leaves {
            let (strangers, problem) = leaves.finish();
            // Where the commits can be named, that a root over them differs says nothing more.
            if let Some(first) = strangers.iter().filter_map(Fault::position).min() {
                self.faults.retain(|fault| !matches!(fault, Fault::Diverged { size, .. } if *size >= first));
            }
            self.faults.extend(strangers.into_iter().chain(problem));
        }
        (self.confirmed, self.faults, self.broken)
    }
}

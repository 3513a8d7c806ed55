//! What a log has at each position, and which commits are not the ones that it has there.

use std::collections::{BTreeMap, HashMap};
use std::io;

use super::Fault;
use crate::digest::Digest;
use crate::identifier::EntityKey;
use crate::journal::Commit;
use crate::merkle::{Frontier, TreeHead};

/// The hashes of a log's leaves, from the first position on.
pub(super) type Leaves<'a> = Box<dyn Iterator<Item = io::Result<Digest>> + Send + 'a>;

/// The leaves of a log, read beside the walk over the commits.
pub(super) struct Logged<'a> {
    leaves: Leaves<'a>,
    tree: Frontier,
    /// The heads to be met, the smallest first.
    signed: Vec<TreeHead>,
    problem: Option<Fault>,
    /// Where the log has a leaf at whose position the store has another commit.
    unmet: HashMap<Digest, u64>,
    /// The first commit of each entity that the log does not have at its position.
    strangers: BTreeMap<EntityKey, Stranger>,
}

struct Stranger {
    number: u64,
    position: u64,
    leaf: Digest,
}

impl<'a> Logged<'a> {
    /// How many places of commits that were moved are looked for: a store may be wrong as a whole.
    const UNMET: usize = 65_536;

    pub(super) fn new(leaves: Leaves<'a>, signed: Vec<TreeHead>) -> Self {
        let (tree, unmet, strangers) = (Frontier::default(), HashMap::new(), BTreeMap::new());
        let mut logged = Self { leaves, tree, signed, problem: None, unmet, strangers };
        logged.meet();
        logged
    }

    /// Holds the commit at `position`, which is behind all that were compared before, against the log.
    pub(super) fn compare(&mut self, position: u64, leaf: Digest, commit: &Commit) {
        match self.advance_to(position) {
            Some(logged) if logged != leaf => {
                if self.unmet.len() < Self::UNMET {
                    self.unmet.insert(logged, position);
                }
                let stranger = Stranger { number: commit.number(), position, leaf };
                self.strangers.entry(commit.key().clone()).or_insert(stranger);
            }
            _ => {}
        }
    }

    /// The leaf at a position; none where the log is shorter or is not to be believed.
    fn advance_to(&mut self, position: u64) -> Option<Digest> {
        let mut last = None;
        while self.problem.is_none() && self.tree.size() < position {
            match self.leaves.next() {
                Some(Ok(leaf)) => {
                    self.tree.push(leaf);
                    last = Some(leaf);
                    self.meet();
                }
                Some(Err(error)) => self.problem = Some(self.fault(error.to_string())),
                None => break,
            }
        }
        last.filter(|_| self.tree.size() == position)
    }

    /// Compares the leaves with the heads that are as many as they are.
    fn meet(&mut self) {
        let size = self.tree.size();
        while let Some(signed) = self.signed.first().filter(|signed| signed.size <= size) {
            if signed.size == size && signed.root != self.tree.head().root {
                self.problem = Some(self.fault("a tile or the checkpoint was changed".to_owned()));
                return;
            }
            self.signed.remove(0);
        }
    }

    fn fault(&self, problem: String) -> Fault {
        let size = self.signed.first().map_or_else(|| self.tree.size(), |signed| signed.size);
        Fault::Log { size, problem }
    }

    /// The first commit of each entity that is not the one which was logged, and what is wrong with the log itself.
    pub(super) fn finish(mut self) -> (Vec<Fault>, Option<Fault>) {
        let farthest = self.signed.last().map_or(0, |signed| signed.size);
        self.advance_to(farthest);
        if self.problem.is_none() && !self.signed.is_empty() {
            self.problem = Some(self.fault(format!("it has only {} leaves", self.tree.size())));
        }
        if self.problem.is_some() {
            return (Vec::new(), self.problem);
        }
        let unmet = self.unmet;
        let name = |(key, stranger): (EntityKey, Stranger)| {
            let Stranger { number, position, leaf } = stranger;
            match unmet.get(&leaf) {
                Some(&logged) => Fault::Moved { key, number, position, logged },
                None => Fault::Forged { key, number, position },
            }
        };
        (self.strangers.into_iter().map(name).collect(), None)
    }
}

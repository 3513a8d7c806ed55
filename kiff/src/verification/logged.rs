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
    /// What was signed of the log.
    signed: TreeHead,
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

    pub(super) fn new(leaves: Leaves<'a>, signed: TreeHead) -> Self {
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
        while self.problem.is_none() && self.tree.size() < position.min(self.signed.size) {
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

    /// Compares the leaves with what was signed, where they are as many.
    fn meet(&mut self) {
        if self.tree.size() == self.signed.size && self.tree.head() != self.signed {
            self.problem = Some(self.fault("a tile or the checkpoint was changed".to_owned()));
        }
    }

    const fn fault(&self, problem: String) -> Fault {
        Fault::Log { size: self.signed.size, problem }
    }

    /// The first commit of each entity that is not the one which was logged, and what is wrong with the log itself.
    pub(super) fn finish(mut self) -> (Vec<Fault>, Option<Fault>) {
        self.advance_to(self.signed.size);
        if self.problem.is_none() && self.tree.size() < self.signed.size {
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

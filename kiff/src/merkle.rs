//! The Merkle tree of RFC 6962 over the hashes of commits: its hashes, and the root of a tree that only grows.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// How many commits a Merkle tree has, and the one hash that stands for them all and for their order.
///
/// Two stores that have the same head hold the same commits at the same positions. Write a head down elsewhere, and nobody
/// can cut or rewrite what it covers without being found by [`Verification`](crate::Verification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TreeHead {
    /// How many commits the tree has: those at positions 1 to `size`.
    pub size: u64,
    /// The root hash of RFC 6962.
    pub root: Digest,
}

impl fmt::Display for TreeHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} commits with the root {}", self.size, self.root)
    }
}

/// The hash of a leaf, whose data is the hash of a commit.
pub(crate) fn leaf(commit: &Digest) -> Digest {
    hash(&[&[0], commit.as_bytes()])
}

/// The hash of a node above two others.
pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves.
pub(crate) fn empty() -> Digest {
    hash(&[])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// The root over complete subtrees, the largest and leftmost first.
pub(crate) fn root_of(peaks: &[Digest]) -> Digest {
    let mut peaks = peaks.iter().rev();
    let Some(last) = peaks.next() else { return empty() };
    peaks.fold(*last, |right, left| node(left, &right))
}

/// A tree that only grows, of which only the roots of its complete subtrees are kept: one for each bit of its size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// Appends a leaf by its hash.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let mut top = leaf;
        // Each trailing one of the size is a complete subtree that the new one completes to one twice as large.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                top = node(&left, &top);
            }
        }
        self.peaks.push(top);
        self.size += 1;
    }

    /// How many leaves it has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// How many leaves it has, and its root.
    pub(crate) fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: root_of(&self.peaks) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn defined(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty(),
            [only] => *only,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn a_growing_tree_has_at_each_size_the_root_that_is_defined() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for number in 0..300_u16 {
            let head = frontier.head();
            assert_eq!((head.size, head.root), (leaves.len() as u64, defined(&leaves)));
            let leaf = leaf(&Digest::of(&[&number.to_be_bytes()]));
            frontier.push(leaf);
            leaves.push(leaf);
        }
    }

    #[test]
    fn the_hash_of_nothing_is_that_of_the_standard() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Frontier::default().head().root.to_string(), empty);
    }
}

//! Proofs that a commit is in a tree, and that a tree is the beginning of another: RFC 6962, checked as in RFC 9162.

use std::fmt;

use crate::digest::Digest;
use crate::merkle::{self, TreeHead};

/// Where the hashes of complete subtrees come from.
pub(super) trait Nodes {
    type Error;

    /// The hash over the leaves from `index << level` up to `(index + 1) << level`.
    fn node(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// The hash over the leaves from `from` up to `to`, a range as the standard splits a tree into.
pub(super) fn range<N: Nodes>(nodes: &N, from: u64, to: u64) -> Result<Digest, N::Error> {
    let (mut from, mut peaks) = (from, Vec::new());
    while from < to {
        // The largest complete subtree that fits. Ranges begin where one of their size may begin.
        let level = (to - from).ilog2();
        peaks.push(nodes.node(level, from >> level)?);
        from += 1 << level;
    }
    Ok(merkle::root_of(&peaks))
}

/// The largest power of two that is less than `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The proof that the leaf at `index` is in the tree of `size` leaves, which has more than `index`.
pub(super) fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Digest>, N::Error> {
    let (mut from, mut to, mut hashes) = (0, size, Vec::new());
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            hashes.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            hashes.push(range(nodes, from, middle)?);
            from = middle;
        }
    }
    hashes.reverse();
    Ok(hashes)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves, which has at least as many.
pub(super) fn consistency<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Digest>, N::Error> {
    let (mut from, mut to, mut hashes) = (0, new, Vec::new());
    if old == 0 {
        return Ok(hashes);
    }
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            hashes.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            hashes.push(range(nodes, from, middle)?);
            from = middle;
        }
    }
    if from > 0 {
        hashes.push(range(nodes, from, to)?);
    }
    hashes.reverse();
    Ok(hashes)
}

/// The way up from a leaf (or an old root), as the standard walks it.
struct Climb {
    place: u64,
    last: u64,
}

impl Climb {
    /// Takes one step and says on which side the sibling stands; none where the way is at its end.
    const fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.place & 1 == 1 || self.place == self.last {
            while self.place & 1 == 0 && self.place != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Some(side)
    }

    const fn up(&mut self) {
        self.place >>= 1;
        self.last >>= 1;
    }
}

enum Side {
    Left,
    Right,
}

/// The root that a leaf and its siblings lead to.
pub(super) fn root_by_inclusion(leaf: Digest, index: u64, size: u64, hashes: &[Digest]) -> Result<Digest, UnfitProof> {
    if index >= size {
        return Err(UnfitProof);
    }
    let mut climb = Climb { place: index, last: size - 1 };
    let mut root = leaf;
    for sibling in hashes {
        root = match climb.step().ok_or(UnfitProof)? {
            Side::Left => merkle::node(sibling, &root),
            Side::Right => merkle::node(&root, sibling),
        };
    }
    if climb.last == 0 { Ok(root) } else { Err(UnfitProof) }
}

/// Checks that the tree with the head `old` is the beginning of the tree with the head `new`.
///
/// ```
/// use kiff::TreeHead;
/// use kiff::proof::check_consistency;
///
/// let one = TreeHead { size: 1, root: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d".parse()? };
/// let two = TreeHead { size: 2, root: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125".parse()? };
/// let added = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7".parse()?;
/// check_consistency(&one, &two, &[added])?;
/// assert!(check_consistency(&two, &one, &[added]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`UnfitProof`] when the proof does not show that.
pub fn check_consistency(old: &TreeHead, new: &TreeHead, hashes: &[Digest]) -> Result<(), UnfitProof> {
    let fits = |fits: bool| if fits { Ok(()) } else { Err(UnfitProof) };
    if old.size == 0 {
        return fits(old.root == merkle::empty() && hashes.is_empty() && (new.size > 0 || new.root == old.root));
    }
    if old.size == new.size {
        return fits(old.root == new.root && hashes.is_empty());
    }
    if old.size > new.size {
        return Err(UnfitProof);
    }
    let (first, rest) =
        if old.size.is_power_of_two() { (&old.root, hashes) } else { hashes.split_first().ok_or(UnfitProof)? };
    let mut climb = Climb { place: old.size - 1, last: new.size - 1 };
    while climb.place & 1 == 1 {
        climb.up();
    }
    let (mut was, mut is) = (*first, *first);
    for sibling in rest {
        match climb.step().ok_or(UnfitProof)? {
            Side::Left => {
                was = merkle::node(sibling, &was);
                is = merkle::node(sibling, &is);
            }
            Side::Right => is = merkle::node(&is, sibling),
        }
    }
    fits(climb.last == 0 && was == old.root && is == new.root)
}

/// A proof does not show what it should show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnfitProof;

impl fmt::Display for UnfitProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the hashes of the proof do not lead to the root")
    }
}

crate::debug::debug_as_message!(UnfitProof);

impl std::error::Error for UnfitProof {}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::Frontier;

    /// All leaves in memory.
    struct Leaves(Vec<Digest>);

    impl Nodes for Leaves {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
            let width = 1_usize << level;
            let start = usize::try_from(index).unwrap() << level;
            let mut row = self.0[start..start + width].to_vec();
            while row.len() > 1 {
                row = row.chunks(2).map(|pair| merkle::node(&pair[0], &pair[1])).collect();
            }
            Ok(row[0])
        }
    }

    fn tree(size: u16) -> (Leaves, Vec<TreeHead>) {
        let leaves: Vec<_> = (0..size).map(|number| merkle::leaf(&Digest::of(&[&number.to_be_bytes()]))).collect();
        let mut frontier = Frontier::default();
        let mut heads = vec![frontier.head()];
        for leaf in &leaves {
            frontier.push(*leaf);
            heads.push(frontier.head());
        }
        (Leaves(leaves), heads)
    }

    #[test]
    fn each_leaf_is_shown_to_be_in_each_tree_that_has_it_and_in_no_other() {
        let (leaves, heads) = tree(70);
        for head in &heads[1..] {
            for index in 0..head.size {
                let leaf = leaves.0[usize::try_from(index).unwrap()];
                let mut hashes = inclusion(&leaves, index, head.size).unwrap();
                assert_eq!(root_by_inclusion(leaf, index, head.size, &hashes), Ok(head.root));
                for (other_index, other_size) in [(index + 1, head.size), (index ^ 1, head.size), (index, index)] {
                    assert_ne!(root_by_inclusion(leaf, other_index, other_size, &hashes), Ok(head.root));
                }
                hashes.push(leaf);
                assert_eq!(root_by_inclusion(leaf, index, head.size, &hashes), Err(UnfitProof));
            }
        }
    }

    #[test]
    fn each_tree_is_shown_to_be_the_beginning_of_each_larger_one() {
        let (leaves, heads) = tree(70);
        for (at, old) in heads.iter().enumerate() {
            for new in &heads[at..] {
                let hashes = consistency(&leaves, old.size, new.size).unwrap();
                check_consistency(old, new, &hashes).unwrap();
                for place in 0..hashes.len() {
                    let mut shorter = hashes.clone();
                    shorter.remove(place);
                    assert_eq!(check_consistency(old, new, &shorter), Err(UnfitProof));
                    let mut changed = hashes.clone();
                    changed[place] = merkle::empty();
                    assert_eq!(check_consistency(old, new, &changed), Err(UnfitProof));
                }
                if old.size > 0 {
                    let forged = TreeHead { root: merkle::empty(), ..*old };
                    assert_eq!(check_consistency(&forged, new, &hashes), Err(UnfitProof));
                }
                let longer = [hashes.as_slice(), &[merkle::empty()]].concat();
                assert_eq!(check_consistency(old, new, &longer), Err(UnfitProof));
            }
        }
    }
}

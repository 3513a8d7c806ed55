//! The tree on disk (C2SP tlog-tiles): files of up to 256 hashes, each of a complete subtree eight levels high.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::path::Nodes;
use crate::digest::Digest;
use crate::merkle;

/// How many levels of the tree a tile spans.
const HEIGHT: u32 = 8;
/// How many hashes a full tile has.
pub(super) const WIDTH: usize = 1 << HEIGHT;

/// One tile: the hashes of its level that follow on `index` full tiles, the first `width` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) level: u32,
    pub(super) index: u64,
    pub(super) width: usize,
}

impl Tile {
    /// The last tile of a level in a tree of `size` leaves, when it is not a full one.
    pub(super) fn partial(level: u32, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(HEIGHT * level).unwrap_or_default();
        let (index, width) = (hashes >> HEIGHT, low_bits(hashes));
        (width > 0).then_some(Self { level, index, width })
    }

    /// The last full tile of a level in a tree of `size` leaves.
    pub(super) fn last_full(level: u32, size: u64) -> Option<Self> {
        let full = size.checked_shr(HEIGHT * (level + 1)).unwrap_or_default();
        Some(Self { level, index: full.checked_sub(1)?, width: WIDTH })
    }

    /// How many levels have a hash in a tree of `size` leaves.
    pub(super) fn levels(size: u64) -> u32 {
        size.checked_ilog2().map_or(0, |high| high / HEIGHT + 1)
    }

    /// Where it stands below the log's folder.
    pub(super) fn path(&self) -> PathBuf {
        self.path_below(&self.level.to_string())
    }

    /// Where the data of the leaves of a tile of level 0 stand.
    pub(super) fn entries_path(&self) -> PathBuf {
        self.path_below("entries")
    }

    fn path_below(&self, folder: &str) -> PathBuf {
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path.insert_str(0, &format!("x{:03}/", rest % 1000));
            rest /= 1000;
        }
        if self.width < WIDTH {
            let _ = write!(path, ".p/{}", self.width);
        }
        PathBuf::from("tile").join(folder).join(path)
    }

    /// Reads its hashes from its file, or from that of the full tile which took its place.
    pub(super) fn read(self, directory: &Path) -> io::Result<Vec<Digest>> {
        let bytes = self.read_file::<32>(directory, Self::path)?;
        Ok(bytes.into_iter().map(Digest::from_bytes).collect())
    }

    /// Reads the commits that its leaves stand for.
    pub(super) fn read_entries(self, directory: &Path) -> io::Result<Vec<Digest>> {
        let bytes = self.read_file::<34>(directory, Self::entries_path)?;
        Ok(bytes.iter().filter_map(|entry| entry.last_chunk().copied()).map(Digest::from_bytes).collect())
    }

    fn read_file<const N: usize>(self, directory: &Path, path: fn(&Self) -> PathBuf) -> io::Result<Vec<[u8; N]>> {
        let own = directory.join(path(&self));
        let full = || directory.join(path(&Self { width: WIDTH, ..self }));
        let read = match fs::read(&own) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.width < WIDTH => fs::read(full()),
            read => read,
        };
        let bytes = read.map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", own.display())))?;
        match bytes.as_chunks::<N>() {
            (items, []) if items.len() >= self.width => Ok(items.iter().take(self.width).copied().collect()),
            _ => {
                let cut = format!("`{}` has {} bytes, {} were expected", own.display(), bytes.len(), self.width * N);
                Err(io::Error::new(io::ErrorKind::InvalidData, cut))
            }
        }
    }
}

/// The last eight bits: the place in a tile.
pub(super) fn low_bits(number: u64) -> usize {
    usize::from(number.to_le_bytes()[0])
}

/// What a tile file holds.
pub(super) fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(Digest::as_bytes).copied().collect()
}

/// What the file of the leaves' data holds: each behind its length in two bytes.
pub(super) fn entries_bytes(commits: &[Digest]) -> Vec<u8> {
    commits.iter().flat_map(|commit| [&[0, 32], commit.as_bytes().as_slice()].concat()).collect()
}

/// The complete subtrees that consecutive hashes of one level make up, the largest first: what stands for them in the root.
pub(super) fn peaks(hashes: &[Digest]) -> Vec<Digest> {
    let (mut rest, mut peaks) = (hashes, Vec::new());
    while let Some(high) = rest.len().checked_ilog2() {
        let (complete, behind) = rest.split_at(1 << high);
        peaks.push(complete_root(complete));
        rest = behind;
    }
    peaks
}

/// The root over a power of two of hashes.
pub(super) fn complete_root(hashes: &[Digest]) -> Digest {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| merkle::node(left, right)).collect();
    }
    row.first().copied().unwrap_or_else(merkle::empty)
}

/// The tree of `size` leaves as a folder of tiles holds it. The tiles that were read last are kept.
#[derive(Debug)]
pub(super) struct Tiles {
    directory: PathBuf,
    size: u64,
    recent: Mutex<Vec<(Tile, Vec<Digest>)>>,
}

impl Tiles {
    /// Two proofs of neighbours share all but one of these.
    const KEPT: usize = 16;

    pub(super) fn new(directory: PathBuf, size: u64) -> Self {
        Self { directory, size, recent: Mutex::new(Vec::new()) }
    }

    /// Looks at the hashes of a tile, which is as wide as the tree's size makes it.
    pub(super) fn look<T>(&self, level: u32, index: u64, look: impl FnOnce(&[Digest]) -> T) -> io::Result<T> {
        let partial = Tile::partial(level, self.size).filter(|tile| tile.index == index);
        let tile = partial.unwrap_or(Tile { level, index, width: WIDTH });
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = recent.iter().position(|(known, _)| *known == tile) {
            let found = recent.remove(at);
            recent.push(found);
        } else {
            recent.push((tile, tile.read(&self.directory)?));
            if recent.len() > Self::KEPT {
                recent.remove(0);
            }
        }
        Ok(look(recent.last().map_or(&[], |(_, hashes)| hashes)))
    }
}

impl Nodes for Tiles {
    type Error = io::Error;

    fn node(&self, level: u32, index: u64) -> io::Result<Digest> {
        let inside = level % HEIGHT;
        let first = index << inside;
        let hash = self.look(level / HEIGHT, first >> HEIGHT, |hashes| {
            let from = low_bits(first);
            hashes.get(from..from + (1 << inside)).map(complete_root)
        })?;
        hash.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the tree has no such subtree"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_stands_where_the_format_says() {
        let full = Tile { level: 0, index: 1_234_067, width: WIDTH };
        assert_eq!(full.path(), Path::new("tile/0/x001/x234/067"));
        assert_eq!(full.entries_path(), Path::new("tile/entries/x001/x234/067"));
        let partial = Tile { level: 2, index: 0, width: 7 };
        assert_eq!(partial.path(), Path::new("tile/2/000.p/7"));
    }

    #[test]
    fn a_tree_of_70000_has_the_partial_tiles_of_the_formats_example() {
        let partial = |level| Tile::partial(level, 70_000).map(|tile| (tile.index, tile.width));
        assert_eq!(
            [partial(0), partial(1), partial(2), partial(3)],
            [Some((273, 112)), Some((1, 17)), Some((0, 1)), None]
        );
        assert_eq!(Tile::levels(70_000), 3);
        assert_eq!(
            [Tile::partial(0, 256), Tile::partial(7, u64::MAX), Tile::partial(8, u64::MAX)]
                .map(|tile| tile.map(|tile| tile.width)),
            [None, Some(255), None]
        );
        assert_eq!([0, 1, 255, 256].map(Tile::levels), [0, 1, 1, 2]);
    }
}

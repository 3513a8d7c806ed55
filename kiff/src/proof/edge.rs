//! The growing edge of a log: the hashes that no full tile holds yet, and how they are written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::tile::{self, Tile, WIDTH};
use crate::digest::Digest;
use crate::folder;
use crate::merkle::{self, TreeHead};

/// The right edge of a tree: for each level the hashes of its last, partial tile.
///
/// INVARIANT: level `l` holds the last `(size >> 8 l) mod 256` hashes of that level.
#[derive(Debug, Default)]
pub(super) struct Edge {
    size: u64,
    levels: Vec<Vec<Digest>>,
    /// The commits that the leaves of level 0 stand for.
    commits: Vec<Digest>,
    /// The last leaf of all.
    last: Option<Digest>,
}

impl Edge {
    /// Reads the edge of the tree of `size` leaves from its tiles.
    pub(super) fn read(directory: &Path, size: u64) -> io::Result<Self> {
        let mut levels = Vec::new();
        for level in 0..Tile::levels(size) {
            let partial = Tile::partial(level, size);
            levels.push(partial.map_or(Ok(Vec::new()), |tile| tile.read(directory))?);
        }
        let last = last_leaf(directory, size, &levels)?;
        let mut commits = Vec::new();
        if let Some(tile) = Tile::partial(0, size) {
            commits = tile.read_entries(directory)?;
            if levels
                .first()
                .is_none_or(|leaves| !leaves.iter().eq(commits.iter().map(merkle::leaf).collect::<Vec<_>>().iter()))
            {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the entries are not those of the leaves"));
            }
        }
        Ok(Self { size, levels, commits, last })
    }

    /// The last leaf; none where there is no leaf.
    pub(super) const fn last(&self) -> Option<Digest> {
        self.last
    }

    pub(super) fn head(&self) -> TreeHead {
        let peaks: Vec<_> = self.levels.iter().rev().flat_map(|hashes| tile::peaks(hashes)).collect();
        TreeHead { size: self.size, root: merkle::root_of(&peaks) }
    }

    /// Appends a commit, and hands each file of a tile that it fills to `full`.
    pub(super) fn push(
        &mut self,
        commit: Digest,
        mut full: impl FnMut(PathBuf, Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.commits.push(commit);
        self.size += 1;
        let mut hash = merkle::leaf(&commit);
        self.last = Some(hash);
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(level) else { break };
            hashes.push(hash);
            if hashes.len() < WIDTH {
                break;
            }
            let level = u32::try_from(level).unwrap_or(u32::MAX);
            let tile = Tile { level, index: (self.size >> (8 * level) >> 8) - 1, width: WIDTH };
            hash = tile::complete_root(hashes);
            full(tile.path(), tile::tile_bytes(hashes))?;
            hashes.clear();
            if level == 0 {
                full(tile.entries_path(), tile::entries_bytes(&self.commits))?;
                self.commits.clear();
            }
        }
        Ok(())
    }

    /// The partial tiles, each with what its file holds.
    pub(super) fn partial(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for (level, hashes) in (0..).zip(&self.levels) {
            if let Some(tile) = Tile::partial(level, self.size) {
                files.push((tile.path(), tile::tile_bytes(hashes)));
            }
        }
        if let Some(tile) = Tile::partial(0, self.size) {
            files.push((tile.entries_path(), tile::entries_bytes(&self.commits)));
        }
        files
    }
}

/// The last leaf of the tree of `size` leaves, whose partial tiles are `levels`. Where it is in a full tile, which the head is not
/// made of, that tile is held against the hash of it in the level above, up to a partial one.
fn last_leaf(directory: &Path, size: u64, levels: &[Vec<Digest>]) -> io::Result<Option<Digest>> {
    let (mut leaf, mut below) = (None, None);
    for (level, edge) in (0..).zip(levels) {
        let tile = Tile::last_full(level, size).filter(|_| edge.is_empty());
        let full = tile.map_or(Ok(Vec::new()), |tile| tile.read(directory))?;
        let hashes = if edge.is_empty() { &full } else { edge };
        let last = hashes.last().copied();
        if below.is_some() && below != last {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a full tile is not the one that the level above has",
            ));
        }
        leaf = leaf.or(last);
        if !edge.is_empty() {
            break;
        }
        below = Some(tile::complete_root(&full));
    }
    Ok(leaf)
}

/// Files below a folder, each written whole or not at all, and kept when [`Files::settle`] has answered.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    changed: BTreeSet<PathBuf>,
}

impl Files {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory, changed: BTreeSet::new() }
    }

    /// Writes a file beside its place, flushes it, and puts it there.
    pub(super) fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let target = self.directory.join(path);
        self.write_at(&target, bytes)
            .map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", target.display())))
    }

    fn write_at(&mut self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.directory);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            // A new folder is kept when the one that it is in was flushed.
            let inside = |folder: &&Path| folder.starts_with(&self.directory);
            self.changed.extend(folder.ancestors().take_while(inside).map(Path::to_owned));
        }
        let beside = target.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, target)?;
        self.changed.insert(folder.to_owned());
        Ok(())
    }

    /// Flushes the folders in which something was put.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        for folder in std::mem::take(&mut self.changed) {
            folder::keep_names(&folder)?;
        }
        Ok(())
    }

    /// Removes the partial tiles that a full one has taken the place of.
    pub(super) fn remove_partial(&self, tile: Tile) -> io::Result<()> {
        let entries = (tile.level == 0).then(|| tile.entries_path());
        for path in [Some(tile.path()), entries].into_iter().flatten() {
            let folder = self.directory.join(path.parent().unwrap_or(&path));
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

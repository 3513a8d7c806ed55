//! A file that another program may replace while a server runs: how it is told that it was.

use std::fs::Metadata;
use std::time::SystemTime;

/// What a file looks like from outside: enough to tell that it was written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Seen {
    /// No file at all.
    pub(super) const NOTHING: Self = Self { modified: None, length: 0, inode: 0 };

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len(), inode: inode(metadata) }
    }
}

/// Another one where a file was put in the place of another, within the same instant and of the same length.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

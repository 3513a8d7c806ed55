//! The log as everybody may read it: a folder of tiles and checkpoints.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::path;
use super::receipt::Receipt;
use super::tile::{Tiles, WIDTH, low_bits};
use super::tlog_proof::TlogProof;
use crate::digest::Digest;
use crate::export::Exported;
use crate::journal::{BrokenJournal, Commit};
use crate::merkle::{self, TreeHead};
use crate::store::StoreError;

/// The file of the newest checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// The folder of the newest checkpoints and some of the older ones, each under its size.
pub(super) const CHECKPOINTS: &str = "checkpoints";

/// A log in a folder, as it was at its newest checkpoint. It can be read while a [`Sequencer`](super::Sequencer) writes it.
///
/// The folder is what C2SP tlog-tiles lays down (`checkpoint`, `tile/…`), so that any file server can publish it. A log
/// proves, but it is not to be believed: whoever gets a proof checks it against a checkpoint that a trusted key has signed.
///
/// ```
/// use kiff::proof::{Log, Sequencer, SigningKey};
/// use kiff::{MemoryStore, Store};
///
/// # let folder = std::env::temp_dir().join(format!("kiff-log-{}", std::process::id()));
/// # let _ = std::fs::remove_dir_all(&folder);
/// # pollster::block_on(async {
/// let key = SigningKey::generate("example.com/refunds")?;
/// let store = MemoryStore::new();
/// Sequencer::open(&folder, key.clone())?.advance(&store).await?;
///
/// let log = Log::open(&folder)?;
/// let checkpoint = log.checkpoint().verify(&[key.verifying_key().clone()])?;
/// assert_eq!(checkpoint.head().size, 0);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log {
    directory: PathBuf,
    checkpoint: SignedCheckpoint,
    tiles: Tiles,
}

impl Log {
    /// Reads the newest checkpoint.
    ///
    /// # Errors
    /// [`LogError::NoLog`] when there is none, [`LogError`] when it cannot be read.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, LogError> {
        let directory = directory.into();
        match read_checkpoint(&directory.join(CHECKPOINT))? {
            Some(checkpoint) => Ok(Self::at(directory, checkpoint)),
            None => Err(LogError::NoLog { directory }),
        }
    }

    fn at(directory: PathBuf, checkpoint: SignedCheckpoint) -> Self {
        let tiles = Tiles::new(directory.clone(), checkpoint.claim().head().size);
        Self { directory, checkpoint, tiles }
    }

    /// The same log as it was at an older checkpoint; none where the log has no checkpoint of that size, or keeps it no more: of the
    /// older ones it keeps the first of each 65,536 commits.
    ///
    /// # Errors
    /// [`LogError`] when the checkpoint cannot be read.
    pub fn back_to(&self, size: u64) -> Result<Option<Self>, LogError> {
        let path = self.directory.join(CHECKPOINTS).join(size.to_string());
        Ok(read_checkpoint(&path)?.map(|checkpoint| Self::at(self.directory.clone(), checkpoint)))
    }

    /// Its checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    const fn head(&self) -> TreeHead {
        self.checkpoint.claim().head()
    }

    /// The proof that the tree of the first `size` commits is the beginning of this one, for
    /// [`check_consistency`](super::check_consistency).
    ///
    /// # Errors
    /// [`LogError`] when the log is smaller, or its tiles cannot be read.
    pub fn consistency(&self, size: u64) -> Result<Vec<Digest>, LogError> {
        let head = self.head();
        if size > head.size {
            return Err(LogError::NotYet { position: size, size: head.size });
        }
        Ok(path::consistency(&self.tiles, size, head.size)?)
    }

    /// The receipt for the commit at a position.
    ///
    /// # Errors
    /// [`LogError::NotYet`] when the log does not reach there, [`LogError::OtherCommit`] when it has another commit there,
    /// [`LogError::Damaged`] when its tiles do not lead to its checkpoint.
    pub fn receipt(&self, position: u64, commit: &Arc<Commit>) -> Result<Receipt, LogError> {
        let proof = self.prove(position, commit.hash())?;
        let exported = Exported::new(position, Arc::clone(commit)).map_err(LogError::Commit)?;
        Ok(Receipt::new(exported, proof))
    }

    fn prove(&self, position: u64, commit: Digest) -> Result<TlogProof, LogError> {
        let TreeHead { size, root } = self.head();
        let index = match position.checked_sub(1) {
            Some(index) if position <= size => index,
            _ => return Err(LogError::NotYet { position, size }),
        };
        let leaf = merkle::leaf(&commit);
        let logged = self.tiles.look(0, index / WIDTH as u64, |hashes| hashes.get(low_bits(index)) == Some(&leaf))?;
        if !logged {
            return Err(LogError::OtherCommit { position });
        }
        let hashes = path::inclusion(&self.tiles, index, size)?;
        if path::root_by_inclusion(leaf, index, size, &hashes) != Ok(root) {
            return Err(LogError::Damaged { directory: self.directory.clone(), size });
        }
        Ok(TlogProof::new(index, hashes, self.checkpoint.clone()))
    }

    /// The hashes of its leaves, from the first position on, for [`Verification::log`](crate::Verification::log).
    pub fn leaves(&self) -> impl Iterator<Item = io::Result<Digest>> + Send + use<> {
        let (size, tiles) = (self.head().size, Tiles::new(self.directory.clone(), self.head().size));
        (0..size.div_ceil(WIDTH as u64)).flat_map(move |index| match tiles.look(0, index, <[Digest]>::to_vec) {
            Ok(hashes) => hashes.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }
}

/// Reads a checkpoint; none where there is no such file.
pub(super) fn read_checkpoint(path: &Path) -> Result<Option<SignedCheckpoint>, LogError> {
    match fs::read_to_string(path) {
        Ok(text) => match text.parse() {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(error) => Err(LogError::Checkpoint { path: path.to_owned(), error }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("`{}`: {error}", path.display())).into()),
    }
}

/// A log cannot be read or written, or must not be signed.
#[non_exhaustive]
pub enum LogError {
    /// There is no log in the folder.
    NoLog {
        /// The folder.
        directory: PathBuf,
    },
    /// Another process writes the log.
    InUse {
        /// Its folder.
        directory: PathBuf,
    },
    /// None of the keys that were given signs the log.
    OtherKeys {
        /// Its folder.
        directory: PathBuf,
    },
    /// The log does not reach as far.
    NotYet {
        /// The position that was asked for.
        position: u64,
        /// How many commits the log has.
        size: u64,
    },
    /// The log has another commit at the position.
    OtherCommit {
        /// The position.
        position: u64,
    },
    /// The tiles of a log do not lead to its checkpoint.
    Damaged {
        /// Its folder.
        directory: PathBuf,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The store has fewer commits than were signed.
    RolledBack {
        /// The position of the last commit that was signed, which is gone.
        signed: u64,
    },
    /// The store has another commit at a position than the one that was signed.
    Rewritten {
        /// The last position that was signed.
        position: u64,
    },
    /// One of the first commits of the store is not the one that was signed.
    Diverged {
        /// How many were signed.
        size: u64,
    },
    /// The store skips a position.
    Gap {
        /// The position without a commit.
        position: u64,
    },
    /// A checkpoint is not believed.
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: CheckpointError,
    },
    /// A commit cannot be written as text.
    Commit(BrokenJournal),
    /// The store failed.
    Store(StoreError),
    /// A file cannot be read or written.
    File(io::Error),
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog { directory } => {
                write!(f, "there is no log in `{}`: let a sequencer sign its first checkpoint", directory.display())
            }
            Self::InUse { directory } => write!(
                f,
                "the log in `{}` is being written by another process: only one may sign it at a time",
                directory.display()
            ),
            Self::OtherKeys { directory } => write!(
                f,
                "the log in `{}` is signed with another key than was given: give the one that signs it; where that is lost, keep the \
                 folder and begin a log of another name",
                directory.display()
            ),
            Self::NotYet { position, size } => write!(
                f,
                "the log reaches to position {size} and not to {position}: let the sequencer sign a new checkpoint first"
            ),
            Self::OtherCommit { position } => write!(
                f,
                "the log holds another commit at position {position}: the journal was changed after it was signed"
            ),
            Self::Damaged { directory, size } => write!(
                f,
                "the tiles in `{}` do not lead to the checkpoint of {size} commits: remove the folder `tile` in it and let \
                 the sequencer write it again",
                directory.display()
            ),
            Self::RolledBack { signed } => write!(
                f,
                "the store has no commit at position {signed}, which was signed: a backup was restored, or its end was cut; this log \
                 signs nothing until that commit is back, and after a restore a log of another name goes on"
            ),
            Self::Rewritten { position } => write!(
                f,
                "the store has another commit at position {position} than the one that was signed: a backup was restored and has \
                 gone on, or the store was rewritten; this log signs nothing until that commit is back, and after a restore a log of \
                 another name goes on"
            ),
            Self::Diverged { size } => write!(
                f,
                "one of the first {size} commits of the store is another than the one that was signed: a backup was restored and \
                 has gone on, or the store was rewritten; this log signs nothing until they are back, and after a restore a log \
                 of another name goes on"
            ),
            Self::Gap { position } => write!(f, "the store has no commit at position {position} but some behind it"),
            Self::Checkpoint { path, error } => write!(f, "`{}`: {error}", path.display()),
            Self::Commit(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::File(error) => write!(f, "the log cannot be read or written: {error}"),
        }
    }
}

crate::debug::debug_as_message!(LogError);

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::File(error) => error.source(),
            _ => None,
        }
    }
}

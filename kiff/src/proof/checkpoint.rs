//! Checkpoints (C2SP tlog-checkpoint): what a log says that it holds, signed.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::{Signers, VerifyingKey};
use super::note::{Note, NoteError};
use crate::digest::Digest;
use crate::merkle::TreeHead;

/// What a log says that it holds: its name, and the head of its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
}

impl Checkpoint {
    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many commits the log has, and the root over them.
    #[must_use]
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Whatever a log says beyond that has no meaning here, but it may not be empty.
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        let root = Digest::from_bytes(STANDARD.decode(root).ok()?.try_into().ok()?);
        Some(Self { origin: origin.to_owned(), head: TreeHead { size: decimal(size)?, root } })
    }
}

/// A number as the formats write it: digits, without a leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    (u64::to_string(&number) == text).then_some(number)
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.head.root.as_bytes());
        writeln!(f, "{}\n{}\n{root}", self.origin, self.head.size)
    }
}

/// A checkpoint with its signatures. What it says is to be had only from [`SignedCheckpoint::verify`].
///
/// ```
/// use kiff::proof::{SignedCheckpoint, VerifyingKey};
///
/// let key: VerifyingKey = "example.com/refunds+69998dae+AV9V8S51RC6TWRlSf4n6C9yBOBsnVoJomEuvW7MOTwiD".parse()?;
/// # let checkpoint = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/proof/example/checkpoint"));
/// let checkpoint: SignedCheckpoint = checkpoint.parse()?;
/// assert_eq!(checkpoint.verify(&[key])?.head().size, 1_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs a head in the name of the signers' log.
    #[must_use]
    pub fn sign(head: TreeHead, signers: &Signers) -> Self {
        let checkpoint = Checkpoint { origin: signers.origin().to_owned(), head };
        let note = Note::sign(checkpoint.to_string(), signers.keys());
        Self { checkpoint, note }
    }

    /// The checkpoint, when a trusted key of its log has signed it, and no signature in the name of a trusted key is wrong.
    ///
    /// # Errors
    /// [`CheckpointError`] says why it is not believed.
    pub fn verify(&self, trusted: &[VerifyingKey]) -> Result<&Checkpoint, CheckpointError> {
        let vouching = self.note.verify(trusted)?;
        if vouching.iter().any(|key| key.name() == self.checkpoint.origin) {
            return Ok(&self.checkpoint);
        }
        let keys = vouching.iter().map(|key| key.name().to_owned()).collect();
        Err(CheckpointError::OtherLog { origin: self.checkpoint.origin.clone(), keys })
    }
}

impl SignedCheckpoint {
    pub(super) const fn note(&self) -> &Note {
        &self.note
    }

    /// What it says, which nobody may have signed.
    pub(super) const fn claim(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether each of the signers has signed it.
    pub(super) fn is_signed_by(&self, signers: &Signers) -> bool {
        let keys = signers.verifying_keys();
        self.note.verify(&keys).is_ok_and(|vouching| keys.iter().all(|key| vouching.contains(&key)))
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        const MALFORMED: CheckpointError =
            CheckpointError::Malformed("its text is not a name, a size and a root, each on a line");
        let note: Note = text.parse()?;
        let checkpoint = Checkpoint::read(note.text()).ok_or(MALFORMED)?;
        Ok(Self { checkpoint, note })
    }
}

/// Why a checkpoint is not believed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is no checkpoint.
    Malformed(&'static str),
    /// A signature in the name of a trusted key is not by it.
    Forged {
        /// The key.
        key: String,
    },
    /// None of the trusted keys has signed it.
    Untrusted {
        /// The keys that have.
        keys: Vec<String>,
    },
    /// A witness has not signed it.
    Unseen {
        /// The witness.
        witness: String,
    },
    /// It was signed by a key of another log than the one that it speaks of.
    OtherLog {
        /// The log that it speaks of.
        origin: String,
        /// The logs whose keys they are.
        keys: Vec<String>,
    },
}

impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Malformed(how) => Self::Malformed(how),
            NoteError::Forged { key } => Self::Forged { key },
            NoteError::Untrusted { keys } => Self::Untrusted { keys },
        }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "this is no checkpoint: {how}"),
            Self::Forged { key } => write!(f, "the checkpoint's signature by `{key}` does not fit what it says"),
            Self::Untrusted { keys } => {
                write!(f, "no trusted key has signed the checkpoint: it is signed by `{}`", keys.join("`, `"))
            }
            Self::Unseen { witness } => write!(f, "the witness `{witness}` has not signed the checkpoint"),
            Self::OtherLog { origin, keys } => {
                write!(f, "the checkpoint is of the log `{origin}`, and the key of `{}`", keys.join("`, `"))
            }
        }
    }
}

crate::debug::debug_as_message!(CheckpointError);

impl std::error::Error for CheckpointError {}

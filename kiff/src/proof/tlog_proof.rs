//! A proof that a commit is in a log, as text (C2SP tlog-proof).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, SignedCheckpoint, decimal};
use super::key::VerifyingKey;
use super::path;
use super::receipt::ReceiptError;
use crate::digest::Digest;
use crate::merkle;

/// The place of a commit in a log, the way from there to the root, and the checkpoint that has this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlogProof {
    index: u64,
    hashes: Vec<Digest>,
    checkpoint: SignedCheckpoint,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

impl TlogProof {
    /// The longest way to a root: a tree has fewer than 2⁶⁴ leaves.
    const LONGEST: usize = 64;

    pub(super) const fn new(index: u64, hashes: Vec<Digest>, checkpoint: SignedCheckpoint) -> Self {
        Self { index, hashes, checkpoint }
    }

    pub(super) const fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint with its signatures.
    pub(super) const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The checkpoint, when a trusted key has signed it and the commit with this hash is in its tree.
    pub(super) fn verify(&self, commit: Digest, trusted: &[VerifyingKey]) -> Result<&Checkpoint, ReceiptError> {
        let checkpoint = self.checkpoint.verify(trusted).map_err(ReceiptError::Checkpoint)?;
        let head = checkpoint.head();
        match path::root_by_inclusion(merkle::leaf(&commit), self.index, head.size, &self.hashes) {
            Ok(root) if root == head.root => Ok(checkpoint),
            _ => Err(ReceiptError::NotIncluded { index: self.index, size: head.size }),
        }
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let (proof, checkpoint) = text
            .split_once("\n\n")
            .ok_or(ReceiptError::Malformed("no empty line parts the proof from the checkpoint"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(ReceiptError::Malformed("its proof does not begin with `c2sp.org/tlog-proof@v1`"));
        }
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let index = index.ok_or(ReceiptError::Malformed("its proof has no line with the index"))?;
        let hash = |line: &str| Some(Digest::from_bytes(STANDARD.decode(line).ok()?.try_into().ok()?));
        let hashes: Option<Vec<_>> = lines.take(Self::LONGEST + 1).map(hash).collect();
        match hashes {
            Some(hashes) if hashes.len() <= Self::LONGEST => {
                let checkpoint = checkpoint.parse().map_err(ReceiptError::Checkpoint)?;
                Ok(Self { index, hashes, checkpoint })
            }
            _ => Err(ReceiptError::Malformed("its proof has a line that is no hash, or too many")),
        }
    }
}

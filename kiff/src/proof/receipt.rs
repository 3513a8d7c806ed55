//! Receipts: one commit with the proof that it is in a log, which a third party checks offline.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::key::VerifyingKey;
use super::tlog_proof::TlogProof;
use super::witness::{Cosignature, WitnessKey};
use crate::export::{ExportError, Exported};
use crate::journal::Commit;

/// One commit, the proof that it is in a log, and the signed checkpoint of the log.
///
/// It is a small text file: a first line, the commit as an export writes it ([`Exported`]), and a C2SP tlog-proof, which is all
/// that follows. What it says is to be had only from [`Receipt::verify`].
///
/// ```
/// use kiff::proof::{Receipt, VerifyingKey};
///
/// let key: VerifyingKey = "example.com/refunds+69998dae+AV9V8S51RC6TWRlSf4n6C9yBOBsnVoJomEuvW7MOTwiD".parse()?;
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/proof/example/receipt"));
/// let receipt: Receipt = text.parse()?;
/// let verified = receipt.verify(&[key])?;
/// assert_eq!(verified.commit().key().to_string(), "Order/ord-73895");
/// assert_eq!(verified.checkpoint().head().size, 1_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Receipt {
    exported: Exported,
    proof: TlogProof,
}

const FIRST_LINE: &str = "kiff/receipt/1\n";

impl Receipt {
    pub(super) const fn new(exported: Exported, proof: TlogProof) -> Self {
        Self { exported, proof }
    }

    /// What it proves, when a trusted key has signed its checkpoint. Nothing but the keys is needed.
    ///
    /// # Errors
    /// [`ReceiptError`] says why it is not believed.
    pub fn verify(&self, trusted: &[VerifyingKey]) -> Result<Verified, ReceiptError> {
        let commit = self.exported.commit();
        let checkpoint = self.proof.verify(commit.hash(), trusted)?;
        Ok(Verified { commit: Arc::clone(commit), position: self.exported.position(), checkpoint: checkpoint.clone() })
    }
}

impl Receipt {
    /// The cosignatures of all these witnesses on its checkpoint, in their order. They say nothing without
    /// [`Receipt::verify`].
    ///
    /// # Errors
    /// [`ReceiptError::Checkpoint`] when one of them has not signed it, and when a signature in the name of one is wrong.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, ReceiptError> {
        self.proof.checkpoint().cosignatures(witnesses).map_err(ReceiptError::Checkpoint)
    }
}

/// What a receipt has proved: that this commit was in the log, at this position, when the checkpoint was signed.
#[derive(Debug, Clone)]
pub struct Verified {
    commit: Arc<Commit>,
    position: u64,
    checkpoint: Checkpoint,
}

impl Verified {
    /// The commit.
    #[must_use]
    pub const fn commit(&self) -> &Arc<Commit> {
        &self.commit
    }

    /// Its position in the log, from 1.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FIRST_LINE}{}\n{}", self.exported, self.proof)
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let rest = text.strip_prefix(FIRST_LINE);
        let rest = rest.ok_or(ReceiptError::Malformed("it does not begin with the line `kiff/receipt/1`"))?;
        let (exported, proof) =
            rest.split_once('\n').ok_or(ReceiptError::Malformed("it ends behind the line of the commit"))?;
        let receipt = Self { exported: exported.parse().map_err(ReceiptError::Commit)?, proof: proof.parse()? };
        if receipt.exported.position() != receipt.proof.index().saturating_add(1) {
            return Err(ReceiptError::Malformed("its commit and its proof are not of the same position"));
        }
        // One receipt has one text, so that no change to it goes unseen.
        if receipt.to_string() != text {
            return Err(ReceiptError::Malformed("it is not written as kiff writes one"));
        }
        Ok(receipt)
    }
}

/// Why a receipt is not believed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The text is no receipt.
    Malformed(&'static str),
    /// The commit is not what was written.
    Commit(ExportError),
    /// The checkpoint is not believed.
    Checkpoint(CheckpointError),
    /// The commit is not at this place in the tree of the checkpoint.
    NotIncluded {
        /// The place, from 0.
        index: u64,
        /// How many commits the tree has.
        size: u64,
    },
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "this is no receipt: {how}"),
            Self::Commit(error) => write!(f, "the receipt's commit: {error}"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::NotIncluded { index, size } => {
                write!(f, "the proof does not show the commit at index {index} of the checkpoint's {size}")
            }
        }
    }
}

crate::debug::debug_as_message!(ReceiptError);

impl std::error::Error for ReceiptError {}

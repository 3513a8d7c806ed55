//! Cosignatures (C2SP tlog-cosignature): the word of somebody else that a log has only grown until then.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::key::{self, KeyError};
use crate::json::visible;
use crate::time::Timestamp;

/// What an Ed25519 cosignature is called in keys and signatures.
const COSIGNATURE: u8 = 4;

/// The public key of a witness: somebody who does not run the log, and signs a checkpoint of it when the log has only grown
/// since the last one.
///
/// Whoever shows one history to one party and another to the next needs the witness's help to be believed. As text it is
/// `name+id+base64`, the verifier key of signed notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: Box<str>,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl WitnessKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        if !key::is_name(name) {
            return Err(KeyError::Name(visible(name)));
        }
        Ok(Self { name: name.into(), id: key::id_of(name, COSIGNATURE, &key), key })
    }

    /// Reads the key from a file.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be read or holds no key of a witness.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        key::read(path.as_ref())
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the witness has signed this text; none where the signature is not the witness's.
    fn verified(&self, text: &str, signature: &[u8]) -> Option<Timestamp> {
        let (seconds, signature) = signature.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*seconds);
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        let signed = format!("cosignature/v1\ntime {seconds}\n{text}");
        self.key.verify_strict(signed.as_bytes(), &signature).ok()?;
        Some(Timestamp::from_microseconds(seconds.checked_mul(1_000_000)?))
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        key::show(f, &self.name, self.id, COSIGNATURE, &self.key)
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const MALFORMED: KeyError = KeyError::Malformed("the public key of a witness is written `name+id+base64`");
        let (name, id, bytes) = key::parts(text, COSIGNATURE).ok_or(MALFORMED)?;
        let key = Self::new(name, ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| MALFORMED)?)?;
        if key.id == id { Ok(key) } else { Err(KeyError::OtherId) }
    }
}

/// That a witness has signed a checkpoint, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosignature {
    /// Who.
    pub witness: String,
    /// When, by the witness's clock, to the second.
    pub at: Timestamp,
}

impl SignedCheckpoint {
    /// The cosignatures of all these witnesses, in their order.
    ///
    /// # Errors
    /// [`CheckpointError`] when one of them has not signed it, and when a signature in the name of one is wrong.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, CheckpointError> {
        let note = self.note();
        let of = |witness: &WitnessKey| {
            let mut at = None;
            for signature in note.signatures_of(&witness.name, witness.id) {
                let forged = || CheckpointError::Forged { key: format!("{}+{:08x}", witness.name, witness.id) };
                at = at.max(Some(witness.verified(note.text(), signature).ok_or_else(forged)?));
            }
            let unseen = || CheckpointError::Unseen { witness: witness.name.to_string() };
            Ok(Cosignature { witness: witness.name.to_string(), at: at.ok_or_else(unseen)? })
        };
        witnesses.iter().map(of).collect()
    }
}

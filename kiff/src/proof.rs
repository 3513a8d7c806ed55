//! What a third party can check: a Merkle log over the journal, signed checkpoints, and receipts (feature `proof`).
//!
//! The hash chain finds what was changed *in* an entity's journal, but not that somebody with access to the store wrote the whole
//! of it anew, or cut its end. The log finds that: a [`Sequencer`] appends the hash of each commit to one Merkle tree and signs
//! the tree's head with a [`SigningKey`]. Whoever has kept any such [checkpoint](SignedCheckpoint) can tell that the journal
//! which they are shown is the one that was signed then, or one that grew out of it. A [`Receipt`] is one commit together with the
//! proof that a checkpoint covers it; it is checked offline, with the public key alone.
//!
//! The formats are those of [C2SP](https://c2sp.org): tlog-tiles, tlog-checkpoint, signed-note and tlog-proof, so that other
//! tools can read a log and check its proofs. A leaf of the tree is the 32 bytes of a commit's hash.
//!
//! ```
//! use kiff::proof::{Log, Receipt, Sequencer, SigningKey};
//! # use kiff::{Actor, Commit, Cursor, EntityKey, MemoryStore, Query, Sealed, Store, Verification, journal::Content};
//! # let content = Content { at: "2026-11-23T10:00:00Z".parse()?, actor: Actor::human("nora")?, trace: None, cause: None,
//! #     fold: None, facts: Box::new([]) };
//! # let commit = Sealed::new(EntityKey::new("Order", "ord-1")?, 1, Commit::GENESIS, content);
//! # let folder = std::env::temp_dir().join(format!("kiff-proof-{}", std::process::id()));
//! # let _ = std::fs::remove_dir_all(&folder);
//! # pollster::block_on(async {
//! # let store = MemoryStore::new();
//! # store.append(commit).await?;
//! // Where the journal is written: a key, made once, and a log beside the store.
//! let key = SigningKey::generate("example.com/refunds")?;
//! let mut sequencer = Sequencer::open(&folder, key.clone())?;
//! sequencer.advance(&store).await?;
//!
//! // Somebody asks for a receipt.
//! let (position, commit) = store.search(&Query::default(), Cursor::FIRST, 1).await?.remove(0);
//! let receipt = Log::open(&folder)?.receipt(position, &commit)?.to_string();
//!
//! // Elsewhere, with the public key alone.
//! let trusted = [key.verifying_key().clone()];
//! let verified = receipt.parse::<Receipt>()?.verify(&trusted)?;
//! assert_eq!(verified.commit(), &commit);
//!
//! // The whole store against what was signed.
//! let log = Log::open(&folder)?;
//! let head = log.checkpoint().verify(&trusted)?.head();
//! let report = Verification::of(&store).log(head, log.leaves()).run(|_| ()).await?;
//! assert!(report.is_sound(), "{report}");
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checkpoint;
mod edge;
mod key;
mod log;
mod note;
mod path;
mod receipt;
mod sequencer;
mod tile;
mod tlog_proof;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use key::{KeyError, Signers, SigningKey, VerifyingKey};
pub use log::{Log, LogError};
pub use path::{UnfitProof, check_consistency};
pub use receipt::{Receipt, ReceiptError, Verified};
pub use sequencer::{Advanced, Sequencer};
pub use witness::{Cosignature, WitnessKey};

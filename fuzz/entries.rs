//! What must hold of any input whatsoever: the fuzz targets call it, and so do the tests.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use kiff::proof::{Receipt, SignedCheckpoint, SigningKey, Verified, VerifyingKey, WitnessKey};
use kiff::{Commit, Digest, EntityKey, Exported, Sealed};

/// The receipt of kiff's documentation, and the one key that is trusted here. Its secret half is gone, so that nothing else that
/// was signed with it will ever turn up.
const GENUINE: &str = include_str!("../kiff/src/proof/example/receipt");
const TRUSTED: &str = "example.com/refunds+69998dae+AV9V8S51RC6TWRlSf4n6C9yBOBsnVoJomEuvW7MOTwiD";

/// A checkpoint with the cosignature of a witness, made with OpenSSL, and the key of that, whose secret half is gone as well.
const COSIGNED: &str = include_str!("corpus/checkpoint/cosigned");
const WITNESS: &str = include_str!("corpus/checkpoint/key-of-a-witness");

struct Known {
    trusted: [VerifyingKey; 1],
    witness: [WitnessKey; 1],
    genuine: Verified,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let trusted = [TRUSTED.parse().unwrap()];
    let genuine = GENUINE.parse::<Receipt>().unwrap().verify(&trusted).unwrap();
    let witness = [WITNESS.parse().unwrap()];
    assert_eq!(COSIGNED.parse::<SignedCheckpoint>().unwrap().cosignatures(&witness).unwrap().len(), 1);
    Known { trusted, witness, genuine }
});

/// A commit is read as it was written, or not at all, and a hash fits one body.
pub(crate) fn commit(body: &[u8]) {
    let key = EntityKey::new("Order", "ord-1").unwrap();
    let wrong = Commit::open(key.clone(), 1, Commit::GENESIS, Digest::default(), body);
    assert!(wrong.is_err());
    let Ok(sealed) = Sealed::verbatim(key.clone(), 1, Commit::GENESIS, body.to_vec()) else { return };
    let commit = Arc::clone(sealed.commit());
    assert_eq!(&*commit.body(), body, "the body is kept as it was");
    commit.verify().unwrap();
    assert!(Commit::open(key, 2, Commit::GENESIS, commit.hash(), body).is_err(), "the hash is of its place");
    let line = Exported::new(7, Arc::clone(&commit)).unwrap().to_string();
    let read: Exported = line.parse().unwrap();
    assert_eq!((read.commit(), read.to_string()), (&commit, line));
    // What a commit says of itself, a store asks of each.
    let _ = (commit.idempotency_key(), commit.approvals().count(), commit.changes().len(), commit.last_record());
}

/// A receipt is written in one way, and only what was signed is believed.
pub(crate) fn receipt(text: &[u8]) {
    let Some(receipt) = read::<Receipt>(text) else { return };
    let Ok(verified) = receipt.verify(&KNOWN.trusted) else { return };
    let genuine = &KNOWN.genuine;
    assert_eq!((verified.commit(), verified.position()), (genuine.commit(), genuine.position()));
    assert_eq!(verified.checkpoint(), genuine.checkpoint());
}

/// A checkpoint and a key are written in one way, and only what was signed is believed.
pub(crate) fn checkpoint(text: &[u8]) {
    read::<VerifyingKey>(text);
    read::<WitnessKey>(text);
    if let Ok(Ok(key)) = str::from_utf8(text).map(str::parse::<SigningKey>) {
        assert_eq!(key.secret_text().as_bytes(), text);
    }
    let Some(checkpoint) = read::<SignedCheckpoint>(text) else { return };
    if let Ok(checkpoint) = checkpoint.verify(&KNOWN.trusted) {
        assert_eq!(checkpoint, KNOWN.genuine.checkpoint());
    }
    if checkpoint.cosignatures(&KNOWN.witness).is_ok() {
        let signed = |text: &str| text.rsplit_once("\n\n").map(|(signed, _)| signed.to_owned());
        assert_eq!(signed(&checkpoint.to_string()), signed(COSIGNED));
    }
}

/// Reads a text that is written in one way only.
fn read<T: FromStr + ToString>(text: &[u8]) -> Option<T> {
    let text = str::from_utf8(text).ok()?;
    let read: T = text.parse().ok()?;
    assert_eq!(read.to_string(), text);
    Some(read)
}

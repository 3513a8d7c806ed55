//! Witnesses: that somebody else has seen a checkpoint is believed on the word of his key alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiff::proof::{
    CheckpointError, Cosignature, KeyError, Log, Receipt, ReceiptError, Sequencer, SignedCheckpoint, SigningKey,
    WitnessKey,
};
use pollster::block_on;
use sha2::{Digest as _, Sha256};
use signed_note::{Signer, StandardSigner};
use tempfile::TempDir;

use super::ledger::Ledger;

/// A witness by the letter of tlog-cosignature, with the signatures of another implementation.
pub(crate) struct Witness {
    name: &'static str,
    signer: StandardSigner,
    public: [u8; 32],
}

impl Witness {
    pub(crate) fn new(name: &'static str) -> Self {
        let key = SigningKey::generate(name).unwrap();
        let public = key.verifying_key().to_string();
        let public = STANDARD.decode(public.splitn(3, '+').last().unwrap()).unwrap();
        let signer = StandardSigner::new(&key.secret_text()).unwrap();
        Self { name, signer, public: public[1..].try_into().unwrap() }
    }

    fn id(&self) -> [u8; 4] {
        let hash = Sha256::digest([self.name.as_bytes(), b"\n\x04", &self.public].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Its public key as text.
    pub(crate) fn key(&self) -> String {
        let key = STANDARD.encode([&[4], self.public.as_slice()].concat());
        format!("{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }

    /// The line with which it says that it has seen the text at that time.
    pub(crate) fn line(&self, text: &str, seconds: u64) -> String {
        let signed = format!("cosignature/v1\ntime {seconds}\n{text}");
        let signature = self.signer.sign(signed.as_bytes()).unwrap();
        let bytes = [self.id().as_slice(), &seconds.to_be_bytes(), &signature].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A receipt whose checkpoint has these lines more, which are made of its text.
fn receipt(lines: impl Fn(&str) -> String) -> Receipt {
    let (folder, ledger) = (TempDir::new().unwrap(), Ledger::of(9, 3));
    let key = SigningKey::generate("example.com/refunds").unwrap();
    block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    let receipt = Log::open(folder.path()).unwrap().receipt(5, &ledger.commit(5)).unwrap().to_string();
    let (_, checkpoint) = receipt.split_once("\n\n").unwrap();
    let (text, _) = checkpoint.rsplit_once("\n\n").unwrap();
    let receipt: Receipt = format!("{receipt}{}", lines(&format!("{text}\n"))).parse().unwrap();
    receipt.verify(&[key.verifying_key().clone()]).unwrap();
    receipt
}

#[test]
fn p8_what_a_witness_has_seen_is_told_with_its_time_and_nothing_else_is() {
    let (one, two) = (Witness::new("witness.example/w1"), Witness::new("witness.example/w2"));
    let keys: [WitnessKey; 2] = [&one, &two].map(|witness| witness.key().parse().unwrap());
    assert_eq!(keys[0].to_string(), one.key());
    let cosigned = receipt(|text| one.line(text, 1_764_324_000) + &one.line(text, 1_764_324_060));
    let seen = Cosignature { witness: one.name.to_owned(), at: "2025-11-28T10:01:00Z".parse().unwrap() };
    assert_eq!(cosigned.cosignatures(&keys[..1]), Ok(vec![seen]));
    assert_eq!(cosigned.cosignatures(&[]), Ok(Vec::new()));
    let unseen = ReceiptError::Checkpoint(CheckpointError::Unseen { witness: two.name.to_owned() });
    assert_eq!(cosigned.cosignatures(&keys), Err(unseen));

    // Another text, another time, and the signature of another key in its name.
    let other_text = receipt(|text| one.line(&text.replacen("example.com", "example.org", 1), 1));
    let other_time = receipt(|text| {
        let line = one.line(text, 1);
        let (name, bytes) = line.trim_end().rsplit_once(' ').unwrap();
        let mut bytes = STANDARD.decode(bytes).unwrap();
        bytes[11] = 2;
        format!("{name} {}\n", STANDARD.encode(bytes))
    });
    let stranger = Witness::new(one.name);
    let other_key = receipt(|text| {
        let bytes = STANDARD.decode(stranger.line(text, 1).trim_end().rsplit(' ').next().unwrap()).unwrap();
        format!("— {} {}\n", one.name, STANDARD.encode([&one.id(), &bytes[4..]].concat()))
    });
    for forged in [other_text, other_time, other_key] {
        let told = forged.cosignatures(&keys[..1]).unwrap_err();
        assert!(matches!(&told, ReceiptError::Checkpoint(CheckpointError::Forged { .. })), "{told}");
    }
    // The key of a log is not that of a witness, and the other way round.
    let log = SigningKey::generate(one.name).unwrap().verifying_key().to_string();
    assert!(log.parse::<WitnessKey>().is_err() && one.key().parse::<kiff::proof::VerifyingKey>().is_err());
}

#[test]
fn the_key_of_a_witness_is_read_from_a_file_as_that_of_a_log_is() {
    let (folder, witness) = (TempDir::new().unwrap(), Witness::new("witness.example/w1"));
    let path = folder.path().join("w1.pub");
    std::fs::write(&path, format!("{}\n", witness.key())).unwrap();
    assert_eq!(WitnessKey::read(&path).unwrap().to_string(), witness.key());
    SigningKey::generate(witness.name).unwrap().verifying_key().write(folder.path().join("log.pub")).unwrap();
    let told = WitnessKey::read(folder.path().join("log.pub")).unwrap_err();
    assert!(matches!(told, KeyError::Malformed(_)), "{told}");
    assert!(matches!(WitnessKey::read(folder.path().join("none.pub")), Err(KeyError::File { .. })));
}

#[test]
fn p8_a_checkpoint_that_only_the_key_of_another_log_has_signed_is_not_believed() {
    let other = SigningKey::generate("example.com/missions").unwrap();
    let text = format!("example.com/refunds\n9\n{}\n", STANDARD.encode([7; 32]));
    let key = other.verifying_key().to_string();
    let id = u32::from_str_radix(key.split('+').nth(1).unwrap(), 16).unwrap();
    let signature = StandardSigner::new(&other.secret_text()).unwrap().sign(text.as_bytes()).unwrap();
    let line = STANDARD.encode([id.to_be_bytes().as_slice(), &signature].concat());
    let signed: SignedCheckpoint = format!("{text}\n— example.com/missions {line}\n").parse().unwrap();
    let told = signed.verify(&[other.verifying_key().clone()]).unwrap_err();
    assert!(matches!(told, CheckpointError::OtherLog { .. }), "{told}");
}

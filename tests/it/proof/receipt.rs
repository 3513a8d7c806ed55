//! Receipts: what they prove, to whom, and that no change to one is believed.

use kiff::proof::{CheckpointError, Log, Receipt, ReceiptError, Sequencer, SigningKey};
use kiff::{ExportError, Exported};
use pollster::block_on;
use tempfile::TempDir;

use super::ledger::{Ledger, order};

/// The receipts of a log of so many commits, and the key that signed it.
fn receipts(commits: u64) -> (Ledger, SigningKey, impl Fn(u64) -> String) {
    let (folder, ledger) = (TempDir::new().unwrap(), Ledger::of(commits, 3));
    let key = SigningKey::generate("example.com/refunds").unwrap();
    block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    let log = Log::open(folder.path()).unwrap();
    let commits: Vec<_> = (1..=commits).map(|position| ledger.commit(position)).collect();
    let receipt = move |position: u64| {
        let _ = &folder;
        let commit = &commits[usize::try_from(position - 1).unwrap()];
        log.receipt(position, commit).unwrap().to_string()
    };
    (ledger, key, receipt)
}

#[test]
fn a_receipt_is_verified_with_the_public_key_alone() {
    let (ledger, key, receipt) = receipts(20);
    for position in 1..=20 {
        let text = receipt(position);
        let verified = text.parse::<Receipt>().unwrap().verify(&[key.verifying_key().clone()]).unwrap();
        assert_eq!(verified.position(), position);
        assert_eq!(verified.commit(), &ledger.commit(position));
        assert_eq!((verified.checkpoint().origin(), verified.checkpoint().head().size), ("example.com/refunds", 20));
    }
}

#[test]
fn a_receipt_is_not_believed_on_the_word_of_another_key() {
    let (_, key, receipt) = receipts(3);
    let other = SigningKey::generate("example.com/refunds").unwrap().verifying_key().clone();
    let receipt: Receipt = receipt(2).parse().unwrap();
    let refused = receipt.verify(std::slice::from_ref(&other)).unwrap_err();
    assert!(matches!(&refused, ReceiptError::Checkpoint(CheckpointError::Untrusted { .. })), "{refused}");
    receipt.verify(&[other, key.verifying_key().clone()]).unwrap();
}

#[test]
fn what_is_said_of_a_receipt_obeys_nobody_who_wrote_one() {
    let (_, _, receipt) = receipts(3);
    let edited = receipt(2).replacen("{\"position\"", r#"{"\u001b[2J\u202e":1,"position""#, 1);
    let told = edited.parse::<Receipt>().unwrap_err().to_string();
    assert!(told.contains(r"unknown field `\u{1b}[2J\u{202e}`"), "{told:?}");
}

#[test]
fn p8_a_receipt_of_which_any_byte_was_changed_is_refused() {
    let (_, key, receipt) = receipts(9);
    let (trusted, text) = ([key.verifying_key().clone()], receipt(5));
    let believed = |text: &str| text.parse::<Receipt>().is_ok_and(|receipt| receipt.verify(&trusted).is_ok());
    assert!(believed(&text));
    for at in 0..text.len() {
        for change in [1, 2, 32] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= change;
            assert!(!String::from_utf8(bytes).is_ok_and(|text| believed(&text)), "byte {at} of\n{text}");
        }
        let mut shorter = text.clone();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            shorter.remove(at);
            assert!(!believed(&shorter), "without byte {at} of\n{text}");
        }
        if text.is_char_boundary(at) {
            assert!(!believed(&text[..at]));
            assert!(!believed(&format!("{}\n{}", &text[..at], &text[at..])), "a line more at {at} of\n{text}");
        }
    }
}

#[test]
fn p8_the_proof_of_one_commit_does_not_serve_another() {
    let (_, key, receipt) = receipts(9);
    let trusted = [key.verifying_key().clone()];
    let (five, six) = (receipt(5), receipt(6));
    let parts = |text: &str| {
        let (commit, proof) = text.split_once("\nc2sp.org").unwrap();
        (commit.to_owned(), format!("\nc2sp.org{proof}"))
    };
    let mixed = parts(&five).0 + &parts(&six).1;
    assert!(matches!(mixed.parse::<Receipt>(), Err(ReceiptError::Malformed(_))));
    let moved = mixed.replace("\"position\":5", "\"position\":6").parse::<Receipt>().unwrap().verify(&trusted);
    assert!(matches!(moved, Err(ReceiptError::NotIncluded { index: 5, size: 9 })), "{moved:?}");

    let edited = five.replace("note 4", "note 5").parse::<Receipt>();
    assert!(matches!(edited, Err(ReceiptError::Commit(ExportError::Broken(_)))), "{edited:?}");
}

#[test]
fn a_receipt_is_small_also_in_a_log_of_a_million() {
    let text = include_str!("../../../kiff/src/proof/example/receipt");
    let receipt: Receipt = text.parse().unwrap();
    let exported: Exported = text.lines().nth(1).unwrap().parse().unwrap();
    let body = exported.commit().body().len();
    assert_eq!(receipt.to_string(), text);
    assert!(text.contains("\n1000000\n"));
    assert!(text.len() - body < 2_048, "{} bytes around a body of {body}", text.len() - body);
}

#[test]
fn an_exported_commit_goes_into_another_store_as_it_was() {
    let (from, to) = (Ledger::of(12, 4), Ledger::default());
    for position in 1..=12 {
        let line = Exported::new(position, from.commit(position)).unwrap().to_string();
        assert!(!line.contains('\n'));
        let read: Exported = line.parse().unwrap();
        assert_eq!(read.to_string(), line);
        block_on(kiff::Store::append(&to, read.sealed().unwrap())).unwrap();
    }
    let rows = |ledger: &Ledger| ledger.rows().iter().map(|row| (row.hash, row.body.clone())).collect::<Vec<_>>();
    assert_eq!(rows(&from), rows(&to));
    let strange = Exported::new(1, from.commit(1)).unwrap().to_string();
    for (part, instead) in
        [("\"number\":1", "\"number\":2"), ("ord-1", "ord-2"), ("default", ""), ("{\"pos", "{\"x\":1,\"pos")]
    {
        assert!(strange.replacen(part, instead, 1).parse::<Exported>().is_err(), "{part}");
    }
    assert_eq!(from.rows()[0].key, order(1));
}

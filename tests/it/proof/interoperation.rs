//! Others read our logs, checkpoints and proofs, and we read theirs: `tlog_tiles`, `signed_note` and `ct-merkle`.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use kiff::Digest;
use kiff::proof::{Log, Sequencer, SignedCheckpoint, SigningKey, VerifyingKey, check_consistency};
use pollster::block_on;
use sha2::Sha256;
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, VerifierList};
use tempfile::TempDir;
use tlog_tiles::{Error, Hash, Tile, TileHashReader, TileReader};

use super::ledger::Ledger;

const ORIGIN: &str = "example.com/refunds";

/// A log of a ledger, with checkpoints at these sizes.
fn logged(sizes: &[u64]) -> (TempDir, Ledger, SigningKey) {
    let (folder, ledger, key) = (TempDir::new().unwrap(), Ledger::default(), SigningKey::generate(ORIGIN).unwrap());
    let mut sequencer = Sequencer::open(folder.path(), key.clone()).unwrap();
    for size in sizes {
        let already = ledger.rows().len() as u64;
        ledger.grow(size - already, 7);
        assert_eq!(block_on(sequencer.advance(&ledger)).unwrap().size, *size);
    }
    (folder, ledger, key)
}

/// The tiles as another implementation reads them: it adds the height to the path, which the format has dropped.
struct Folder<'a>(&'a Path);

impl TileReader for Folder<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| Ok(fs::read(self.0.join(tile.path().replacen("tile/8/", "tile/", 1))).unwrap());
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// What they make of our folder: the checkpoint, once their verifier has accepted its signature.
fn their_checkpoint(folder: &Path, key: &SigningKey) -> tlog_tiles::Checkpoint {
    let note = Note::from_bytes(&fs::read(folder.join("checkpoint")).unwrap()).unwrap();
    let verifier = StandardVerifier::new(&key.verifying_key().to_string()).unwrap();
    let (by_us, by_others) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((by_us.len(), by_others.len()), (1, 0));
    tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap()
}

/// The index and the hashes of a receipt's proof, read from its text as anybody would.
fn proof_of(receipt: &str) -> (u64, Vec<[u8; 32]>) {
    let (_, proof) = receipt.split_once("c2sp.org/tlog-proof@v1\n").unwrap();
    let (proof, _) = proof.split_once("\n\n").unwrap();
    let mut lines = proof.lines();
    let index = lines.next().unwrap().strip_prefix("index ").unwrap().parse().unwrap();
    (index, lines.map(|line| STANDARD.decode(line).unwrap().try_into().unwrap()).collect())
}

#[test]
fn another_reader_of_tiles_accepts_the_log_at_every_size() {
    for size in [1, 2, 3, 255, 256, 257, 512, 700] {
        let (folder, ledger, key) = logged(&[size]);
        let checkpoint = their_checkpoint(folder.path(), &key);
        assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size));
        let reader = Folder(folder.path());
        let hashes = TileHashReader::new(size, *checkpoint.hash(), &reader);
        let log = Log::open(folder.path()).unwrap();
        for index in [0, size / 2, size - 1] {
            let commit = ledger.commit(index + 1);
            let leaf = tlog_tiles::record_hash(commit.hash().as_bytes());
            let theirs = tlog_tiles::prove_record(size, index, &hashes).unwrap();
            let (our_index, ours) = proof_of(&log.receipt(index + 1, &commit).unwrap().to_string());
            assert_eq!(our_index, index);
            assert_eq!(ours, theirs.iter().map(|hash| hash.0).collect::<Vec<_>>());
            let ours = ours.into_iter().map(Hash).collect();
            tlog_tiles::check_record(&ours, size, *checkpoint.hash(), index, leaf).unwrap();
        }
    }
}

#[test]
fn the_entries_are_the_hashes_of_the_commits() {
    let (folder, ledger, _) = logged(&[300]);
    let full = fs::read(folder.path().join("tile/entries/000")).unwrap();
    let partial = fs::read(folder.path().join("tile/entries/001.p/44")).unwrap();
    let entries = [full, partial].concat();
    let (entries, rest) = entries.as_chunks::<34>();
    assert!(rest.is_empty());
    for (entry, row) in entries.iter().zip(&*ledger.rows()) {
        assert_eq!((&entry[..2], &entry[2..]), ([0, 32].as_slice(), row.hash.as_bytes().as_slice()));
    }
    assert_eq!(entries.len(), 300);
}

#[test]
fn other_verifiers_accept_that_a_log_only_grows() {
    let sizes = [1, 3, 8, 255, 256, 300, 600];
    let (folder, _, key) = logged(&sizes);
    let log = Log::open(folder.path()).unwrap();
    let new = log.checkpoint().verify(&[key.verifying_key().clone()]).unwrap().head();
    for size in sizes {
        let earlier = log.back_to(size).unwrap().unwrap();
        let old = earlier.checkpoint().verify(&[key.verifying_key().clone()]).unwrap().head();
        let proof = log.consistency(size).unwrap();
        check_consistency(&old, &new, &proof).unwrap();
        let hash = |digest: &Digest| Hash(*digest.as_bytes());
        let hashes = proof.iter().map(hash).collect();
        tlog_tiles::check_tree(&hashes, new.size, hash(&new.root), old.size, hash(&old.root)).unwrap();
        let head = |head: kiff::TreeHead| RootHash::<Sha256>::new((*head.root.as_bytes()).into(), head.size);
        let digests: Vec<_> = proof.iter().map(|digest| (*digest.as_bytes()).into()).collect();
        let proof = ConsistencyProof::<Sha256>::from_digests(digests.iter());
        head(new).verify_consistency(&head(old), &proof).unwrap();
    }
}

#[test]
fn another_tree_has_the_same_root_and_accepts_each_inclusion() {
    let (folder, ledger, key) = logged(&[77]);
    let log = Log::open(folder.path()).unwrap();
    let head = log.checkpoint().verify(&[key.verifying_key().clone()]).unwrap().head();
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for row in &*ledger.rows() {
        tree.push(row.hash.as_bytes().to_vec());
    }
    assert_eq!(tree.root().as_bytes().as_slice(), head.root.as_bytes());
    for position in 1..=head.size {
        let commit = ledger.commit(position);
        let (index, hashes) = proof_of(&log.receipt(position, &commit).unwrap().to_string());
        let digests: Vec<_> = hashes.into_iter().map(Into::into).collect();
        let proof = InclusionProof::<Sha256>::from_digests(digests.iter());
        tree.root().verify_inclusion(&commit.hash().as_bytes().to_vec(), index, &proof).unwrap();
    }
}

#[test]
fn a_checkpoint_that_others_signed_with_our_key_is_believed() {
    let key = SigningKey::generate(ORIGIN).unwrap();
    let signer = StandardSigner::new(&key.secret_text()).unwrap();
    assert_eq!(signer.name(), ORIGIN);
    let text = tlog_tiles::Checkpoint::new(ORIGIN, 0, tlog_tiles::EMPTY_HASH, "").unwrap().to_bytes();
    let mut note = Note::new(&text, &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let ours: SignedCheckpoint = String::from_utf8(note.to_bytes()).unwrap().parse().unwrap();
    assert_eq!(ours.verify(&[key.verifying_key().clone()]).unwrap().head().size, 0);
    let again: VerifyingKey = key.verifying_key().to_string().parse().unwrap();
    assert_eq!(&again, key.verifying_key());
}

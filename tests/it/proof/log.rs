//! The sequencer: one writer, no signature on what was changed, and no harm from a crash.

use std::fs;
use std::path::{Path, PathBuf};

use kiff::proof::{CheckpointError, KeyError, Log, LogError, Sequencer, Signers, SigningKey, VerifyingKey};
use kiff::{Digest, Fault, MemoryStore, Verification};
use pollster::block_on;
use tempfile::TempDir;

use super::ledger::Ledger;

fn key() -> SigningKey {
    SigningKey::generate("example.com/refunds").unwrap()
}

/// The size of the log in a folder, when this key has signed it.
fn size(folder: &Path, trusted: &VerifyingKey) -> Result<u64, CheckpointError> {
    let log = Log::open(folder).unwrap();
    log.checkpoint().verify(std::slice::from_ref(trusted)).map(|checkpoint| checkpoint.head().size)
}

/// Every file below a folder, with what it holds.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_log_has_one_writer_at_a_time() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let first = Sequencer::open(folder.path(), key.clone()).unwrap();
    let refused = Sequencer::open(folder.path(), key.clone()).unwrap_err();
    assert!(matches!(&refused, LogError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("being written by another process"), "{refused}");
    drop(first);
    Sequencer::open(folder.path(), key).unwrap();
}

#[test]
fn a_log_grows_with_its_store_and_is_the_same_however_often_it_was_signed() {
    let (often, once, key) = (TempDir::new().unwrap(), TempDir::new().unwrap(), key());
    let ledger = Ledger::default();
    let mut sequencer = Sequencer::open(often.path(), key.clone()).unwrap();
    for step in 0..40 {
        ledger.grow(step, 3);
        let advanced = block_on(sequencer.advance(&ledger)).unwrap();
        assert_eq!((advanced.appended, advanced.size), (step, ledger.rows().len() as u64));
        if step % 7 == 0 {
            drop(sequencer);
            sequencer = Sequencer::open(often.path(), key.clone()).unwrap();
        }
    }
    let before = files(often.path());
    assert_eq!(block_on(sequencer.advance(&ledger)).unwrap().appended, 0);
    assert_eq!(files(often.path()), before, "nothing new, nothing written");
    let mut sequencer = Sequencer::open(once.path(), key).unwrap().checkpoint_every(100);
    block_on(sequencer.advance(&ledger)).unwrap();
    let is_whole = |name: &Path| !name.to_string_lossy().contains(".p/") && !name.starts_with("checkpoints");
    let whole = |folder: &Path| -> Vec<_> {
        let names =
            files(folder).into_iter().map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_owned(), bytes));
        names.filter(|(name, _)| is_whole(name)).collect()
    };
    assert_eq!(whole(often.path()), whole(once.path()));
    assert_eq!(fs::read_dir(once.path().join("checkpoints")).unwrap().count(), 1 + 780 / 100 + 1);
}

#[test]
fn a_log_that_is_signed_often_keeps_few_of_its_checkpoints() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::default();
    let mut sequencer = Sequencer::open(folder.path(), key.clone()).unwrap();
    for _ in 0..40 {
        ledger.grow(1, 1);
        block_on(sequencer.advance(&ledger)).unwrap();
    }
    let kept = || fs::read_dir(folder.path().join("checkpoints")).unwrap().count();
    assert_eq!(kept(), 1 + 16);
    let log = Log::open(folder.path()).unwrap();
    let is_kept = |size| log.back_to(size).unwrap().is_some();
    assert!(is_kept(0) && !is_kept(24) && (25..=40).all(is_kept));
    // A folder that is full of them is emptied at the next signature.
    for size in 1..25 {
        fs::copy(folder.path().join("checkpoint"), folder.path().join(format!("checkpoints/{size}"))).unwrap();
    }
    ledger.grow(1, 1);
    block_on(sequencer.advance(&ledger)).unwrap();
    assert_eq!(kept(), 1 + 16);
}

#[test]
fn what_no_longer_is_what_was_signed_is_not_signed() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(300, 5);
    let mut sequencer = Sequencer::open(folder.path(), key.clone()).unwrap();
    block_on(sequencer.advance(&ledger)).unwrap();
    let whole = ledger.rows().clone();

    ledger.rows().truncate(299);
    let refused = block_on(sequencer.advance(&ledger)).unwrap_err();
    assert!(matches!(refused, LogError::RolledBack { signed: 300 }), "{refused}");
    ledger.note(&super::ledger::order(1), "another end");
    let refused = block_on(sequencer.advance(&ledger)).unwrap_err();
    assert!(matches!(refused, LogError::Rewritten { position: 300 }), "{refused}");
    *ledger.rows() = whole.clone();
    ledger.grow(2, 5);
    ledger.rows().remove(300);
    let refused = block_on(sequencer.advance(&ledger)).unwrap_err();
    assert!(matches!(refused, LogError::Gap { position: 301 }), "{refused}");

    assert_eq!(size(folder.path(), key.verifying_key()).unwrap(), 300);
    *ledger.rows() = whole;
    ledger.grow(1, 5);
    assert_eq!(block_on(sequencer.advance(&ledger)).unwrap().size, 301);
}

#[test]
fn a_log_of_which_any_file_is_gone_or_cut_is_written_again() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(600, 5);
    let advance =
        || block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).map(|done| done.size);
    assert_eq!(advance().unwrap(), 600);
    let is_edge = |path: &Path| path.to_string_lossy().contains(".p/") || path.ends_with("checkpoint");
    let written = files(folder.path());
    for (path, bytes) in written.iter().filter(|(path, _)| is_edge(path)) {
        fs::remove_file(path).unwrap();
        assert_eq!(advance().unwrap(), 600, "{}", path.display());
        assert_eq!(&fs::read(path).unwrap(), bytes);
        if !path.ends_with("checkpoint") {
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            assert_eq!(advance().unwrap(), 600);
            assert_eq!(&fs::read(path).unwrap(), bytes);
        }
    }
    fs::remove_dir_all(folder.path().join("tile")).unwrap();
    assert_eq!(advance().unwrap(), 600);
    let tiles = |files: &[(PathBuf, Vec<u8>)]| -> Vec<_> {
        files.iter().filter(|(path, _)| path.starts_with(folder.path().join("tile"))).cloned().collect()
    };
    assert_eq!(tiles(&files(folder.path())), tiles(&written));
}

#[test]
fn a_crash_at_any_step_leaves_a_log_that_goes_on() {
    let key = key();
    let (before, after) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let ledger = Ledger::of(300, 5);
    let advance =
        |folder: &Path| block_on(Sequencer::open(folder, key.clone()).unwrap().advance(&ledger)).unwrap().size;
    let names = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let name = |(path, bytes): (PathBuf, _)| (path.strip_prefix(folder).unwrap().to_owned(), bytes);
        files(folder).into_iter().map(name).collect()
    };
    let lay = |folder: &Path, files: &[(PathBuf, Vec<u8>)]| {
        for (name, bytes) in files {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), bytes).unwrap();
        }
    };
    assert_eq!(advance(before.path()), 300);
    let old = names(before.path());
    lay(after.path(), &old);
    ledger.grow(300, 5);
    assert_eq!(advance(after.path()), 600);
    let new: Vec<_> = names(after.path()).into_iter().filter(|file| !old.contains(file)).collect();
    let (checkpoints, tiles): (Vec<_>, Vec<_>) =
        new.iter().cloned().partition(|(name, _)| name.to_string_lossy().starts_with("checkpoint"));
    assert!(tiles.len() > 4, "{tiles:?}");
    let is_tile =
        |(name, _): &(PathBuf, Vec<u8>)| name.starts_with("tile") && !name.to_string_lossy().contains("001.p/");
    let expected: Vec<_> = names(after.path()).into_iter().filter(is_tile).collect();
    // Each step puts one file more in its place, the last of them torn or beside it; the checkpoint comes last.
    for step in 0..=tiles.len() {
        for torn in [false, true] {
            let crashed = TempDir::new().unwrap();
            lay(crashed.path(), &old);
            lay(crashed.path(), &tiles[..step]);
            if let Some((name, bytes)) = tiles.get(step) {
                let beside = if torn { name.clone() } else { name.with_extension("new") };
                lay(crashed.path(), &[(beside, bytes[..bytes.len() / 2].to_vec())]);
            } else if torn {
                lay(crashed.path(), &checkpoints[..1]);
            }
            assert_eq!(advance(crashed.path()), 600, "step {step}");
            let left: Vec<_> = names(crashed.path()).into_iter().filter(is_tile).collect();
            let left: Vec<_> = left.into_iter().filter(|(name, _)| name.extension().is_none()).collect();
            assert_eq!(left, expected, "step {step}");
            assert_eq!(size(crashed.path(), key.verifying_key()), Ok(600));
        }
    }
}

#[test]
fn a_rewritten_store_does_not_pass_for_the_tiles_that_are_gone() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(600, 5);
    block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    fs::remove_dir_all(folder.path().join("tile")).unwrap();
    ledger.rewrite(&super::ledger::order(2), 3, "never said");
    let refused = block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap_err();
    assert!(matches!(refused, LogError::Diverged { size: 600 }), "{refused}");
    ledger.rows().truncate(100);
    let refused = block_on(Sequencer::open(folder.path(), key).unwrap().advance(&ledger)).unwrap_err();
    assert!(matches!(refused, LogError::RolledBack { signed: 600 }), "{refused}");
}

#[test]
fn p8_a_full_tile_that_was_changed_at_its_end_accuses_no_store() {
    // The only full tile, and the last of two.
    for commits in [256, 512] {
        let (folder, key) = (TempDir::new().unwrap(), key());
        let ledger = Ledger::of(commits, 5);
        let advance = || block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger));
        assert_eq!(advance().unwrap().size, commits);
        let tile = folder.path().join(format!("tile/0/{:03}", commits / 256 - 1));
        let whole = fs::read(&tile).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&tile, changed).unwrap();
        assert_eq!(advance().unwrap().size, commits);
        assert_eq!(fs::read(&tile).unwrap(), whole, "it is written again from the store");
    }
}

#[test]
fn p8_a_store_that_was_rewritten_replaces_no_tile_that_tells_what_was_signed() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(600, 5);
    let advance = || block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger));
    let head = advance().unwrap().checkpoint.verify(&[key.verifying_key().clone()]).unwrap().head();
    let rewritten = super::ledger::order(2);
    ledger.rewrite(&rewritten, 3, "never said");
    let faults = || {
        let log = Log::open(folder.path()).unwrap();
        block_on(Verification::of(&ledger).log(head, log.leaves()).run(|_| ())).unwrap().faults
    };
    let forged = [Fault::Forged { key: rewritten, number: 3, position: 12 }];
    let written = files(folder.path());
    for (path, bytes) in written.iter().filter(|(path, _)| path.to_string_lossy().contains(".p/")) {
        fs::remove_file(path).unwrap();
        let refused = advance().unwrap_err();
        assert!(matches!(refused, LogError::Diverged { size: 600 }), "{refused}");
        let left = files(folder.path());
        assert!(left.iter().eq(written.iter().filter(|file| file.0 != *path)), "{}", path.display());
        // Where all leaves are there, the check still names the commit.
        if !path.starts_with(folder.path().join("tile/0")) {
            assert_eq!(faults(), forged);
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(faults(), forged);
}

#[test]
fn p8_a_checkpoint_of_yesterday_that_was_put_back_starts_no_fork() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(300, 5);
    let advance = || block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger));
    advance().unwrap();
    ledger.grow(300, 5);
    advance().unwrap();
    fs::copy(folder.path().join("checkpoints/300"), folder.path().join("checkpoint")).unwrap();
    ledger.rewrite(&super::ledger::order(5), 100, "never said");
    let refused = advance().unwrap_err();
    assert!(matches!(refused, LogError::Rewritten { position: 600 }), "{refused}");
}

#[test]
fn a_checkpoint_of_yesterday_that_was_put_back_gives_way_to_the_newest() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(300, 5);
    let advance = || block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger));
    advance().unwrap();
    ledger.grow(300, 5);
    advance().unwrap();
    let signed = files(folder.path());
    fs::copy(folder.path().join("checkpoints/300"), folder.path().join("checkpoint")).unwrap();
    assert_eq!(size(folder.path(), key.verifying_key()), Ok(300));
    assert_eq!(advance().unwrap().appended, 0);
    assert_eq!(size(folder.path(), key.verifying_key()), Ok(600));
    assert_eq!(files(folder.path()), signed);
}

#[test]
fn a_damaged_tile_hands_out_no_receipt() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let ledger = Ledger::of(600, 5);
    block_on(Sequencer::open(folder.path(), key).unwrap().advance(&ledger)).unwrap();
    let tile = folder.path().join("tile/0/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[32 * 9] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let log = Log::open(folder.path()).unwrap();
    let damaged = log.receipt(9, &ledger.commit(9)).unwrap_err();
    assert!(matches!(damaged, LogError::Damaged { size: 600, .. }), "{damaged}");
    let other = log.receipt(10, &ledger.commit(10)).unwrap_err();
    assert!(matches!(other, LogError::OtherCommit { position: 10 }), "{other}");
    let beyond = log.receipt(601, &ledger.commit(10)).unwrap_err();
    assert!(matches!(beyond, LogError::NotYet { position: 601, size: 600 }), "{beyond}");
}

#[test]
fn a_key_is_followed_by_another_without_a_gap_in_trust() {
    let (folder, old, new) = (TempDir::new().unwrap(), key(), key());
    let (trusts_old, trusts_new) = (old.verifying_key(), new.verifying_key());
    let ledger = Ledger::of(3, 1);
    let advance =
        |signers: Signers| block_on(async { Sequencer::open(folder.path(), signers)?.advance(&ledger).await });
    advance(old.clone().into()).unwrap();
    assert!(matches!(size(folder.path(), trusts_new), Err(CheckpointError::Untrusted { .. })));
    let stranger = advance(new.clone().into()).unwrap_err();
    assert!(matches!(stranger, LogError::OtherKeys { .. }), "{stranger}");

    advance(Signers::from(old.clone()).and(new.clone()).unwrap()).unwrap();
    assert_eq!(size(folder.path(), trusts_old), Ok(3));
    assert_eq!(size(folder.path(), trusts_new), Ok(3));

    ledger.grow(1, 1);
    advance(new.clone().into()).unwrap();
    assert_eq!(size(folder.path(), trusts_new), Ok(4));
    assert!(size(folder.path(), trusts_old).is_err());
}

#[test]
fn a_log_whose_key_is_lost_is_opened_with_no_other() {
    let folder = TempDir::new().unwrap();
    let (log, path) = (folder.path().join("log"), folder.path().join("log.key"));
    let open = || Sequencer::open(&log, SigningKey::read_or_generate(&path, "example.com/refunds").unwrap());
    let ledger = Ledger::of(3, 1);
    block_on(open().unwrap().advance(&ledger)).unwrap();
    let signed = files(&log);
    fs::rename(&path, folder.path().join("safe.key")).unwrap();
    // Nor at the second start, when a new key is there already.
    for _ in 0..2 {
        let refused = open().unwrap_err();
        assert!(matches!(refused, LogError::OtherKeys { .. }), "{refused}");
        assert!(refused.to_string().contains("begin a log of another name"), "{refused}");
    }
    // Nor where the newest checkpoint is gone, and its copies are there.
    fs::remove_file(log.join("checkpoint")).unwrap();
    assert!(matches!(open().unwrap_err(), LogError::OtherKeys { .. }));
    fs::rename(folder.path().join("safe.key"), &path).unwrap();
    block_on(open().unwrap().advance(&ledger)).unwrap();
    ledger.grow(1, 1);
    assert_eq!(block_on(open().unwrap().advance(&ledger)).unwrap().size, 4);
    assert!(files(&log).len() > signed.len());
}

#[test]
fn a_key_lies_in_a_file_that_only_its_owner_reads() {
    let (folder, key) = (TempDir::new().unwrap(), key());
    let path = folder.path().join("log.key");
    key.write(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(SigningKey::read(&path).unwrap().verifying_key(), key.verifying_key());
    assert!(matches!(key.write(&path), Err(KeyError::File { .. })), "a key is never overwritten");
    assert!(matches!(VerifyingKey::read(&path), Err(KeyError::Secret)));
    assert!(!format!("{key:?}").contains(key.secret_text().splitn(5, '+').last().unwrap()));
    let public = folder.path().join("log.pub");
    key.verifying_key().write(&public).unwrap();
    assert_eq!(&VerifyingKey::read(&public).unwrap(), key.verifying_key());
    let other_name = key.secret_text().replace("example.com/refunds", "example.com/missions");
    assert!(matches!(other_name.parse::<SigningKey>(), Err(KeyError::OtherId)));
}

#[test]
fn a_log_in_memory_stays_verifiable_while_it_grows() {
    block_on(async {
        let (folder, key) = (TempDir::new().unwrap(), key());
        let runtime = crate::shop::open();
        let mut sequencer = Sequencer::open(folder.path(), key.clone()).unwrap();
        let mut heads: Vec<kiff::TreeHead> = Vec::new();
        for number in 0..4 {
            crate::shop::paid(&runtime, &format!("ord-{number}")).await;
            let advanced = sequencer.advance(runtime.store()).await.unwrap();
            let checkpoint = advanced.checkpoint.verify(&[key.verifying_key().clone()]).unwrap().clone();
            assert_eq!(checkpoint.head().size, advanced.size);
            heads.push(checkpoint.head());
        }
        let log = Log::open(folder.path()).unwrap();
        let newest = heads.pop().unwrap();
        let all = heads.iter().fold(Verification::<MemoryStore>::of(runtime.store()), |all, head| all.signed(*head));
        let report = all.log(newest, log.leaves()).run(|_| ()).await.unwrap();
        assert!(report.is_sound(), "{report}");
        heads.push(newest);
        assert_eq!(report.confirmed, heads);
        assert_eq!(report.head, Some(newest));
        assert_ne!(report.head.map(|head| head.root), Some(Digest::default()));
    });
}

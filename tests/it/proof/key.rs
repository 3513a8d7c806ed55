//! Signing keys in files: each is there whole or not at all, also while another process looks for it.

use std::sync::Barrier;
use std::thread;

use kiff::proof::{SigningKey, VerifyingKey};

#[test]
fn processes_that_start_at_once_have_the_same_key() {
    const AT_ONCE: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let (path, start) = (folder.path().join(round.to_string()), Barrier::new(AT_ONCE));
        let key = || {
            start.wait();
            SigningKey::read_or_generate(&path, "example.com/refunds").unwrap().verifying_key().to_string()
        };
        let keys: Vec<String> = thread::scope(|scope| {
            let started: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(key)).collect();
            started.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2 * 50, "each has its public half beside it, and nothing else is left");
}

#[test]
fn a_key_that_a_program_makes_has_its_public_half_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, public) = (folder.path().join("log.key"), folder.path().join("log.key.pub"));
    let key = SigningKey::read_or_generate(&path, "example.com/refunds").unwrap();
    assert_eq!(VerifyingKey::read(&public).unwrap(), *key.verifying_key());
    // The secret one is lost: until it is put back, the public one is the only thing that tells which one that was.
    std::fs::remove_file(&path).unwrap();
    let other = SigningKey::read_or_generate(&path, "example.com/refunds").unwrap();
    assert_ne!(other.verifying_key(), key.verifying_key());
    assert_eq!(VerifyingKey::read(&public).unwrap(), *key.verifying_key());
    // Where a key is only read, nothing is written beside it.
    std::fs::remove_file(&public).unwrap();
    SigningKey::read_or_generate(&path, "example.com/refunds").unwrap();
    assert!(!public.exists());
}

#[cfg(unix)]
#[test]
fn a_key_whose_name_may_be_gone_after_a_loss_of_power_is_not_told_as_kept() {
    use std::fs::{File, Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("example.com/refunds").unwrap();
    // Files can be put into it, and what it says of them can be flushed by root alone.
    set_permissions(folder.path(), Permissions::from_mode(0o300)).unwrap();
    let can_be_flushed = File::open(folder.path()).is_ok();
    let written = key.write(folder.path().join("log.key"));
    set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(written.is_ok(), can_be_flushed, "{written:?}");
}

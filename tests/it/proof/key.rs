//! Signing keys in files: each is there whole or not at all, also while another process looks for it.

use std::sync::Barrier;
use std::thread;

use kiff::proof::SigningKey;

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
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 50, "nothing is left beside them");
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

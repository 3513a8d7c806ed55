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

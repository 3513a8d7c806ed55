//! Disks that fail: a write that the system refuses, a file that may not be written, a bit that has turned.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiff::{Appended, SqliteStore, Store, Verification};
use kiff_test::block_on;

use super::{everything, fill, folder, next, order, path_of};

/// The file that a child of these tests works on.
const FILE: &str = "KIFF_FAULT_FILE";

/// Runs a test of this file as a process of its own, started by way of other programs.
fn child(through: &[&str], test: &str, path: &Path) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(through[0]);
    command.args(&through[1..]).arg(program).args(["--exact", &format!("sqlite::fault::{test}"), "--nocapture"]);
    command.env(FILE, path).output().unwrap()
}

#[track_caller]
fn well(output: &Output) {
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complained}");
}

/// The journal of a child; one of its own where the test runs by itself.
fn given() -> (tempfile::TempDir, PathBuf, bool) {
    let own = folder();
    let given = std::env::var_os(FILE).map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| path_of(own.path()));
    (own, path, given.is_some())
}

/// In a child whose files may not grow: the log beside the journal takes a few commits and then no more.
#[test]
fn nothing_is_answered_that_the_disk_did_not_take() {
    let (_folder, path, is_limited) = given();
    let store = SqliteStore::open(&path).unwrap();
    let (mut last, mut failure) = (None, None);
    for number in 0..if is_limited { 10_000 } else { 10 } {
        let commit = next(&order(1), last.as_deref(), &format!("state {number} {}", "x".repeat(2_000)));
        let sealed = commit.commit().clone();
        match block_on(store.append(commit)) {
            Ok(appended) => assert_eq!(appended, Appended::Written),
            Err(error) => {
                failure = Some(error.to_string());
                break;
            }
        }
        last = Some(sealed);
    }
    let answered = block_on(store.read(&order(1), 0, usize::MAX)).unwrap();
    assert_eq!(answered.last(), last.as_ref());
    if !is_limited {
        return assert_eq!((failure, answered.len()), (None, 10));
    }
    let failure = failure.unwrap();
    assert!(failure.contains("cannot be written: disk I/O error"), "{failure}");
    // Nobody knows what is on the disk now: whatever comes is refused, and what was answered is read.
    let refused = block_on(store.append(next(&order(2), None, "small"))).unwrap_err().to_string();
    assert!(refused.contains("nothing more is written to `") && refused.contains("disk I/O error"), "{refused}");
    assert!(refused.contains("mend it and open the file again"), "{refused}");
    assert_eq!(everything(&store).len(), answered.len() + 3);
    fs::write(path.with_extension("answered"), answered.len().to_string()).unwrap();
}

#[test]
fn p7_a_store_whose_disk_fails_stops_and_keeps_what_it_answered() {
    let folder = folder();
    let path = path_of(folder.path());
    fill(&SqliteStore::open(&path).unwrap(), &order(0), 3);
    // The signal that says so would end the process.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 1000; exec \"$@\"", "limited"];
    well(&child(&limited, "nothing_is_answered_that_the_disk_did_not_take", &path));
    let answered: usize = fs::read_to_string(path.with_extension("answered")).unwrap().parse().unwrap();
    assert!(answered > 0);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(block_on(store.read(&order(1), 0, usize::MAX)).unwrap().len(), answered);
    fill(&store, &order(1), 2);
    fill(&store, &order(2), 1);
    let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
    assert!(report.is_sound() && report.commits == answered as u64 + 6, "{report}");
}

/// In a child that may not write to its file.
#[test]
fn a_file_that_may_not_be_written_is_read() {
    let (_folder, path, is_closed) = given();
    if !is_closed {
        fill(&SqliteStore::open(&path).unwrap(), &order(0), 3);
    }
    let opened = SqliteStore::open(&path);
    assert_eq!(opened.is_ok(), !is_closed);
    if let Err(error) = opened {
        let said = error.to_string();
        assert!(said.starts_with(&format!("`{}` cannot be ", path.display())), "{said}");
        assert!(said.contains("ermission denied"), "{said}");
    }
    let store = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(block_on(store.read(&order(0), 0, 9)).unwrap().len(), 3);
    assert!(block_on(Verification::of(&store).run(|_| ())).unwrap().is_sound());
    assert!(block_on(store.append(next(&order(2), None, "small"))).is_err());
}

#[test]
fn a_read_only_file_and_a_file_in_a_read_only_folder_are_told_and_read() {
    let folder = folder();
    let path = path_of(folder.path());
    fill(&SqliteStore::open(&path).unwrap(), &order(0), 3);
    let permit = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    permit(&path, 0o444);
    // What is forbidden is forbidden to root as well, once it has given up to pass over it.
    let id = Command::new("id").arg("-u").output().unwrap();
    let humble = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"];
    let through = if id.stdout == b"0\n" { &humble[..] } else { &["env"] };
    for mode in [0o555, 0o755] {
        // What the one before has left beside it would help the next.
        for beside in ["lock", "wal", "shm"] {
            let _ = fs::remove_file(folder.path().join(format!("journal.db-{beside}")));
        }
        permit(folder.path(), mode);
        let output = child(through, "a_file_that_may_not_be_written_is_read", &path);
        permit(folder.path(), 0o755);
        well(&output);
    }
}

#[test]
fn p8_one_bit_that_turns_on_the_disk_is_found_and_the_others_stay_readable() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    (0..40).for_each(|entity| fill(&store, &order(entity), 3));
    let bitten = block_on(store.read(&order(7), 1, 1)).unwrap().remove(0);
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    // Its body stands behind the hash before and its own; a page may hold what it moved within itself once more.
    let hashes = [*bitten.previous().as_bytes(), *bitten.hash().as_bytes()].concat();
    let copies: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(&hashes)).collect();
    for copy in copies {
        bytes[copy + 64 + 20] ^= 1;
    }
    fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let report = block_on(Verification::of(&store).run(|_| ())).unwrap().to_string();
    assert!(report.starts_with("edited: commit 2 of `Order/ord-7`: its hash does not fit what it says"), "{report}");
    assert!(report.ends_with("and 1 fault was found"), "{report}");
    for entity in (0..40).filter(|entity| *entity != 7) {
        assert_eq!(block_on(store.read(&order(entity), 0, 9)).unwrap().len(), 3);
    }
}

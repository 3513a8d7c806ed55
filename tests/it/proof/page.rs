//! What `docs/journal.md` says about checking without kiff, run as it stands there, and what is said of a journal that was changed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use kiff::proof::{Log, Sequencer, SigningKey};
use kiff::{Exported, Fact, Store};
use pollster::block_on;
use tempfile::TempDir;

use super::ledger::{Ledger, order};

const PAGE: &str = include_str!("../../../docs/journal.md");
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The program of that name, as it stands on the page.
fn program(name: &str) -> &'static str {
    let programs = PAGE.split("```python\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let first = format!("# {name}:");
    programs.into_iter().find(|program| program.starts_with(&first)).expect("the page has this program")
}

fn python(folder: &Path, name: &str, arguments: &[&str], input: &str) -> Output {
    let file = |name: &str| fs::File::open(folder.join(name)).unwrap();
    fs::write(folder.join(name), program(name)).unwrap();
    fs::write(folder.join("input"), input).unwrap();
    let mut command = Command::new("python3");
    command.arg(name).args(arguments).current_dir(folder).stdin(Stdio::from(file("input")));
    command.output().expect("python3 is missing: install Python 3.9 or later, on Debian with `apt-get install python3`")
}

/// What a program says that answers no.
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn export(ledger: &Ledger) -> Vec<String> {
    let positions = 1..=ledger.rows().len() as u64;
    positions.map(|position| Exported::new(position, ledger.commit(position)).unwrap().to_string()).collect()
}

/// A ledger whose log has a checkpoint and a few commits behind it.
fn scene(commits: u64) -> (TempDir, Ledger, SigningKey) {
    let (folder, ledger) = (TempDir::new().unwrap(), Ledger::of(commits, 3));
    ledger.note(&order(1), "é漢🦀 \\u00e9 \\\" \\\\ 9007199254740993");
    let key = SigningKey::generate("example.com/refunds").unwrap();
    block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    (folder, ledger, key)
}

#[test]
fn an_export_is_checked_in_python() {
    for commits in [0, 6, 63] {
        let (folder, ledger, _) = scene(commits);
        ledger.grow(2, 3);
        let lines = export(&ledger);
        let verify = |lines: &[String]| python(folder.path(), "verify.py", &["checkpoint"], &(lines.join("\n") + "\n"));
        let whole = verify(&lines);
        assert!(whole.status.success(), "{whole:?}");
        let said = String::from_utf8(whole.stdout).unwrap();
        let entities = block_on(ledger.entities(None, 9)).unwrap().len();
        let expected = format!("{} commits of {entities} entities are", lines.len());
        assert!(said.starts_with(&expected) && said.contains("example.com/refunds"), "{said} {expected}");
    }
}

#[test]
fn p8_what_was_changed_in_an_export_is_found_in_python() {
    let (folder, ledger, _) = scene(20);
    let verify = |lines: &[String]| refusal(&python(folder.path(), "verify.py", &["checkpoint"], &lines.join("\n")));
    let whole = export(&ledger);
    let mut edited = whole.clone();
    edited[7] = edited[7].replace("note 7", "note 8");
    assert!(verify(&edited).contains("commit 3 of ('default', 'Order', 'ord-2'), line 8: not what was written"));
    let mut missing = whole.clone();
    missing.remove(4);
    assert!(verify(&missing).contains("line 5"));
    let mut swapped = whole.clone();
    swapped.swap(10, 11);
    assert!(verify(&swapped).contains("line 11"));
    assert!(verify(&whole[..15]).contains("the journal ends at 15, and 21 commits were signed"));
    ledger.rewrite(&order(3), 2, "never said");
    assert!(verify(&export(&ledger)).contains("the first 21 commits are not those that were signed"));
}

#[test]
fn a_receipt_is_checked_in_python() {
    let (folder, ledger, key) = scene(20);
    let log = Log::open(folder.path()).unwrap();
    let run = |receipt: &str| {
        fs::write(folder.path().join("receipt"), receipt).unwrap();
        python(folder.path(), "receipt.py", &["receipt"], "")
    };
    for position in [1, 2, 11, 16, 21] {
        let receipt = log.receipt(position, &ledger.commit(position)).unwrap().to_string();
        let proved = run(&receipt);
        assert!(proved.status.success(), "{proved:?}");
        assert_eq!(String::from_utf8(proved.stdout).unwrap(), log.checkpoint().to_string());
        let edited = run(&receipt.replace("NOTE_ADDED", "NOTE_ADDEE"));
        assert!(refusal(&edited).contains("is not in the tree"));
        let (here, elsewhere) = (format!("\"position\":{position},"), format!("\"position\":{},", position + 1));
        let renumbered = receipt.replacen(&here, &elsewhere, 1);
        assert!(refusal(&run(&renumbered)).contains("is not in the tree"));
        let moved = renumbered.replace(&format!("index {}", position - 1), &format!("index {position}"));
        assert!(refusal(&run(&moved)).contains("is not in the tree"));
    }
    let public = key.verifying_key().to_string();
    let signature = |text: &str, key: &str| {
        fs::write(folder.path().join("checkpoint"), text).unwrap();
        python(folder.path(), "signature.py", &["checkpoint", key], "")
    };
    let text = log.checkpoint().to_string();
    let openssl = "openssl is missing: on Debian install it with `apt-get install openssl`";
    assert!(Command::new("openssl").arg("version").output().expect(openssl).status.success());
    let good = signature(&text, &public);
    assert!(good.status.success(), "{good:?}");
    assert!(!signature(&text.replace("\n21\n", "\n22\n"), &public).status.success());
    let stranger = SigningKey::generate("example.com/refunds").unwrap().verifying_key().to_string();
    assert!(refusal(&signature(&text, &stranger)).contains("has not signed"));
}

#[test]
fn the_page_tells_every_kind_of_record() {
    for kind in Fact::KINDS {
        assert!(PAGE.contains(&format!("`{kind}`")), "docs/journal.md does not tell of `{kind}`");
    }
}

#[test]
fn what_is_told_of_a_commit_that_was_changed_stands_among_what_can_be_wrong() {
    let ledger = Ledger::of(3, 1);
    ledger.rows()[1].body[0] ^= 1;
    let told = block_on(ledger.read(&order(1), 0, 9)).unwrap_err().to_string();
    let (_, problem) = told.split_once("is broken at commit 2: ").unwrap();
    let row = OPERATIONS.lines().find(|line| line.starts_with("| the journal of … is broken at commit …: "));
    assert!(row.unwrap().contains(problem), "docs/operations.md does not tell of `{problem}`");
}

//! A reader that leaves early, as `head` and `grep -q` do.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::journal::exported;
use super::{folder, kiff};
use crate::programs::Program;

/// The code that `kiff` ends with while nobody reads what it says.
fn unread(folder: &Path, arguments: &[&str]) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(Program::CommandLine.path());
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(writer);
    command.status().unwrap().code()
}

#[test]
fn an_answer_is_the_same_when_nobody_reads_it() {
    let folder = exported("unread");
    assert_eq!(unread(&folder, &["doubt", "day.jsonl", "--strict"]), Some(1));
    assert_eq!(unread(&folder, &["doubt", "day.jsonl", "--strict", "--json"]), Some(1));
    assert_eq!(unread(&folder, &["doubt", "day.jsonl"]), Some(0));
    let later = format!("15:{}", "0".repeat(64));
    assert_eq!(unread(&folder, &["verify", "day.jsonl", "--head", &later]), Some(1));
    // What only shows has nothing left to do.
    for shows in [&["timeline", "day.jsonl"][..], &["timeline", "day.jsonl", "Order/ord-1"], &["export", "day.jsonl"]] {
        assert_eq!(unread(&folder, shows), Some(0), "{shows:?}");
    }
    assert_eq!(unread(&folder, &["serve", "--readonly", "day.jsonl"]), Some(0), "nobody has the link");
}

#[test]
fn all_is_done_although_nobody_reads_of_it() {
    let folder = folder("unread-fmt");
    let packages = ["one", "two"];
    let domain = |package: &str| folder.join(package).join("src/domain.rs");
    for package in packages {
        kiff(&folder, &["new", package]).well();
        let right = fs::read_to_string(domain(package)).unwrap();
        fs::write(domain(package), right.replace("    roles {", "  roles{")).unwrap();
    }
    assert_eq!(unread(&folder, &["fmt", "--check"]), Some(1));
    assert_eq!(unread(&folder, &["fmt"]), Some(0));
    assert_eq!(kiff(&folder, &["fmt", "--check"]).well(), "");
}

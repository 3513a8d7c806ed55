//! Crates that make it hard: each folder below `tests/crates` is a package of its own, with its own lints, edition and names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ROOT;

/// With the lints of clippy: `cargo clippy` would check all that a crate stands on, which is built for the tests of others.
const LINTED: [&str; 4] = ["build", "--quiet", "--config", "build.rustc-workspace-wrapper='clippy-driver'"];

/// Runs a command of cargo on one of the crates.
#[track_caller]
fn cargo(name: &str, command: &[&str]) {
    let (worked, said) = run(name, command);
    assert!(worked, "`cargo {}` in tests/crates/{name}:\n{said}", command.join(" "));
}

/// The same, and whether it worked and what it said.
fn run(name: &str, command: &[&str]) -> (bool, String) {
    run_in(&Path::new(ROOT).join("tests/crates").join(name), command)
}

/// The same for a package anywhere.
///
/// All share a folder for what is built. The versions are those of the workspace, so that nothing is downloaded twice, or at
/// all where there is no network.
pub(super) fn run_in(package: &Path, command: &[&str]) -> (bool, String) {
    fs::copy(Path::new(ROOT).join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO"))
            .args(command)
            .args(arguments)
            .current_dir(package)
            .env("CARGO_TARGET_DIR", built())
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    };
    let mut output = run(&["--offline"]);
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--offline") {
        output = run(&[]);
    }
    let said = format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    (output.status.success(), said)
}

/// Where trybuild builds, which stands on the same macros.
fn built() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests/trybuild")
}

#[test]
fn what_the_macros_write_is_held_to_the_strictest_lints() {
    cargo("strict", &LINTED);
}

#[test]
fn a_domain_stands_in_any_module_and_in_a_fn() {
    cargo("nested", &LINTED);
}

#[test]
fn the_edition_before_is_as_good() {
    cargo("edition-2021", &["build", "--quiet"]);
}

#[test]
fn no_name_of_the_user_means_something_to_the_macros() {
    cargo("std-names", &LINTED);
}

#[test]
fn attributes_land_where_they_belong() {
    cargo("attributes", &["test", "--quiet"]);
}

#[test]
fn a_domain_is_as_private_as_it_says() {
    cargo("visibility", &LINTED);
}

/// The executors of `contracts` are in `executors`, and the block says so.
#[test]
fn a_domain_and_its_executors_may_be_in_two_crates() {
    cargo("contracts", &LINTED);
    cargo("executors", &["test", "--quiet"]);
}

#[test]
fn an_executor_that_is_missing_in_the_other_crate_does_not_build() {
    let (worked, said) = run("executors", &["build", "--quiet", "--features", "incomplete"]);
    assert!(!worked);
    assert!(said.contains("is allowed but has no executor"), "{said}");
}

/// Any crate of a program may turn on `arbitrary_precision`, by which numbers look like objects to whoever reads JSON.
#[test]
fn p10_numbers_are_the_same_where_another_crate_wants_them_exact() {
    cargo("exact-numbers", &["test", "--quiet"]);
}

#[test]
fn kiff_may_have_another_name() {
    cargo("renamed", &LINTED);
}

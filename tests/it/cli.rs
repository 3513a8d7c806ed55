//! The command line, run as a stranger runs it.

mod check;
mod entities;
mod fmt;
mod journal;
mod new;
pub(crate) mod page;
mod proof;
mod scaffold;
mod serve;
mod tampered;
mod unread;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::programs::{Program, packages};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What became of one run.
struct Ran {
    code: Option<i32>,
    said: String,
    complained: String,
}

/// Runs `kiff` in a folder.
fn kiff(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(Program::CommandLine.path());
    let output = command.args(arguments).current_dir(folder).env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    Ran::of(&output.output().unwrap())
}

/// Runs `kiff` in a folder where no file can have more than so many blocks.
fn no_room(folder: &Path, blocks: u32, arguments: &[&str]) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    command.arg(Program::CommandLine.path()).args(arguments).current_dir(folder).env_remove("CLICOLOR_FORCE");
    Ran::of(&command.stdin(Stdio::null()).output().unwrap())
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            said: String::from_utf8(output.stdout.clone()).unwrap(),
            complained: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// What it said, where it ended with this code and complained of nothing.
    #[track_caller]
    fn ended_with(self, code: i32) -> String {
        assert_eq!((self.code, self.complained.as_str()), (Some(code), ""), "{}", self.said);
        self.said
    }

    #[track_caller]
    fn well(self) -> String {
        self.ended_with(0)
    }

    /// What it complained of, where it could not do what it was asked.
    #[track_caller]
    fn not_done(self) -> String {
        assert_eq!((self.code, self.said.as_str()), (Some(3), ""), "{}", self.complained);
        self.complained
    }
}

/// Runs a command of cargo on a package that `kiff` wrote, with every warning an error. All of them share a folder for what
/// is built, and the versions of the workspace, so that nothing is downloaded twice.
#[track_caller]
fn cargo(package: &Path, arguments: &[&str]) -> String {
    fs::copy(Path::new(ROOT).join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let run = |more: &[&str]| building(env!("CARGO"), package).args(arguments).args(more).output().unwrap();
    let mut output = run(&["--offline"]);
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--offline") {
        output = run(&[]);
    }
    let ran = Ran::of(&output);
    assert!(output.status.success(), "`cargo {}`:\n{}\n{}", arguments.join(" "), ran.complained, ran.said);
    assert!(!ran.complained.contains("warning"), "`cargo {}`:\n{}", arguments.join(" "), ran.complained);
    ran.said
}

/// A program that builds a package that `kiff` wrote, with the lints of clippy: `cargo clippy` would check everything that the
/// package stands on, which is built for its tests in any case.
fn building(program: &str, package: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(package).stdin(Stdio::null());
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    command.env("CARGO_TARGET_DIR", packages());
    // What `cargo clippy -- -D warnings` tells the driver.
    command.env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__").env_remove("RUSTFLAGS");
    command
}

#[test]
fn help_names_each_command_and_each_exit_code() {
    let help = kiff(&folder("help"), &["--help"]).well();
    for part in ["Start a project", "Exit codes:", "0  it is done", "1  ", "2  ", "3  it could not be done"] {
        assert!(help.contains(part), "no `{part}` in:\n{help}");
    }
}

#[test]
fn help_says_of_each_command_that_reads_a_journal_that_it_reads_exports() {
    let folder = folder("exports");
    let commands =
        [&["timeline"][..], &["doubt"], &["serve"], &["export"], &["verify"], &["receipt"], &["log", "advance"]];
    for command in commands {
        let help = kiff(&folder, &[command, &["--help"]].concat()).well();
        assert!(help.contains("a URL of PostgreSQL, or an export"), "{command:?}: {help}");
    }
}

#[test]
fn wrong_arguments_end_with_their_own_code() {
    let ran = kiff(&folder("arguments"), &["nwe"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.complained.contains("unrecognized subcommand 'nwe'"), "{}", ran.complained);
}

#[test]
fn completions_and_the_manual_page_are_made_from_the_arguments() {
    let folder = folder("completions");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(kiff(&folder, &["completions", shell]).well().contains("new"), "{shell}");
    }
    let page = kiff(&folder, &["man"]).well();
    assert!(page.starts_with(".ie") && page.contains("kiff\\-new"), "{page}");
}

/// The pages that a manual page refers to, each as the words of its command.
fn referred(page: &str) -> Vec<Vec<String>> {
    let names = page.lines().filter_map(|line| line.strip_prefix("kiff\\-")?.strip_suffix("(1)"));
    names.map(|name| name.split("\\-").map(str::to_owned).collect()).collect()
}

#[test]
fn each_manual_page_that_another_refers_to_can_be_printed() {
    let folder = folder("manual");
    let print = |words: &[String]| {
        let words: Vec<&str> = ["man"].into_iter().chain(words.iter().map(String::as_str)).collect();
        kiff(&folder, &words).well()
    };
    let mut open = referred(&print(&[]));
    assert!(open.len() > 10, "{open:?}");
    while let Some(words) = open.pop() {
        let page = print(&words);
        assert!(page.contains(&format!(".TH kiff-{} 1", words.join("-"))), "{words:?}: {page}");
        open.extend(referred(&page));
    }
    let told = kiff(&folder, &["man", "log", "retreat"]).not_done();
    assert!(told.starts_with("error: there is no command `log retreat`\n"), "{told}");
}

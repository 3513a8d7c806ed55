//! docs/command-line.md: what it shows is what comes out.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kiff::{Rule, Schema, SqliteStore, StateSchema};

use super::journal::a_day;
use super::{ROOT, Ran, folder};
use crate::programs::{Program, packages};

/// The commands of the page, each with what the page says it answers.
fn shown(page: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for block in page.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        for line in block.lines() {
            match line.strip_prefix("$ kiff ") {
                Some(command) => commands.push((command.to_owned(), Vec::new())),
                None => commands.last_mut().unwrap().1.push(line.to_owned()),
            }
        }
    }
    commands
}

/// Whether a line is the one that is shown, where `…` stands for anything.
fn fits(line: &str, shown: &str) -> bool {
    let mut parts: Vec<&str> = shown.split('…').collect();
    let Some(last) = parts.pop().filter(|_| !parts.is_empty()) else { return line == shown };
    let Some(mut rest) = line.strip_prefix(parts.remove(0)).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    parts.into_iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// A line of nothing but `…` stands for any lines.
pub(crate) fn same(said: &[&str], shown: &[String]) -> bool {
    match (said, shown) {
        (_, [any, rest @ ..]) if any == "…" => (0..=said.len()).any(|skipped| same(&said[skipped..], rest)),
        ([], []) => true,
        ([line, said @ ..], [own, shown @ ..]) => fits(line, own) && same(said, shown),
        _ => false,
    }
}

/// The document of an earlier release, in which other things governed than in what was saved.
fn release(folder: &Path) {
    let mut schema = Schema::from_json(&fs::read_to_string(folder.join("reviewed.json")).unwrap()).unwrap();
    schema.states.to_mut().push(StateSchema { name: "CLOSED".into(), is_final: true, documentation: "kept".into() });
    for action in schema.actions.to_mut() {
        match &mut action.parameters.to_mut()[..] {
            [answer] => answer.name = "text".into(),
            [amount, ..] => amount.rules = vec![Rule::Range { min: Some(1), max: Some(500_000) }].into(),
            [] => {}
        }
    }
    fs::write(folder.join("released.json"), schema.to_json()).unwrap();
}

#[test]
fn what_the_page_shows_is_what_comes_out() {
    let folder = folder("page");
    a_day(SqliteStore::open(folder.join("refunds.db")).unwrap());
    let descriptor = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/cli/descriptors/claim.json");
    let descriptor = fs::read_to_string(descriptor).unwrap();
    fs::write(
        folder.join("wrong.json"),
        descriptor.replace("\"approval\": \"required\"", "\"approvel\": \"required\""),
    )
    .unwrap();
    fs::write(folder.join("claim.json"), descriptor).unwrap();
    let commands = shown(&fs::read_to_string(Path::new(ROOT).join("docs/command-line.md")).unwrap());
    assert!(commands.len() > 15, "the commands were not found: {commands:?}");
    for (line, shown) in commands {
        let mut arguments: Vec<&str> = line.split(' ').collect();
        if arguments[0] == "new" {
            // Not yet published.
            arguments.extend(["--path", ROOT]);
        }
        let mut command = Command::new(Program::CommandLine.path());
        command.args(&arguments).current_dir(&folder).stdin(Stdio::null());
        command.env("CARGO_TARGET_DIR", packages());
        let ran = Ran::of(&command.output().unwrap());
        if arguments[0] == "new" {
            fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("support-desk/Cargo.lock")).unwrap();
        }
        if arguments.contains(&"--save") {
            release(&folder);
        }
        let said = [ran.said.as_str(), ran.complained.as_str()].concat();
        let lines: Vec<&str> = said.lines().collect();
        assert!(same(&lines, &shown), "`kiff {line}` is shown to answer\n{}\nand answers\n{said}", shown.join("\n"));
    }
}

//! One program of `tests/language/ui` as a lesson: what it breaks and why not, which of its lines are wrong, and what is right.

use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;

use super::{message, root};

/// What one program teaches.
pub(super) struct Lesson {
    pub(super) group: String,
    pub(super) rule: String,
    /// The program's first line: what is wrong with it.
    pub(super) about: String,
    /// Why the rule is one.
    pub(super) why: String,
    /// The parts that the right ones replace, or what the program does besides declaring its domain.
    wrong: Vec<Part>,
    /// The program without its notes.
    program: String,
    /// What rustc says.
    pub(super) message: String,
    pub(super) right: Vec<Part>,
}

impl Lesson {
    /// Reads `tests/language/ui/<group>/<rule>.rs` and what stands beside it.
    pub(super) fn read(group: &str, rule: &str) -> Self {
        let path = root().join("tests/language/ui").join(group).join(rule);
        let text = fs::read_to_string(path.with_extension("rs")).unwrap();
        let said = fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
        let (program, notes) = text.split_once("\n// why: ").unwrap_or((&text, ""));
        let (why, right) = notes.split_once("\n//\n// right:\n").unwrap_or((notes, ""));
        let right = parts(right);
        let wrong = if group == "handle" { vec![attempt(program)] } else { replaced(program, &right) };
        Self {
            group: group.to_owned(),
            rule: rule.to_owned(),
            about: program.lines().next().unwrap_or_default().trim_start_matches("//! ").to_owned(),
            why: why.trim_end().to_owned(),
            wrong,
            program: program.to_owned(),
            message: message::trimmed(&said),
            right,
        }
    }

    /// The program with the right parts in place of the wrong ones.
    pub(super) fn mended(&self) -> String {
        let mut lines: Vec<String> = self.program.lines().map(str::to_owned).collect();
        for part in &self.right {
            let mut places = (0..lines.len()).filter(|place| key(&lines[*place]) == part.key()).collect::<Vec<_>>();
            places.reverse();
            let first = places.last().copied();
            for place in places {
                let right = if Some(place) == first { part.0.clone() } else { Vec::new() };
                let seen: Vec<&str> = lines.iter().map(String::as_str).collect();
                let range = range(&seen, place);
                lines.splice(range, right);
            }
            if first.is_none() {
                let end_of_header = lines.iter().position(|line| line.trim_start().starts_with("pub domain"));
                let is_section = part.0[0].split_once(" {").is_some_and(|(word, _)| !word.contains(' '));
                let place = end_of_header.filter(|_| is_section).map_or(lines.len(), |place| place + 1);
                lines.splice(place..place, part.0.clone());
            }
        }
        lines.join("\n") + "\n"
    }

    /// Writes the lesson as a section of the page.
    pub(super) fn write(&self, page: &mut String) {
        let why = if self.why.is_empty() { &self.about } else { &self.why };
        let _ = write!(page, "\n#### `{}`\n\n{why}\n", self.rule);
        if !self.wrong.is_empty() {
            let _ = write!(page, "\n```rs\n{}```\n", joined(&self.wrong));
        }
        let _ = write!(page, "\n```text\n{}```\n", self.message);
        if !self.right.is_empty() {
            let _ = write!(page, "\nRight:\n\n```rs\n{}```\n", joined(&self.right));
        }
    }
}

/// A section of the block, an executor or another item, line by line and without the indentation of the whole.
pub(super) struct Part(Vec<String>);

impl Part {
    /// The lines without what all of them are indented by.
    fn new<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Self {
        let filled = lines.clone().filter(|line| !line.trim().is_empty());
        let margin = filled.map(indentation).min().unwrap_or_default();
        Self(lines.map(|line| line.get(margin..).unwrap_or_default().to_owned()).collect())
    }

    fn key(&self) -> Option<&str> {
        self.0.iter().find_map(|line| key(line))
    }
}

/// The parts in the comment, which blank lines divide.
fn parts(comment: &str) -> Vec<Part> {
    let lines: Vec<&str> = comment.lines().map(|line| line.trim_start_matches("//")).collect();
    lines
        .split(|line| line.is_empty())
        .filter(|part| !part.is_empty())
        .map(|part| Part::new(part.iter().copied()))
        .collect()
}

/// The parts of the program that the right ones stand for.
fn replaced(program: &str, right: &[Part]) -> Vec<Part> {
    let lines: Vec<&str> = program.lines().collect();
    let mut found = Vec::new();
    for wanted in right.iter().filter_map(Part::key) {
        let places = (0..lines.len()).filter(|place| key(lines[*place]) == Some(wanted));
        found.extend(places.map(|place| Part::new(lines[range(&lines, place)].iter().copied())));
    }
    found
}

/// The lines of the item whose first words stand at `place`, with its attributes.
fn range(lines: &[&str], place: usize) -> RangeInclusive<usize> {
    let attributes = lines[..place].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
    let start = place - attributes.count();
    let is_whole = lines[place].ends_with('}') || lines[place].ends_with(';');
    let margin = indentation(lines[place]);
    let closes = |line: &&str| indentation(line) == margin && line.trim_start().starts_with('}');
    let more = if is_whole { Some(0) } else { lines[place..].iter().position(closes) };
    start..=place + more.expect("an item that does not end")
}

/// What the program tries after its executors.
fn attempt(program: &str) -> Part {
    let lines: Vec<&str> = program.lines().collect();
    let last = lines.iter().rposition(|line| key(line) == Some("fn refund_order")).expect("the last executor");
    let begin = last + lines[last..].iter().position(|line| *line == "}").expect("its end") + 2;
    let end = lines.iter().rposition(|line| line.starts_with("fn main")).expect("the end") - 1;
    Part::new(lines[begin..end].iter().copied())
}

/// What an item is known by: `transitions`, `fn refund_order`, `pub struct Bank`.
fn key(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with("#[") || line.starts_with("//") {
        return None;
    }
    let line = line.strip_prefix("async ").unwrap_or(line);
    Some(line.split(['{', '(', ';']).next().unwrap_or(line).trim_end())
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn joined(parts: &[Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|Part(lines)| lines.join("\n") + "\n").collect();
    parts.join("\n")
}

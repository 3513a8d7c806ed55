//! How the examples print: a label, a text beside it, a little colour, and nothing that a terminal would obey.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use kiff::{Approval, Domain, Event, Executed, Identifiers, Outcome, Refusal, State, Timeline, Verdict, visible};

/// How many columns a line takes.
const WIDTH: usize = 100;

/// Where the texts begin, after the labels.
const INDENT: usize = 14;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();

/// What the runtime answered, in one form for all of its answers.
pub struct Answer {
    verdict: &'static str,
    style: Style,
    code: String,
    message: String,
    remedy: Option<String>,
}

impl Answer {
    /// The answer to something that went well, in words.
    pub fn done(verdict: &'static str, message: impl Into<String>) -> Self {
        Self { verdict, style: GREEN, code: String::new(), message: message.into(), remedy: None }
    }

    /// The answer to something that did not happen.
    pub fn refused(
        verdict: &'static str,
        code: impl Into<String>,
        message: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self { verdict, style: RED, code: code.into(), message: message.into(), remedy }
    }

    /// The answer to an execution; `executed` finds in the outcome what the executor did.
    pub fn execution<D: Domain, T>(outcome: &Outcome<T>, executed: impl FnOnce(&T) -> &Executed<D>) -> Self {
        match outcome {
            Outcome::Executed(done) => {
                let done = executed(done);
                let event = done.event.as_ref().map_or("no event", Event::name);
                let word = if done.deduplicated { "done before" } else { "executed" };
                Self::done(word, format!("{event} by {}: now {}", done.execution, done.state.name()))
            }
            Outcome::Failed(failed) => {
                let verdict = if failed.is_in_doubt() { "in doubt" } else { "failed" };
                Self::refused(verdict, failed.failure.code(), failed.failure.message(), None)
            }
            Outcome::ApprovalRequired(refusal) => Self::refusal("held", refusal),
            Outcome::Blocked(refusal) | Outcome::Invalid(refusal) => Self::refusal(outcome.outcome(), refusal),
        }
    }

    /// The answer to anything else; `message` says what was allowed.
    pub fn verdict<P>(verdict: &Verdict<P>, message: impl FnOnce(&P) -> String) -> Self {
        match verdict {
            Verdict::Allowed(allowed) => Self::done("accepted", message(allowed)),
            Verdict::ApprovalRequired(refusal) => Self::refusal("held", refusal),
            Verdict::Blocked(refusal) | Verdict::Invalid(refusal) => Self::refusal(verdict.outcome(), refusal),
        }
    }

    fn refusal(verdict: &'static str, refusal: &Refusal) -> Self {
        let answer = Self::refused(verdict, refusal.code.as_str(), &refusal.message, refusal.remedy.clone());
        if verdict == "held" { Self { style: YELLOW, ..answer } } else { answer }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.verdict
    }
}

/// What became of a request for a sign-off, in words.
#[must_use]
pub fn status(approval: &Approval) -> String {
    let word = approval.status.as_str();
    match approval.status.signature().and_then(|signature| signature.reason.as_deref()) {
        Some(reason) => format!("{} is {word}: {reason}", approval.id),
        None => format!("{} is {word}", approval.id),
    }
}

/// Prints a heading.
pub fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{}{BOLD:#}", visible(text))
}

/// Prints a label and a text beside it.
pub fn entry(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    beside(out, label, Style::new(), text)
}

/// Prints an answer beside its label.
pub fn answer(out: &mut dyn Write, label: &str, answer: &Answer) -> io::Result<()> {
    let verdict = if answer.code.is_empty() {
        format!("{}: {}", answer.verdict, answer.message)
    } else {
        format!("{}: {}", answer.verdict, answer.code)
    };
    beside(out, label, answer.style, &verdict)?;
    if !answer.code.is_empty() {
        beside(out, "", Style::new(), &answer.message)?;
    }
    match &answer.remedy {
        Some(remedy) => beside(out, "", DIM, &format!("what would allow it: {remedy}")),
        None => Ok(()),
    }
}

/// Prints every record of an entity: one block a commit, which was appended whole.
pub fn timeline(out: &mut dyn Write, timeline: &Timeline) -> io::Result<()> {
    let kinds = timeline.kinds().iter().map(|kind| kind.len()).max().unwrap_or(0);
    let actors = timeline.records().map(|record| record.commit().actor().id().as_str().chars().count()).max();
    let actors = actors.unwrap_or(0);
    for line in timeline.lines() {
        let (record, commit) = (line.record(), line.record().commit());
        let mut columns = String::new();
        let time = commit.at().to_string();
        if record.id().place == 1 {
            let time = time.get(11..19).unwrap_or(&time);
            let actor = visible(commit.actor().id().as_str());
            write!(columns, "{:>4}  {time}  {actor:<actors$}", commit.number()).map_err(io::Error::other)?;
        } else {
            write!(columns, "{:>4}  {:8}  {:<actors$}", "", "", "").map_err(io::Error::other)?;
        }
        let kind = record.fact().kind();
        let indent = columns.chars().count() + 2 + kinds + 2;
        for (index, part) in
            wrapped(&visible(&line.message()), WIDTH.saturating_sub(indent).max(INDENT)).iter().enumerate()
        {
            if index == 0 {
                writeln!(out, "{DIM}{columns}{DIM:#}  {kind:<kinds$}  {part}")?;
            } else {
                writeln!(out, "{:indent$}{part}", "")?;
            }
        }
    }
    Ok(())
}

/// Prints `text` beside `label`, broken at `WIDTH`.
///
/// INVARIANT: every text of the examples comes by here or by [`timeline`], and so through [`visible`].
fn beside(out: &mut dyn Write, label: &str, style: Style, text: &str) -> io::Result<()> {
    const LABEL: usize = INDENT - 3;
    let mut label = visible(label);
    for part in wrapped(&visible(text), WIDTH - INDENT) {
        writeln!(out, "  {DIM}{label:<LABEL$}{DIM:#} {style}{part}{style:#}")?;
        label.clear();
    }
    Ok(())
}

/// Whether an error only says that nobody reads the output any more, as after `| head`.
pub fn reader_is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The text in lines of at most `width` characters, broken at spaces where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > width {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            if used == width && character != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            used += 1;
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Identifiers that read well on a page: `approval-1`, `execution-1`, `execution-2`.
#[derive(Debug, Default)]
pub struct ShortIdentifiers(Mutex<BTreeMap<&'static str, u64>>);

impl Identifiers for ShortIdentifiers {
    fn next(&self, kind: &'static str) -> Arc<str> {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = given.entry(kind).or_default();
        *number += 1;
        format!("{kind}-{number}").into()
    }
}

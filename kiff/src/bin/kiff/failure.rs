//! Why something could not be done, told as the compiler tells it: what, where, and what to do instead.

use std::fmt::Write;
use std::io;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Something could not be done. Whatever a stranger wrote of it is shown, and obeyed by no terminal.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Box<Place>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// What another program said before, as it said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// Whether this is the answer: what was asked about is not what it should be.
    #[serde(skip)]
    is_answer: bool,
}

/// How much of a line is shown on either side of where the fault begins.
const AROUND: usize = 100;

/// Where in a file.
#[derive(Debug, Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    /// The line, or the part of it around the fault.
    #[serde(skip)]
    text: String,
    /// How many characters of it stand before the fault.
    #[serde(skip)]
    before: usize,
    #[serde(skip)]
    width: usize,
    #[serde(skip)]
    label: String,
}

impl Failure {
    /// What could not be done.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = kiff::visible(&message.into());
        Self { message, place: None, notes: Vec::new(), help: None, said: None, is_answer: false }
    }

    /// The same as an answer: what was asked about is not what it should be.
    pub(crate) fn being_the_answer(mut self) -> Self {
        self.is_answer = true;
        self
    }

    /// Whether it is the answer to what was asked.
    pub(crate) const fn is_the_answer(&self) -> bool {
        self.is_answer
    }

    /// The code that the program ends with.
    pub(crate) const fn code(&self) -> u8 {
        if self.is_answer { 1 } else { 3 }
    }

    /// A file or folder could not be used.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is none".to_owned(),
            io::ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
            io::ErrorKind::PermissionDenied => "it is not allowed".to_owned(),
            _ => error.to_string(),
        };
        Self::new(format!("cannot {verb} `{}`: {why}", path.display()))
    }

    /// The same, at these bytes of a file.
    pub(crate) fn at(mut self, file: &Path, text: &str, bytes: std::ops::Range<usize>, label: &str) -> Self {
        let before = text.get(..bytes.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let left_out = column.saturating_sub(1 + AROUND);
        let marked = text.get(bytes).unwrap_or_default().lines().next().unwrap_or_default();
        let shown = |count: usize| flat(&line.chars().skip(left_out).take(count).collect::<String>());
        self.place = Some(Box::new(Place {
            file: kiff::visible(&file.display().to_string()),
            line: before.matches('\n').count() + 1,
            column,
            before: shown(column - 1 - left_out).chars().count(),
            width: flat(marked).chars().count().clamp(1, AROUND),
            text: shown(2 * AROUND),
            label: kiff::visible(label),
        }));
        self
    }

    /// The same, with something to know.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(visible_lines(&note.into()));
        self
    }

    /// The same, with what to do instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(visible_lines(&help.into()));
        self
    }

    /// The same, behind what another program said, as it said it.
    pub(crate) fn after(mut self, said: &str) -> Self {
        self.said = Some(said.to_owned());
        self
    }

    /// As people read it in a terminal.
    pub(crate) fn shown(&self) -> String {
        let (red, blue) = (AnsiColor::BrightRed.on_default().bold(), AnsiColor::BrightBlue.on_default().bold());
        let bold = Style::new().bold();
        let mut text = self.said.as_ref().map(|said| format!("{said}\n\n")).unwrap_or_default();
        let _ = writeln!(text, "{red}error{red:#}{bold}: {}{bold:#}", self.message);
        let margin = self.place.as_ref().map_or(1, |place| place.line.to_string().len());
        let indent = " ".repeat(margin);
        if let Some(place) = &self.place {
            let Place { file, line, column, text: code, before, width, label } = &**place;
            let (before, marks) = (" ".repeat(*before), "^".repeat(*width));
            let lines = format!(
                "{indent}{blue}-->{blue:#} {file}:{line}:{column}\n{indent} {blue}|{blue:#}\n\
                 {blue}{line} |{blue:#} {code}\n{indent} {blue}|{blue:#} {before}{red}{marks} {label}{red:#}"
            );
            text.push_str(lines.trim_end());
            text.push('\n');
        }
        for (word, sentence) in
            self.notes.iter().map(|note| ("note", note)).chain(self.help.iter().map(|h| ("help", h)))
        {
            let sentence = sentence.replace('\n', &format!("\n{indent}         "));
            let _ = writeln!(text, "{indent} {blue}={blue:#} {bold}{word}{bold:#}: {sentence}");
        }
        text
    }
}

/// Only its own lines break a sentence.
fn visible_lines(text: &str) -> String {
    text.split('\n').map(kiff::visible).collect::<Vec<String>>().join("\n")
}

/// A part of a line as marks below it count it: how wide a tab is nobody knows.
fn flat(text: &str) -> String {
    kiff::visible(&text.replace('\t', " "))
}

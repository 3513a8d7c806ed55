//! Where answers go: text for people, JSON for programs, and the code that the program ends with.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The answer is yes.
    Well,
    /// The answer is no.
    WithNo,
}

impl Ended {
    /// Well, if `holds`.
    pub(crate) const fn if_so(holds: bool) -> Self {
        if holds { Self::Well } else { Self::WithNo }
    }

    /// The code that the program ends with.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Well => 0,
            Self::WithNo => 1,
        })
    }
}

/// What is shown while something takes its time; it goes when this does.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    /// It has come so far, of so much.
    pub(crate) fn at(&self, done: u64, of: u64, what: &'static str) {
        self.0.set_length(of);
        self.0.set_message(what);
        self.0.set_position(done);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Rows as a table, its first row the heading.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let widths = rows.iter().fold(Vec::new(), |mut widths: Vec<usize>, row| {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
        widths
    });
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The two streams, and whether a program or a person reads them.
#[derive(Debug)]
pub(crate) struct Shell {
    json: bool,
}

impl Shell {
    /// A shell that answers in JSON, or in text.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads the answer.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person sees what is written to the second stream while it is written.
    pub(crate) fn is_watched(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Shows that something takes its time, to a person who waits for it.
    pub(crate) fn spinner(&self, what: &'static str) -> Waiting {
        let bar = if self.is_watched() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Waiting(bar)
    }

    /// Shows how far something long has come, to a person who waits for it.
    pub(crate) fn bar(&self) -> Waiting {
        if !self.is_watched() {
            return Waiting(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {msg} {per_sec}, {eta} left");
        let bar = ProgressBar::new(0);
        Waiting(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Answers: `text` for people, `data` for programs. Who does not read it changes neither what is done nor what the program
    /// ends with.
    pub(crate) fn answer(&self, data: &impl Serialize, text: &str) -> Result<(), Failure> {
        self.tell(data, text).map(drop)
    }

    /// The same for what is done once nobody reads any more.
    pub(crate) fn tell(&self, data: &impl Serialize, text: &str) -> Result<ControlFlow<()>, Failure> {
        if !self.json {
            return written(anstream::stdout().lock().write_all(text.as_bytes()));
        }
        let mut line = serde_json::to_vec(data)
            .map_err(|error| Failure::new(format!("the answer cannot be written as JSON: {error}")))?;
        line.push(b'\n');
        written(io::stdout().lock().write_all(&line))
    }

    /// Exactly these bytes, for a program that takes them as they are.
    pub(crate) fn raw(bytes: &[u8]) -> Result<Ended, Failure> {
        let mut out = io::stdout().lock();
        written(out.write_all(bytes).and_then(|()| out.flush())).map(|_| Ended::Well)
    }

    /// Says what is to be known beside the answer.
    pub(crate) fn note(&self, note: &str) {
        let note = kiff::visible(note);
        let text = if self.json {
            let line = serde_json::json!({ "note": note });
            format!("{line}\n")
        } else {
            format!("note: {note}\n")
        };
        // The answer stands without it.
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
    }

    /// Says what could not be done, and why.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let text = if self.json {
            let line = serde_json::json!({ "error": failure });
            format!("{line}\n")
        } else {
            failure.shown()
        };
        // Where even this cannot be said, the code still says it.
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
        ExitCode::from(failure.code())
    }
}

/// A reader who leaves has read enough: that is no failure, and the end for who does nothing but write.
pub(crate) fn written(outcome: io::Result<()>) -> Result<ControlFlow<()>, Failure> {
    match outcome {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure::new(format!("the answer cannot be written: {error}"))),
    }
}

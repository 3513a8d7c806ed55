//! `kiff export`: every commit in order, as lines of JSON that hold what was stored and hashed, byte for byte.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use kiff::{Cursor, Exported, Query, Store};

use super::PAGE;
use super::place::{self, Work};
use crate::failure::Failure;
use crate::made::Made;
use crate::shell::{Ended, Shell, written};

/// Write every commit in order, as lines of JSON
///
/// A line holds the body of a commit as a text, exactly as it was stored and hashed; docs/journal.md shows how to check
/// the lines without kiff. All commands that read a journal read an export too.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// Write into this new file, which is there once it is whole, instead of to the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Begin behind this position, to continue an export
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
}

impl Export {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let store = self.store.clone();
        place::read(&store, self, shell)
    }
}

impl Work for Export {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let Some(path) = &self.out else {
            return written(self.write(store, shell, io::stdout().lock()).await?).map(|_| Ended::Well);
        };
        let mut file = Made::at(path)?;
        let outcome = self.write(store, shell, &mut file).await?;
        outcome.map_err(|error| Failure::file("write", path, &error))?;
        file.keep()?;
        Ok(Ended::Well)
    }
}

impl Export {
    /// Writes the lines, as long as they can be written.
    async fn write<S: Store>(&self, store: &S, shell: &Shell, out: impl Write) -> Result<io::Result<()>, Failure> {
        let mut out = BufWriter::new(out);
        let newest = store.search(&Query::default(), Cursor::LAST, 1).await?;
        let newest = newest.first().map(|(position, _)| *position);
        let there = newest.unwrap_or(0);
        if there < self.after {
            let message =
                format!("there is nothing behind position {}: the store ends at position {there}", self.after);
            return Err(Failure::new(message).help(
                "the store has fewer commits than were exported before: was a backup restored? Then keep the old export, and begin \
                 another one without `--after`",
            ));
        }
        // Where others write all the time it goes as far as the journal did when it began.
        let (of, end) = (there, newest.unwrap_or(u64::MAX));
        let (bar, mut last) = (shell.bar(), self.after);
        while last < end {
            let page = store.search(&Query::default(), Cursor::After(last), PAGE).await?;
            if page.is_empty() {
                break;
            }
            for (position, commit) in page {
                let line = Exported::new(position, commit).map_err(kiff::StoreError::from)?;
                if let Err(error) = writeln!(out, "{line}") {
                    return Ok(Err(error));
                }
                last = position;
            }
            bar.at(last, of.max(last), "commits");
        }
        Ok(out.flush())
    }
}

//! `kiff fmt`: lays out `domain!` blocks, which rustfmt leaves alone.

use std::fs::{self, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use kiff::format::{first_difference, format_domain};
use serde_json::json;

use crate::failure::Failure;
use crate::made;
use crate::shell::{Ended, Shell};

/// Lay out `domain!` blocks, which rustfmt leaves alone
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files, and folders whose `.rs` files are meant; `-` lays out the standard input
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing; the answer is no if a block is not laid out
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        if self.paths == [PathBuf::from("-")] {
            let source = io::read_to_string(io::stdin().lock().take(1 << 28));
            let source = source.map_err(|error| Failure::file("read", Path::new("-"), &error))?;
            return if self.check {
                Ok(Ended::if_so(first_difference(&source).is_none()))
            } else {
                Shell::raw(format_domain(&source).as_bytes())
            };
        }
        let mut files = Vec::new();
        for path in self.paths {
            if path.is_dir() { sources(&path, &mut files)? } else { files.push(path) }
        }
        let mut all_are = true;
        for path in files {
            let source = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
            let Some(line) = first_difference(&source) else { continue };
            all_are = false;
            let what = if self.check { "is not laid out" } else { "laid out" };
            if !self.check {
                made::replace(&[(path.as_path(), format_domain(&source).as_str())])?;
            }
            let text = format!("{}:{line}: {what}\n", path.display());
            shell.answer(&json!({ "file": path, "line": line, "changed": !self.check }), &text)?;
        }
        Ok(Ended::if_so(all_are || !self.check))
    }
}

/// The `.rs` files of a folder, without what is built, hidden, or behind a link to a folder: it may lead back to where it is.
pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: &io::Error| Failure::file("read", folder, error);
    let mut entries: Vec<(PathBuf, FileType)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        entries.push((entry.path(), entry.file_type().map_err(|error| failed(&error))?));
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, kind) in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if kind.is_dir() {
            if name != "target" && !name.starts_with('.') {
                sources(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

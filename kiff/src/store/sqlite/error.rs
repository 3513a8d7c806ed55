//! What can be wrong with a file, in the words of whoever runs it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// A journal's file cannot be used: what is wrong and what to do about it.
#[derive(Clone)]
pub struct SqliteError {
    path: Arc<Path>,
    problem: Problem,
}

#[derive(Clone)]
enum Problem {
    InUse(Option<u32>),
    NoFile,
    Foreign,
    Later(i64),
    Unreleased,
    ReadOnly,
    Stopped(Arc<str>),
    Moved,
    Sqlite(&'static str, Arc<rusqlite::Error>),
    Io(&'static str, Arc<io::Error>),
    Entry(&'static str),
}

impl SqliteError {
    fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.into(), problem }
    }

    pub(super) fn in_use(path: &Path, process: Option<u32>) -> Self {
        Self::new(path, Problem::InUse(process))
    }

    pub(super) fn no_file(path: &Path) -> Self {
        Self::new(path, Problem::NoFile)
    }

    pub(super) fn foreign(path: &Path) -> Self {
        Self::new(path, Problem::Foreign)
    }

    pub(super) fn later(path: &Path, version: i64) -> Self {
        Self::new(path, Problem::Later(version))
    }

    pub(super) fn unreleased(path: &Path) -> Self {
        Self::new(path, Problem::Unreleased)
    }

    pub(super) fn read_only(path: &Path) -> Self {
        Self::new(path, Problem::ReadOnly)
    }

    pub(super) fn stopped(path: &Path, why: &str) -> Self {
        Self::new(path, Problem::Stopped(why.into()))
    }

    pub(super) fn moved(path: &Path) -> Self {
        Self::new(path, Problem::Moved)
    }

    /// Whether what failed is to write beside the file, which reading it may take.
    pub(super) fn is_not_allowed(&self) -> bool {
        let Problem::Sqlite(_, cause) = &self.problem else {
            return false;
        };
        matches!(cause.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
    }

    /// The file could not `doing`: a verb such as `be read`.
    pub(super) fn sqlite(path: &Path, doing: &'static str, cause: rusqlite::Error) -> Self {
        Self::new(path, Problem::Sqlite(doing, Arc::new(cause)))
    }

    pub(super) fn io(path: &Path, doing: &'static str, cause: io::Error) -> Self {
        Self::new(path, Problem::Io(doing, Arc::new(cause)))
    }

    /// A row holds something in `what` that no writer puts there.
    pub(super) fn entry(path: &Path, what: &'static str) -> Self {
        Self::new(path, Problem::Entry(what))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody else writes to the file.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self.problem, Problem::InUse(_))
    }

    /// What failed below, in its own words.
    pub(super) fn cause(&self) -> String {
        match &self.problem {
            Problem::Sqlite(_, cause) => cause.to_string(),
            Problem::Io(_, cause) => cause.to_string(),
            _ => self.to_string(),
        }
    }

    /// Whether one commit of a group may be what failed, so that the others are worth a try without it. That somebody else holds
    /// the file is no commit's fault, and each would wait for that as long as all of them have.
    pub(super) fn may_be_of_one(&self) -> bool {
        let Problem::Sqlite(_, cause) = &self.problem else {
            return false;
        };
        let is_held = matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        self.left_nothing() && !is_held
    }

    /// Whether it is told for sure that the transaction in which this happened left nothing behind: what failed is not
    /// the disk below it.
    pub(super) fn left_nothing(&self) -> bool {
        let Problem::Sqlite(_, cause) = &self.problem else {
            return false;
        };
        match cause.sqlite_error_code() {
            Some(code) => matches!(
                code,
                ErrorCode::DiskFull
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::ReadOnly
                    | ErrorCode::TooBig
                    | ErrorCode::OutOfMemory
                    | ErrorCode::ConstraintViolation
            ),
            // What rusqlite itself refuses has not reached the database.
            None => true,
        }
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::InUse(Some(process)) => write!(
                f,
                "`{path}` is in use: process {process} writes to it; stop that process, or open the file read-only"
            ),
            Problem::InUse(None) => {
                write!(
                    f,
                    "`{path}` is in use: another process writes to it; stop that process, or open the file read-only"
                )
            }
            Problem::NoFile => write!(f, "there is no file `{path}`"),
            Problem::Foreign => write!(f, "`{path}` is not a kiff journal; give the journal a file of its own"),
            Problem::Later(version) => write!(
                f,
                "`{path}` was written by a later kiff (its schema has version {version}, this one knows {}); open it \
                 with that version",
                super::file::VERSION
            ),
            Problem::Unreleased => write!(
                f,
                "`{path}` was made by a kiff from before its first release, and its tables are others; open it with that \
                 one, or begin a new file"
            ),
            Problem::ReadOnly => write!(f, "`{path}` was opened read-only"),
            Problem::Stopped(why) => write!(
                f,
                "nothing more is written to `{path}` since the disk failed ({why}); mend it and open the file again"
            ),
            Problem::Moved => write!(
                f,
                "`{path}` was moved, replaced or removed while it was in use, and nothing more is written: stop the process, and put \
                 the file back that was there"
            ),
            Problem::Entry(what) => write!(f, "`{path}` holds {what} that kiff did not write; restore a backup"),
            Problem::Io(doing, cause) => write!(f, "`{path}` cannot {doing}: {cause}"),
            Problem::Sqlite(doing, cause) => match cause.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => {
                    write!(f, "`{path}` is no SQLite database; give the journal a file of its own")
                }
                Some(ErrorCode::DatabaseCorrupt) => {
                    write!(f, "a part of `{path}` is damaged and cannot {doing}: {cause}; restore a backup")
                }
                // Whether a commit follows was looked at before it was written.
                Some(ErrorCode::ConstraintViolation) => {
                    write!(
                        f,
                        "a part of `{path}` is damaged, and its tables contradict each other: {cause}; restore a backup"
                    )
                }
                Some(ErrorCode::DiskFull) => {
                    write!(
                        f,
                        "there is no room left for `{path}`: nothing of this commit was kept; free some and try again"
                    )
                }
                _ => write!(f, "`{path}` cannot {doing}: {cause}"),
            },
        }
    }
}

crate::debug::debug_as_message!(SqliteError);

impl std::error::Error for SqliteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Io(_, cause) => cause.source(),
            // What stands behind an error of rusqlite stands in its text as well.
            _ => None,
        }
    }
}

/// How many links are followed to one file: as many as Linux follows.
const LINKS: usize = 40;

/// The path with its links followed, so that one file has one name, whether it is there yet or not.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, SqliteError> {
    let mut place = path.to_path_buf();
    for _ in 0..=LINKS {
        if let Ok(resolved) = place.canonicalize() {
            return Ok(resolved);
        }
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let parent = parent.canonicalize().map_err(|error| SqliteError::io(path, "be opened", error))?;
        let name = place.file_name().ok_or_else(|| SqliteError::no_file(path))?;
        let resolved = parent.join(name);
        // A link may lead to a file that is not there yet: it is made there, and not in place of the link.
        let Ok(target) = resolved.read_link() else {
            return Ok(resolved);
        };
        place = parent.join(target);
    }
    Err(SqliteError::io(path, "be opened", io::Error::other("too many links lead to it, or they lead in a circle")))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn what_stands_behind_an_error_is_told_once() {
        let held = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        let cause = rusqlite::Error::SqliteFailure(held, None);
        let error = SqliteError::sqlite(Path::new("kiff.db"), "be read", cause);
        assert_eq!(error.to_string(), format!("`kiff.db` cannot be read: {held}"));
        assert!(error.source().is_none());
    }
}

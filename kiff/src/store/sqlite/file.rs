//! The file: made where there is none, and opened only if it is ours and of a version that is known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use super::error::{SqliteError, resolved};

/// `kiff`, as the file's header says it.
const APPLICATION: i64 = 0x6b69_6666;

/// The version of the schema that is written today.
pub(super) const VERSION: i64 = 1;

/// The schema of that version.
const SCHEMA: &str = include_str!("schema.sql");

/// How large a page is. A commit has about a kilobyte, of which eight fill such a page well.
const PAGE_SIZE: i64 = 8192;

/// After how many pages the log beside the file is worked into it: what a killed process leaves is read in milliseconds,
/// and the flushes that this takes are spread over many commits.
const LOGGED_PAGES: i64 = 2048;

/// How long to wait for somebody who looks into the file with another tool.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many statements a connection keeps prepared: all that there are.
const STATEMENTS: usize = 64;

/// The file that a store was opened on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
}

impl Place {
    /// The file at `path`, which need not be there yet.
    pub(super) fn at(path: &Path) -> Result<Self, SqliteError> {
        Ok(Self { path: resolved(path)? })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file to write to it; one that is empty or not there becomes a journal.
    pub(super) fn open_to_write(&self) -> Result<Connection, SqliteError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = self.open(flags)?;
        let failed = |error| SqliteError::sqlite(&self.path, "be opened", error);
        if connection.is_readonly(MAIN_DB).map_err(failed)? {
            return Err(SqliteError::io(&self.path, "be written", io::ErrorKind::PermissionDenied.into()));
        }
        self.write_settings(&connection).map_err(failed)?;
        if self.is_new(&connection)? {
            create(&mut connection).map_err(|error| SqliteError::sqlite(&self.path, "be made", error))?;
        } else {
            // A copy that `VACUUM INTO` made has no log of its own, and whoever read it would hold its writer up.
            write_ahead(&connection).map_err(failed)?;
        }
        Ok(connection)
    }

    /// Opens the file to read it, also while somebody writes to it.
    pub(super) fn open_to_read(&self) -> Result<Connection, SqliteError> {
        if !self.path.exists() {
            return Err(SqliteError::no_file(&self.path));
        }
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        if self.is_new(&connection)? {
            return Err(SqliteError::foreign(&self.path));
        }
        Ok(connection)
    }

    fn open(&self, flags: OpenFlags) -> Result<Connection, SqliteError> {
        let opened = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(connection)
        });
        opened.map_err(|error| SqliteError::sqlite(&self.path, "be opened", error))
    }

    fn write_settings(&self, connection: &Connection) -> rusqlite::Result<()> {
        // Only a file that is still empty takes a page size, and what is not ours is left as it is.
        let length = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if length == 0 {
            connection.pragma_update(None, "page_size", PAGE_SIZE)?;
            write_ahead(connection)?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOGGED_PAGES)
    }

    /// Whether nothing is in the file yet; an error when what is in it is not ours to read.
    fn is_new(&self, connection: &Connection) -> Result<bool, SqliteError> {
        let number = |pragma: &str| {
            let value = connection.query_row(&format!("SELECT {pragma} FROM pragma_{pragma}"), [], |row| row.get(0));
            value.map_err(|error| SqliteError::sqlite(&self.path, "be opened", error))
        };
        let (application, version): (i64, i64) = (number("application_id")?, number("user_version")?);
        if application == APPLICATION {
            return if version > VERSION { Err(SqliteError::later(&self.path, version)) } else { Ok(false) };
        }
        let objects: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| SqliteError::sqlite(&self.path, "be opened", error))?;
        if application == 0 && version == 0 && objects == 0 { Ok(true) } else { Err(SqliteError::foreign(&self.path)) }
    }
}

/// Lets whoever reads the file and whoever writes to it not wait for each other.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    // Also where the one who made the file died before this.
    write_ahead(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_what_is_committed_is_flushed_before_it_is_answered() {
        let folder = std::env::temp_dir().join(format!("kiff-flushed-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal.db");
        for opened in ["made", "opened again"] {
            let connection = Place::at(&path).unwrap().open_to_write().unwrap();
            let setting = |name: &str| -> String {
                let asked = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
                connection.query_row(&asked, [], |row| row.get(0)).unwrap()
            };
            // 2 is `full`: the log is flushed with each transaction, and not only before it is worked in.
            assert_eq!((setting("journal_mode").as_str(), setting("synchronous").as_str()), ("wal", "2"), "{opened}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

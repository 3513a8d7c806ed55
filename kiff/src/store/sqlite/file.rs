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

/// A file, whatever it is called: its device and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix tells which file it is"))]
pub(super) struct Identity(u64, u64);

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

    /// Which file stands there now; none where there is none.
    #[cfg(unix)]
    pub(super) fn identity(&self) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;

        let metadata = fs::metadata(&self.path).ok()?;
        Some(Identity(metadata.dev(), metadata.ino()))
    }

    /// Elsewhere a file that is open can be neither moved nor removed.
    #[cfg(not(unix))]
    pub(super) fn identity(&self) -> Option<Identity> {
        None
    }

    /// Opens the file to write to it; one that is empty or not there becomes a journal.
    pub(super) fn open_to_write(&self) -> Result<Connection, SqliteError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = self.open(&self.path, flags)?;
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

    /// Opens the file to read it, also while somebody writes to it; and whether the connection sees what is written later.
    pub(super) fn open_to_read(&self) -> Result<(Connection, bool), SqliteError> {
        if !self.path.exists() {
            return Err(SqliteError::no_file(&self.path));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = self.open(&self.path, flags)?;
        let mut is_new = self.is_new(&connection);
        let stands_still = is_new.as_ref().is_err_and(SqliteError::is_not_allowed) && !self.has_log();
        if stands_still {
            // Whoever may not write beside the file cannot take part in its locks; nobody writes to it now.
            connection = self.open(&as_it_is(&self.path), flags | OpenFlags::SQLITE_OPEN_URI)?;
            is_new = self.is_new(&connection);
        }
        if is_new? { Err(SqliteError::foreign(&self.path)) } else { Ok((connection, !stands_still)) }
    }

    /// Whether something was written that is not in the file itself yet.
    fn has_log(&self) -> bool {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
    }

    fn open(&self, path: &Path, flags: OpenFlags) -> Result<Connection, SqliteError> {
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
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
        // What macOS calls a flush may stay in the disk's own cache; this asks it for a real one, and does nothing elsewhere.
        connection.pragma_update(None, "fullfsync", "on")?;
        connection.pragma_update(None, "checkpoint_fullfsync", "on")?;
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
            return match version {
                later if later > VERSION => Err(SqliteError::later(&self.path, later)),
                _ if self.is_unreleased(connection)? => Err(SqliteError::unreleased(&self.path)),
                _ => Ok(false),
            };
        }
        let objects: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| SqliteError::sqlite(&self.path, "be opened", error))?;
        if application == 0 && version == 0 && objects == 0 { Ok(true) } else { Err(SqliteError::foreign(&self.path)) }
    }

    /// Whether the tables are those from before the first release, which called itself the same version.
    fn is_unreleased(&self, connection: &Connection) -> Result<bool, SqliteError> {
        const WITHOUT_TENANT: &str =
            "SELECT count(*) > 0 AND sum(name = 'tenant') = 0 FROM pragma_table_info('open_matters')";
        let found = connection.query_row(WITHOUT_TENANT, [], |row| row.get(0));
        found.map_err(|error| SqliteError::sqlite(&self.path, "be opened", error))
    }
}

/// The file as `SQLite` is told of one that does not change.
fn as_it_is(path: &Path) -> PathBuf {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
    let escaped = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        plain if is_plain(plain) => char::from(*plain).to_string(),
        other => format!("%{other:02X}"),
    });
    let escaped: String = escaped.collect();
    format!("file:{escaped}?immutable=1").into()
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
            // macOS flushes to the disk itself only where it is asked to.
            assert_eq!([setting("fullfsync"), setting("checkpoint_fullfsync")], ["1", "1"], "{opened}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

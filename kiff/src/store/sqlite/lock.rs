//! One writer a file: a lock beside it that goes with its process, however that ends.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::SqliteError;

/// Says, as long as it is held, that this process writes to a file.
///
/// It is on a file of its own, `<file>-lock`: locks on the database itself are `SQLite`'s.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self, SqliteError> {
        let beside = beside(path);
        let failed = |error| SqliteError::io(path, "be locked", error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&beside).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy: the lock itself tells that somebody does.
                let _ = file.read_to_string(&mut holder);
                return Err(SqliteError::in_use(path, holder.trim().parse().ok()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A process that this one is just starting has the file open as well for an instant, and would hold the lock. Where it
        // cannot be given up it goes with the file.
        let _ = self.file.unlock();
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-lock");
    name.into()
}

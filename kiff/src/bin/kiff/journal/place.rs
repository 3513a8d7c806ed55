//! Where a journal is: a file of SQLite, a database of PostgreSQL, or the lines of an export.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use kiff::Store;

use super::exported;
use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// What is asked of a store, whichever it is.
pub(crate) trait Work {
    /// Asks it.
    async fn run<S: Store + Clone>(self, store: &S, shell: &Shell) -> Result<Ended, Failure>;
}

/// How a file of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Asks the store at a place, without writing to it.
pub(crate) fn read<W: Work>(place: &str, work: W, shell: &Shell) -> Result<Ended, Failure> {
    if is_postgres(place) {
        return postgres(place, work, shell);
    }
    let path = Path::new(place);
    let failed = |error: &std::io::Error| Failure::file("read", path, error);
    // What comes through a pipe is there once, and looks cut off when it is read again.
    if !fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(Failure::new(format!("cannot read `{place}`: it is no file"))
            .help("a journal is read more than once: write what comes through a pipe into a file first"));
    }
    let mut beginning = Vec::new();
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    file.by_ref().take(16).read_to_end(&mut beginning).map_err(|error| failed(&error))?;
    // Beside a file of SQLite that was emptied its lock still stands.
    let mut lock = path.as_os_str().to_owned();
    lock.push("-lock");
    if beginning == SQLITE || beginning.is_empty() && Path::new(&lock).exists() {
        return sqlite(path, work, shell);
    }
    // The export of a store without a commit has no line.
    if beginning.is_empty() || beginning.starts_with(b"{") {
        let store = Arc::new(pollster::block_on(exported::read(path))?);
        return pollster::block_on(work.run(&store, shell));
    }
    Err(Failure::new(format!("`{place}` is no journal")).help(
        "name a file of SQLite, the lines that `kiff export` writes, or a URL as in `postgres://reader@host/shop`",
    ))
}

/// Whether a place is a database of PostgreSQL.
pub(super) fn is_postgres(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}

#[cfg(feature = "sqlite")]
fn sqlite<W: Work>(path: &Path, work: W, shell: &Shell) -> Result<Ended, Failure> {
    let store = kiff::SqliteStore::open_read_only(path).map_err(|error| Failure::new(error.to_string()))?;
    pollster::block_on(work.run(&Arc::new(store), shell))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite<W: Work>(path: &Path, _work: W, _shell: &Shell) -> Result<Ended, Failure> {
    Err(Failure::new(format!("`{}` is a file of SQLite, and this kiff is built without it", path.display()))
        .help("install it again with the feature `sqlite` among those that you use: docs/command-line.md says how"))
}

#[cfg(feature = "postgres")]
fn postgres<W: Work>(url: &str, work: W, shell: &Shell) -> Result<Ended, Failure> {
    pollster::block_on(async {
        let store = kiff::PostgresStore::connect(url).await.map_err(|error| Failure::new(error.to_string()))?;
        work.run(&Arc::new(store), shell).await
    })
}

#[cfg(not(feature = "postgres"))]
fn postgres<W: Work>(_url: &str, _work: W, _shell: &Shell) -> Result<Ended, Failure> {
    Err(Failure::new("this kiff is built without PostgreSQL")
        .help("install it again with the feature `postgres` among those that you use: docs/command-line.md says how"))
}

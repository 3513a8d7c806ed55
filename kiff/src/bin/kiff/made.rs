//! Files that commands make: each is there whole, or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;

/// A new file that is written beside its place, and gone again unless it is put there.
pub(crate) struct Made {
    beside: NamedTempFile,
    place: PathBuf,
}

impl Made {
    /// Begins a file whose place is free.
    pub(crate) fn at(place: &Path) -> Result<Self, Failure> {
        // A link that leads nowhere takes the place as well.
        if fs::symlink_metadata(place).is_ok() {
            return Err(failed(place, &ErrorKind::AlreadyExists.into()));
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".");
        let mut beside = Builder::new();
        beside.prefix(&name).suffix(".part");
        // As other new files are, less what the user's mask takes away.
        #[cfg(unix)]
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let beside = beside.tempfile_in(folder).map_err(|error| failed(place, &error))?;
        Ok(Self { beside, place: place.to_owned() })
    }

    /// Flushes the file to the disk and puts it in its place at once, if that is still free.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let Self { beside, place } = self;
        let flushed = beside.as_file().sync_all();
        let kept = flushed.and_then(|()| beside.persist_noclobber(&place).map_err(|refused| refused.error));
        kept.map(drop).map_err(|error| failed(&place, &error))
    }
}

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.beside.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.beside.flush()
    }
}

fn failed(place: &Path, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure::new(format!("cannot make `{}`: it is there already", place.display()))
            .help("nothing is written over: name a file that is not there yet");
    }
    Failure::file("make", place, error)
}

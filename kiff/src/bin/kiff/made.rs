//! Files that commands make or replace: each is there whole, or as it was.

use std::fs::{self, File, Metadata, OpenOptions};
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
        let beside = beside(place).map_err(|error| failed(place, &error))?;
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

/// Puts texts in the place of what files hold. Each is written beside its file, and none is put in its place before all are written.
pub(crate) fn replace(files: &[(&Path, &str)]) -> Result<(), Failure> {
    let mut written = Vec::new();
    for &(named, text) in files {
        let beside = written_beside(named, text).map_err(|error| Failure::file("write", named, &error))?;
        written.push((named, text, beside));
    }
    for (named, text, beside) in written {
        let put = match beside {
            Some((beside, place)) => beside.persist(place).map(drop).map_err(|refused| refused.error),
            None => fs::write(named, text),
        };
        put.map_err(|error| Failure::file("write", named, &error))?;
    }
    Ok(())
}

/// A text on the disk, beside the file that it is for, and where that file is. None for what has to be written to as it stands: a
/// terminal, a pipe, a file in a folder where nothing else may be made, and one that would become another's.
fn written_beside(named: &Path, text: &str) -> io::Result<Option<(NamedTempFile, PathBuf)>> {
    let old = match fs::metadata(named) {
        Ok(old) if !old.is_file() => return Ok(None),
        Ok(old) => {
            // What may not be written may not be replaced either.
            OpenOptions::new().write(true).open(named)?;
            Some(old)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let place = behind_links(named);
    let Ok(mut beside) = beside(&place) else { return Ok(None) };
    let file = beside.as_file_mut();
    file.write_all(text.as_bytes())?;
    if let Some(old) = old {
        if !give_to_owner(file, &old)? {
            return Ok(None);
        }
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    Ok(Some((beside, place)))
}

/// Where the file is that a name leads to: a link goes on leading to it.
fn behind_links(named: &Path) -> PathBuf {
    let mut place = named.to_owned();
    while let Ok(leads_to) = fs::read_link(&place) {
        place = folder_of(&place).join(leads_to);
    }
    place
}

/// Gives a file to whom the old one belongs, and says whether that was for the user to do.
#[cfg(unix)]
fn give_to_owner(file: &File, old: &Metadata) -> io::Result<bool> {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Each by itself: whoever may not give away the one may be let give away the other.
    let _ = fchown(file, None, Some(old.gid()));
    let _ = fchown(file, Some(old.uid()), None);
    let new = file.metadata()?;
    Ok((new.uid(), new.gid()) == (old.uid(), old.gid()))
}

#[cfg(not(unix))]
fn give_to_owner(_: &File, _: &Metadata) -> io::Result<bool> {
    Ok(true)
}

/// A new file beside a place.
fn beside(place: &Path) -> io::Result<NamedTempFile> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let mut beside = Builder::new();
    beside.prefix(&name).suffix(".part");
    // As other new files are, less what the user's mask takes away.
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    beside.tempfile_in(folder_of(place))
}

fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(place: &Path, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure::new(format!("cannot make `{}`: it is there already", place.display()))
            .help("nothing is written over: name a file that is not there yet");
    }
    Failure::file("make", place, error)
}

//! Files that commands make: each is there whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A new file that is written beside its place, and gone again unless it is put there.
pub(crate) struct Made {
    file: File,
    beside: PathBuf,
    place: PathBuf,
}

impl Made {
    /// How many parts there may be beside a place, of runs that were killed or that go on.
    const PARTS: u32 = 1000;

    /// Begins a file whose place is free.
    pub(crate) fn at(place: &Path) -> Result<Self, Failure> {
        // A link that leads nowhere takes the place as well.
        if fs::symlink_metadata(place).is_ok() {
            return Err(failed(place, &ErrorKind::AlreadyExists.into()));
        }
        let mut count = 0;
        loop {
            let mut beside = place.as_os_str().to_owned();
            beside.push(format!(".{count}.part"));
            match new(Path::new(&beside)) {
                Ok(file) => return Ok(Self { file, beside: beside.into(), place: place.to_owned() }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && count < Self::PARTS => count += 1,
                Err(error) => return Err(failed(place, &error)),
            }
        }
    }

    /// Flushes the file to the disk and puts it in its place, if that is still free.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let keep = || {
            self.file.sync_all()?;
            // Of two that make the same file, one takes the place; the other's file is not written over.
            new(&self.place)?;
            fs::rename(&self.beside, &self.place).inspect_err(|_| drop(fs::remove_file(&self.place)))
        };
        keep().map_err(|error| failed(&self.place, &error))
    }
}

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // There is none when it was put in its place.
        let _ = fs::remove_file(&self.beside);
    }
}

fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn failed(place: &Path, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure::new(format!("cannot make `{}`: it is there already", place.display()))
            .help("nothing is written over: name a file that is not there yet");
    }
    Failure::file("make", place, error)
}

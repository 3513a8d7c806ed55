//! The folder that a file is in: it is flushed as well, where the file must outlast a loss of power.

use std::fs::File;
use std::io;
use std::path::Path;

/// The folder of a file.
pub(crate) fn of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes what a folder says of its files. Until then one that was put there may be gone after a loss of power, however often the file
/// itself was flushed.
pub(crate) fn keep_names(folder: &Path) -> io::Result<()> {
    // Only on Unix a folder is a thing that can be flushed; elsewhere its names are kept without that.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_no_folder_is_in_the_present_one() {
        for (file, folder) in [("log.key", "."), ("keys/log.key", "keys"), ("/log.key", "/")] {
            assert_eq!(of(Path::new(file)), Path::new(folder));
        }
        assert!(keep_names(of(Path::new("log.key"))).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_flushed_keeps_nothing() {
        assert_eq!(keep_names(Path::new("no/such/folder")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

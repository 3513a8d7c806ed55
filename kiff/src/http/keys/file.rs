//! The file of keys: read whole, written whole, by one process at a time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::seen::Seen;
use super::{Key, KeysError};
use crate::actor::Actor;
use crate::digest::Digest;
use crate::folder;
use crate::time::Timestamp;

/// The version of the file that is written today.
const VERSION: u32 = 1;

/// What stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kiff_keys: u32,
    keys: BTreeMap<String, Kept>,
}

/// A key with all that is kept of it.
#[derive(Serialize, Deserialize)]
struct Kept(#[serde(with = "Members")] Key);

/// What is kept of a key, in the order of the file: the key as it is told, and its digest, which stands nowhere else.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Key", deny_unknown_fields)]
struct Members {
    id: String,
    actor: Actor,
    tenant: String,
    acts_for_others: bool,
    note: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    digest: Digest,
}

/// What the file looks like, if nobody but its owner can reach what is in it.
pub(super) fn look(path: &Path) -> Result<Seen, KeysError> {
    match fs::metadata(path) {
        Ok(metadata) => private(path, &metadata).map(|()| Seen::of(&metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Seen::NOTHING),
        Err(error) => Err(KeysError::file(path)(error)),
    }
}

#[cfg(unix)]
fn private(path: &Path, metadata: &fs::Metadata) -> Result<(), KeysError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(KeysError::Open(path.to_owned(), mode)) }
}

#[cfg(not(unix))]
fn private(_: &Path, _: &fs::Metadata) -> Result<(), KeysError> {
    Ok(())
}

/// The keys in the file that was seen; none yet, where there was none.
pub(super) fn read(path: &Path, seen: Seen) -> Result<BTreeMap<String, Key>, KeysError> {
    if seen == Seen::NOTHING {
        return Ok(BTreeMap::new());
    }
    let text = fs::read(path).map_err(KeysError::file(path))?;
    let written: Written = serde_json::from_slice(&text).map_err(|error| KeysError::Shape(path.to_owned(), error))?;
    if written.kiff_keys != VERSION {
        let error = serde::de::Error::custom(format_args!("version {} is not known", written.kiff_keys));
        return Err(KeysError::Shape(path.to_owned(), error));
    }
    Ok(written.keys.into_iter().map(|(id, Kept(key))| (id, key)).collect())
}

/// Reads the file, changes its keys and writes it where that is a change, while no other process does.
pub(super) fn change<T>(path: &Path, change: impl FnOnce(&mut BTreeMap<String, Key>) -> T) -> Result<T, KeysError> {
    // The file itself, and not a link to it: a server reads that one, and all who write take turns there.
    let path = &fs::read_link(path).and_then(|_| fs::canonicalize(path)).unwrap_or_else(|_| path.to_owned());
    let lock_path = beside(path, "lock");
    let lock = lock_file(path, &lock_path)?;
    lock.lock().map_err(KeysError::file(&lock_path))?;
    let seen = look(path)?;
    let mut keys = read(path, seen)?;
    let before = keys.clone();
    let changed = change(&mut keys);
    if keys != before {
        write(path, &keys)?;
    }
    Ok(changed)
}

/// The file that is held while the keys of another one are changed. Whoever owns their folder may have put something in its place: nothing
/// is followed, and only what is made here is given to them.
fn lock_file(path: &Path, lock_path: &Path) -> Result<File, KeysError> {
    let failed = |error| KeysError::file(lock_path)(error);
    match private_file(lock_path, OpenOptions::new().create_new(true)) {
        Ok(made) => {
            // One that they cannot open would keep them from their keys.
            give_to_owner_of(path, &made).inspect_err(|_| drop(fs::remove_file(lock_path)))?;
            Ok(made)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(lock_path).map_err(failed)?.is_file() {
                return Err(failed(io::Error::other("it is a link or no file at all: remove it")));
            }
            private_file(lock_path, &mut OpenOptions::new()).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes the file beside the old one and puts it in its place, so that a reader sees the one or the other whole. It belongs to
/// whom the old one belonged, so that a server goes on reading it, whoever has changed it.
fn write(path: &Path, keys: &BTreeMap<String, Key>) -> Result<(), KeysError> {
    let kept = keys.iter().map(|(id, key)| (id.clone(), Kept(key.clone()))).collect();
    let written = Written { kiff_keys: VERSION, keys: kept };
    let text = serde_json::to_vec_pretty(&written).map_err(|error| KeysError::Shape(path.to_owned(), error))?;
    let new_path = beside(path, "new");
    let failed = |error| KeysError::file(path)(error);
    // What a change that broke off has left there, or somebody else has put there, is not written through.
    if let Err(error) = fs::remove_file(&new_path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(failed(error));
    }
    let mut new = private_file(&new_path, OpenOptions::new().create_new(true)).map_err(failed)?;
    let mut put = || {
        give_to_owner_of(path, &new)?;
        new.write_all(&text).and_then(|()| new.write_all(b"\n")).and_then(|()| new.sync_all()).map_err(failed)?;
        fs::rename(&new_path, path).map_err(failed)
    };
    put().inspect_err(|_| drop(fs::remove_file(&new_path)))?;
    folder::keep_names(folder::of(path)).map_err(failed)
}

/// Gives a file that was made beside the one at `path` to its owner, where there is one at `path` already and it belongs to somebody else.
#[cfg(unix)]
fn give_to_owner_of(path: &Path, file: &File) -> Result<(), KeysError> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let old = match fs::metadata(path) {
        Ok(old) => old,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(KeysError::file(path)(error)),
    };
    let own = file.metadata().map_err(KeysError::file(path))?;
    if (own.uid(), own.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid())).map_err(|error| KeysError::Owner(path.to_owned(), error))
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &File) -> Result<(), KeysError> {
    Ok(())
}

#[cfg(unix)]
fn private_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.write(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.write(true).open(path)
}

/// The path with one more ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

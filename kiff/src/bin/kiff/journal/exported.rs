//! The lines of an export, as a store.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use kiff::{Appended, ExportError, Exported, MemoryStore, Store};

use crate::failure::Failure;

/// The commits of an export, each of which has to be what was written and to follow on the one before.
pub(super) async fn read(path: &Path) -> Result<MemoryStore, Failure> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    let store = MemoryStore::new();
    for (number, line) in lines(path).map_err(failed)? {
        let line = line.map_err(failed)?;
        let wrong = |problem: &str| {
            Failure::new(format!("line {number} of `{}`: {problem}", path.display())).being_the_answer()
        };
        let commit: Exported = match line.parse() {
            Ok(commit) => commit,
            Err(error) => return Err(wrong(&edited(path, number, &error).map_err(failed)?)),
        };
        if commit.position() != number {
            return Err(wrong(&displaced(path, number, commit.position()).map_err(failed)?));
        }
        let sealed = commit.sealed().map_err(|error| wrong(&error.to_string()))?;
        if store.append(sealed).await? == Appended::Conflict {
            let key = commit.commit().key();
            return Err(wrong(&format!("it does not follow on the commit of `{key}` before it")));
        }
    }
    Ok(store)
}

fn lines(path: &Path) -> io::Result<impl Iterator<Item = (u64, io::Result<String>)>> {
    Ok((1..).zip(BufReader::new(File::open(path)?).lines()))
}

/// What is wrong with a line that is no commit: it was edited, or swapped with a later one in what it says.
fn edited(path: &Path, number: u64, error: &ExportError) -> io::Result<String> {
    let ExportError::Broken(broken) = error else {
        return Ok(error.to_string());
    };
    for (later, line) in lines(path)?.skip_while(|(later, _)| *later <= number) {
        if let Err(ExportError::Broken(other)) = line?.parse::<Exported>()
            && broken.is_swapped_with(&other)
        {
            return Ok(format!("{error}; what it says and what line {later} says were swapped"));
        }
    }
    Ok(error.to_string())
}

/// What is wrong with the order of the lines, of which this one is of another position.
fn displaced(path: &Path, number: u64, position: u64) -> io::Result<String> {
    let says = format!("it is the commit at position {position}");
    for (later, line) in lines(path)?.skip_while(|(later, _)| *later <= number) {
        if line?.parse::<Exported>().is_ok_and(|commit| commit.position() == number) {
            return Ok(if later == position {
                format!("{says}; lines {number} and {later} were swapped")
            } else {
                format!("{says}; the commit at position {number} stands in line {later}")
            });
        }
    }
    Ok(format!("{says}; the commit at position {number} is missing"))
}

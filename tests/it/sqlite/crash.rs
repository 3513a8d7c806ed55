//! What a crash leaves on the disk, at every point where it can happen: nothing that was answered is lost, nothing is there half.
//!
//! The files are copied whenever an append was answered. Between two copies, a crash leaves any part of what was written: all
//! up to some byte, or some of the sectors in any order, with old bytes, zeros or rubbish in place of the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiff::{Appended, Commit, SqliteStore, Store};
use kiff_test::block_on;
use rusqlite::Connection;

use super::{everything, folder, next, order, path_of};

const SECTOR: usize = 512;

/// How many points are tried; `KIFF_CRASH_POINTS` says how many instead.
const POINTS: usize = 1000;

/// The files as they are at one moment.
#[derive(Clone, Default, PartialEq)]
struct Disk {
    main: Vec<u8>,
    log: Vec<u8>,
}

impl Disk {
    fn copied(path: &Path) -> Self {
        let read = |path: PathBuf| fs::read(path).unwrap_or_default();
        Self { main: read(path.to_owned()), log: read(log_of(path)) }
    }

    fn restored(&self, path: &Path) {
        for beside in ["-wal", "-shm", "-lock"] {
            let _ = fs::remove_file(with(path, beside));
        }
        fs::write(path, &self.main).unwrap();
        if !self.log.is_empty() {
            fs::write(log_of(path), &self.log).unwrap();
        }
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn log_of(path: &Path) -> PathBuf {
    with(path, "-wal")
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// A part of the way from the bytes before to those after.
fn torn(before: &[u8], after: &[u8], dice: &mut Dice) -> Vec<u8> {
    if before == after {
        return after.to_vec();
    }
    let changed = (0..after.len()).find(|place| before.get(*place) != after.get(*place)).unwrap_or(0);
    let kind = dice.below(4);
    let cut = changed + dice.below(after.len().saturating_sub(changed) + 1);
    if kind == 0 {
        // A write that was cut short at the end of the file.
        let mut bytes = after[..cut].to_vec();
        bytes.extend(before.get(cut..).unwrap_or_default());
        return bytes;
    }
    let mut bytes = before.to_vec();
    bytes.resize(before.len().max(after.len()), 0);
    for (number, sector) in after.chunks(SECTOR).enumerate() {
        let start = number * SECTOR;
        let written = if kind == 1 { start < cut } else { dice.below(2) == 0 };
        let place = &mut bytes[start..start + sector.len()];
        if written {
            place.copy_from_slice(sector);
        } else if kind == 3 && before.get(start..start + sector.len()) != Some(sector) && start >= before.len() {
            for byte in place {
                *byte = u8::try_from(dice.below(256)).unwrap();
            }
        }
    }
    bytes
}

/// A disk at each answer, and all commits in order: the disk at `n` has the first `n`.
struct Story {
    moments: Vec<(usize, Disk)>,
    commits: Vec<Arc<Commit>>,
}

/// A store is made and written to; its log is worked into the file, and is begun anew.
fn tale(path: &Path) -> Story {
    let mut tale = Story { moments: vec![(0, Disk::default())], commits: Vec::new() };
    let store = SqliteStore::open(path).unwrap();
    tale.moments.push((0, Disk::copied(path)));
    let mut last: Vec<Option<Arc<Commit>>> = vec![None; 3];
    for round in 0..16 {
        if round == 9 {
            let other = Connection::open(path).unwrap();
            other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
            tale.moments.push((tale.commits.len(), Disk::copied(path)));
        }
        let entity = round % last.len();
        let commit =
            next(&order(entity), last[entity].as_deref(), &format!("round {round} {}", "x".repeat(round * 90)));
        let sealed = Arc::clone(commit.commit());
        assert_eq!(block_on(store.append(commit)).unwrap(), Appended::Written);
        tale.commits.push(Arc::clone(&sealed));
        last[entity] = Some(sealed);
        tale.moments.push((tale.commits.len(), Disk::copied(path)));
    }
    drop(store);
    tale.moments.push((tale.commits.len(), Disk::copied(path)));
    tale
}

/// What a store holds that is opened on what a crash left: whole commits, from the first on.
fn recovered(path: &Path, tale: &Story, point: &str) -> usize {
    let store = SqliteStore::open(path).unwrap_or_else(|error| panic!("{point}: {error}"));
    let found = everything(&store);
    assert!(tale.commits.starts_with(&found), "{point}: something else than what was appended");
    for entity in 0..3 {
        let read = block_on(store.read(&order(entity), 0, 99)).unwrap();
        let of_entity = found.iter().filter(|commit| *commit.key() == order(entity));
        assert!(read.iter().eq(of_entity), "{point}: the journal of {} is another", order(entity));
    }
    found.len()
}

#[test]
fn p7_whatever_a_crash_leaves_on_the_disk_holds_every_answered_commit_whole() {
    let points = std::env::var("KIFF_CRASH_POINTS").map_or(POINTS, |points| points.parse().unwrap());
    let folder = folder();
    let path = path_of(folder.path());
    let tale = tale(&path);
    let mut dice = Dice(7);
    let (mut lost, mut early) = (0, 0);
    for point in 0..points {
        let pair = dice.below(tale.moments.len() - 1);
        let ((kept, before), (most, after)) = (&tale.moments[pair], &tale.moments[pair + 1]);
        let is_end = pair + 2 == tale.moments.len();
        // A file that is made has another journal beside it until it is whole, which is SQLite's own affair.
        let main = if pair == 0 { after.main.clone() } else { torn(&before.main, &after.main, &mut dice) };
        // The log is cut off only when all of it is in the file.
        let log = if is_end { before.log.clone() } else { torn(&before.log, &after.log, &mut dice) };
        let disk = Disk { main, log };
        disk.restored(&path);
        let named = format!("point {point}, between moments {pair} and {}", pair + 1);
        // Sometimes it crashes once more while it recovers.
        if point % 8 == 0 {
            let store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("{named}: {error}"));
            let again = Disk::copied(&path);
            drop(store);
            again.restored(&path);
        }
        let found = recovered(&path, &tale, &named);
        assert!((*kept..=*most).contains(&found), "{named}: {found} commits, {kept} were answered");
        lost += usize::from(found == *kept && most > kept);
        early += usize::from(found == *most && most > kept);
    }
    assert!(lost > 0 && early > 0, "the points reach both sides of an answer");
}

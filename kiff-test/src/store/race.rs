//! Writers and readers of a store at once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use kiff::{Appended, Cursor, EntityKey, Query, Store};

use super::machine::{Found, answer};
use super::sample::{commit, entity, head};
use crate::wait::block_on;

const WRITERS: u64 = 4;
const READERS: usize = 2;
/// How many commits there are to win.
const COMMITS: u64 = 25;
/// How many commits a reader reads at a time.
const PAGE: usize = 4;
/// How often a follower looks in vain, squared.
const PATIENCE: usize = 1000;

/// Writers race for each number of one journal while others read it.
pub(super) fn on_one_entity(store: &impl Store) -> Found {
    let key = &entity(1)?;
    let (step, over) = (&Barrier::new(usize::try_from(WRITERS).unwrap_or(0)), &AtomicBool::new(false));
    let won = thread::scope(|scope| {
        let spawn = |writer| scope.spawn(move || write_in_step(store, key, writer, step));
        let writers: Vec<_> = (0..WRITERS).map(spawn).collect();
        let read = |_| {
            scope.spawn(move || {
                while !over.load(Ordering::Acquire) {
                    walk(store, key)?;
                }
                Ok(())
            })
        };
        let readers: Vec<_> = (0..READERS).map(read).collect();
        let won: Found<Vec<_>> = writers.into_iter().map(joined).collect();
        over.store(true, Ordering::Release);
        let read: Found = readers.into_iter().try_for_each(joined);
        read.and(won)
    })?;
    let mut won: Vec<(u64, u64)> = won.into_iter().flatten().collect();
    won.sort_unstable();
    let winners: Vec<_> = walk(store, key)?;
    if winners != won {
        return Err(format!(
            "the writers were told that they won (number, writer) {won:?}, but the journal says {winners:?}"
        ));
    }
    Ok(())
}

/// Each writer has an entity of its own, so that nobody is ever in conflict.
pub(super) fn on_entities_of_their_own(store: &impl Store) -> Found {
    // The writers and one who follows.
    let start = &Barrier::new(usize::try_from(WRITERS).unwrap_or(0) + 1);
    thread::scope(|scope| {
        let spawn = |writer| {
            scope.spawn(move || {
                let key = entity(usize::try_from(writer).unwrap_or(0) + 2)?;
                start.wait();
                let won = write(store, &key, writer)?;
                let expected: Vec<_> = (1..=COMMITS).map(|number| (number, writer)).collect();
                if won != expected || walk(store, &key)? != expected {
                    return Err(format!("a writer that was alone on `{key}` won only {won:?}"));
                }
                Ok(())
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(spawn).collect();
        let follower = scope.spawn(move || {
            start.wait();
            follow(store)
        });
        writers.into_iter().try_for_each(joined).and(joined(follower))
    })
}

/// Follows all commits while they are written: each entity's in order, none left out, at positions without gaps.
fn follow(store: &impl Store) -> Found {
    let (mut position, mut in_vain) = (0, 0);
    let mut seen: BTreeMap<EntityKey, u64> = BTreeMap::new();
    let total = WRITERS.saturating_mul(COMMITS);
    while position < total {
        let page = answer(block_on(store.search(&Query::default(), Cursor::After(position), PAGE)))?;
        in_vain = if page.is_empty() { in_vain + 1 } else { 0 };
        if in_vain > PATIENCE.saturating_mul(PATIENCE) {
            return Err(format!("whoever follows all commits sees only {position} of {total}"));
        }
        for (found, commit) in page {
            let last = seen.entry(commit.key().clone()).or_default();
            if found != position + 1 || commit.number() != *last + 1 {
                return Err(format!(
                    "whoever follows all commits saw commit {} of `{}` at position {found}, behind its commit {last} and \
                     position {position}",
                    commit.number(),
                    commit.key()
                ));
            }
            (position, *last) = (found, commit.number());
        }
        thread::yield_now();
    }
    Ok(())
}

fn joined<T>(thread: ScopedJoinHandle<'_, Found<T>>) -> Found<T> {
    thread.join().unwrap_or_else(|_| Err("the store panicked".to_owned()))
}

/// Tries for each number at the same time as the other writers; the numbers that this writer won.
fn write_in_step(store: &impl Store, key: &EntityKey, writer: u64, step: &Barrier) -> Found<Vec<(u64, u64)>> {
    let mut won = Ok(Vec::new());
    for number in 1..=COMMITS {
        // Whatever goes wrong, the others wait at every step, so that this writer has to come along.
        let sealed = survive(|| {
            let commits = answer(block_on(store.read(key, 0, usize::MAX)))?;
            let (last, hash) = head(commits.last().map(|last| &**last));
            if last + 1 != number {
                return Err(format!("the journal ends at {last} when commit {number} is due"));
            }
            commit(key, number, hash, 3, writer)
        });
        step.wait();
        let appended = sealed.and_then(|sealed| survive(|| answer(block_on(store.append(sealed)))));
        step.wait();
        won = won.and_then(|mut won: Vec<_>| {
            if appended? == Appended::Written {
                won.push((number, writer));
            }
            Ok(won)
        });
    }
    won
}

/// An answer, even where the store panics.
fn survive<T>(ask: impl FnOnce() -> Found<T>) -> Found<T> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| Err("the store panicked".to_owned()))
}

/// Appends until the journal is full, where nobody else does; the numbers that this writer won.
fn write(store: &impl Store, key: &EntityKey, writer: u64) -> Found<Vec<(u64, u64)>> {
    let mut won = Vec::new();
    for number in 1..=COMMITS {
        let commits = answer(block_on(store.read(key, 0, usize::MAX)))?;
        let (last, hash) = head(commits.last().map(|last| &**last));
        let sealed = commit(key, last + 1, hash, 3, writer)?;
        if answer(block_on(store.append(sealed)))? == Appended::Conflict {
            return Err(format!(
                "appending commit {number} of `{key}` is in conflict, although nobody else appends there"
            ));
        }
        won.push((last + 1, writer));
    }
    Ok(won)
}

/// Reads the journal page by page: who wrote each number.
fn walk(store: &impl Store, key: &EntityKey) -> Found<Vec<(u64, u64)>> {
    let (mut last, mut hash) = head(None);
    let mut writers = Vec::new();
    loop {
        let page = answer(block_on(store.read(key, last, PAGE)))?;
        if page.is_empty() {
            return Ok(writers);
        }
        for commit in page {
            if commit.number() != last + 1 || commit.previous() != hash {
                return Err(format!("a reader of `{key}` saw commit {} follow on {last}", commit.number()));
            }
            commit.verify().map_err(|error| error.to_string())?;
            (last, hash) = (commit.number(), commit.hash());
            let writer = commit.actor().id().as_str().trim_start_matches("writer-").parse();
            writers.push((last, writer.map_err(|_| "a commit of somebody else".to_owned())?));
        }
    }
}

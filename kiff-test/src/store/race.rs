//! Writers and readers of a store at once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, ScopedJoinHandle};

use kiff::{Appended, Commit, Cursor, Digest, EntityKey, Query, Sealed, Store};

use super::machine::{Found, answer, hold_to, numbers};
use super::sample::{commit, entity, head};
use crate::wait::block_on;

const WRITERS: u64 = 4;
const READERS: usize = 2;
/// How many commits there are to win.
const COMMITS: u64 = 25;
/// How many facts each has: one of each sort.
const FACTS: usize = 7;
/// From one number to the next: no two commits have the same seed, and what a writer writes is by the same actor.
const SEEDS: u64 = 5;
/// How many commits a reader reads at a time.
const PAGE: usize = 4;

/// Writers race for each number of one journal while others read it and one follows all commits.
pub(super) fn on_one_entity(store: &impl Store) -> Found {
    let key = &entity(1)?;
    let (step, over) = (&Barrier::new(usize::try_from(WRITERS).unwrap_or(0)), &AtomicBool::new(false));
    let (won, read, followed) = thread::scope(|scope| {
        let spawn = |writer| scope.spawn(move || write_in_step(store, key, writer, step));
        let writers: Vec<_> = (0..WRITERS).map(spawn).collect();
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(move || read_on(store, key, over))).collect();
        let follower = scope.spawn(move || follow(store, over));
        let won = all_joined(writers);
        over.store(true, Ordering::Release);
        // What a writer has to say comes first: what others saw may be due to it.
        Ok::<_, String>((won?, all_joined(readers)?, joined(follower)?))
    })?;
    let mut won: Vec<Sealed> = won.into_iter().flatten().collect();
    won.sort_unstable_by_key(|sealed| sealed.commit().number());
    let winners = walk(store, key)?;
    if !winners.iter().eq(won.iter().map(Sealed::commit)) {
        let won: Vec<_> = won.iter().map(|sealed| Arc::clone(sealed.commit())).collect();
        return Err(format!(
            "the writers were told that they won {}, but the journal says {}",
            numbers(&won),
            numbers(&winners)
        ));
    }
    for seen in read {
        stays(key, &seen, &winners)?;
    }
    end(store, won, &followed)
}

/// Each writer has an entity of its own, so that nobody is ever in conflict.
pub(super) fn on_entities_of_their_own(store: &impl Store) -> Found {
    // The writers and one who follows.
    let start = &Barrier::new(usize::try_from(WRITERS).unwrap_or(0) + 1);
    let over = &AtomicBool::new(false);
    let (written, followed) = thread::scope(|scope| {
        let spawn = |writer| {
            scope.spawn(move || {
                let key = entity(usize::try_from(writer).unwrap_or(0) + 2)?;
                start.wait();
                write(store, &key, writer)
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(spawn).collect();
        let follower = scope.spawn(move || {
            start.wait();
            follow(store, over)
        });
        let written = all_joined(writers);
        over.store(true, Ordering::Release);
        Ok::<_, String>((written?, joined(follower)?))
    })?;
    end(store, written.into_iter().flatten().collect(), &followed)
}

/// The race is over: all that a store is asked for says what was written, and so did what was seen meanwhile.
fn end(store: &impl Store, written: Vec<Sealed>, followed: &[Arc<Commit>]) -> Found {
    let order = hold_to(store, written)?;
    if order == followed {
        return Ok(());
    }
    Err(format!(
        "whoever followed all commits saw {}, and whoever comes later sees {}",
        numbers(followed),
        numbers(&order)
    ))
}

/// Follows all commits while they are written, and to their end when the race is over: each entity's in order, none left out,
/// at positions without gaps.
fn follow(store: &impl Store, over: &AtomicBool) -> Found<Vec<Arc<Commit>>> {
    let (mut seen, mut position) = (Vec::new(), 0);
    let mut ends: BTreeMap<EntityKey, u64> = BTreeMap::new();
    loop {
        let is_over = over.load(Ordering::Acquire);
        let page = answer(block_on(store.search(&Query::default(), Cursor::After(position), PAGE)))?;
        if page.is_empty() && is_over {
            return Ok(seen);
        }
        for (found, commit) in page {
            let last = ends.entry(commit.key().clone()).or_default();
            if found != position + 1 || commit.number() != *last + 1 {
                return Err(format!(
                    "whoever follows all commits saw commit {} of `{}` at position {found}, behind its commit {last} and \
                     position {position}",
                    commit.number(),
                    commit.key()
                ));
            }
            (position, *last) = (found, commit.number());
            seen.push(commit);
        }
        thread::yield_now();
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, Found<T>>) -> Found<T> {
    thread.join().unwrap_or_else(|_| Err("the store panicked".to_owned()))
}

/// What each of them says, when all have ended.
fn all_joined<T>(threads: Vec<ScopedJoinHandle<'_, Found<T>>>) -> Found<Vec<T>> {
    let ended: Vec<Found<T>> = threads.into_iter().map(joined).collect();
    ended.into_iter().collect()
}

/// What a writer appends under a number: all sorts of facts, and for each number something else.
fn by(writer: u64, key: &EntityKey, number: u64, previous: Digest) -> Found<Sealed> {
    commit(key, number, previous, FACTS, number * SEEDS + writer)
}

/// Tries for each number at the same time as the other writers; what this writer won.
fn write_in_step(store: &impl Store, key: &EntityKey, writer: u64, step: &Barrier) -> Found<Vec<Sealed>> {
    let mut won = Ok(Vec::new());
    for number in 1..=COMMITS {
        // Whatever goes wrong, the others wait at every step, so that this writer has to come along.
        let sealed = survive(|| {
            let commits = answer(block_on(store.read(key, 0, usize::MAX)))?;
            let (last, hash) = head(commits.last().map(|last| &**last));
            if last + 1 != number {
                return Err(format!("the journal ends at {last} when commit {number} is due"));
            }
            by(writer, key, number, hash)
        });
        step.wait();
        let appended = sealed.and_then(|sealed| {
            let appended = survive(|| answer(block_on(store.append(sealed.clone()))))?;
            Ok((appended == Appended::Written).then_some(sealed))
        });
        step.wait();
        won = won.and_then(|mut won: Vec<_>| {
            won.extend(appended?);
            Ok(won)
        });
    }
    won
}

/// An answer, even where the store panics.
fn survive<T>(ask: impl FnOnce() -> Found<T>) -> Found<T> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| Err("the store panicked".to_owned()))
}

/// Appends until the journal is full, where nobody else does; what was appended.
fn write(store: &impl Store, key: &EntityKey, writer: u64) -> Found<Vec<Sealed>> {
    let mut written = Vec::new();
    for number in 1..=COMMITS {
        let commits = answer(block_on(store.read(key, 0, usize::MAX)))?;
        let (last, hash) = head(commits.last().map(|last| &**last));
        if last + 1 != number {
            return Err(format!(
                "the journal of a writer that is alone on `{key}` ends at {last} when commit {number} is due"
            ));
        }
        let sealed = by(writer, key, number, hash)?;
        if answer(block_on(store.append(sealed.clone())))? == Appended::Conflict {
            return Err(format!(
                "appending commit {number} of `{key}` is in conflict, although nobody else appends there"
            ));
        }
        written.push(sealed);
    }
    Ok(written)
}

/// Reads the journal again and again, and once more when the race is over; what was seen last.
fn read_on(store: &impl Store, key: &EntityKey, over: &AtomicBool) -> Found<Vec<Arc<Commit>>> {
    let mut seen = Vec::new();
    loop {
        let is_over = over.load(Ordering::Acquire);
        let now = walk(store, key)?;
        stays(key, &seen, &now)?;
        if is_over {
            return Ok(now);
        }
        seen = now;
    }
}

/// Whether a journal still begins with what was seen of it.
fn stays(key: &EntityKey, seen: &[Arc<Commit>], now: &[Arc<Commit>]) -> Found {
    if now.starts_with(seen) {
        return Ok(());
    }
    Err(format!("a reader of `{key}` saw {}, and later {}", numbers(seen), numbers(now)))
}

/// Reads the journal page by page.
fn walk(store: &impl Store, key: &EntityKey) -> Found<Vec<Arc<Commit>>> {
    let (mut last, mut hash) = head(None);
    let mut seen = Vec::new();
    loop {
        let page = answer(block_on(store.read(key, last, PAGE)))?;
        if page.is_empty() {
            return Ok(seen);
        }
        for commit in page {
            if commit.number() != last + 1 || commit.previous() != hash {
                return Err(format!("a reader of `{key}` saw commit {} follow on {last}", commit.number()));
            }
            commit.verify().map_err(|error| error.to_string())?;
            (last, hash) = (commit.number(), commit.hash());
            seen.push(commit);
        }
    }
}

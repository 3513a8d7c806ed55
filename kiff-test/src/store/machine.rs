//! Made-up operations on a store, held to a plain model of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;

use kiff::{Appended, Commit, Digest, EntityKey, Sealed, Store};
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::sample::{commit, entities, head};
use crate::wait::block_on;

/// What does not fit, in a sentence.
pub(super) type Found<T = ()> = Result<T, String>;

/// One thing to do with a store; `entity` is a place among the entities, from the first on when there are too few.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Appends a commit of `facts` facts.
    Append { entity: usize, place: Place, facts: usize, seed: u64 },
    /// Appends a commit once more that was kept before.
    Repeat { entity: usize, number: usize },
    /// Reads a page of a journal.
    Read { entity: usize, after: u64, limit: usize },
    /// Lists a page of entities.
    List { after: Option<usize>, limit: usize },
}

/// Where a commit claims to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the last one.
    Next,
    /// With the hash of the last one, but with a number that is wrong by so much.
    Number(i64),
    /// Behind the last one by its number, but with another hash before.
    Previous,
}

/// Operations in which most commits follow, so that there is something to read.
pub(super) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let place = prop_oneof![
        5 => Just(Place::Next),
        1 => prop_oneof![Just(-2_i64), Just(-1), Just(1), Just(7)].prop_map(Place::Number),
        1 => Just(Place::Previous),
    ];
    let few = || 0..5_usize;
    // A few entities get many commits, the others a few.
    let entity =
        || prop_oneof![3 => few(), 1 => few().prop_map(|place| place + 5), 1 => few().prop_map(|place| place + 10)];
    let limit = || prop_oneof![0..6_usize, Just(usize::MAX)];
    let after = prop_oneof![8 => 0..12_u64, 1 => Just(u64::MAX)];
    let operation = prop_oneof![
        6 => (entity(), place, 1..7_usize, any::<u16>()).prop_map(|(entity, place, facts, seed)| {
            Operation::Append { entity, place, facts, seed: seed.into() }
        }),
        1 => (entity(), few()).prop_map(|(entity, number)| Operation::Repeat { entity, number }),
        2 => (entity(), after, limit()).prop_map(|(entity, after, limit)| Operation::Read { entity, after, limit }),
        2 => (proptest::option::of(entity()), limit()).prop_map(|(after, limit)| Operation::List { after, limit }),
    ];
    proptest::collection::vec(operation, 1..60)
}

/// The operations, one a line.
pub(super) fn shown(operations: &[Operation]) -> String {
    (1..).zip(operations).fold(String::new(), |mut shown, (number, operation)| {
        // Writing to a string does not fail.
        let _ = writeln!(shown, "{number:>3}. {operation:?}");
        shown
    })
}

/// Does the operations, and compares each answer with the model's.
pub(super) fn play(store: &impl Store, operations: &[Operation]) -> Found {
    let mut machine = Machine { store, entities: entities()?, journals: BTreeMap::new() };
    for (number, operation) in (1..).zip(operations) {
        machine.step(operation).map_err(|problem| format!("at operation {number}: {problem}"))?;
    }
    for key in machine.entities.clone() {
        machine.read(&key, 0, usize::MAX)?;
    }
    machine.list(None, usize::MAX)
}

struct Machine<'s, S> {
    store: &'s S,
    entities: Vec<EntityKey>,
    /// The model: what every journal must be.
    journals: BTreeMap<EntityKey, Vec<Sealed>>,
}

impl<S: Store> Machine<'_, S> {
    fn key(&self, place: usize) -> Found<EntityKey> {
        let place = place.checked_rem(self.entities.len()).unwrap_or(0);
        self.entities.get(place).cloned().ok_or_else(|| "the kit has no entities".to_owned())
    }

    fn journal(&self, key: &EntityKey) -> &[Sealed] {
        self.journals.get(key).map_or(&[], Vec::as_slice)
    }

    fn step(&mut self, operation: &Operation) -> Found {
        match operation {
            Operation::Append { entity, place, facts, seed } => {
                let key = self.key(*entity)?;
                let (last, hash) = head(self.journal(&key).last().map(|last| &**last.commit()));
                let (number, previous) = match place {
                    Place::Next => (last + 1, hash),
                    Place::Number(by) => ((last + 1).saturating_add_signed(*by), hash),
                    Place::Previous => (last + 1, Digest::from_bytes([7; 32])),
                };
                let sealed = commit(&key, number, previous, *facts, *seed)?;
                self.append(sealed, number == last + 1 && previous == hash)
            }
            Operation::Repeat { entity, number } => match self.journal(&self.key(*entity)?).get(*number).cloned() {
                Some(sealed) => self.append(sealed, false),
                None => Ok(()),
            },
            Operation::Read { entity, after, limit } => self.read(&self.key(*entity)?, *after, *limit),
            Operation::List { after, limit } => {
                let after = after.map(|after| self.key(after)).transpose()?;
                self.list(after.as_ref(), *limit)
            }
        }
    }

    fn append(&mut self, sealed: Sealed, follows: bool) -> Found {
        let appended = answer(block_on(self.store.append(sealed.clone())))?;
        let expected = if follows { Appended::Written } else { Appended::Conflict };
        let (key, number) = (sealed.commit().key().clone(), sealed.commit().number());
        if appended != expected {
            return Err(format!("appending commit {number} to `{key}` is {appended:?}, expected {expected:?}"));
        }
        if follows {
            self.journals.entry(key).or_default().push(sealed);
        }
        Ok(())
    }

    fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Found {
        let read = answer(block_on(self.store.read(key, after, limit)))?;
        let journal = self.journal(key).iter().map(Sealed::commit);
        let expected: Vec<_> = journal.filter(|commit| commit.number() > after).take(limit).cloned().collect();
        if read != expected {
            return Err(format!(
                "reading {limit} commits of `{key}` after {after} gives {}, expected {}",
                numbers(&read),
                numbers(&expected)
            ));
        }
        read.iter().try_for_each(|commit| commit.verify()).map_err(|error| error.to_string())
    }

    fn list(&self, after: Option<&EntityKey>, limit: usize) -> Found {
        let listed = answer(block_on(self.store.entities(after, limit)))?;
        let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
        let expected = self.journals.range::<EntityKey, _>((lower, Bound::Unbounded)).map(|(key, _)| key);
        let expected: Vec<_> = expected.take(limit).cloned().collect();
        if listed == expected {
            return Ok(());
        }
        Err(format!("listing {limit} entities after {after:?} gives {listed:?}, expected {expected:?}"))
    }
}

/// The numbers of commits, and whether two with the same numbers say the same.
fn numbers(commits: &[Arc<Commit>]) -> String {
    let commits = commits.iter().map(|commit| {
        let hash: String = commit.hash().to_string().chars().take(6).collect();
        format!("{} ({hash}, by {})", commit.number(), commit.actor().id())
    });
    format!("[{}]", commits.collect::<Vec<_>>().join(", "))
}

/// An answer of the store; that it failed breaks every law.
pub(super) fn answer<T>(answer: Result<T, kiff::StoreError>) -> Found<T> {
    answer.map_err(|error| error.to_string())
}

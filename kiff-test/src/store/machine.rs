//! Made-up operations on a store, held to a plain model of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;

use kiff::journal::Change;
use kiff::{Appended, Commit, Cursor, Digest, EntityKey, Matter, Open, Query, Sealed, Store};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::sample::{KEYS, at, commit, entities, head, idempotency_key};
use crate::wait::block_on;

#[cfg(test)]
mod tests;

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
    /// Searches a page of all commits, by two conditions at once.
    Search { wanted: [Wanted; 2], entity: usize, seed: u64, cursor: Cursor, limit: usize },
    /// Lists a page of what is open, of an entity's tenant or of all, behind the last matter of the page before where it asks for
    /// the next one.
    Open { matter: Matter, tenant: Option<usize>, now: u64, next: bool, limit: usize },
    /// Looks up an idempotency key.
    Keyed { entity: usize, seed: u64 },
}

/// A condition of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    Entity,
    Tenant,
    Type,
    Kind,
    Actor,
    Trace,
    Approval,
    Time,
}

impl Wanted {
    const ALL: [Self; 9] = [
        Self::Everything,
        Self::Entity,
        Self::Tenant,
        Self::Type,
        Self::Kind,
        Self::Actor,
        Self::Trace,
        Self::Approval,
        Self::Time,
    ];
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
    let entity = || prop_oneof![3 => few(), 1 => few().prop_map(|place| place + 5), 1 => 10..16_usize];
    let limit = || prop_oneof![0..6_usize, Just(usize::MAX)];
    let after = prop_oneof![8 => 0..12_u64, 1 => Just(u64::MAX)];
    let wanted = || select(Wanted::ALL.to_vec());
    let cursor = prop_oneof![
        2 => (0..20_u64).prop_map(Cursor::After),
        2 => (0..30_u64).prop_map(Cursor::Before),
        1 => Just(Cursor::FIRST),
        1 => Just(Cursor::LAST),
        1 => Just(Cursor::After(u64::MAX)),
    ];
    let operation = prop_oneof![
        6 => (entity(), place, 1..7_usize, any::<u16>()).prop_map(|(entity, place, facts, seed)| {
            Operation::Append { entity, place, facts, seed: seed.into() }
        }),
        1 => (entity(), few()).prop_map(|(entity, number)| Operation::Repeat { entity, number }),
        2 => (entity(), after, limit()).prop_map(|(entity, after, limit)| Operation::Read { entity, after, limit }),
        2 => (proptest::option::of(entity()), limit()).prop_map(|(after, limit)| Operation::List { after, limit }),
        3 => ([wanted(), wanted()], entity(), any::<u16>(), cursor, limit()).prop_map(|(wanted, entity, seed, cursor, limit)| {
            Operation::Search { wanted, entity, seed: seed.into(), cursor, limit }
        }),
        2 => (any::<bool>(), proptest::option::of(entity()), 0..120_u64, any::<bool>(), limit()).prop_map(|(review, tenant, now, next, limit)| {
            let matter = if review { Matter::Review } else { Matter::Execution };
            Operation::Open { matter, tenant, now, next, limit }
        }),
        1 => (entity(), 0..KEYS).prop_map(|(entity, seed)| Operation::Keyed { entity, seed }),
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
    let mut machine = Machine { store, entities: entities()?, journals: BTreeMap::new(), order: Vec::new() };
    for (number, operation) in (1..).zip(operations) {
        machine.step(operation).map_err(|problem| format!("at operation {number}: {problem}"))?;
    }
    // Whatever the operations were, everything is looked at in the end.
    machine.look()
}

/// Holds a store to what many at once were told that they appended, and to nothing else; all commits, in their order.
pub(super) fn hold_to(store: &impl Store, written: Vec<Sealed>) -> Found<Vec<Arc<Commit>>> {
    let found = answer(block_on(store.search(&Query::default(), Cursor::FIRST, usize::MAX)))?;
    let order = found.into_iter().map(|(_, commit)| commit).collect();
    let mut machine = Machine { store, entities: Vec::new(), journals: BTreeMap::new(), order };
    for sealed in written {
        machine.journals.entry(sealed.commit().key().clone()).or_default().push(sealed);
    }
    for journal in machine.journals.values_mut() {
        journal.sort_by_key(|sealed| sealed.commit().number());
    }
    // Which entity comes first is not known, but each one's commits are in order.
    let mut found = machine.order.clone();
    found.sort_by_key(|commit| commit.key().clone());
    let written: Vec<_> = machine.journals.values().flatten().map(|sealed| Arc::clone(sealed.commit())).collect();
    if found != written {
        return Err(format!("searching all commits gives {}, expected {}", numbers(&found), numbers(&written)));
    }
    machine.look()?;
    Ok(machine.order)
}

struct Machine<'s, S> {
    store: &'s S,
    entities: Vec<EntityKey>,
    /// The model: what every journal must be.
    journals: BTreeMap<EntityKey, Vec<Sealed>>,
    /// All commits, as they were appended.
    order: Vec<Arc<Commit>>,
}

impl<S: Store> Machine<'_, S> {
    fn key(&self, place: usize) -> Found<EntityKey> {
        let place = place.checked_rem(self.entities.len()).unwrap_or(0);
        self.entities.get(place).cloned().ok_or_else(|| "the kit has no entities".to_owned())
    }

    fn journal(&self, key: &EntityKey) -> &[Sealed] {
        self.journals.get(key).map_or(&[], Vec::as_slice)
    }

    /// Looks at everything: whole, and in the smallest pages.
    fn look(&self) -> Found {
        for key in self.journals.keys() {
            for (after, limit) in [(0, usize::MAX), (0, 1), (1, 1)] {
                self.read(key, after, limit)?;
            }
            self.snapshot(key)?;
            (0..KEYS).try_for_each(|seed| self.keyed(key, seed))?;
        }
        for cursor in [Cursor::FIRST, Cursor::After(1), Cursor::Before(3), Cursor::LAST] {
            self.search(&Query::default(), cursor, 2)?;
        }
        self.search(&Query::default(), Cursor::FIRST, usize::MAX)?;
        for matter in [Matter::Review, Matter::Execution] {
            let open = self.open(matter, None, 0, None, usize::MAX)?;
            self.open(matter, None, 0, open.first(), 1)?;
            if let Some(last) = open.last() {
                // The first may be another tenant's.
                self.open(matter, Some(last.key.tenant()), 0, open.first(), usize::MAX)?;
            }
            // Whoever pages may stand behind one that was closed meanwhile.
            if let Some(closed) = self.closed(matter) {
                self.open(matter, None, 0, Some(&closed), usize::MAX)?;
            }
        }
        self.list(self.journals.keys().next(), 1)?;
        self.list(None, 1)?;
        self.list(None, usize::MAX)
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
            Operation::Search { wanted, entity, seed, cursor, limit } => {
                self.search(&query(*wanted, &self.key(*entity)?, *seed)?, *cursor, *limit)
            }
            Operation::Open { matter, tenant, now, next, limit } => {
                let key = tenant.map(|entity| self.key(entity)).transpose()?;
                let tenant = key.as_ref().map(EntityKey::tenant);
                let first = self.open(*matter, tenant, *now, None, *limit)?;
                match first.last() {
                    Some(last) if *next => self.open(*matter, tenant, *now, Some(last), *limit).map(drop),
                    _ => Ok(()),
                }
            }
            Operation::Keyed { entity, seed } => self.keyed(&self.key(*entity)?, *seed),
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
            self.order.push(Arc::clone(sealed.commit()));
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
        for (commit, sealed) in read.iter().zip(self.journal(key).iter().filter(|kept| kept.commit().number() > after))
        {
            commit.verify().map_err(|error| error.to_string())?;
            let body = commit.body();
            if *body != *sealed.body() {
                return Err(format!("commit {} of `{key}` is not kept as it was written", commit.number()));
            }
        }
        Ok(())
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

    fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Found {
        let found = answer(block_on(self.store.search(query, cursor, limit)))?;
        let matching = (1_u64..).zip(&self.order).filter(|(_, commit)| query.matches(commit));
        let matching = matching.map(|(position, commit)| (position, Arc::clone(commit)));
        let expected: Vec<_> = match cursor {
            Cursor::After(after) => matching.filter(|(position, _)| *position > after).take(limit).collect(),
            Cursor::Before(before) => {
                let before: Vec<_> = matching.filter(|(position, _)| *position < before).collect();
                before.into_iter().rev().take(limit).collect()
            }
        };
        if found == expected {
            return Ok(());
        }
        let places = |found: &[(u64, Arc<Commit>)]| {
            let places =
                found.iter().map(|(position, commit)| format!("{position}: {} {}", commit.key(), commit.number()));
            places.collect::<Vec<_>>().join(", ")
        };
        Err(format!(
            "searching {limit} of {query:?} from {cursor:?} gives [{}], expected [{}]",
            places(&found),
            places(&expected)
        ))
    }

    fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: u64,
        after: Option<&Open>,
        limit: usize,
    ) -> Found<Vec<Open>> {
        let now = at(now);
        let listed = answer(block_on(self.store.open(matter, tenant, now, after, limit)))?;
        let mut expected: Vec<Open> = Vec::new();
        for commit in &self.order {
            for change in commit.changes() {
                match change {
                    Change::Opened(opened, id, until) if opened == matter => expected.push(commit.opening(id, until)),
                    Change::Closed(closed, id) if closed == matter => {
                        expected.retain(|open| (&open.key, &*open.id) != (commit.key(), id));
                    }
                    _ => {}
                }
            }
        }
        expected.retain(|open| tenant.is_none_or(|tenant| tenant == open.key.tenant()));
        expected.retain(|open| open.until.is_none_or(|until| now < until) && after.is_none_or(|after| open > after));
        expected.sort_unstable();
        expected.truncate(limit);
        if listed == expected {
            return Ok(listed);
        }
        let of = tenant.map_or_else(String::new, |tenant| format!(" of `{tenant}`"));
        Err(format!("listing {limit} of open {matter:?}{of} after {after:?} gives {listed:?}, expected {expected:?}"))
    }

    /// One that was open and is closed.
    fn closed(&self, matter: Matter) -> Option<Open> {
        let mut opened: Vec<Open> = Vec::new();
        for commit in &self.order {
            for change in commit.changes() {
                match change {
                    Change::Opened(known, id, until) if known == matter => opened.push(commit.opening(id, until)),
                    Change::Closed(known, id) if known == matter => {
                        let closed = opened.iter().find(|open| (&open.key, &*open.id) == (commit.key(), id));
                        if closed.is_some() {
                            return closed.cloned();
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }

    fn keyed(&self, key: &EntityKey, seed: u64) -> Found {
        let wanted = idempotency_key(seed)?;
        let found = answer(block_on(self.store.keyed(key, &wanted)))?;
        let mut journal = self.journal(key).iter().map(Sealed::commit);
        let expected = journal.find(|commit| commit.idempotency_key() == Some(&wanted)).map(|commit| commit.number());
        if found == expected {
            return Ok(());
        }
        Err(format!("the key `{wanted}` of `{key}` was first used by commit {found:?}, expected {expected:?}"))
    }

    fn snapshot(&self, key: &EntityKey) -> Found {
        let kept = answer(block_on(self.store.snapshot(key)))?;
        let expected = self.journal(key).iter().rev().find_map(Sealed::snapshot);
        if kept.as_ref() == expected {
            return Ok(());
        }
        Err(format!("the snapshot of `{key}` is {kept:?}, expected {expected:?}"))
    }
}

/// What somebody looks for who knows an entity and a number.
fn query(wanted: [Wanted; 2], key: &EntityKey, seed: u64) -> Found<Query> {
    wanted.into_iter().try_fold(Query::default(), |query, wanted| narrowed(query, wanted, key, seed))
}

fn narrowed(all: Query, wanted: Wanted, key: &EntityKey, seed: u64) -> Found<Query> {
    let own = |_| "the kit made up no identifier".to_owned();
    let kind = {
        let kinds = kiff::Fact::KINDS;
        let place = usize::try_from(seed).unwrap_or(0).checked_rem(kinds.len());
        place.and_then(|place| kinds.get(place)).copied().unwrap_or_default()
    };
    Ok(match wanted {
        Wanted::Everything => all,
        Wanted::Entity => all.entity(key.clone()),
        Wanted::Tenant => all.tenant(key.tenant()),
        Wanted::Type => all.entity_type(key.entity_type()),
        Wanted::Kind => all.kind(kind),
        Wanted::Actor => all.actor(format!("writer-{}", seed % 5).parse().map_err(own)?),
        Wanted::Trace => all.trace(format!("trace-{}", seed % 3).parse().map_err(own)?),
        Wanted::Approval => all.approval(format!("{}-{}", 1 + seed % 3, seed / 3 % 3).parse().map_err(own)?),
        Wanted::Time => all.from(at(seed / 2)).until(at(seed)),
    })
}

/// The numbers of commits, and whether two with the same numbers say the same.
pub(super) fn numbers(commits: &[Arc<Commit>]) -> String {
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

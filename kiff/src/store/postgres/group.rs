//! A group of commits as the columns of one statement.

use std::time::SystemTime;

use tokio_postgres::types::Type;

use crate::journal::{Change, Commit, Matter, Sealed};
use crate::store::rows::kinds;

use super::link::Statement;
use super::schema::Names;

/// The number of a matter in the tables.
pub(super) const fn matter_number(matter: Matter) -> i16 {
    match matter {
        Matter::Review => 1,
        Matter::Execution => 2,
    }
}

/// A number as the server counts; one past its last is as good as its last, which no commit will ever have.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whose: the columns that every table has.
#[derive(Default)]
struct Keys {
    tenants: Vec<String>,
    entity_types: Vec<String>,
    entity_ids: Vec<String>,
}

impl Keys {
    fn push(&mut self, commit: &Commit) {
        let key = commit.key();
        self.tenants.push(key.tenant().to_owned());
        self.entity_types.push(key.entity_type().to_owned());
        self.entity_ids.push(key.id().to_owned());
    }

    fn bind(self, statement: &mut Statement, places: &mut Vec<String>) {
        for column in [self.tenants, self.entity_types, self.entity_ids] {
            places.push(statement.bind(column, Type::TEXT_ARRAY));
        }
    }
}

/// The columns of `append`, in its order. What commits open, close, ask for and fold says by the place in the group, counted from
/// 1, which commit it belongs to.
#[derive(Default)]
struct Columns {
    keys: Keys,
    numbers: Vec<i64>,
    previous: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    times: Vec<SystemTime>,
    actors: Vec<String>,
    traces: Vec<Option<String>>,
    kinds: Vec<i64>,
    idempotency_keys: Vec<Option<String>>,
    opened: Opened,
    closed: Closed,
    asked: Asked,
    folded: Folded,
}

/// What the commits open.
#[derive(Default)]
struct Opened {
    by: Vec<i32>,
    matters: Vec<i16>,
    names: Vec<String>,
    until: Vec<Option<SystemTime>>,
    /// What has ended by then is forgotten.
    forgets: Option<SystemTime>,
}

/// What the commits close.
#[derive(Default)]
struct Closed {
    by: Vec<i32>,
    matters: Vec<i16>,
    names: Vec<String>,
}

/// The sign-offs that are asked for.
#[derive(Default)]
struct Asked {
    by: Vec<i32>,
    names: Vec<String>,
}

/// The folds that come along.
#[derive(Default)]
struct Folded {
    by: Vec<i32>,
    numbers: Vec<i64>,
    bodies: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, sealed: &Sealed) {
        let commit = sealed.commit();
        self.keys.push(commit);
        self.numbers.push(bigint(commit.number()));
        self.previous.push(commit.previous().as_bytes().to_vec());
        self.hashes.push(commit.hash().as_bytes().to_vec());
        self.bodies.push(sealed.body().to_vec());
        self.times.push(commit.at().into());
        self.actors.push(commit.actor().id().to_string());
        self.traces.push(commit.trace().and_then(|trace| trace.trace_id.as_ref()).map(ToString::to_string));
        self.kinds.push(kinds(commit));
        self.idempotency_keys.push(commit.idempotency_key().map(ToString::to_string));
        // INVARIANT: a group is smaller than this by far.
        let place = i32::try_from(self.numbers.len()).unwrap_or(i32::MAX);
        for change in commit.changes() {
            match change {
                Change::Opened(matter, name, until) => {
                    self.opened.by.push(place);
                    self.opened.matters.push(matter_number(matter));
                    self.opened.names.push(name.to_owned());
                    self.opened.until.push(until.map(SystemTime::from));
                    if matter == Matter::Review {
                        self.opened.forgets = self.opened.forgets.max(Some(SystemTime::from(commit.forgets())));
                    }
                }
                Change::Closed(matter, name) => {
                    self.closed.by.push(place);
                    self.closed.matters.push(matter_number(matter));
                    self.closed.names.push(name.to_owned());
                }
            }
        }
        for approval in commit.approvals() {
            self.asked.by.push(place);
            self.asked.names.push(approval.to_string());
        }
        if let Some(snapshot) = sealed.snapshot() {
            self.folded.by.push(place);
            self.folded.numbers.push(bigint(snapshot.number));
            self.folded.bodies.push(snapshot.body.clone());
        }
    }

    fn bind(self, statement: &mut Statement) -> Vec<String> {
        let mut places = Vec::new();
        let s = statement;
        self.keys.bind(s, &mut places);
        places.push(s.bind(self.numbers, Type::INT8_ARRAY));
        places.push(s.bind(self.previous, Type::BYTEA_ARRAY));
        places.push(s.bind(self.hashes, Type::BYTEA_ARRAY));
        places.push(s.bind(self.bodies, Type::BYTEA_ARRAY));
        places.push(s.bind(self.times, Type::TIMESTAMPTZ_ARRAY));
        places.push(s.bind(self.actors, Type::TEXT_ARRAY));
        places.push(s.bind(self.traces, Type::TEXT_ARRAY));
        places.push(s.bind(self.kinds, Type::INT8_ARRAY));
        places.push(s.bind(self.idempotency_keys, Type::TEXT_ARRAY));

        places.push(s.bind(self.opened.by, Type::INT4_ARRAY));
        places.push(s.bind(self.opened.matters, Type::INT2_ARRAY));
        places.push(s.bind(self.opened.names, Type::TEXT_ARRAY));
        places.push(s.bind(self.opened.until, Type::TIMESTAMPTZ_ARRAY));
        places.push(s.bind(self.opened.forgets, Type::TIMESTAMPTZ));

        places.push(s.bind(self.closed.by, Type::INT4_ARRAY));
        places.push(s.bind(self.closed.matters, Type::INT2_ARRAY));
        places.push(s.bind(self.closed.names, Type::TEXT_ARRAY));

        places.push(s.bind(self.asked.by, Type::INT4_ARRAY));
        places.push(s.bind(self.asked.names, Type::TEXT_ARRAY));

        places.push(s.bind(self.folded.by, Type::INT4_ARRAY));
        places.push(s.bind(self.folded.numbers, Type::INT8_ARRAY));
        places.push(s.bind(self.folded.bodies, Type::BYTEA_ARRAY));
        places
    }
}

/// What appends these commits, of different entities and in order of their keys.
pub(super) fn append<'s>(names: &Names, commits: impl Iterator<Item = &'s Sealed>) -> Statement {
    let mut columns = Columns::default();
    commits.for_each(|sealed| columns.push(sealed));
    let mut statement = Statement::new("");
    let places = columns.bind(&mut statement);
    statement.push(&names.fill(&format!("SELECT {{schema}}.append({})", places.join(", "))));
    statement
}

/// What asks for the hashes that are kept under the numbers of these commits.
pub(super) fn kept<'s>(names: &Names, commits: impl Iterator<Item = &'s Sealed>) -> Statement {
    let (mut keys, mut numbers) = (Keys::default(), Vec::new());
    for sealed in commits {
        keys.push(sealed.commit());
        numbers.push(bigint(sealed.commit().number()));
    }
    let mut statement = Statement::new(names.fill(
        "SELECT coalesce(array_agg(c.hash), '{}')
         FROM unnest($1, $2, $3, $4) AS g (tenant, entity_type, entity_id, number)
         JOIN {schema}.commits c USING (tenant, entity_type, entity_id, number)",
    ));
    keys.bind(&mut statement, &mut Vec::new());
    statement.bind(numbers, Type::INT8_ARRAY);
    statement
}

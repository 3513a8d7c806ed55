//! Those who read: a few connections beside the one that writes, which neither wait for it nor make it wait.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::error::SqliteError;
use super::file::{Identity, Place};
use super::row::{digest, expiry, integer, timestamp, until};
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::journal::{BrokenJournal, Commit, Matter, Open, Snapshot};
use crate::store::StoreError;
use crate::time::Timestamp;

/// How many connections are kept for the next readers.
const KEPT: usize = 8;

/// The connections that nobody reads with just now.
pub(super) struct Readers {
    place: Place,
    idle: Mutex<Idle>,
}

/// Connections to one file, which may not be the one that stands at its place any more.
struct Idle {
    file: Option<Identity>,
    connections: Vec<Connection>,
}

impl Idle {
    /// One to the file that stands there now. Those to another are closed, and not only left, before that one is opened: the files
    /// beside both have the same names.
    fn take(&mut self, file: Option<Identity>) -> Option<Connection> {
        if self.file != file {
            self.connections.clear();
            self.file = file;
        }
        self.connections.pop()
    }

    /// Keeps one for the next reader.
    fn give(&mut self, file: Option<Identity>, connection: Connection) {
        if self.file == file && self.connections.len() < KEPT {
            self.connections.push(connection);
        }
    }
}

/// Why nothing was read.
pub(super) enum Unread {
    /// The database says so.
    Sqlite(rusqlite::Error),
    /// What it says is not what was written.
    Broken(BrokenJournal),
    /// A row holds something that no writer puts there.
    Entry(&'static str),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<FromSqlError> for Unread {
    fn from(error: FromSqlError) -> Self {
        Self::Sqlite(error.into())
    }
}

impl From<BrokenJournal> for Unread {
    fn from(broken: BrokenJournal) -> Self {
        Self::Broken(broken)
    }
}

impl Readers {
    pub(super) fn new(place: Place) -> Result<Self, SqliteError> {
        let file = place.identity();
        let (first, lasts) = open(&place, file)?;
        let connections = if lasts { vec![first] } else { Vec::new() };
        Ok(Self { place, idle: Mutex::new(Idle { file, connections }) })
    }

    /// Reads with a connection that nobody else uses meanwhile.
    pub(super) fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, Unread>) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.place.identity();
        let known = idle().take(file);
        let (connection, lasts) = match known {
            Some(connection) => (connection, true),
            None => open(&self.place, file)?,
        };
        let read = ask(&connection);
        if lasts {
            idle().give(file, connection);
        }
        read.map_err(|unread| match unread {
            Unread::Sqlite(error) => SqliteError::sqlite(self.place.path(), "be read", error).into(),
            Unread::Broken(broken) => broken.into(),
            Unread::Entry(what) => SqliteError::entry(self.place.path(), what).into(),
        })
    }
}

/// A connection, and whether it may be kept as one to this file: another may have come to stand there meanwhile.
fn open(place: &Place, file: Option<Identity>) -> Result<(Connection, bool), SqliteError> {
    let (connection, lasts) = place.open_to_read()?;
    Ok((connection, lasts && place.identity() == file))
}

/// A statement whose first three parameters say which entity is meant.
macro_rules! of_entity {
    ($before:literal, $after:literal) => {
        concat!($before, "(SELECT id FROM entities WHERE tenant = ?1 AND entity_type = ?2 AND entity_id = ?3)", $after)
    };
}

pub(super) fn commits(
    connection: &Connection,
    key: &EntityKey,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<Commit>>, Unread> {
    const COMMITS: &str = of_entity!(
        "SELECT number, previous, hash, body FROM commits LEFT JOIN bodies USING (position) WHERE entity = ",
        " AND number > ?4 ORDER BY number LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(COMMITS)?;
    let mut rows =
        statement.query(params![key.tenant(), key.entity_type(), key.id(), integer(after), integer(limit as u64)])?;
    let mut commits = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        commits.push(Arc::new(open_commit(key.clone(), number.cast_unsigned(), row, 1)?));
    }
    Ok(commits)
}

/// The commit of a row: the hash before it, its hash and its body stand from `column` on.
pub(super) fn open_commit(key: EntityKey, number: u64, row: &Row<'_>, column: usize) -> Result<Commit, Unread> {
    let (previous, hash, body) = (row.get_ref(column)?, row.get_ref(column + 1)?, row.get_ref(column + 2)?);
    match (digest(previous), digest(hash), body) {
        (Ok(previous), Ok(hash), ValueRef::Blob(body)) => Ok(Commit::open(key, number, previous, hash, body)?),
        _ => Err(BrokenJournal::new(key, number, "what it says is missing".to_owned()).into()),
    }
}

/// The key whose parts stand from `column` on.
pub(super) fn entity_key(row: &Row<'_>, column: usize) -> Result<EntityKey, Unread> {
    let part = |column| row.get_ref(column)?.as_str().map_err(|_| Unread::Entry("an entity's key"));
    let (tenant, entity_type, id) = (part(column)?, part(column + 1)?, part(column + 2)?);
    let key = EntityKey::new(entity_type, id).and_then(|key| key.in_tenant(tenant));
    key.map_err(|_| Unread::Entry("an entity's key"))
}

pub(super) fn entities(
    connection: &Connection,
    after: Option<&EntityKey>,
    limit: usize,
) -> Result<Vec<EntityKey>, Unread> {
    const ENTITIES: &str = "
        SELECT tenant, entity_type, entity_id FROM entities
        WHERE (tenant, entity_type, entity_id) > (?1, ?2, ?3)
        ORDER BY tenant, entity_type, entity_id LIMIT ?4";
    let mut statement = connection.prepare_cached(ENTITIES)?;
    // No part of a key is empty, so that all of them stand behind three empty ones.
    let after = after.map_or(("", "", ""), |after| (after.tenant(), after.entity_type(), after.id()));
    let mut rows = statement.query(params![after.0, after.1, after.2, integer(limit as u64)])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(entity_key(row, 0)?);
    }
    Ok(keys)
}

pub(super) fn open_matters(
    connection: &Connection,
    matter: Matter,
    tenant: Option<&str>,
    now: Timestamp,
    after: Option<&Open>,
    limit: usize,
) -> Result<Vec<Open>, Unread> {
    // The word stands in the statement, because the indices are only over reviews. The tenant that is asked for is the entity's own;
    // the `+` leaves the search to the index over what is open.
    macro_rules! open {
        ($matter:literal $(, $of_tenant:literal)?) => {
            concat!(
                "
        SELECT entities.tenant, entity_type, entity_id, open_matters.id, number, since, expires
        FROM open_matters JOIN entities ON entities.id = entity AND +entities.tenant = open_matters.tenant
        WHERE matter = '",
                $matter,
                "' AND expires > ?1 AND since >= ?2
            AND (since, entities.tenant, entity_type, entity_id, open_matters.id, number) > (?2, ?3, ?4, ?5, ?6, ?7)",
                $($of_tenant,)?
                "
        ORDER BY since, entities.tenant, entity_type, entity_id, open_matters.id, number LIMIT ?8"
            )
        };
    }
    let mut statement = connection.prepare_cached(match (matter, tenant) {
        (Matter::Review, None) => open!("review"),
        (Matter::Review, Some(_)) => open!("review", " AND open_matters.tenant = ?9"),
        (Matter::Execution, None) => open!("execution"),
        (Matter::Execution, Some(_)) => open!("execution", " AND open_matters.tenant = ?9"),
    })?;
    let since = after.map_or(0, |after| expiry(Some(after.since)));
    let (of_tenant, entity_type, entity) =
        after.map_or(("", "", ""), |after| (after.key.tenant(), after.key.entity_type(), after.key.id()));
    let (id, number) = after.map_or(("", 0), |after| (after.id.as_str(), after.commit));
    let number = integer(number);
    let (now, limit) = (expiry(Some(now)), integer(limit as u64));
    let mut parameters: Vec<&dyn ToSql> = vec![&now, &since, &of_tenant, &entity_type, &entity, &id, &number, &limit];
    if let Some(tenant) = &tenant {
        parameters.push(tenant);
    }
    let mut rows = statement.query(&*parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(4)?;
        found.push(Open {
            since: timestamp(row.get(5)?),
            key: entity_key(row, 0)?,
            id: row.get(3)?,
            commit: number.cast_unsigned(),
            until: until(row.get(6)?),
        });
    }
    Ok(found)
}

pub(super) fn keyed(
    connection: &Connection,
    key: &EntityKey,
    idempotency_key: &IdempotencyKey,
) -> Result<Option<u64>, Unread> {
    const KEYED: &str = of_entity!("SELECT number FROM keys WHERE entity = ", " AND key = ?4");
    let mut statement = connection.prepare_cached(KEYED)?;
    let number = statement
        .query_row(params![key.tenant(), key.entity_type(), key.id(), idempotency_key.as_str()], |row| {
            row.get::<_, i64>(0)
        })
        .optional()?;
    Ok(number.map(i64::cast_unsigned))
}

pub(super) fn snapshot(connection: &Connection, key: &EntityKey) -> Result<Option<Snapshot>, Unread> {
    const SNAPSHOT: &str = of_entity!("SELECT number, body FROM snapshots WHERE entity = ", "");
    let mut statement = connection.prepare_cached(SNAPSHOT)?;
    let snapshot = statement.query_row(params![key.tenant(), key.entity_type(), key.id()], |row| {
        let number: i64 = row.get(0)?;
        Ok(Snapshot { number: number.cast_unsigned(), body: row.get(1)? })
    });
    Ok(snapshot.optional()?)
}

//! What is asked of the journal, as statements, and the answers as commits.

use std::sync::Arc;
use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::error::Problem;
use super::group::{bigint, matter_number};
use super::link::Statement;
use super::schema::Names;
use crate::digest::Digest;
use crate::identifier::{ActorId, EntityKey, IdempotencyKey, TraceId};
use crate::journal::{BrokenJournal, Commit, Cursor, Matter, Open, Query, Snapshot};
use crate::store::StoreError;
use crate::store::rows::kinds_like;
use crate::time::Timestamp;

/// How many rows are wanted, as the server counts.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn bind_key(statement: &mut Statement, key: &EntityKey) {
    for part in [key.tenant(), key.entity_type(), key.id()] {
        statement.bind(part.to_owned(), Type::TEXT);
    }
}

/// What reads an entity's commits.
pub(super) fn read(names: &Names, key: &EntityKey, after: u64, limit: usize) -> Statement {
    let mut statement = Statement::new(names.fill(
        "SELECT number, previous, hash, body FROM {schema}.commits
         WHERE tenant = $1 AND entity_type = $2 AND entity_id = $3 AND number > $4 ORDER BY number LIMIT $5",
    ));
    bind_key(&mut statement, key);
    statement.bind(bigint(after), Type::INT8);
    statement.bind(rows(limit), Type::INT8);
    statement
}

/// What lists entities.
pub(super) fn entities(names: &Names, after: Option<&EntityKey>, limit: usize) -> Statement {
    let mut statement = Statement::new("SELECT tenant, entity_type, entity_id FROM {schema}.commits WHERE number = 1");
    if let Some(key) = after {
        statement.push(" AND (tenant, entity_type, entity_id) > ($1, $2, $3)");
        bind_key(&mut statement, key);
    }
    let limit = statement.bind(rows(limit), Type::INT8);
    statement.push(&format!(" ORDER BY tenant, entity_type, entity_id LIMIT {limit}"));
    statement.filled(names)
}

/// What searches all commits; none where nothing can be found.
pub(super) fn search(names: &Names, query: &Query, cursor: Cursor, limit: usize) -> Option<Statement> {
    let Query { tenant, entity_type, entity, kind, actor, trace, approval, from, until } = query;
    // No text in the server holds it.
    if [tenant, entity_type].into_iter().flatten().any(|text| text.contains('\0')) {
        return None;
    }
    let mut statement = Statement::new(
        "SELECT f.position, c.tenant, c.entity_type, c.entity_id, c.number, c.previous, c.hash, c.body FROM (SELECT * FROM {schema}.positions p WHERE true",
    );
    let texts = [
        ("tenant", tenant.as_deref()),
        ("tenant", entity.as_ref().map(EntityKey::tenant)),
        ("entity_type", entity_type.as_deref()),
        ("entity_type", entity.as_ref().map(EntityKey::entity_type)),
        ("entity_id", entity.as_ref().map(EntityKey::id)),
        ("actor", actor.as_ref().map(ActorId::as_str)),
        ("trace", trace.as_ref().map(TraceId::as_str)),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            let place = statement.bind(text.to_owned(), Type::TEXT);
            statement.push(&format!(" AND p.{column} = {place}"));
        }
    }
    if let Some(kind) = kind {
        let place = statement.bind(kinds_like(kind)?, Type::INT8);
        statement.push(&format!(" AND p.kinds & {place} <> 0"));
    }
    for (comparison, time) in [(">=", from), ("<", until)] {
        if let Some(time) = time {
            let place = statement.bind(SystemTime::from(*time), Type::TIMESTAMPTZ);
            statement.push(&format!(" AND p.at {comparison} {place}"));
        }
    }
    if let Some(approval) = approval {
        let place = statement.bind(approval.to_string(), Type::TEXT);
        statement.push(&format!(
            " AND (p.tenant, p.entity_type, p.entity_id, p.number) IN
                (SELECT tenant, entity_type, entity_id, number FROM {{schema}}.approvals WHERE approval = {place})"
        ));
    }
    let (comparison, position, order) = match cursor {
        Cursor::After(after) => (">", after, "ASC"),
        Cursor::Before(before) => ("<", before, "DESC"),
    };
    let position = statement.bind(bigint(position), Type::INT8);
    let limit = statement.bind(rows(limit), Type::INT8);
    statement.push(&format!(
        " AND p.position {comparison} {position} ORDER BY p.position {order} LIMIT {limit}) f
         JOIN {{schema}}.commits c USING (tenant, entity_type, entity_id, number) ORDER BY f.position {order}"
    ));
    Some(statement.filled(names))
}

/// What lists open matters.
pub(super) fn open(
    names: &Names,
    matter: Matter,
    tenant: Option<&str>,
    now: Timestamp,
    after: Option<&Open>,
    limit: usize,
) -> Statement {
    let mut statement = Statement::new(
        "SELECT tenant, entity_type, entity_id, name, number, since, until FROM {schema}.matters
         WHERE (until IS NULL OR until > $1)",
    );
    // It stands in the statement, because the indices are only over reviews.
    statement.push(&format!(" AND matter = {}", matter_number(matter)));
    statement.bind(SystemTime::from(now), Type::TIMESTAMPTZ);
    if let Some(after) = after {
        statement.push(" AND (since, tenant, entity_type, entity_id, name, number) > ($2, $3, $4, $5, $6, $7)");
        statement.bind(SystemTime::from(after.since), Type::TIMESTAMPTZ);
        bind_key(&mut statement, &after.key);
        statement.bind(after.id.clone(), Type::TEXT);
        statement.bind(bigint(after.commit), Type::INT8);
    }
    if let Some(tenant) = tenant {
        let place = statement.bind(tenant.to_owned(), Type::TEXT);
        statement.push(&format!(" AND tenant = {place}"));
    }
    let limit = statement.bind(rows(limit), Type::INT8);
    statement.push(&format!(" ORDER BY since, tenant, entity_type, entity_id, name, number LIMIT {limit}"));
    statement.filled(names)
}

/// What looks an idempotency key up.
pub(super) fn keyed(names: &Names, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Statement {
    let mut statement = Statement::new(names.fill(
        "SELECT number FROM {schema}.commits
         WHERE tenant = $1 AND entity_type = $2 AND entity_id = $3 AND idempotency_key = $4 ORDER BY number LIMIT 1",
    ));
    bind_key(&mut statement, key);
    statement.bind(idempotency_key.to_string(), Type::TEXT);
    statement
}

/// What reads a snapshot.
pub(super) fn snapshot(names: &Names, key: &EntityKey) -> Statement {
    let mut statement =
        Statement::new(names.fill(
            "SELECT number, body FROM {schema}.snapshots WHERE tenant = $1 AND entity_type = $2 AND entity_id = $3",
        ));
    bind_key(&mut statement, key);
    statement
}

/// A column of a row.
fn column<'r, T: tokio_postgres::types::FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(StoreError::from)
}

/// A number that the server keeps; what is no number of kiff's is told as the last that there is.
pub(super) fn number(row: &Row, name: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(column::<i64>(row, name)?).unwrap_or(u64::MAX))
}

pub(super) fn key_of(row: &Row) -> Result<EntityKey, StoreError> {
    let tenant: &str = column(row, "tenant")?;
    let key = EntityKey::new(column(row, "entity_type")?, column(row, "entity_id")?);
    key.and_then(|key| key.in_tenant(tenant)).map_err(StoreError::new)
}

pub(super) fn commit_of(row: &Row, key: EntityKey) -> Result<Arc<Commit>, StoreError> {
    let number = number(row, "number")?;
    let digest = |name: &'static str| -> Result<Digest, StoreError> {
        let bytes: &[u8] = column(row, name)?;
        let bytes = bytes.try_into().map_err(|_| {
            let problem = format!("its column `{name}` is no digest");
            BrokenJournal::new(key.clone(), number, problem)
        })?;
        Ok(Digest::from_bytes(bytes))
    };
    let (previous, hash) = (digest("previous")?, digest("hash")?);
    Ok(Arc::new(Commit::open(key, number, previous, hash, column(row, "body")?)?))
}

pub(super) fn open_of(row: &Row) -> Result<Open, StoreError> {
    Ok(Open {
        since: column::<SystemTime>(row, "since")?.into(),
        key: key_of(row)?,
        id: column(row, "name")?,
        commit: number(row, "number")?,
        until: column::<Option<SystemTime>>(row, "until")?.map(Timestamp::from),
    })
}

pub(super) fn snapshot_of(row: &Row) -> Result<Snapshot, StoreError> {
    Ok(Snapshot { number: number(row, "number")?, body: column(row, "body")? })
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

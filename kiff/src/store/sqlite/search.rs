//! A query as SQL: whatever leads to few commits comes first, and what is found is looked at once more.

use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, params_from_iter};

use super::read::{Unread, entity_key, open_commit};
use super::row::{expiry, integer};
use crate::journal::{Commit, Cursor, Query};
use crate::store::rows::kinds_like;

/// The commits that `query` looks for.
pub(super) fn search(
    connection: &Connection,
    query: &Query,
    mut cursor: Cursor,
    limit: usize,
) -> Result<Vec<(u64, Arc<Commit>)>, Unread> {
    let mut found = Vec::new();
    let Some(sql) = Sql::of(query) else {
        return Ok(found);
    };
    while found.len() < limit {
        let wanted = limit - found.len();
        let page = sql.page(connection, cursor, wanted)?;
        let is_last = page.len() < wanted;
        if let Some((position, _)) = page.last() {
            cursor = match cursor {
                Cursor::After(_) => Cursor::After(*position),
                Cursor::Before(_) => Cursor::Before(*position),
            };
        }
        // The columns only narrow the search: what a commit is, it says itself.
        found.extend(page.into_iter().filter(|(_, commit)| query.matches(commit)));
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// The part of a statement that a query makes, and its parameters.
struct Sql {
    from: &'static str,
    /// The column that holds the position and that the rows are in order of.
    position: &'static str,
    conditions: String,
    parameters: Vec<Value>,
}

impl Sql {
    /// None when no commit is looked for.
    fn of(query: &Query) -> Option<Self> {
        let (from, position) = if query.approval.is_some() {
            ("approvals CROSS JOIN commits ON commits.position = approvals.position", "approvals.position")
        } else if query.trace.is_some() {
            ("traces CROSS JOIN commits ON commits.position = traces.position", "traces.position")
        } else {
            ("commits", "commits.position")
        };
        let mut sql = Self { from, position, conditions: String::new(), parameters: Vec::new() };
        if let Some(approval) = &query.approval {
            sql.demand("approval = ?", approval.as_str().to_owned());
        }
        if let Some(trace) = query.trace.as_ref() {
            let is_first = query.approval.is_none();
            sql.demand(
                if is_first { "trace = ?" } else { "(?, commits.position) IN (SELECT trace, position FROM traces)" },
                trace.as_str().to_owned(),
            );
        }
        if let Some(key) = &query.entity {
            const ENTITY: &str =
                "entity = (SELECT id FROM entities WHERE tenant = ? AND entity_type = ? AND entity_id = ?)";
            sql.demand(ENTITY, key.tenant().to_owned());
            sql.parameters.extend([key.entity_type().to_owned().into(), key.id().to_owned().into()]);
        }
        if let Some(actor) = &query.actor {
            sql.demand("actor = (SELECT id FROM actors WHERE name = ?)", actor.as_str().to_owned());
        }
        if let Some(tenant) = &query.tenant {
            sql.demand("tenant = ?", tenant.clone());
        }
        if let Some(entity_type) = &query.entity_type {
            sql.demand("entity_type = ?", entity_type.clone());
        }
        if let Some(kind) = &query.kind {
            sql.demand("kinds & ?", kinds_like(kind)?);
        }
        if let Some(from) = query.from {
            sql.demand("at >= ?", expiry(Some(from)));
        }
        if let Some(until) = query.until {
            sql.demand("at < ?", expiry(Some(until)));
        }
        Some(sql)
    }

    fn demand(&mut self, condition: &str, parameter: impl Into<Value>) {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.parameters.push(parameter.into());
    }

    fn page(&self, connection: &Connection, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, Unread> {
        let Self { from, position, conditions, parameters } = self;
        let (beyond, order, bound) = match cursor {
            Cursor::After(after) => (">", "ASC", after),
            Cursor::Before(before) => ("<", "DESC", before),
        };
        let mut statement = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            statement,
            "SELECT commits.position, number, tenant, entity_type, entity_id, previous, hash, body FROM {from} \
             CROSS JOIN entities ON entities.id = entity LEFT JOIN bodies ON bodies.position = commits.position \
             WHERE {position} {beyond} ?{conditions} ORDER BY {position} {order} LIMIT ?"
        );
        let bounds = [Value::from(integer(bound)), Value::from(integer(limit as u64))];
        let [bound, limit] = &bounds;
        let parameters = [bound].into_iter().chain(parameters).chain([limit]);
        let mut statement = connection.prepare_cached(&statement)?;
        let mut rows =
            statement.query(params_from_iter(parameters.map(|value| ToSqlOutput::Borrowed(value.into()))))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            let (position, number): (i64, i64) = (row.get(0)?, row.get(1)?);
            let commit = open_commit(entity_key(row, 2)?, number.cast_unsigned(), row, 5)?;
            page.push((position.cast_unsigned(), Arc::new(commit)));
        }
        Ok(page)
    }
}

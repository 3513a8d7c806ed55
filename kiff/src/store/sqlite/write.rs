//! The one who writes: commits that have gathered go into one transaction, and so into one flush.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::error::SqliteError;
use super::file::{Identity, Place};
use super::queue::{Queue, Ticket};
use super::row::{digest, expiry, integer};
use crate::digest::Digest;
use crate::identifier::{ActorId, EntityKey};
use crate::journal::{Change, Commit, Matter, Sealed};
use crate::store::rows::kinds;
use crate::store::{Appended, StoreError};
use crate::time::{Clock as _, SystemClock};

/// What waits for the writer.
pub(super) type Commits = Queue<Sealed, Result<Appended, StoreError>>;

/// How many actors a writer remembers the numbers of.
const REMEMBERED: usize = 1 << 14;

/// Owns the one connection that writes.
pub(super) struct Writer {
    connection: Connection,
    place: Place,
    /// The file that was opened.
    file: Option<Identity>,
    actors: HashMap<ActorId, i64>,
    /// Why nothing more is written: after a failure of the disk nobody knows what is on it.
    stopped: Option<SqliteError>,
}

/// An entity's last commit, and the row that the entity has.
struct Head {
    entity: Option<i64>,
    number: u64,
    hash: Digest,
}

impl Writer {
    pub(super) fn new(connection: Connection, place: Place) -> Self {
        let file = place.identity();
        Self { connection, place, file, actors: HashMap::new(), stopped: None }
    }

    /// Writes what comes, until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Commits) {
        let mut group = Vec::new();
        while queue.take(&mut group) {
            self.write(&mut group);
        }
    }

    fn write(&mut self, group: &mut Vec<Ticket<Sealed, Result<Appended, StoreError>>>) {
        match self.try_write(group.iter().map(|ticket| &ticket.job)) {
            Ok(answers) => {
                for (ticket, answer) in group.drain(..).zip(answers) {
                    ticket.reply.send(Ok(answer));
                }
            }
            // One commit may be what fails; the others must not suffer.
            Err(error) if group.len() > 1 && error.may_be_of_one() => {
                for ticket in group.drain(..) {
                    let answers = self.try_write([&ticket.job].into_iter());
                    ticket.reply.send(match answers {
                        Ok(answers) => Ok(answers.first().copied().unwrap_or(Appended::Conflict)),
                        Err(error) => Err(error.into()),
                    });
                }
            }
            Err(error) => {
                for ticket in group.drain(..) {
                    ticket.reply.send(Err(error.clone().into()));
                }
            }
        }
    }

    /// Writes all of them or none; which of them are written is said only after the flush.
    fn try_write<'s>(&mut self, group: impl Iterator<Item = &'s Sealed>) -> Result<Vec<Appended>, SqliteError> {
        if let Some(stopped) = &self.stopped {
            return Err(stopped.clone());
        }
        let written = transact(&mut self.connection, &mut self.actors, group);
        // What went into a file that nobody will find again is not answered as written.
        if self.place.identity() != self.file || (cfg!(unix) && self.file.is_none()) {
            let moved = SqliteError::moved(self.place.path());
            self.stopped = Some(moved.clone());
            return Err(moved);
        }
        written.map_err(|error| {
            // Rows that were rolled back are in no table.
            self.actors.clear();
            let error = SqliteError::sqlite(self.place.path(), "be written", error);
            let is_rolled_back = self.connection.is_autocommit();
            if !(is_rolled_back && error.left_nothing()) {
                self.stopped = Some(SqliteError::stopped(self.place.path(), &error.cause()));
            }
            error
        })
    }
}

fn transact<'s>(
    connection: &mut Connection,
    actors: &mut HashMap<ActorId, i64>,
    group: impl Iterator<Item = &'s Sealed>,
) -> rusqlite::Result<Vec<Appended>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last: Option<i64> =
        transaction.prepare_cached("SELECT max(position) FROM commits")?.query_row([], |row| row.get(0))?;
    let mut position = last.unwrap_or(0);
    let mut answers = Vec::new();
    for sealed in group {
        let commit = sealed.commit();
        let head = head(&transaction, commit.key())?;
        let follows = commit.number() == head.number + 1 && commit.previous() == head.hash;
        if follows {
            position += 1;
            let entity = match head.entity {
                Some(entity) => entity,
                None => insert_entity(&transaction, commit.key())?,
            };
            insert(&transaction, actors, sealed, position, entity)?;
        }
        answers.push(if follows { Appended::Written } else { Appended::Conflict });
    }
    if answers.contains(&Appended::Written) {
        transaction.commit()?;
    }
    Ok(answers)
}

fn head(transaction: &Transaction<'_>, key: &EntityKey) -> rusqlite::Result<Head> {
    const HEAD: &str = "
        SELECT entity, number, hash FROM commits JOIN bodies USING (position)
        WHERE entity = (SELECT id FROM entities WHERE tenant = ?1 AND entity_type = ?2 AND entity_id = ?3)
        ORDER BY number DESC LIMIT 1";
    let mut statement = transaction.prepare_cached(HEAD)?;
    let head = statement.query_row(params![key.tenant(), key.entity_type(), key.id()], |row| {
        let number: i64 = row.get(1)?;
        Ok(Head { entity: row.get(0)?, number: number.cast_unsigned(), hash: digest(row.get_ref(2)?)? })
    });
    Ok(head.optional()?.unwrap_or(Head { entity: None, number: 0, hash: Commit::GENESIS }))
}

fn insert_entity(transaction: &Transaction<'_>, key: &EntityKey) -> rusqlite::Result<i64> {
    let mut statement =
        transaction.prepare_cached("INSERT INTO entities (tenant, entity_type, entity_id) VALUES (?1, ?2, ?3)")?;
    statement.insert(params![key.tenant(), key.entity_type(), key.id()])
}

fn insert(
    transaction: &Transaction<'_>,
    actors: &mut HashMap<ActorId, i64>,
    sealed: &Sealed,
    position: i64,
    entity: i64,
) -> rusqlite::Result<()> {
    const COMMIT: &str = "
        INSERT INTO commits (position, entity, number, at, actor, kinds) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const BODY: &str = "INSERT INTO bodies (position, previous, hash, body) VALUES (?1, ?2, ?3, ?4)";
    let commit = sealed.commit();
    let (number, at) = (integer(commit.number()), integer(commit.at().as_microseconds()));
    let actor = actor(transaction, actors, commit.actor().id())?;
    transaction.prepare_cached(COMMIT)?.execute(params![position, entity, number, at, actor, kinds(commit)])?;
    transaction.prepare_cached(BODY)?.execute(params![
        position,
        commit.previous().as_bytes(),
        commit.hash().as_bytes(),
        sealed.body()
    ])?;
    if let Some(trace) = commit.trace().and_then(|trace| trace.trace_id.as_ref()) {
        transaction
            .prepare_cached("INSERT INTO traces (trace, position) VALUES (?1, ?2)")?
            .execute(params![trace.as_str(), position])?;
    }
    for approval in commit.approvals() {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO approvals (approval, position) VALUES (?1, ?2)")?
            .execute(params![approval.as_str(), position])?;
    }
    if let Some(key) = commit.idempotency_key() {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO keys (entity, key, number) VALUES (?1, ?2, ?3)")?
            .execute(params![entity, key.as_str(), number])?;
    }
    if let Some(snapshot) = sealed.snapshot() {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO snapshots (entity, number, body) VALUES (?1, ?2, ?3)")?
            .execute(params![entity, integer(snapshot.number), snapshot.body])?;
    }
    commit.changes().into_iter().try_for_each(|change| change_open(transaction, commit, entity, change))
}

fn change_open(
    transaction: &Transaction<'_>,
    commit: &Commit,
    entity: i64,
    change: Change<'_>,
) -> rusqlite::Result<()> {
    const OPEN: &str = "
        INSERT OR REPLACE INTO open_matters (entity, tenant, matter, id, number, since, expires)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const CLOSE: &str = "DELETE FROM open_matters WHERE entity = ?1 AND matter = ?2 AND id = ?3";
    const FORGET: &str = "DELETE FROM open_matters WHERE matter = 'review' AND expires <= ?1";
    let (number, since) = (integer(commit.number()), integer(commit.at().as_microseconds()));
    if matches!(change, Change::Opened(Matter::Review, ..)) {
        // The clock of a commit that is ahead is not believed: the requests of all would be gone.
        let forgets = commit.forgets().min(Commit::forgets_at(SystemClock.now()));
        transaction.prepare_cached(FORGET)?.execute([integer(forgets.as_microseconds())])?;
    }
    match change {
        Change::Opened(matter, id, until) => transaction.prepare_cached(OPEN)?.execute(params![
            entity,
            commit.key().tenant(),
            matter.as_str(),
            id,
            number,
            since,
            expiry(until)
        ])?,
        Change::Closed(matter, id) => {
            transaction.prepare_cached(CLOSE)?.execute(params![entity, matter.as_str(), id])?
        }
    };
    Ok(())
}

/// The row of an actor, which it gets with its first commit.
fn actor(transaction: &Transaction<'_>, actors: &mut HashMap<ActorId, i64>, actor: &ActorId) -> rusqlite::Result<i64> {
    if actors.len() >= REMEMBERED {
        actors.clear();
    }
    match actors.entry(actor.clone()) {
        Entry::Occupied(known) => Ok(*known.get()),
        Entry::Vacant(new) => {
            let mut statement = transaction.prepare_cached("SELECT id FROM actors WHERE name = ?1")?;
            let row = statement.query_row([actor.as_str()], |row| row.get(0)).optional()?;
            let row = match row {
                Some(row) => row,
                None => {
                    transaction.prepare_cached("INSERT INTO actors (name) VALUES (?1)")?.insert([actor.as_str()])?
                }
            };
            Ok(*new.insert(row))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::actor::Actor;
    use crate::journal::{Content, StateChanged};
    use crate::time::Timestamp;

    fn commit(key: &EntityKey, last: Option<&Commit>, says: &str, by: &str) -> Sealed {
        let (number, previous) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
        let facts = [StateChanged { from: None, to: says.to_owned().into() }.into()].into();
        let (at, actor) = (Timestamp::default(), Actor::agent(by).unwrap());
        let content = Content { at, actor, trace: None, cause: None, fold: None, facts };
        Sealed::new(key.clone(), number + 1, previous, content)
    }

    fn key(id: &str) -> EntityKey {
        EntityKey::new("Order", id).unwrap()
    }

    #[test]
    fn p7_what_there_is_no_room_for_is_not_kept_and_what_comes_after_is() {
        let folder = std::env::temp_dir().join(format!("kiff-no-room-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Place::at(&folder.join("journal.db")).unwrap();
        let connection = place.open_to_write().unwrap();
        // The disk is full behind a few more pages.
        let pages: i64 =
            connection.query_row("SELECT page_count FROM pragma_page_count", [], |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
        let mut writer = Writer::new(connection, place);

        let first = commit(&key("1"), None, "small", "agent-7");
        let huge = commit(&key("2"), None, &"x".repeat(200_000), "agent-8");
        let second = commit(&key("1"), Some(first.commit()), "small", "agent-8");
        assert_eq!(writer.try_write([&first].into_iter()).unwrap(), [Appended::Written]);
        let error = writer.try_write([&huge].into_iter()).unwrap_err();
        assert!(error.to_string().contains("no room left"), "{error}");

        // The one that is too large takes none of those with it that it was gathered with.
        let queue = Commits::new();
        let answers = [huge, second].map(|sealed| queue.push(sealed).unwrap());
        queue.close();
        let connection = Connection::open(folder.join("journal.db")).unwrap();
        writer.run(&queue);
        let [huge, second] = answers.map(pollster::block_on);
        assert!(huge.unwrap().is_err());
        assert_eq!(second.unwrap().unwrap(), Appended::Written);
        let positions: (i64, i64) = connection
            .query_row("SELECT max(position), count(*) FROM bodies", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(positions, (2, 2));
        // Whoever wrote nothing yet but what there was no room for is known by what they write then.
        let by = "SELECT count(*) FROM commits JOIN actors ON actors.id = actor WHERE name = 'agent-8'";
        assert_eq!(connection.query_row(by, [], |row| row.get(0)), Ok(1));
        drop(connection);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn while_somebody_else_holds_the_file_a_group_waits_once_and_not_each_of_it() {
        static WAITS: AtomicUsize = AtomicUsize::new(0);
        fn count(_: i32) -> bool {
            WAITS.fetch_add(1, Ordering::Relaxed);
            false
        }
        let folder = std::env::temp_dir().join(format!("kiff-held-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = Place::at(&folder.join("journal.db")).unwrap();
        let mut connection = place.open_to_write().unwrap();
        connection.busy_handler(Some(count)).unwrap();
        let mut writer = Writer::new(connection, place);
        let other = Connection::open(folder.join("journal.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();

        let queue = Commits::new();
        let first = ["1", "2", "3"].map(|id| commit(&key(id), None, "small", "agent-7"));
        let mut append = || {
            let answers = first.clone().map(|sealed| queue.push(sealed).unwrap());
            let mut group = Vec::new();
            assert!(queue.take(&mut group));
            writer.write(&mut group);
            answers.map(|answer| pollster::block_on(answer).unwrap())
        };
        for answer in append() {
            let told = answer.unwrap_err().to_string();
            assert!(told.contains("locked"), "{told}");
        }
        assert_eq!(WAITS.load(Ordering::Relaxed), 1);
        // It has cost them nothing but that.
        other.execute_batch("ROLLBACK").unwrap();
        for answer in append() {
            assert_eq!(answer.unwrap(), Appended::Written);
        }
        drop(other);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

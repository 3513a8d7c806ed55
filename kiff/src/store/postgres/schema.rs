//! The journal's tables: the versions of their schema, who may use them, and whether they are as this kiff needs them.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row};

use super::error::{PostgresError, Problem};

/// One step from a version of the schema to the next.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// All of them, from the first on. One that has been released is never changed.
const MIGRATIONS: &[Migration] = &[Migration { name: "journal", sql: include_str!("sql/0001_journal.sql") }];

const READER: &str = include_str!("sql/reader.sql");
const WRITER: &str = include_str!("sql/writer.sql");
/// Apart from the rest, so that a writer who is granted again goes on appending meanwhile.
const NO_WRITER: &str = "REVOKE EXECUTE ON FUNCTION {schema}.append FROM {role};\n";
const CHECK: &str = include_str!("sql/check.sql");

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 where there was no journal.
    pub from: u32,
    /// The version now.
    pub to: u32,
}

/// The version that this kiff reads and writes.
fn needed() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// A name that may stand in a statement, in quotes.
fn quoted(option: &'static str, name: &str) -> Result<String, Problem> {
    /// What `PostgreSQL` keeps of a name.
    const LONGEST: usize = 63;
    let problem = match name {
        "" => "it is empty",
        _ if name.len() > LONGEST => "it is longer than 63 bytes",
        _ if name.contains(|letter: char| letter.is_control()) => "it holds a control character",
        _ => return Ok(format!("\"{}\"", name.replace('"', "\"\""))),
    };
    Err(Problem::Option { option, problem: format!("{problem}: `{}`", name.escape_debug()) })
}

/// What the journal's tables are called in statements.
#[derive(Debug, Clone)]
pub(super) struct Names {
    schema: String,
    quoted: String,
}

impl Names {
    pub(super) fn new(schema: &str) -> Result<Self, Problem> {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        if !schema.chars().all(is_plain) || schema.starts_with("pg_") {
            let problem = format!("`{schema}` is not of small letters, digits and `_`, or starts with `pg_`");
            return Err(Problem::Option { option: "schema", problem });
        }
        Ok(Self { schema: schema.to_owned(), quoted: quoted("schema", schema)? })
    }

    /// The statement with the schema's name in it.
    pub(super) fn fill(&self, sql: &str) -> String {
        sql.replace("{schema}", &self.quoted)
    }

    /// What lets a role read the journal, and no longer append to it.
    pub(super) fn reader(&self, role: &str) -> Result<String, Problem> {
        self.grants(&[NO_WRITER, READER], role)
    }

    /// What lets a role use the journal: read it, and append to it.
    pub(super) fn writer(&self, role: &str) -> Result<String, Problem> {
        self.grants(&[READER, WRITER], role)
    }

    fn grants(&self, statements: &[&str], role: &str) -> Result<String, Problem> {
        Ok(self.fill(&statements.concat()).replace("{role}", &quoted("role", role)?))
    }

    /// What asks whether the journal is as this kiff needs it.
    pub(super) fn check(&self) -> String {
        CHECK.replace("{name}", &self.schema)
    }

    /// What is wrong with the journal, as the server answers to [`Names::check`].
    pub(super) fn judge(&self, rows: &[Row]) -> Result<(), Problem> {
        let Some(row) = rows.first() else {
            return Err(Problem::Missing { schema: self.schema.clone() });
        };
        let text = |column: &str| row.try_get::<_, String>(column);
        let promised = [
            ("server_encoding", "UTF8", "the journal needs a database in UTF8"),
            (
                "default_transaction_isolation",
                "read committed",
                "the journal's order needs `read committed`: run `ALTER ROLE … SET default_transaction_isolation TO \
                 'read committed'`",
            ),
            (
                "fsync",
                "on",
                "what was acknowledged would be lost in a power failure: set it to `on` in the server's configuration",
            ),
        ];
        for (name, wanted, instead) in promised {
            let value = text(name)?;
            if value != wanted {
                return Err(Problem::Setting { name, value, instead });
            }
        }
        let value = text("synchronous_commit")?;
        if value == "off" {
            let instead =
                "what was acknowledged could be lost in a crash: run `ALTER ROLE … SET synchronous_commit TO on`";
            return Err(Problem::Setting { name: "synchronous_commit", value, instead });
        }
        if row.try_get::<_, bool>("is_missing")? {
            return Err(Problem::Missing { schema: self.schema.clone() });
        }
        Ok(())
    }

    /// What asks for the version of the journal.
    pub(super) fn version(&self) -> String {
        self.fill("SELECT coalesce(max(version), 0) FROM {schema}.migrations")
    }

    /// Whether this kiff knows the journal of that version.
    pub(super) fn judge_version(&self, found: i32) -> Result<(), Problem> {
        let schema = self.schema.clone();
        match found {
            0 => Err(Problem::Missing { schema }),
            found if found == needed() => Ok(()),
            found => Err(Problem::Version { schema, found, needed: needed() }),
        }
    }

    /// What asks whether the commits have their positions from the one who gives them.
    pub(super) fn origin(&self) -> String {
        self.fill("SELECT s.last > 0 OR NOT EXISTS (SELECT FROM {schema}.positions) FROM {schema}.sequencer s")
    }

    /// Whether they have.
    pub(super) fn judge_origin(&self, is_own: bool) -> Result<(), Problem> {
        if is_own { Ok(()) } else { Err(Problem::Mixed { schema: self.schema.clone() }) }
    }

    /// What a refusal of the server to show the journal means.
    pub(super) fn explain(&self, problem: Problem, role: &str) -> Problem {
        match problem {
            Problem::Server(cause) if cause.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                Problem::Forbidden { role: role.to_owned(), schema: self.schema.clone(), cause }
            }
            problem => problem,
        }
    }

    /// Applies what is missing, in one transaction.
    pub(super) async fn migrate(&self, client: &mut Client) -> Result<Migrated, PostgresError> {
        let transaction = client.transaction().await?;
        let first = "SELECT pg_advisory_xact_lock(x'6b696666'::bigint);
            CREATE SCHEMA IF NOT EXISTS {schema};
            CREATE TABLE IF NOT EXISTS {schema}.migrations (
                version    integer PRIMARY KEY,
                name       text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )";
        transaction.batch_execute(&self.fill(first)).await?;
        let found: i32 = match transaction.query_typed(&self.version(), &[]).await?.first() {
            Some(row) => row.try_get(0)?,
            None => 0,
        };
        if found > needed() {
            return Err(Problem::Version { schema: self.schema.clone(), found, needed: needed() }.into());
        }
        for (version, migration) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            transaction.batch_execute(&self.fill(migration.sql)).await?;
            let noted = format!("INSERT INTO {{schema}}.migrations VALUES ({version}, '{}')", migration.name);
            transaction.batch_execute(&self.fill(&noted)).await?;
        }
        transaction.commit().await?;
        Ok(Migrated { from: found.unsigned_abs(), to: needed().unsigned_abs() })
    }
}

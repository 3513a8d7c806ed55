//! `kiff migrate`: makes the tables of a journal in PostgreSQL, or brings them up to date.

use clap::Args;
use kiff::{Migrated, PostgresStore};
use serde_json::json;

use super::place::is_postgres;
use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// Make the tables of a journal in PostgreSQL, or bring them up to date
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The database, as the role that is to own the tables: `postgres://owner@host/shop`
    url: String,
    /// Let this role use the journal: read it, and append to it, and nothing else; may be given several times
    #[arg(long, value_name = "ROLE")]
    grant: Vec<String>,
    /// Let this role read the journal, and nothing else; may be given several times
    #[arg(long, value_name = "ROLE")]
    grant_reader: Vec<String>,
}

impl Migrate {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        if !is_postgres(&self.url) {
            return Err(Failure::new("only a journal in PostgreSQL is migrated")
                .help("write a URL as in `postgres://owner@host/shop`; a file of SQLite is made where it is opened"));
        }
        let failed = |error: kiff::PostgresError| Failure::new(error.to_string());
        let migrated = pollster::block_on(PostgresStore::migrate(&self.url)).map_err(failed)?;
        for role in &self.grant {
            pollster::block_on(PostgresStore::options(&self.url).grant(role)).map_err(failed)?;
        }
        for role in &self.grant_reader {
            pollster::block_on(PostgresStore::options(&self.url).grant_reader(role)).map_err(failed)?;
        }
        let Migrated { from, to } = migrated;
        let text = match from {
            0 => format!("made the journal's tables, version {to}\n"),
            _ if from == to => format!("the journal's tables are of version {to}, which is the newest\n"),
            _ => format!("brought the journal's tables from version {from} to {to}\n"),
        };
        shell
            .answer(&json!({ "from": from, "to": to, "granted": self.grant, "may_read": self.grant_reader }), &text)?;
        Ok(Ended::Well)
    }
}

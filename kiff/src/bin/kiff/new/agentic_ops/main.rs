//! `cargo run` serves the domain; `cargo run -- replay` rebuilds each state from the events alone.

mod replay;
mod serve;

use std::error::Error;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kiff::{Actor, IdentifierError, RolePolicy, Runtime, SqliteStore};

use ::@LIBRARY@::domain::{Ops, OpsRole, Platform};

const USAGE: &str = "cargo run -- [--address 127.0.0.1:8080] [--data data] [--sign-in-link]
cargo run -- replay [--data data]";

#[tokio::main]
async fn main() -> ExitCode {
    let (mut address, mut data, mut is_replay) = ("127.0.0.1:8080".to_owned(), PathBuf::from("data"), false);
    // A log keeps what is printed, and a link in it would be for whoever reads that.
    let mut shows_link = std::io::stdout().is_terminal();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.len()) {
            ("replay", _) => is_replay = true,
            ("--address", 1..) => address = arguments.next().unwrap_or(address),
            ("--sign-in-link", _) => shows_link = true,
            ("--data", 1..) => data = arguments.next().map_or(data, PathBuf::from),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let done = if is_replay { replay::run(&data).await } else { serve::run(&address, &data, shows_link).await };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Who there is. A key says who asks; what they may do is said by [`policy`](People::policy).
struct People {
    agent: Actor,
    nora: Actor,
    monitor: Actor,
}

impl People {
    fn new() -> Result<Self, IdentifierError> {
        Ok(Self { agent: Actor::agent("agent-7")?, nora: Actor::human("nora")?, monitor: Actor::system("monitor")? })
    }

    fn policy(&self) -> RolePolicy {
        RolePolicy::new()
            .assign(&self.agent, OpsRole::Agent)
            .assign(&self.nora, OpsRole::OnCall)
            .assign(&self.monitor, OpsRole::Monitor)
    }

    /// The runtime over the journal in a folder.
    fn runtime(&self, store: &Arc<SqliteStore>) -> Arc<Runtime<Ops, Arc<SqliteStore>>> {
        Arc::new(Runtime::new(Arc::clone(store), self.policy(), Platform::default()))
    }
}

/// The journal in a folder.
fn journal(data: &std::path::Path) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    Ok(Arc::new(SqliteStore::open(data.join("journal.db"))?))
}

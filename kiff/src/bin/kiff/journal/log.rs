//! `kiff log`: appends what a store has to the signed log beside it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kiff::Store;
use kiff::proof::{Advanced, Log, LogError, Sequencer, Signers, SigningKey};
use serde_json::json;

use super::AFTER_A_RESTORE;
use super::place::{self, Work};
use crate::failure::Failure;
use crate::keys::signing::refuse_secret;
use crate::shell::{Ended, Shell};

/// Append what a store has to its log, sign it, and show what is signed
#[derive(Debug, Args)]
pub(crate) struct SignLog {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Append what is new in the store, and sign the new head
    ///
    /// Run it as often as a checkpoint is wanted, from a timer. It reads the store only, also while a server writes.
    Advance(Advance),
    /// Show the newest checkpoint
    Checkpoint {
        /// The folder of the log
        log: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Advance {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// The folder of the log; it is made if it is not there
    log: PathBuf,
    /// The file of a secret key; during a rotation both are given
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
}

fn failed(error: &LogError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        LogError::OtherKeys { .. } => failure.help("docs/operations.md says how, under \"Keys\""),
        LogError::RolledBack { .. } | LogError::Rewritten { .. } | LogError::Diverged { .. } => {
            failure.help(AFTER_A_RESTORE).being_the_answer()
        }
        _ => failure,
    }
}

impl SignLog {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        match self.command {
            Command::Advance(advance) => {
                let store = advance.store.clone();
                place::read(&store, advance, shell)
            }
            Command::Checkpoint { log } => {
                let log = Log::open(log).map_err(|error| failed(&error))?;
                let checkpoint = log.checkpoint().to_string();
                shell.answer(&json!({ "checkpoint": checkpoint }), &checkpoint)?;
                Ok(Ended::Well)
            }
        }
    }
}

impl Work for Advance {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let advanced = advance(store, &self.log, &self.key, shell).await?;
        let (size, appended, checkpoint) = (advanced.size, advanced.appended, advanced.checkpoint.to_string());
        let text = format!("{appended} commits appended, {size} signed\n\n{checkpoint}");
        shell.answer(&json!({ "appended": appended, "size": size, "checkpoint": checkpoint }), &text)?;
        Ok(Ended::Well)
    }
}

/// Appends to a log what is new in a store, and signs it with the keys in these files.
pub(super) async fn advance<S: Store>(
    store: &S,
    log: &Path,
    keys: &[PathBuf],
    shell: &Shell,
) -> Result<Advanced, Failure> {
    let mut signers: Option<Signers> = None;
    for path in keys {
        refuse_secret(&path.to_string_lossy(), "file with a key", "name the file that the key is in")?;
        let key = SigningKey::read(path).map_err(|error| Failure::new(error.to_string()))?;
        signers = Some(match signers {
            None => Signers::from(key),
            Some(signers) => signers.and(key).map_err(|error| Failure::new(error.to_string()))?,
        });
    }
    let signers = signers.ok_or_else(|| Failure::new("there is no key to sign with"))?;
    let _spinner = shell.spinner("appending to the log");
    let mut sequencer = Sequencer::open(log, signers).map_err(|error| failed(&error))?;
    sequencer.advance(store).await.map_err(|error| failed(&error))
}

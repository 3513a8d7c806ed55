//! `kiff receipt`: one commit with the proof that it is in the signed log, for somebody who has only the public key.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use kiff::proof::{Cosignature, Log, LogError, Receipt};
use kiff::{Commit, Cursor, EntityKey, ExecutionId, Fact, Query, Store, Timeline};
use serde_json::json;

use super::PAGE;
use super::entity::Asked;
use super::log::advance;
use super::place::{self, Work};
use super::timeline::check_kinds;
use crate::failure::Failure;
use crate::keys::signing::{trusted, witnesses_of};
use crate::made::Made;
use crate::shell::{Ended, Shell};

/// Make a receipt for a commit, or check one with the public key alone
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Receipts {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Option<Make>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a receipt offline
    Verify {
        /// The receipt; `-` reads it from the standard input
        file: PathBuf,
        /// A public key that is trusted, or a file with it; may be given several times
        #[arg(long, value_name = "KEY", required = true)]
        key: Vec<String>,
        /// The public key of a witness that has to have signed the checkpoint, or a file with it; may be given several times
        #[arg(long, value_name = "KEY")]
        witness: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct Make {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// The entity, as in `Order/ord-1`, or its id where no other has that
    entity: String,
    /// Whose entity it is
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// What sort of entity it is, which leaves ENTITY to be its id alone
    #[arg(long = "type", value_name = "TYPE")]
    entity_type: Option<String>,
    /// The folder of the log
    #[arg(long, value_name = "DIR", required = true)]
    log: PathBuf,
    /// Append to the log first what it does not have yet, and sign it with the secret key in this file; may be given several times
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The commit's number; where nothing says which commit, it is the one that led to where the entity stands
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["execution", "event", "kind"])]
    commit: Option<u64>,
    /// The run whose end the receipt is for
    #[arg(long, value_name = "ID", conflicts_with_all = ["event", "kind"])]
    execution: Option<ExecutionId>,
    /// The last commit in which this event happened, as in `ORDER_REFUNDED`
    #[arg(long, value_name = "EVENT", conflicts_with = "kind")]
    event: Option<String>,
    /// The last commit that has a record of this kind, as in `action_executed`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Write into this new file instead of to the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Receipts {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        match (self.command, self.make) {
            (Some(Command::Verify { file, key, witness }), _) => verify(&file, &key, &witness, shell),
            (None, Some(make)) => {
                check_kinds(make.kind.as_slice())?;
                let asked = Asked::new(&make.entity, make.tenant.as_deref(), make.entity_type.as_deref())?;
                let store = make.store.clone();
                place::read(&store, Wanted { asked, make }, shell)
            }
            (None, None) => Err(Failure::new("nothing says which receipt").help("see `kiff receipt --help`")),
        }
    }
}

/// The commit that a receipt is wanted for.
struct Wanted {
    asked: Asked,
    make: Make,
}

impl Wanted {
    /// Whether it is said which commit.
    fn is_said(&self) -> bool {
        let Make { commit, execution, event, kind, .. } = &self.make;
        commit.is_some() || execution.is_some() || event.is_some() || kind.is_some()
    }

    /// The newest commit that is meant. Where nothing says which, it is the one that led to where the entity stands, and its last one
    /// where none has changed its state.
    async fn found<S: Store>(&self, store: &S, key: &EntityKey) -> Result<Option<(u64, Arc<Commit>)>, Failure> {
        let all = Query::default().entity(key.clone());
        if !self.is_said() {
            let led = self.newest(store, &all.clone().kind("state_changed")).await?;
            if led.is_some() {
                return Ok(led);
            }
        }
        self.newest(store, &all).await
    }

    async fn newest<S: Store>(&self, store: &S, query: &Query) -> Result<Option<(u64, Arc<Commit>)>, Failure> {
        let mut cursor = Cursor::LAST;
        loop {
            let page = store.search(query, cursor, PAGE).await?;
            let Some((oldest, _)) = page.last() else { return Ok(None) };
            cursor = Cursor::Before(*oldest);
            if let Some(found) = page.into_iter().find(|(_, commit)| self.is(commit)) {
                return Ok(Some(found));
            }
        }
    }

    fn is(&self, commit: &Commit) -> bool {
        let Make { commit: number, execution, event, kind, .. } = &self.make;
        let is_event =
            |fact: &Fact, name: &str| matches!(fact, Fact::EventIngested(ingested) if *ingested.event == *name);
        number.is_none_or(|number| commit.number() == number)
            && execution.as_ref().is_none_or(|execution| commit.ends(execution))
            && event.as_ref().is_none_or(|event| commit.facts().iter().any(|fact| is_event(fact, event)))
            && kind.as_ref().is_none_or(|kind| commit.facts().iter().any(|fact| fact.kind() == kind))
    }
}

impl Work for Wanted {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let key = self.asked.found(store).await?;
        let Some((position, commit)) = self.found(store, &key).await? else {
            let entity = &self.make.entity;
            let said = [("tenant", &self.make.tenant), ("type", &self.make.entity_type)];
            let said = said.into_iter().filter_map(|(name, value)| Some(format!(" --{name} {}", value.as_ref()?)));
            // Not where the journal is: a URL may hold a password.
            return Err(Failure::new(format!("`{key}` has no such commit"))
                .help(format!("`kiff timeline STORE {entity}{}` shows what it has", said.collect::<String>())));
        };
        if !self.make.key.is_empty() {
            advance(store, &self.make.log, &self.make.key, shell).await?;
        }
        let failed = |error: LogError| {
            let failure = Failure::new(error.to_string());
            match error {
                LogError::NoLog { .. } | LogError::NotYet { .. } => {
                    failure.help("with `--key FILE` the log is given first what it does not have yet")
                }
                LogError::File(_) => failure.help(
                    "where a file below `tile` is missing, stop whoever writes the log and remove all of `tile`: `kiff log advance` \
                     writes it again",
                ),
                LogError::OtherCommit { .. } => failure.being_the_answer(),
                _ => failure,
            }
        };
        let log = Log::open(&self.make.log).map_err(failed)?;
        let receipt = log.receipt(position, &commit).map_err(failed)?.to_string();
        match &self.make.out {
            Some(path) => {
                let mut file = Made::at(path)?;
                file.write_all(receipt.as_bytes()).map_err(|error| Failure::file("write", path, &error))?;
                file.keep()?;
                let text =
                    format!("wrote the receipt of commit {} of `{key}` to {}\n", commit.number(), path.display());
                shell.answer(&json!({ "file": path, "commit": commit.number(), "position": position }), &text)?;
            }
            None => shell
                .answer(&json!({ "receipt": receipt, "commit": commit.number(), "position": position }), &receipt)?,
        }
        Ok(Ended::Well)
    }
}

fn verify(file: &Path, keys: &[String], witnesses: &[String], shell: &Shell) -> Result<Ended, Failure> {
    let (keys, witnesses) = (trusted(keys)?, witnesses_of(witnesses)?);
    let text = if file == Path::new("-") {
        io::read_to_string(io::stdin().lock().take(1 << 24))
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| Failure::file("read", file, &error))?;
    let refused = |error: kiff::proof::ReceiptError| Failure::new(error.to_string()).being_the_answer();
    let receipt: Receipt = text.parse().map_err(refused)?;
    let verified = receipt.verify(&keys).map_err(refused)?;
    let cosignatures = receipt.cosignatures(&witnesses).map_err(refused)?;
    let (commit, head) = (verified.commit(), verified.checkpoint().head());
    let timeline = Timeline::new(commit.key().clone(), vec![Arc::clone(commit)]);
    let seen =
        cosignatures.iter().map(|Cosignature { witness, at }| format!("seen by the witness `{witness}` at {at}\n"));
    let text = format!(
        "this is commit {} of `{}`, at position {} of the log `{}`, which had {} commits when it was signed\n{}\n{timeline}",
        commit.number(),
        commit.key(),
        verified.position(),
        verified.checkpoint().origin(),
        head.size,
        seen.collect::<String>(),
    );
    let data = json!({
        "entity": commit.key().to_string(),
        "commit": commit.number(),
        "position": verified.position(),
        "log": verified.checkpoint().origin(),
        "head": head,
        "witnesses": cosignatures,
        "records": timeline,
    });
    shell.answer(&data, &text)?;
    Ok(Ended::Well)
}

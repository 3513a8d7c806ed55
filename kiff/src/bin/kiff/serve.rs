//! `kiff serve`: the pages over a journal, for whoever has the store and not the domain.

use std::net::SocketAddr;

use clap::Args;
use kiff::http::{Api, Limits, Principal, serve};
use kiff::{Actor, Store};
use serde_json::json;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::journal::place::{self, Work};
use crate::shell::{Ended, Shell};

/// Show the pages over a journal, without its domain
///
/// What happened to each entity, what waits, what is in doubt, and whether the chains hold. Nothing can be changed. It prints a
/// link that signs one person in, once, and ends with Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// A file of SQLite, a URL of PostgreSQL, or an export, which is only read
    #[arg(long, value_name = "STORE")]
    readonly: String,
    /// Where to listen; port 0 chooses a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Whose entities are shown
    #[arg(long, value_name = "TENANT", default_value = kiff::EntityKey::DEFAULT_TENANT)]
    tenant: String,
    /// The folder of the signed log, for receipts
    #[cfg(feature = "proof")]
    #[arg(long, value_name = "DIR")]
    log: Option<std::path::PathBuf>,
}

/// What is said of an address that others reach.
const BEYOND: &str = "It listens beyond this machine, and over plain HTTP a browser keeps nobody signed in there: it needs a proxy that ends TLS in front of it.\n\n";

impl Serve {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        log()?;
        let store = self.readonly.clone();
        place::read(&store, self, shell)
    }

    async fn serve<S: Store>(self, store: S, shell: &Shell) -> Result<Ended, Failure> {
        let broken = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let reader = Actor::human("reader").map_err(|error| broken(&error))?;
        let reader = Principal::new(reader).in_tenant(&self.tenant).map_err(|error| broken(&error))?;
        let api = Api::new().journals(store).await?;
        #[cfg(feature = "proof")]
        let api = match self.log {
            Some(log) => api.log(of_a_log(log)?),
            None => api,
        };
        let link = api.sign_in_links().link(reader).map_err(|error| broken(&error))?;
        let listening = TcpListener::bind(self.address).await;
        let at = listening.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = at.map_err(|error| {
            Failure::new(format!("cannot listen on {}: {error}", self.address))
                .help("choose another one by `--address`")
        })?;
        let link = format!("http://{address}{link}");
        // Not where the journal is: a URL may hold a password.
        let beyond = if address.ip().is_loopback() { "" } else { BEYOND };
        let text = format!(
            "The journal is only read, and nothing can be changed. This link signs you in, once:\n\n  {link}\n\n{beyond}Stop with Ctrl-C.\n"
        );
        if shell.tell(&json!({ "address": address, "link": link }), &text)?.is_break() {
            // Nobody has the link.
            return Ok(Ended::Well);
        }
        let ended = serve(listener, api.router(), Limits::DEFAULT, std::future::pending()).await;
        ended.map_err(|error| broken(&error))?;
        Ok(Ended::Well)
    }
}

/// Tells on standard error what breaks and who is not let in. `RUST_LOG` asks for more, or less.
fn log() -> Result<(), Failure> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    let levels = levels.parse::<Targets>().map_err(|error| Failure::new(format!("`RUST_LOG`: {error}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let started = tracing_subscriber::registry().with(levels).with(lines).try_init();
    started.map_err(|error| Failure::new(error.to_string()))
}

/// A folder in which there is a log: without one there would be no receipts, and nobody would know why.
#[cfg(feature = "proof")]
fn of_a_log(folder: std::path::PathBuf) -> Result<std::path::PathBuf, Failure> {
    match kiff::proof::Log::open(&folder) {
        Ok(_) => Ok(folder),
        Err(error) => Err(Failure::new(error.to_string()).help("`kiff log advance` makes it and signs it")),
    }
}

impl Work for Serve {
    async fn run<S: Store + Clone>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new(format!("no server can be started: {error}")))?;
        runtime.block_on(self.serve(store.clone(), shell))
    }
}

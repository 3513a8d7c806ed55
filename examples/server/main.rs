//! The refund and the mission domain over HTTP, seeded, with a key for everybody: `cargo run --example server`.

#[path = "../mission/domain.rs"]
pub mod mission;
#[path = "../refund/domain.rs"]
pub mod refund;
pub mod seed;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kiff::http::{Api, Keys, Limits, Metrics, NewKey, Principal, TrustBody, serve, until_stopped};
use kiff::proof::{Sequencer, SigningKey};
use kiff::{Actor, MemoryStore, Runtime, SqliteStore, Store};
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use mission::{Mission, Rover};
use refund::{Refund, RefundDesk};
use seed::People;

const USAGE: &str = "cargo run --example server -- [--address 127.0.0.1:8080] [--data FILE] [--trust-body]

  --address ADDRESS  where to listen; port 0 chooses a free one
  --data FILE        keep the journals in this SQLite file, and their signed log beside it; otherwise they are gone with
                     the process
  --trust-body       believe every request's body instead of keys: for this machine alone";

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match open(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    address: SocketAddr,
    data: Option<PathBuf>,
    trust_body: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { address: SocketAddr::from(([127, 0, 0, 1], 8080)), data: None, trust_body: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "--address" => options.address = value()?.parse().map_err(|error| format!("`--address`: {error}"))?,
                "--data" => options.data = Some(value()?.into()),
                "--trust-body" => options.trust_body = true,
                other => return Err(format!("`{other}` is no option")),
            }
        }
        Ok(options)
    }
}

async fn open(options: &Options) -> Result<(), Box<dyn Error>> {
    log()?;
    if let Some(path) = &options.data {
        return run(options, Arc::new(SqliteStore::open(path)?), &path.with_extension("log")).await;
    }
    let log = std::env::temp_dir().join(format!("kiff-server-{}.log", std::process::id()));
    // What another process of this number may have left behind is of another journal.
    forget(&log)?;
    let ended = run(options, Arc::new(MemoryStore::new()), &log).await;
    let forgotten = forget(&log);
    ended?;
    Ok(forgotten?)
}

/// Removes a log and its keys, where they are there.
fn forget(log: &Path) -> std::io::Result<()> {
    let [key, public] = ["log.key", "log.key.pub"].map(|extension| log.with_extension(extension));
    for removed in [std::fs::remove_dir_all(log), std::fs::remove_file(key), std::fs::remove_file(public)] {
        removed.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

/// Tells on standard error what breaks and who is not let in. `RUST_LOG=info` tells of each record as well.
fn log() -> Result<(), Box<dyn Error>> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    let levels = levels.parse::<Targets>().map_err(|error| format!("`RUST_LOG`: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(levels).with(lines).try_init()?;
    Ok(())
}

/// Serves both domains from one store, with receipts from its signed log.
async fn run<S: Store>(options: &Options, store: Arc<S>, log: &Path) -> Result<(), Box<dyn Error>> {
    let people = People::new()?;
    let desk = RefundDesk::default();
    let refunds: Arc<Runtime<Refund, _>> = Arc::new(Runtime::new(Arc::clone(&store), people.policy(), desk));
    let missions: Arc<Runtime<Mission, _>> =
        Arc::new(Runtime::new(Arc::clone(&store), people.policy(), Rover::new("rover-1")));
    // Whoever has the public key believes the receipts. Elsewhere the secret one is kept where the journals are not.
    let key = SigningKey::read_or_generate(log.with_extension("log.key"), "example.com/server")?;
    let public = key.verifying_key().to_string();
    let mut sequencer = Sequencer::open(log, key)?;
    // A journal that is not the one that was signed is neither written to nor served.
    let unfit = |error| format!("the log in {} does not fit the journal: {error}", log.display());
    sequencer.advance(&*store).await.map_err(unfit)?;
    seed::refunds(&refunds, &people).await?;
    seed::missions(&missions, &people).await?;

    let listener = TcpListener::bind(options.address).await.map_err(|error| {
        format!("the server cannot listen at {}: {error}; give another one with `--address`", options.address)
    })?;
    let address = listener.local_addr()?;
    let api = Api::new().domain(refunds).domain(missions).log(log).metrics(Metrics::install()?);
    let link = api.sign_in_links().link(Principal::new(people.nora.clone()))?;
    let api = if options.trust_body {
        api.authenticate(TrustBody::on(&listener)?)
    } else {
        let keys = Keys::in_memory();
        let key = |actor: &Actor| keys.create(NewKey::new(actor.clone())).map(|(_, token)| token);
        greet(address, &link, &key(&people.agent)?, &key(&people.nora)?, &public);
        for actor in [&people.shop, &people.pilot, &people.ada, &people.control] {
            println!("  {:<8} {}", actor.id(), key(actor)?);
        }
        api.authenticate(keys)
    };
    println!("\nListening on http://{address}; stop with Ctrl-C.");
    let serving = serve(listener, api.router(), Limits::DEFAULT, until_stopped());
    sequencer.follow(store, Duration::from_secs(1), serving).await?;
    Ok(())
}

/// Says how to begin.
fn greet(address: SocketAddr, link: &str, agent: &str, nora: &str, public: &str) {
    println!(
        r#"As nora, in a browser, once:
  http://{address}{link}

As an agent, who may not pay back alone:
  AGENT={agent}
  curl -s -H "Authorization: Bearer $AGENT" http://{address}/entities/ord-1001/allowed-actions
  curl -s -H "Authorization: Bearer $AGENT" http://{address}/entities/ord-1001/actions/REFUND_ORDER/execute \
    -d '{{"parameters": {{"amount": 4900, "reason": "damaged"}}}}'
  curl -s -H "Authorization: Bearer $AGENT" http://{address}/entities/ord-1001/actions/REFUND_ORDER/approvals \
    -d '{{"approval_id": "app-1", "reason": "the photo shows it", "parameters": {{"amount": 4900, "reason": "damaged"}}}}'

As nora, who may sign it off, and as the agent again:
  NORA={nora}
  curl -s -H "Authorization: Bearer $NORA" http://{address}/approvals/app-1/grant -d '{{"reason": "clear enough"}}'
  curl -s -H "Authorization: Bearer $AGENT" http://{address}/entities/ord-1001/actions/REFUND_ORDER/execute \
    -d '{{"parameters": {{"amount": 4900, "reason": "damaged"}}}}'
  curl -s -H "Authorization: Bearer $NORA" http://{address}/entities/ord-1001/timeline

Proof of the last step, for somebody who has neither the journal nor a key for this server:
  curl -s -H "Authorization: Bearer $NORA" http://{address}/entities/ord-1001/receipt -o refund.receipt
  kiff receipt verify refund.receipt --key '{public}'

The keys of the others:"#
    );
}

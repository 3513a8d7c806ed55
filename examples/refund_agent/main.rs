//! The server of the refund agent: `cargo run --example refund_agent --features faces -- --addr :8080 --data-dir demo`.
//!
//! `python3 examples/refund_agent/agent.py` starts it by itself and tells the whole story.

pub mod demo;
pub mod domain;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use demo::{Demo, ORDERS};
use domain::{Bank, OrderPaid, Support, SupportRole};
use kiff::http::{Api, Keys, Limits, NewKey, serve, until_stopped};
use kiff::{Actor, Cents, Domain, RolePolicy, Runtime, SqliteStore};
use tokio::net::TcpListener;

const USAGE: &str = "say where to listen and where to keep what happens:
  cargo run --example refund_agent --features faces -- --addr :0 --port-file port --data-dir demo";

/// What the command line says.
struct Options {
    addr: String,
    port_file: Option<PathBuf>,
    data_dir: PathBuf,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (mut addr, mut port_file, mut data_dir) = (":8080".to_owned(), None, None);
        while let Some(flag) = arguments.next() {
            let value = arguments.next()?;
            match flag.as_str() {
                "--addr" => addr = value,
                "--port-file" => port_file = Some(PathBuf::from(value)),
                "--data-dir" => data_dir = Some(PathBuf::from(value)),
                _ => return None,
            }
        }
        // The routes of the demo ask nobody who they are, so that without a host they are for this machine alone.
        let addr = if addr.starts_with(':') { format!("127.0.0.1{addr}") } else { addr };
        Some(Self { addr, port_file, data_dir: data_dir? })
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = tokio.map_err(Into::into).and_then(|tokio| tokio.block_on(run(options)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(&options.data_dir)?;
    let (shop, agent, nora) = (Actor::system("shop")?, Actor::agent("agent-7")?, Actor::human("nora")?);
    let policy = RolePolicy::new()
        .assign(&shop, SupportRole::Shop)
        .assign(&agent, SupportRole::Agent)
        .assign(&nora, SupportRole::Operator);
    let store = SqliteStore::open(options.data_dir.join("journal.db"))?;
    let runtime = Arc::new(Runtime::<Support, _>::new(store, policy, Bank::default()));
    for (order, total) in ORDERS {
        let key = Support::entity(order)?;
        // A journal that was kept knows its orders already.
        if runtime.entity(&key).await?.state().is_none() {
            let paid = runtime.ingest(&shop, &key, OrderPaid { total: Cents(total) }).await?;
            if let Some(refusal) = paid.refusal() {
                return Err(refusal.to_string().into());
            }
        }
    }

    let keys = Arc::new(Keys::open(options.data_dir.join("keys.json"))?);
    key_of(&keys, &nora, &options.data_dir)?;
    let api = Api::new().domain(Arc::clone(&runtime)).authenticate(keys);
    let app = demo::router(Demo { runtime, agent, shop }).fallback_service(api.router());
    let listener = TcpListener::bind(&options.addr).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}; nora decides at http://{address}/admin");
    if let Some(port_file) = options.port_file {
        fs::write(port_file, address.port().to_string())?;
    }
    serve(listener, app, Limits::DEFAULT, until_stopped()).await?;
    Ok(())
}

/// A key for somebody, in a file of their own that nobody else reads.
fn key_of(keys: &Keys, who: &Actor, folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join(format!("{}.key", who.id()));
    if path.exists() {
        return Ok(());
    }
    let (_, token) = keys.create(NewKey::new(who.clone()))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path)?, token.as_bytes())?;
    Ok(())
}

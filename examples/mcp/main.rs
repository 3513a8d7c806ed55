//! The refund domain for an agent that speaks the Model Context Protocol:
//! `cargo run --example mcp --features faces -- --actor agent-7`.
//!
//! An agent's program starts this one and speaks to it over the standard streams. Who the agent is is said here, on the command
//! line, and never by its client. Whoever approves comes by another door: a page and an API at the address that is printed on the
//! standard error, with a key of their own, which stands in a file. The same door has `/mcp`, for agents that come over the network
//! with a key.

#[path = "../refund/domain.rs"]
pub mod domain;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use domain::{OrderPlaced, Refund, RefundDesk, RefundRole};
use kiff::http::{Api, Keys, Limits, NewKey, serve};
use kiff::mcp::Server;
use kiff::{Actor, Cents, Domain, MemoryStore, RolePolicy, Runtime};
use tokio::net::TcpListener;

const USAGE: &str = "say who the agent is, and if you like where people come in:
  cargo run --example mcp --features faces -- --actor agent-7 --people 127.0.0.1:8080";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (actor, people) = match arguments.as_slice() {
        [] => ("agent-7", "127.0.0.1:0"),
        ["--actor", actor] => (*actor, "127.0.0.1:0"),
        ["--actor", actor, "--people", people] => (*actor, *people),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = tokio.map_err(Into::into).and_then(|tokio| tokio.block_on(run(actor, people)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(actor: &str, people: &str) -> Result<(), Box<dyn Error>> {
    let (shop, agent, nora) = (Actor::system("shop")?, Actor::agent(actor)?, Actor::human("nora")?);
    let policy = RolePolicy::new()
        .assign(&shop, RefundRole::System)
        .assign(&agent, RefundRole::Agent)
        .assign(&nora, RefundRole::Operator);
    let runtime = Arc::new(Runtime::<Refund>::new(MemoryStore::new(), policy, RefundDesk::default()));
    for (order, total) in [("ord-1", 4_900), ("ord-2", 99_900)] {
        let placed = runtime.ingest(&shop, &Refund::entity(order)?, OrderPlaced { total: Cents(total) }).await?;
        if let Some(refusal) = placed.refusal() {
            return Err(refusal.to_string().into());
        }
    }

    let keys = Arc::new(Keys::in_memory());
    let listener = TcpListener::bind(people).await?;
    let address = listener.local_addr()?;
    eprintln!("people: http://{address}/admin");
    let (_, token) = keys.create(NewKey::new(nora))?;
    let kept = keep(&token, address.port())?;
    eprintln!("key of nora, in a file: {}", kept.display());
    let (_, token) = keys.create(NewKey::new(agent.clone()))?;
    eprintln!("key of {}: {token}", agent.id());
    let api = Api::new().domain(Arc::clone(&runtime)).authenticate(keys);
    let door = tokio::spawn(serve(listener, api.router(), Limits::DEFAULT, std::future::pending()));
    let served = Server::new(agent).domain(runtime).stdio().await;
    door.abort();
    fs::remove_file(kept)?;
    served?;
    Ok(())
}

/// Writes the approver's key to a file that its owner alone can read. What is said on the standard error stands in a log of the client,
/// where its agent may read it.
fn keep(token: &str, port: u16) -> io::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("kiff-mcp-{}-{port}.key", std::process::id()));
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?.write_all(token.as_bytes())?;
    Ok(path)
}

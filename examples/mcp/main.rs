//! The refund domain for an agent that speaks the Model Context Protocol:
//! `cargo run --example mcp --features faces -- --actor agent-7`.
//!
//! An agent's program starts this one and speaks to it over the standard streams. Who the agent is is said here, on the command
//! line, and never by its client. Whoever approves comes by another door: a page and an API at the address that is printed on the
//! standard error, with a key of their own. The same door has `/mcp`, for agents that come over the network with a key.

#[path = "../refund/domain.rs"]
pub mod domain;

use std::error::Error;
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
    eprintln!("people: http://{}/admin", listener.local_addr()?);
    for who in [&nora, &agent] {
        let (_, token) = keys.create(NewKey::new(who.clone()))?;
        eprintln!("key of {}: {token}", who.id());
    }
    let api = Api::new().domain(Arc::clone(&runtime)).authenticate(keys);
    let door = tokio::spawn(serve(listener, api.router(), Limits::DEFAULT, std::future::pending()));
    Server::new(agent).domain(runtime).stdio().await?;
    door.abort();
    Ok(())
}

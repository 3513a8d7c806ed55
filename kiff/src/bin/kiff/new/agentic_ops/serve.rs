//! The server: agents propose over HTTP, a person decides on the page, and everything is on the record.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use kiff::http::{Api, Keys, Limits, NewKey, Principal, serve, until_stopped};
use kiff::{Actor, Domain, Inquiry};
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use ::@LIBRARY@::domain::{AlertRaised, Ops};

use crate::{People, journal};

pub async fn run(address: &str, data: &Path, shows_link: bool) -> Result<(), Box<dyn Error>> {
    log()?;
    fs::create_dir_all(data)?;
    let people = People::new()?;
    let runtime = people.runtime(&journal(data)?);

    // What the last process left half done is asked about first. What only a person can tell waits at /admin/doubt.
    for (incident, found) in runtime.recover(&people.monitor).await? {
        match found {
            Ok(Inquiry::Settled { state, .. }) => println!("an action on {incident} was left half done: it is {state} now"),
            Ok(_) => println!("an action on {incident} was left half done: look at /admin/doubt"),
            Err(broken) => println!("{broken}"),
        }
    }

    // An incident to begin with. After a restart it is there already, and raising it again is refused.
    let symptom = "502 since release v2.4.0 went out; the one before was v2.3.9".into();
    let alert = AlertRaised { service: "checkout".into(), symptom };
    let _raised_or_refused = runtime.ingest(&people.monitor, &Ops::entity("inc-1")?, alert).await?;

    let keys = Keys::open(data.join("keys.json"))?;
    for actor in [&people.agent, &people.nora] {
        key_of(&keys, actor, data)?;
    }
    let api = Api::new().domain(runtime).authenticate(keys);

    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "the server cannot listen at {address}: {error}; give another one, as in `make run ADDRESS=127.0.0.1:8081` or \
             `cargo run -- --address 127.0.0.1:8081`"
        )
    })?;
    let address = listener.local_addr()?;
    let server = format!("http://{address}");
    println!("listening on {server}; the keys of agent-7 and nora are in {}\n", data.display());
    println!("Let the agent work on the incident:\n\n  python3 agent/agent.py --server {server} --data {}\n", data.display());
    if !address.ip().is_loopback() {
        println!("Over plain HTTP a browser keeps nobody signed in from elsewhere.");
        println!("The server needs a proxy that ends TLS in front of it.\n");
    }
    if shows_link {
        let link = api.sign_in_links().link(Principal::new(people.nora))?;
        println!("Nora decides on the page; this link signs her in, once:\n\n  {server}{link}\n");
    } else {
        println!("Nora decides on the page: {server}/admin asks for her key.");
        println!("A link that signs her in is printed on a terminal, or with `--sign-in-link`.\n");
    }
    serve(listener, api.router(), Limits::DEFAULT, until_stopped()).await?;
    println!("the server has stopped");
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

/// A key for somebody, in a file that nobody else reads. In production each has theirs, made with `kiff keys create`.
fn key_of(keys: &Keys, who: &Actor, data: &Path) -> Result<(), Box<dyn Error>> {
    let path = data.join(format!("{}.key", who.id()));
    if !path.exists() {
        let (_, token) = keys.create(NewKey::new(who.clone()))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(token.as_bytes())?;
    }
    Ok(())
}

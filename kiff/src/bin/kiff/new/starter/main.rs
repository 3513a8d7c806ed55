//! The server: agents propose over HTTP, a person decides on the page, and everything is on the record.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kiff::http::{Api, Keys, Limits, NewKey, Principal, serve, until_stopped};
use kiff::proof::{Sequencer, SigningKey};
use kiff::{Actor, Domain, Inquiry, RolePolicy, Runtime, SqliteStore};
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use @LIBRARY@::domain::{Desk, Support, SupportRole, TicketOpened, TicketState};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    log()?;
    // Who there is, and which role they hold. A key says who asks; what they may do is said here.
    let (agent, nora, inbox) = (Actor::agent("agent-7")?, Actor::human("nora")?, Actor::system("inbox")?);
    let policy = RolePolicy::new()
        .assign(&agent, SupportRole::Agent)
        .assign(&nora, SupportRole::Operator)
        .assign(&inbox, SupportRole::Inbox);
    let store = Arc::new(SqliteStore::open("@PACKAGE@.db")?);
    let runtime = Arc::new(Runtime::<Support, _>::new(Arc::clone(&store), policy, Desk::default()));

    // The signed log, which the receipts come from. Its key is made here once; keep it where the journal is not.
    let signing = SigningKey::read_or_generate("@PACKAGE@.log.key", "example.com/@PACKAGE@")?;
    let public = signing.verifying_key().clone();
    let mut sequencer = Sequencer::open("@PACKAGE@.log", signing)?;
    println!("Receipts are signed with {public}\n");
    // A journal that is not the one that was signed is not served.
    sequencer.advance(&*store).await.map_err(|error| format!("@PACKAGE@.log does not fit @PACKAGE@.db: {error}"))?;

    // What the last process left half done is asked about first. What only a person can tell waits at /admin/doubt.
    for (ticket, found) in runtime.recover(&inbox).await? {
        match found {
            Ok(Inquiry::Settled { state, .. }) => println!("An action on {ticket} was left half done: it is {state} now.\n"),
            Ok(_) => println!("An action on {ticket} was left half done: look at /admin/doubt.\n"),
            Err(broken) => println!("{broken}\n"),
        }
    }

    // A ticket to begin with. After a restart it is there already, and opening it again is refused.
    let ticket = Support::entity("ticket-1")?;
    let subject = TicketOpened { subject: "it arrived broken".into() };
    let _opened_or_refused = runtime.ingest(&inbox, &ticket, subject).await?;
    if runtime.entity(&ticket).await?.state() == Some(TicketState::Refunded) {
        println!("ticket-1 is paid back already, and nothing more can be done to it.");
        println!("To begin again, remove @PACKAGE@.db and its log: rm -r @PACKAGE@.db @PACKAGE@.log\n");
    }

    // A key that is gone with the process. For one that stays, open a file with `Keys::open` and make the key with
    // `kiff keys create`.
    let keys = Keys::in_memory();
    let (_, key) = keys.create(NewKey::new(agent))?;
    let api = Api::new().domain(runtime).log("@PACKAGE@.log").authenticate(keys);

    // A log keeps what is printed, and a key or a link in it would be for whoever reads that.
    let (mut address, mut shows_link) = ("127.0.0.1:8080".to_owned(), std::io::stdout().is_terminal());
    for argument in std::env::args().skip(1) {
        if argument == "--sign-in-link" {
            shows_link = true;
        } else {
            address = argument;
        }
    }
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("the server cannot listen at {address}: {error}; give another one, as in `cargo run -- 127.0.0.1:8081`")
    })?;
    let server = listener.local_addr()?;
    if !server.ip().is_loopback() {
        println!("Over plain HTTP a browser keeps nobody signed in from elsewhere.");
        println!("The server needs a proxy that ends TLS in front of it.\n");
    }
    if shows_link {
        let link = api.sign_in_links().link(Principal::new(nora))?;
        tell(&format!("http://{server}"), &key, &link);
    } else {
        println!("The server listens on http://{server}; what to do first is printed on a terminal, or with");
        println!("`--sign-in-link`: it has a key of agent-7 and a link that signs nora in.\n");
    }
    // The log follows the journal as long as the server runs, and to the end of what it has done.
    let serving = serve(listener, api.router(), Limits::DEFAULT, until_stopped());
    sequencer.follow(store, Duration::from_secs(1), serving).await?;
    Ok(())
}

/// Tells on standard error what breaks and who is not let in. `RUST_LOG=info` tells of each record as well.
fn log() -> Result<(), Box<dyn std::error::Error>> {
    let levels = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    let levels = levels.parse::<Targets>().map_err(|error| format!("`RUST_LOG`: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(levels).with(lines).try_init()?;
    Ok(())
}

/// What to do first.
fn tell(server: &str, key: &str, link: &str) {
    let refund = format!("{server}/entities/ticket-1/actions/REFUND_TICKET");
    let headers = format!("-H 'authorization: Bearer {key}'");
    let parameters = r#""parameters": {"amount": 4900, "reason": "it arrived broken"}"#;
    let body = format!("-d '{{{parameters}}}'");
    let asking = format!(r#"-d '{{"approval_id": "refund-1", {parameters}}}'"#);
    println!("The agent wants to pay back 49.00, and is held:\n\n  curl {refund}/execute {headers} {body}\n");
    println!("It asks for a sign-off:\n\n  curl {refund}/approvals {headers} {asking}\n");
    println!("Nora decides on the page; this link signs her in, once and within the hour:\n\n  {server}{link}\n");
    println!("Then the first line pays, once, and with this one everybody sees what happened:\n");
    println!("  curl {server}/entities/ticket-1/timeline {headers}\n");
}

//! What the HTTP face costs, beside a bare axum echo of the same body in the same run: `cargo bench --bench http --features http`.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use kiff::http::{Api, Keys, Limits, NewKey, serve};
use kiff::{Actor, Cents, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use tokio::net::TcpListener;

domain! {
    /// Orders and their notes.
    pub domain Shop governs Order;
    roles { Agent: agent, Till: system }
    states { Placed, final Paid }
    events {
        OrderPlaced { total: Cents } reported by Till;
        OrderPaid { amount: Cents };
        NoteAdded { text: String };
    }
    transitions {
        OrderPlaced: new    => Placed;
        OrderPaid:   Placed => Paid;
        NoteAdded:   Placed => Placed;
    }
    actions {
        Pay  { risk: low, by: Agent, emits: OrderPaid };
        Note { risk: low, by: Agent, emits: NoteAdded, effect: none };
    }
    allow { Placed => [Pay, Note]; }
}

/// Pays.
#[action(Shop::Pay)]
async fn pay(amount: Cents) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { amount })
}

/// Writes something down.
#[action(Shop::Note)]
async fn note(text: String) -> Result<NoteAdded, Failure> {
    Ok(NoteAdded { text })
}

/// How long each measurement goes on.
const TIME: Duration = Duration::from_secs(2);

/// How many orders there are, so that no journal grows long.
const ORDERS: u64 = 1000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (echo, kiff, token) = runtime.block_on(open());
    println!("{:<12}{:>12}{:>12}{:>12}", "requests/s", "1", "8", "64");
    let validate = |order: u64| request(&token, &format!("/entities/ord-{order}/actions/PAY/validate"), PAY);
    let execute = |order: u64| request(&token, &format!("/entities/ord-{order}/actions/NOTE/execute"), NOTE);
    let evaluate = |order: u64| request(&token, &format!("/entities/ord-{order}/actions/PAY/evaluate"), PAY);
    let timeline = |order: u64| head(&token, "GET", &format!("/entities/ord-{order}/timeline?limit=10"), 0);
    let same = |_| request(&token, "/", PAY);
    line("echo", echo, &same);
    line("evaluate", kiff, &evaluate);
    line("validate", kiff, &validate);
    line("echo again", echo, &same);
    line("execute", kiff, &execute);
    line("timeline", kiff, &timeline);
}

const PAY: &str = r#"{"entity_type": "Order", "parameters": {"amount": 4900}}"#;
const NOTE: &str = r#"{"entity_type": "Order", "parameters": {"text": "seen"}}"#;

fn head(token: &str, method: &str, path: &str, length: usize) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n")
}

fn request(token: &str, path: &str, body: &str) -> String {
    head(token, "POST", path, body.len()) + body
}

/// A bare echo, the face with its orders, and an agent's key.
async fn open() -> (SocketAddr, SocketAddr, String) {
    let (till, agent) = (Actor::system("till").expect("an id"), Actor::agent("agent-7").expect("an id"));
    let policy = RolePolicy::new().assign(&till, ShopRole::Till).assign(&agent, ShopRole::Agent);
    let shop = Arc::new(Runtime::<Shop>::new(MemoryStore::new(), policy, ()));
    for order in 0..ORDERS {
        let key = Shop::entity(&format!("ord-{order}")).expect("an id");
        let placed = shop.ingest(&till, &key, OrderPlaced { total: Cents(4_900) }).await.expect("a store");
        assert!(placed.is_allowed());
    }
    let keys = Keys::in_memory();
    let (_, token) = keys.create(NewKey::new(agent)).expect("a key");
    let many = NonZeroU32::MAX;
    let limits = Limits { rate: many, burst: many, ..Limits::DEFAULT };
    let face = listen(Api::new().limits(limits).domain(shop).authenticate(keys).router(), limits).await;
    let echo = listen(Router::new().route("/", post(|body: String| async { body })), limits).await;
    (echo, face, token)
}

async fn listen(router: Router, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, router, limits, std::future::pending()));
    address
}

fn line(name: &str, address: SocketAddr, request: &(impl Fn(u64) -> String + Sync)) {
    let rates = [1, 8, 64].map(|connections| measure(address, connections, request));
    println!("{name:<12}{:>12}{:>12}{:>12}", rates[0], rates[1], rates[2]);
}

/// How many requests a second so many connections get answered.
fn measure(address: SocketAddr, connections: u64, request: &(impl Fn(u64) -> String + Sync)) -> u64 {
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let since = Instant::now();
    std::thread::scope(|scope| {
        for own in 0..connections {
            let (stop, answered) = (&stop, &answered);
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
                let mut order = own * (ORDERS / connections.max(1));
                while !stop.load(Ordering::Relaxed) {
                    order = (order + 1) % ORDERS;
                    stream.write_all(request(order).as_bytes()).expect("a request");
                    read(&mut reader);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while since.elapsed() < TIME {
            std::thread::park_timeout(TIME);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let seconds = since.elapsed().as_millis().max(1);
    u64::try_from(u128::from(answered.load(Ordering::Relaxed)) * 1000 / seconds).unwrap_or_default()
}

fn read(reader: &mut BufReader<TcpStream>) {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim_end().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
}

//! What the HTTP face costs, beside a bare axum echo of the same body in the same run: `cargo bench --bench http --features http`. With
//! `-- serve` both are there for a load generator of one's own.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::post;
use axum::{Router, http};
use kiff::http::{Api, Keys, Limits, NewKey, serve};
use kiff::{Actor, Cents, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use tokio::net::TcpListener;
use tower_service::Service;

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
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let measured = |name: &str| only.is_empty() || only.iter().any(|only| name.starts_with(only.as_str()));
    let routes = [
        Route { name: "evaluate", method: "POST", path: "/actions/PAY/evaluate", body: PAY },
        Route { name: "validate", method: "POST", path: "/actions/PAY/validate", body: PAY },
        Route { name: "execute", method: "POST", path: "/actions/NOTE/execute", body: NOTE },
        Route { name: "timeline", method: "GET", path: "/timeline?limit=10", body: "" },
    ];
    if only.iter().any(|only| only == "serve") {
        serve_until_ended(&echo, &kiff, &token);
    }
    println!("in process, without a socket, a request at a time:");
    for route in routes.iter().filter(|route| measured(route.name)) {
        let request = |order| http_request(route.method, &entity(order, route.path), &token, route.body);
        println!("{:<12}{:>12?}", route.name, runtime.block_on(inside(&kiff.router, request)));
    }
    let request = |_| http_request("POST", "/", &token, PAY);
    println!("{:<12}{:>12?}", "echo", runtime.block_on(inside(&echo.router, request)));
    println!("{:<12}{:>12}{:>12}{:>12}", "requests/s", "1", "8", "64");
    for route in routes.iter().filter(|route| measured(route.name)) {
        let asked = |order| request_text(route.method, &entity(order, route.path), &token, route.body);
        // What is echoed is as long as what the route answers.
        let said = answer(kiff.address, &asked(1));
        let same = |_| request_text("POST", "/", &token, &said);
        line("echo", echo.address, &same);
        line(route.name, kiff.address, &asked);
    }
}

/// Prints what `oha` asks for, with everything that it needs besides how many connections and how long, and waits.
fn serve_until_ended(echo: &Face, kiff: &Face, token: &str) -> ! {
    let (echo, kiff) = (echo.address, kiff.address);
    println!("oha -m POST -d '{PAY}' -H 'authorization: Bearer {token}' http://{echo}/");
    for (action, body) in [("PAY/validate", PAY), ("NOTE/execute", NOTE)] {
        let url = format!("http://{kiff}/entities/ord-[1-9][0-9]{{2}}/actions/{action}");
        println!("oha -m POST -d '{body}' -H 'authorization: Bearer {token}' --rand-regex-url '{url}'");
    }
    let url = format!("http://{kiff}/entities/ord-[1-9][0-9]{{2}}/timeline\\?limit=10");
    println!("oha -H 'authorization: Bearer {token}' --rand-regex-url '{url}'");
    loop {
        std::thread::park();
    }
}

/// What is asked of an order.
struct Route {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
}

const PAY: &str = r#"{"entity_type": "Order", "parameters": {"amount": 4900}}"#;
const NOTE: &str = r#"{"entity_type": "Order", "parameters": {"text": "seen"}}"#;

fn entity(order: u64, path: &str) -> String {
    format!("/entities/ord-{order}{path}")
}

fn request_text(method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn http_request(method: &str, path: &str, token: &str, body: &'static str) -> Request {
    let request = http::Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    request.body(Body::from(body)).expect("a request")
}

/// How long a router takes for a request, by the best of some rounds.
async fn inside(router: &Router, request: impl Fn(u64) -> Request) -> Duration {
    const ROUNDS: u32 = 40;
    const REQUESTS: u32 = 500;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let since = Instant::now();
        for order in 0..u64::from(REQUESTS) {
            let answer = router.clone().call(request(order)).await.expect("an answer");
            assert!(answer.status().is_success());
            to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        }
        best = best.min(since.elapsed() / REQUESTS);
    }
    best
}

/// A bare echo, the face with its orders, and an agent's key.
async fn open() -> (Face, Face, String) {
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
    let kiff = Face::open(Api::new().limits(limits).domain(shop).authenticate(keys).router(), limits).await;
    let echo = Face::open(Router::new().route("/", post(|body: String| async { body })), limits).await;
    (echo, kiff, token)
}

/// A router, and where it is served.
struct Face {
    address: SocketAddr,
    router: Router,
}

impl Face {
    async fn open(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, router.clone(), limits, std::future::pending()));
        Self { address, router }
    }
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

/// What is answered to one request.
fn answer(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("a request");
    String::from_utf8(read(&mut BufReader::new(stream))).expect("a text")
}

/// The body of an answer. Little is done with its head, so that a client costs the same whatever the answer says there.
fn read(reader: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(reader.read_until(b'\n', &mut head).expect("an answer"), 0, "half an answer");
    }
    let head = str::from_utf8(&head).expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (_, length) = head.split_once("content-length: ").expect("a length");
    let length = length.lines().next().and_then(|length| length.parse().ok()).expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    body
}

//! What a page and a list take when there are many entities: `cargo bench --bench lists --features http,sqlite`.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use kiff::http::{Api, Keys, Limits, NewKey, Principal, serve};
use kiff::{Actor, Cents, Domain, Failure, RolePolicy, Runtime, SqliteStore, action, domain};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

domain! {
    /// Orders and their refunds.
    pub domain Shop governs Order;
    roles { Agent: agent, Operator: human, Till: system }
    states { Paid, final Refunded }
    events {
        OrderPaid { total: Cents } reported by Till;
        OrderRefunded { amount: Cents };
    }
    transitions {
        OrderPaid:     new  => Paid;
        OrderRefunded: Paid => Refunded;
    }
    actions { Refund { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }; }
    allow { Paid => [Refund]; }
}

/// Pays back.
#[action(Shop::Refund)]
async fn refund(amount: Cents) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount })
}

/// How many orders there are.
const SIZES: [usize; 2] = [1_000, 100_000];

/// One order in so many waits for a sign-off.
const WAITS: usize = 100;

/// How often each is asked; the median is told.
const TIMES: usize = 51;

type Running = Arc<Runtime<Shop, SqliteStore>>;

/// What is asked for: by a person at a page, or by an agent.
const PAGES: [&str; 5] = [
    "/admin",
    "/admin/entities/Order/ord-000500",
    "/admin/search?entity_type=Order",
    "/admin/search?actor=till",
    "/admin/search?kind=approval_recorded",
];
const ROUTES: [&str; 6] = [
    "/approvals?limit=50",
    "/doubts",
    "/entities?limit=50",
    "/entities/ord-000500",
    "/entities/ord-000500/timeline",
    "/entities/ord-000500/allowed-actions",
];

fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let measured = SIZES.map(|orders| tokio.block_on(measure(orders)));
    let heading = SIZES.map(|orders| format!("{orders:>12}"));
    println!("{:<44}{}   orders; milliseconds", "", heading.concat());
    let [small, large] = &measured;
    for ((path, few), (_, many)) in small.iter().zip(large) {
        println!("{path:<44}{few:>12.2}{many:>12.2}");
    }
}

async fn measure(orders: usize) -> Vec<(&'static str, f64)> {
    let folder = tempfile::tempdir().expect("a folder");
    let (till, agent, nora) = (
        Actor::system("till").expect("an id"),
        Actor::agent("agent-7").expect("an id"),
        Actor::human("nora").expect("an id"),
    );
    let policy = RolePolicy::new()
        .assign(till.id().clone(), ShopRole::Till)
        .assign(agent.id().clone(), ShopRole::Agent)
        .assign(nora.id().clone(), ShopRole::Operator);
    let path = folder.path().join("shop.db");
    let shop: Running = Arc::new(Runtime::new(SqliteStore::open(&path).expect("a store"), policy.clone(), ()));
    seed(&shop, &till, &agent, orders).await;
    drop(shop);
    // As after a restart: nothing is remembered.
    let shop: Running = Arc::new(Runtime::new(SqliteStore::open(&path).expect("a store"), policy, ()));
    let keys = Keys::in_memory();
    let (_, key) = keys.create(NewKey::new(agent)).expect("a key");
    let many = NonZeroU32::MAX;
    let limits = Limits { rate: many, burst: many, ..Limits::DEFAULT };
    let api = Api::new().limits(limits).domain(shop).authenticate(keys);
    let link = api.sign_in_links().link(Principal::new(nora)).expect("a link");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, api.router(), limits, std::future::pending()));
    let asking = tokio::task::spawn_blocking(move || {
        let (_, token) = link.split_once("link=").expect("a link");
        let form = format!("link={token}");
        let head = format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n", form.len());
        let answer = ask(address, &format!("POST /admin/sign-in HTTP/1.1\r\n{head}"), &form);
        let cookie = answer.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).expect("a cookie");
        let pages = PAGES.map(|path| (path, median(address, path, &format!("cookie: {cookie}"))));
        let routes = ROUTES.map(|path| (path, median(address, path, &format!("authorization: Bearer {key}"))));
        pages.into_iter().chain(routes).collect()
    });
    asking.await.expect("a thread")
}

async fn seed(shop: &Running, till: &Actor, agent: &Actor, orders: usize) {
    /// So many at once, so that they share a flush.
    const WRITERS: usize = 64;
    let mut writing = JoinSet::new();
    for writer in 0..WRITERS {
        let (shop, till, agent) = (Arc::clone(shop), till.clone(), agent.clone());
        writing.spawn(async move {
            for order in (writer..orders).step_by(WRITERS) {
                let key = Shop::entity(&format!("ord-{order:06}")).expect("an id");
                let paid = shop.ingest(&till, &key, OrderPaid { total: Cents(4_900) }).await.expect("a store");
                assert!(paid.is_allowed());
                if order % WAITS == 0 {
                    let asked = shop.request_approval(&agent, &key, Refund { amount: Cents(4_900) }).await;
                    assert!(asked.expect("a store").is_allowed());
                }
            }
        });
    }
    while let Some(written) = writing.join_next().await {
        written.expect("a writer");
    }
}

/// The median of the milliseconds that a request takes.
fn median(address: SocketAddr, path: &str, header: &str) -> f64 {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let since = Instant::now();
            let answer = ask(address, &format!("GET {path} HTTP/1.1\r\n{header}\r\n"), "");
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            since.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(TIMES / 2).copied().unwrap_or_default()
}

fn ask(address: SocketAddr, head: &str, body: &str) -> String {
    let stream = TcpStream::connect(address).expect("a connection");
    let request = format!("{head}host: {address}\r\nconnection: close\r\n\r\n{body}");
    (&stream).write_all(request.as_bytes()).expect("a request");
    let (mut reader, mut answer) = (BufReader::new(stream), String::new());
    reader.read_line(&mut answer).expect("an answer");
    reader.read_to_string(&mut answer).expect("an answer");
    answer
}

//! Searches that take long: who is answered meanwhile, and how many of them there are at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::iter::repeat_with;
use std::net::TcpStream;
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::available_parallelism;
use std::time::Duration;

use kiff::http::{Limits, NewKey};
use kiff::{
    Actor, Appended, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Query, Runtime, Sealed,
    Snapshot, Store, StoreError, Timestamp,
};
use pollster::block_on;

use super::page::Browser;
use super::server::{Answer, Client, Everybody, Server};
use crate::shop::{AddNote, Desk, Mood, Refund, people, place, policy};

/// For how long something is waited for that comes at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store that keeps the thread on which it searches, for as long as such searches are held.
#[derive(Debug, Default)]
struct Held {
    store: MemoryStore,
    searches: Mutex<Searches>,
    changed: Condvar,
}

/// Which searches are held, and those that have begun since they are, in order.
#[derive(Debug, Default)]
struct Searches {
    held: Option<fn(&Query) -> bool>,
    begun: Vec<Query>,
    /// Reads are held that begin before this commit of an entity.
    reads_held_before: u64,
    /// Behind which commit each read has begun.
    reads: Vec<u64>,
}

/// Every search, but for that of how far the store has come.
fn any(query: &Query) -> bool {
    *query != Query::default()
}

/// Those that may look through the commits of many entities.
const fn of_many(query: &Query) -> bool {
    query.kind.is_some() && query.entity.is_none()
}

impl Held {
    /// Holds such searches from now on.
    fn hold(&self, held: fn(&Query) -> bool) {
        *self.searches.lock().unwrap() = Searches { held: Some(held), ..Searches::default() };
    }

    /// Lets all of them go on.
    fn release(&self) {
        let mut searches = self.searches.lock().unwrap();
        (searches.held, searches.reads_held_before) = (None, 0);
        drop(searches);
        self.changed.notify_all();
    }

    /// Notes a search that is held, and ends when it may go on.
    fn begin(&self, query: &Query) {
        let mut searches = self.searches.lock().unwrap();
        if searches.held.is_some_and(|held| held(query)) {
            searches.begun.push(query.clone());
            self.changed.notify_all();
            drop(self.changed.wait_while(searches, |searches| searches.held.is_some()).unwrap());
        }
    }

    /// Notes a read, and ends when it may go on.
    fn begin_read(&self, after: u64) {
        let mut searches = self.searches.lock().unwrap();
        searches.reads.push(after);
        self.changed.notify_all();
        drop(self.changed.wait_while(searches, |searches| after < searches.reads_held_before).unwrap());
    }

    /// What has begun, as soon as that is enough.
    fn begun(&self, is_enough: impl Fn(&[Query]) -> bool) -> Vec<Query> {
        let searches = self.searches.lock().unwrap();
        let missing = |searches: &mut Searches| !is_enough(&searches.begun);
        let (searches, waited) = self.changed.wait_timeout_while(searches, PATIENCE, missing).unwrap();
        let begun = searches.begun.clone();
        drop(searches);
        assert!(!waited.timed_out(), "only these have begun: {begun:?}");
        begun
    }
}

impl Store for Held {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        self.store.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.begin_read(after);
        self.store.read(key, after, limit).await
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        // A list is held as a search for all of a sort.
        self.begin(&Query::default().entity_type("Order"));
        self.store.entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.begin(query);
        self.store.search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.store.open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.store.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot(key).await
    }
}

/// A server with one thread and a log that nobody has signed yet, and its store.
fn open(limits: Limits) -> (Server<Arc<Held>>, Arc<Held>) {
    let store = Arc::new(Held::default());
    let shop = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
    (Server::of(Arc::new(shop), limits, |api| api.log("/nowhere/shop.log")), store)
}

const REFUND: &str = r#"{"approval_id": "app-1", "parameters": {"amount": 4900, "reason": "damaged"}}"#;

/// An order of which an agent has asked for a refund.
fn asked(server: &Server<Arc<Held>>) -> Everybody {
    let everybody = server.everybody();
    everybody.paid("ord-1");
    everybody.agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", REFUND).expect(201);
    everybody
}

fn signed_in(server: &Server<Arc<Held>>, actor: Actor) -> Client {
    let (_, token) = server.keys.create(NewKey::new(actor)).unwrap();
    Browser::at(&server.stranger(), &format!("key={token}")).unwrap_or_else(|refused| panic!("{}", refused.body)).client
}

/// Asks, and waits for the answer later, but not for ever.
fn ask(client: &Client, method: &str, path: &str, body: Option<&str>) -> TcpStream {
    let mut stream = client.begin(method, path, body.map(str::len), "connection: close\r\n");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(body.unwrap_or_default().as_bytes()).unwrap();
    stream
}

fn status(stream: TcpStream) -> u16 {
    Answer::read(&mut BufReader::new(stream)).status
}

#[test]
fn p10_a_search_that_takes_long_holds_up_nobody_else() {
    let (server, store) = open(Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT });
    let everybody = asked(&server);
    let nora = signed_in(&server, people().nora);
    let note = r#"{"parameters": {"text": "fragile"}}"#;
    for (client, method, path, status_line, told) in [
        (&nora, "GET", "/admin/search?kind=event_ingested", "HTTP/1.1 200", "ord-1"),
        (&nora, "GET", "/admin/search?entity_type=Order", "HTTP/1.1 200", "ord-1"),
        (&everybody.nora, "GET", "/entities", "HTTP/1.1 200", "ord-1"),
        (&nora, "GET", "/admin/entities/Order/ord-1?actor=shop", "HTTP/1.1 200", "ord-1"),
        (&nora, "GET", "/admin/entities/Order/ord-1", "HTTP/1.1 200", "ord-1"),
        (&everybody.nora, "GET", "/events?after=0", "HTTP/1.1 200", "ord-1"),
        (&everybody.nora, "GET", "/entities/ord-1/receipt", "HTTP/1.1 404", "there is no receipt yet"),
        (&everybody.nora, "POST", "/approvals/app-1/grant", "HTTP/1.1 200", "ord-1"),
    ] {
        store.hold(any);
        let mut searching = ask(client, method, path, (method == "POST").then_some("{}"));
        store.begun(|begun| !begun.is_empty());
        assert_eq!(status(ask(&server.stranger(), "GET", "/healthz", None)), 200, "{path}");
        let noted = ask(&everybody.agent, "POST", "/entities/ord-1/actions/ADD_NOTE/execute", Some(note));
        assert_eq!(status(noted), 200, "{path}");
        store.release();
        let mut found = String::new();
        searching.read_to_string(&mut found).unwrap();
        assert!(found.starts_with(status_line) && found.contains(told), "{path}: {found}");
    }
}

#[test]
fn p10_the_end_of_a_run_is_looked_for_no_further_than_to_its_start_and_holds_up_nobody() {
    let (server, store) = open(Limits::DEFAULT);
    let agent = server.client(&people().agent);
    let order = block_on(place(&server.shop, "ord-1"));
    for _ in 0..300 {
        let note = AddNote { text: "fragile".into() };
        assert!(block_on(server.shop.execute(&people().agent, &order, note)).unwrap().executed().is_some());
    }
    server.shop.services().be(Mood::Silent);
    let pay = r#"{"parameters": {"payment_id": "pay-1"}}"#;
    let in_doubt = agent.post("/entities/ord-1/actions/MARK_PAID/execute", pay).expect(409);
    let last = block_on(store.read(&order, 0, 1000)).unwrap().last().unwrap().number();
    let walked = || store.searches.lock().unwrap().reads.iter().filter(|after| **after < last).count();
    let receipt = |run: &str| format!("/entities/ord-1/receipt?execution={run}");
    store.searches.lock().unwrap().reads.clear();
    agent.get(&receipt(in_doubt["execution_id"].as_str().unwrap())).expect(404);
    assert_eq!(walked(), 1);

    *store.searches.lock().unwrap() = Searches { reads_held_before: last, ..Searches::default() };
    let made_up = ask(&agent, "GET", &receipt("made-up"), None);
    let searches = store.searches.lock().unwrap();
    let missing = |searches: &mut Searches| !searches.reads.iter().any(|after| *after < last);
    let (searches, waited) = store.changed.wait_timeout_while(searches, PATIENCE, missing).unwrap();
    drop(searches);
    assert!(!waited.timed_out(), "nothing is read");
    assert_eq!(status(ask(&server.stranger(), "GET", "/healthz", None)), 200);
    store.release();
    assert_eq!(status(made_up), 404);
    assert!(walked() >= 300 / 64, "{}", walked());
}

#[test]
fn p10_what_is_known_by_its_name_waits_for_no_search() {
    let (server, store) = open(Limits::DEFAULT);
    let everybody = asked(&server);
    let [nora, omar, ada] = [people().nora, people().omar, people().auditor].map(|who| signed_in(&server, who));
    let room = available_parallelism().map_or(2, NonZero::get).max(2);
    store.hold(of_many);
    // Between them they take all the room that there is.
    let searching: Vec<_> = [&nora, &omar, &ada]
        .into_iter()
        .flat_map(|who| (0..room).map(move |_| ask(who, "GET", "/admin/search?kind=approval_denied", None)))
        .collect();
    store.begun(|begun| begun.len() >= room);
    assert_eq!(status(ask(&nora, "GET", "/admin/entities/Order/ord-1", None)), 200);
    assert_eq!(status(ask(&everybody.nora, "POST", "/approvals/app-1/grant", Some("{}"))), 200);
    store.release();
    assert!(searching.into_iter().all(|search| status(search) == 200));
}

#[test]
fn p10_whoever_searches_much_leaves_room_for_others_also_when_nobody_waits_any_more() {
    let (server, store) = open(Limits { request_time: Duration::from_secs(1), ..Limits::DEFAULT });
    let [nora, omar] = [people().nora, people().omar].map(|person| signed_in(&server, person));
    let room = available_parallelism().map_or(2, NonZero::get).max(2);
    let (hers, his) = ("/admin/search?kind=approval_denied", "/admin/search?kind=approval_granted");
    store.hold(any);
    // What was given up goes on in the store, and counts.
    for _ in 0..2 {
        let searching: Vec<_> = (0..room).map(|_| ask(&nora, "GET", hers, None)).collect();
        assert!(searching.into_iter().all(|search| status(search) == 504));
    }
    assert_eq!(status(ask(&omar, "GET", his, None)), 504);
    let of = |begun: &[Query], kind: &str| begun.iter().filter(|query| query.kind.as_deref() == Some(kind)).count();
    let is_enough = |begun: &[Query]| of(begun, "approval_denied") >= room / 2 && of(begun, "approval_granted") == 1;
    let begun = store.begun(is_enough);
    assert_eq!(of(&begun, "approval_denied"), room / 2);
    // What has ended makes room.
    store.release();
    let mut statuses = repeat_with(|| status(ask(&nora, "GET", hers, None))).take(50);
    assert_eq!(statuses.find(|status| *status != 504), Some(200));
}

#[test]
fn a_stream_that_waits_for_what_it_looks_for_ends_with_its_server() {
    // Whoever does not see it is cut off then, and not at the end of a part.
    let grace = Duration::from_secs(10);
    let (mut server, store) = open(Limits { grace, ..Limits::DEFAULT });
    let everybody = server.everybody();
    let mut stream = BufReader::new(ask(&everybody.nora, "GET", "/events", None));
    let mut begun = String::new();
    while !begun.contains("id:") {
        assert_ne!(stream.read_line(&mut begun).unwrap(), 0, "{begun}");
    }
    store.hold(any);
    everybody.place("ord-1");
    store.begun(|begun| !begun.is_empty());
    server.stop();
    let mut rest = String::new();
    let ended = stream.read_to_string(&mut rest);
    store.release();
    assert!(ended.is_ok() && rest.ends_with("0\r\n\r\n"), "{ended:?}: {rest}");
}

//! What a request reads does not grow with the number of entities; and what a server says of its store.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kiff::http::{Api, Keys, Limits, Metrics, NewKey, serve};
use kiff::journal::{Content, EventIngested, StateChanged};
use kiff::{
    Actor, Appended, Bounds, Cents, Commit, Cursor, Domain, EntityKey, IdempotencyKey, Json, Matter, MemoryStore, Open,
    Query, RolePolicy, Runtime, Sealed, Snapshot, Store, StoreError, Timestamp,
};
use kiff_test::FixedClock;
use pollster::block_on;
use serde_json::json;
use tokio::net::TcpListener;

use super::lists::{Archive, PaperFiled, archive_in};
use super::page::Browser;
use super::server::{Client, Server, on_its_own_thread};
use crate::shop::{self, Desk, Mood, Refund, people};
use crate::wait::until;

/// A store that counts how often it is asked, and how many rows it gives, and that can be away, silent or full.
#[derive(Debug, Default)]
struct Counted {
    store: MemoryStore,
    asked: AtomicUsize,
    given: AtomicUsize,
    /// How often the newest commits of one tenant were looked for, among those of all.
    newest: AtomicUsize,
    is_away: AtomicBool,
    is_silent: AtomicBool,
    is_full: AtomicBool,
}

impl Counted {
    fn note<T>(&self, rows: Result<Vec<T>, StoreError>) -> Result<Vec<T>, StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::new("nobody is at home"));
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.given.fetch_add(rows.as_ref().map_or(0, Vec::len), Ordering::Relaxed);
        rows
    }

    fn taken(&self) -> (usize, usize) {
        (self.asked.swap(0, Ordering::Relaxed), self.given.swap(0, Ordering::Relaxed))
    }
}

impl Store for Counted {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(StoreError::new("there is no room left"));
        }
        self.store.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.note(self.store.read(key, after, limit).await)
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        if self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.note(self.store.entities(after, limit).await)
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        if query.tenant.is_some() && cursor == Cursor::LAST {
            self.newest.fetch_add(1, Ordering::Relaxed);
        }
        self.note(self.store.search(query, cursor, limit).await)
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.note(self.store.open(matter, tenant, now, after, limit).await)
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

/// A server with so many orders, sixty of which wait for a sign-off, and two clients.
struct Measured {
    store: Arc<Counted>,
    clock: FixedClock,
    shop: Arc<Runtime<Refund, Arc<Counted>>>,
    agent: Client,
    nora: Browser,
}

impl Measured {
    fn of(orders: usize) -> Self {
        Self::with(orders, |api| api)
    }

    fn with(orders: usize, change: impl FnOnce(Api) -> Api) -> Self {
        let store = Arc::new(Counted::default());
        for number in 0..orders {
            assert_eq!(block_on(store.append(placed(number))).unwrap(), Appended::Written);
        }
        let (clock, keeping) = (FixedClock::new(), Arc::clone(&store));
        let shop = Runtime::<Refund, _>::new(keeping, shop::policy(), Desk::default()).with_clock(clock.clone());
        let shop = Arc::new(shop);
        for number in 0..60 {
            let order = shop::order(&format!("ord-{number:06}"));
            let pay = shop::MarkPaid { payment_id: "pay-1".into() };
            assert!(block_on(shop.execute(&people().agent, &order, pay)).unwrap().executed().is_some());
            assert!(block_on(shop.request_approval(&people().agent, &order, shop::refund(5))).unwrap().is_allowed());
        }
        let (keys, many) = (Keys::in_memory(), NonZeroU32::MAX);
        let [agent, nora] = [people().agent, people().nora].map(|who| keys.create(NewKey::new(who)).unwrap().1);
        let limits = Limits { rate: many, burst: many, ..Limits::DEFAULT };
        let api = change(Api::new().limits(limits).domain(Arc::clone(&shop)).authenticate(keys));
        let (listening, address) = std::sync::mpsc::channel::<SocketAddr>();
        on_its_own_thread(move || async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listening.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, api.router(), limits, std::future::pending()).await.unwrap();
        });
        let stranger = Client::at(address.recv().unwrap());
        let nora = Browser::at(&stranger, &format!("key={nora}")).unwrap_or_else(|refused| panic!("{}", refused.body));
        Self { store, clock, shop, agent: stranger.header(&format!("authorization: Bearer {agent}")), nora }
    }

    /// How often each request asks the store, and how many rows it gets.
    fn costs(&self) -> BTreeMap<&'static str, (usize, usize)> {
        let pages = [
            "/admin",
            "/admin/doubt",
            "/admin/entities/Order/ord-000070",
            "/admin/entities/Order/ord-000070?verify=yes",
            "/admin/search?entity_type=Order",
            "/admin/search?actor=shop",
            "/admin/search?kind=approval_recorded",
        ];
        let routes = [
            "/approvals?limit=50",
            "/doubts",
            "/entities?limit=50",
            "/entities/ord-000070",
            "/entities/ord-000070/timeline",
            "/entities/ord-000070/approvals",
            "/entities/ord-000070/allowed-actions",
        ];
        let evaluate = "/entities/ord-000070/actions/MARK_PAID/evaluate";
        let mut costs: BTreeMap<&str, _> = BTreeMap::new();
        let mut note = |of: &'static str, ask: &dyn Fn() -> u16| {
            // What is remembered from the first time on is not what is measured.
            ask();
            self.store.taken();
            assert_eq!(ask(), 200, "{of}");
            costs.insert(of, self.store.taken());
        };
        for path in pages {
            note(path, &|| self.nora.client.get(path).status);
        }
        for path in routes {
            note(path, &|| self.agent.get(path).status);
        }
        note(evaluate, &|| self.agent.post(evaluate, PAY).status);
        costs
    }
}

const PAY: &str = r#"{"parameters": {"payment_id": "pay-1"}}"#;
const NOTE: &str = r#"{"parameters": {"text": "fragile"}}"#;

/// The first commit of an order.
fn placed(number: usize) -> Sealed {
    let event = EventIngested {
        event: "ORDER_PLACED".into(),
        payload: Json::parse(r#"{"total":99900}"#, &Bounds::DEFAULT).unwrap(),
        id: None,
        source: None,
        occurred_at: None,
    };
    let changed = StateChanged { from: None, to: "CREATED".into() };
    let content = Content {
        at: Timestamp::default(),
        actor: people().shop,
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new([event.into(), changed.into()]),
    };
    Sealed::new(shop::order(&format!("ord-{number:06}")), 1, Commit::GENESIS, content)
}

#[test]
fn a_request_reads_as_much_of_ten_thousand_entities_as_of_a_hundred() {
    let (small, large) = (Measured::of(100).costs(), Measured::of(10_000).costs());
    assert_eq!(small, large);
    // And little at all: fifty rows, what is open, and the journals of those.
    let (most, of) = small.iter().map(|(path, (asked, given))| (asked + given, path)).max().unwrap();
    assert!(most < 1_000, "{of}: {most}");
}

#[test]
fn what_is_not_shown_is_passed_over_many_at_a_time_however_few_are_wanted() {
    let store = Arc::new(Counted::default());
    for number in 0..3_000 {
        assert_eq!(block_on(store.append(placed(number))).unwrap(), Appended::Written);
    }
    let shop = Arc::new(Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default()));
    let server = Server::of(Arc::clone(&shop), Limits::DEFAULT, |api| api);
    let cost = |ask: &dyn Fn()| {
        store.taken();
        ask();
        store.taken().0
    };
    // Entities that who asks may not see.
    let mallory = server.client(&Actor::human("mallory").unwrap());
    let asked = cost(&|| assert_eq!(mallory.get("/entities?limit=1").expect(200), json!({ "entities": [] })));
    assert!(asked < 20, "{asked} times");
    // And where the list goes on, it goes on behind what was shown last.
    let everybody = server.everybody();
    let first = everybody.nora.get("/entities?limit=1").expect(200);
    assert_eq!((&first["entities"][0]["id"], &first["next"]), (&json!("ord-000000"), &json!("ord-000000")));
    let rest = everybody.nora.get("/entities?limit=1&after=ord-002998").expect(200);
    assert_eq!(rest, json!({ "entities": [{ "id": "ord-002999", "type": "Order" }] }));

    // What is open in another domain, with or without the one that is asked.
    for number in 0..300 {
        let order = shop::order(&format!("ord-{number:06}"));
        let pay = || shop::MarkPaid { payment_id: "pay-1".into() };
        assert!(block_on(shop.execute(&people().agent, &order, pay())).unwrap().executed().is_some());
        assert!(block_on(shop.request_approval(&people().agent, &order, shop::refund(5))).unwrap().is_allowed());
        shop.services().be(Mood::Silent);
        let order = shop::order(&format!("ord-{:06}", number + 300));
        assert!(block_on(shop.execute(&people().agent, &order, pay())).unwrap().executed().is_none());
        shop.services().be(Mood::Willing);
    }
    let archive = archive_in(Arc::clone(&store));
    let asked = cost(&|| assert!(block_on(archive.pending_approvals(None, 1)).unwrap().is_empty()));
    assert!(asked < 10, "{asked} times");
    let asked = cost(&|| assert!(block_on(archive.in_doubt(None, 1)).unwrap().is_empty()));
    assert!(asked < 10, "{asked} times");
    let paper = Archive::entity("paper-1").unwrap();
    assert!(block_on(archive.ingest(&people().nora, &paper, PaperFiled { page: 1 })).unwrap().is_allowed());
    let (keys, journals) = (Keys::in_memory(), block_on(Api::new().journals(Arc::clone(&store))).unwrap());
    let (_, token) = keys.create(NewKey::new(people().nora)).unwrap();
    let recorded = Server::with(Limits::DEFAULT, move |_| journals.authenticate(keys));
    let nora = recorded.bearing(&token);
    for list in ["approvals", "doubts"] {
        let path = format!("/{list}?entity_type=Paper&limit=1");
        let asked = cost(&|| assert_eq!(nora.get(&path).expect(200), json!({ list: [] })));
        assert!(asked < 10, "{list}: {asked} times");
    }
    // As many as are wanted are there all the same, in order and each once.
    let few = block_on(shop.pending_approvals(None, 2)).unwrap();
    let more = block_on(shop.pending_approvals(few.last().map(|last| &last.open), 1_000)).unwrap();
    assert_eq!((few.len(), more.len()), (2, 298));
    assert!(few.iter().chain(&more).map(|pending| &pending.open).is_sorted());
}

#[test]
fn an_open_page_looks_through_what_was_written_and_not_through_all_that_there_is() {
    let measured = Measured::of(60);
    let mut page = BufReader::new(measured.nora.client.begin("GET", "/admin/live", None, "connection: close\r\n"));
    page.get_ref().set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut next = || {
        let mut line = String::new();
        assert!(page.read_line(&mut line).unwrap() > 0, "the page is told nothing more");
        line
    };
    assert!(next().starts_with("HTTP/1.1 200"));
    measured.store.newest.store(0, Ordering::Relaxed);
    for id in ["new-1", "new-2"] {
        for key in [shop::order(id).in_tenant("acme").unwrap(), shop::order(id)] {
            let placed = shop::OrderPlaced { total: Cents(1) };
            assert!(block_on(measured.shop.ingest(&people().shop, &key, placed)).unwrap().is_allowed());
        }
        assert!((0..50).any(|_| next().trim_end() == "event: changed"), "the page is not told of its own");
    }
    assert_eq!(measured.store.newest.load(Ordering::Relaxed), 0);
}

#[test]
fn a_server_whose_store_is_away_is_alive_and_not_ready() {
    let measured = Measured::of(60);
    assert_eq!(measured.agent.get("/readyz").status, 200);
    measured.store.is_away.store(true, Ordering::Relaxed);
    assert_eq!(measured.agent.get("/healthz").status, 200);
    // What was told a moment ago is told again for so long.
    until(|| measured.agent.get("/readyz").status != 200);
    let told = measured.agent.get("/readyz").expect(503);
    assert_eq!(told["error"], "a store does not answer");
    let told = measured.agent.get("/entities/ord-000001").expect(500);
    assert_eq!(told["error"], "something broke on the server; its log says what", "what broke is no client's business");
    measured.store.is_away.store(false, Ordering::Relaxed);
    until(|| measured.agent.get("/readyz").status != 503);
    assert_eq!(measured.agent.get("/readyz").status, 200);
}

#[test]
fn p10_a_store_that_never_answers_does_not_keep_a_server_from_saying_that_it_is_not_ready() {
    let measured = Measured::of(60);
    measured.store.is_silent.store(true, Ordering::Relaxed);
    // After the time of a request it would be 504.
    let told = measured.agent.get("/readyz").expect(503);
    assert_eq!(told["error"], "a store does not answer");
    measured.store.is_silent.store(false, Ordering::Relaxed);
    until(|| measured.agent.get("/readyz").status != 503);
    assert_eq!(measured.agent.get("/readyz").status, 200);
}

#[test]
fn a_server_whose_store_takes_nothing_is_not_ready_until_it_does_or_it_is_time_to_try_again() {
    let measured = Measured::of(60);
    let note = || measured.agent.post("/entities/ord-000001/actions/ADD_NOTE/execute", NOTE).status;
    let is_full = |is_full| measured.store.is_full.store(is_full, Ordering::Relaxed);
    let ready = || measured.agent.get("/readyz");
    assert_eq!((note(), ready().status), (200, 200));
    is_full(true);
    assert_eq!(note(), 500);
    assert_eq!(ready().expect(503)["error"], "a store does not take what is written");
    is_full(false);
    assert_eq!((note(), ready().status), (200, 200));

    // Where nothing is sent to it as long as it is not ready, it would never be ready again.
    is_full(true);
    assert_eq!((note(), ready().status), (500, 503));
    measured.clock.advance(Duration::from_secs(29));
    assert_eq!(ready().status, 503);
    measured.clock.advance(Duration::from_secs(1));
    assert_eq!((ready().status, note(), ready().status), (200, 500, 503));
}

mod before {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Refund governs Order;
        roles { Agent: agent, Operator: human, System: system }
        states { Paid, final Refunded }
        events { OrderPaid reported by System; OrderRefunded; }
        transitions { OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }
        actions { RefundOrder { risk: low, by: Agent, emits: OrderRefunded, approval: Operator }; }
        allow { Paid => [RefundOrder]; }
    }

    #[action(Refund::RefundOrder)]
    async fn refund_order() -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded {})
    }
}

/// Has a refund asked for under the contract of an earlier release.
async fn asked_before(measured: &Measured) {
    use before::{OrderPaid, RefundOrder, RefundRole};
    let (people, order) = (people(), shop::order("ord-before"));
    let policy = RolePolicy::new().assign(&people.agent, RefundRole::Agent).assign(&people.shop, RefundRole::System);
    let store = Arc::clone(&measured.store);
    let before = Runtime::<before::Refund, _>::new(store, policy, ()).with_clock(measured.clock.clone());
    assert!(before.ingest(&people.shop, &order, OrderPaid {}).await.unwrap().is_allowed());
    assert!(before.request_approval(&people.agent, &order, RefundOrder {}).await.unwrap().is_allowed());
}

#[test]
fn what_is_counted_is_shown_to_whoever_is_somebody() {
    let metrics = Metrics::install().unwrap();
    let measured = Measured::with(61, |api| api.metrics(metrics));
    block_on(asked_before(&measured));
    measured.shop.services().be(Mood::Silent);
    assert_eq!(measured.agent.post("/entities/ord-000060/actions/MARK_PAID/execute", PAY).status, 409);
    Client::at(measured.agent.address).get("/metrics").expect(401);
    measured.agent.get("/entities").expect(200);
    let shown = |metric: &str| {
        let answer = measured.agent.get("/metrics");
        assert!(answer.status == 200 && answer.headers["content-type"].starts_with("text/plain"));
        let line = answer.body.lines().find_map(|line| line.strip_prefix(metric)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no `{metric}` in {}", answer.body))
    };
    shown(r#"kiff_http_requests_total{route="/entities",status="200"}"#);
    shown("kiff_http_unauthenticated_total");
    let open = || ["kiff_open_approvals", "kiff_doubts"].map(|gauge| shown(&format!("{gauge}{{domain=\"refund\"}} ")));
    assert_eq!(open(), ["60", "1"]);
    // Whoever asks again and again does not have the stores asked each time.
    let cost = || {
        shown("kiff_doubts");
        measured.store.taken().0
    };
    measured.store.taken();
    let mut once = 0;
    until(|| {
        once = cost();
        once > 0
    });
    let all: usize = (0..200).map(|_| cost()).sum();
    assert!(all < 100 * once, "{all} times where {once} are enough for a while");
    // What cannot be known keeps nothing else from being shown.
    measured.store.is_away.store(true, Ordering::Relaxed);
    // What was counted a moment ago is shown again for so long.
    until(|| open() != ["60", "1"]);
    assert_eq!(open(), ["NaN", "NaN"]);
}

#[test]
fn p10_whoever_asks_whether_a_server_is_ready_does_not_ask_its_store_each_time() {
    let measured = Measured::of(60);
    let stranger = Client::at(measured.agent.address);
    measured.store.taken();
    for _ in 0..200 {
        assert_eq!(stranger.get("/readyz").status, 200);
    }
    let (asked, _) = measured.store.taken();
    assert!((1..150).contains(&asked), "{asked} times");
}

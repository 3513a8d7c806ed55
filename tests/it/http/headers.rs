//! What stands beside a body: the key under which a wish may be sent again, the trace, for how long something is kept, and what a
//! policy that errs answers.

use std::io::{BufReader, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use kiff::http::Limits;
use kiff::{MemoryStore, Policy, PolicyError, Question, Runtime};
use pollster::block_on;
use serde_json::json;

use super::page::{Browser, between};
use super::server::{Answer, Server};
use crate::elsewhere::SharedStore;
use crate::shop::{self, Desk, Mood, Refund, people};

const PAY: &str = "/entities/ord-1/actions/MARK_PAID/execute";

fn pay(payment: &str, more: &str) -> String {
    format!(r#"{{"parameters": {{"payment_id": "{payment}"}}{more}}}"#)
}

#[test]
fn p6_the_same_wish_under_the_same_key_is_done_once() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let keyed = everybody.agent.clone().header("idempotency-key: \"wish-1\"");
    let first = keyed.post(PAY, &pay("pay-1", "")).expect(200)["result"].clone();
    assert_eq!(first["deduplicated"], false);
    let again = keyed.post(PAY, &pay("pay-1", "")).expect(200)["result"].clone();
    assert_eq!((&again["deduplicated"], &again["execution_id"]), (&json!(true), &first["execution_id"]));
    // The body says it as well as the header does.
    let in_body = everybody.agent.post(PAY, &pay("pay-1", r#", "idempotency_key": "wish-1""#)).expect(200);
    assert_eq!(in_body["result"]["execution_id"], first["execution_id"]);
    let other = keyed.post(PAY, &pay("pay-2", "")).expect(422);
    assert_eq!((&other["outcome"], &other["reason"]), (&json!("invalid"), &json!("idempotency_key_reused")));
    let two = keyed.post(PAY, &pay("pay-1", r#", "idempotency_key": "wish-2""#)).expect(400);
    assert!(two["error"].as_str().unwrap().contains("send one"), "{two}");
    everybody.agent.clone().header("idempotency-key: w\u{e9}").post(PAY, &pay("pay-1", "")).expect(400);
    assert_eq!(server.shop.services().done(), ["captured pay-1"]);

    everybody.place("ord-2");
    server.shop.services().be(Mood::Declining);
    let declined = || keyed.post(&PAY.replace("ord-1", "ord-2"), &pay("pay-2", "")).expect(422);
    let (first, again) = (declined(), declined());
    assert_eq!((&first["reason"], first.get("deduplicated")), (&json!("declined_by_bank"), None));
    assert_eq!((&again["reason"], &again["deduplicated"]), (&json!("declined_by_bank"), &json!(true)));
}

#[test]
fn whoever_gives_an_event_a_key_is_told_that_it_has_none() {
    let server = Server::open();
    let everybody = server.everybody();
    let event = |more: &str| {
        let placed = r#""type": "ORDER_PLACED", "entity_type": "Order", "entity_id": "ord-1", "payload": {"total": 5}"#;
        format!("{{{placed}{more}}}")
    };
    let keyed = everybody.shop.clone().header("idempotency-key: evt-1");
    for told in [
        keyed.post("/events/raw", &event("")),
        everybody.shop.post("/events/raw", &event(r#", "idempotency_key": "evt-1""#)),
    ] {
        let told = told.expect(400);
        assert!(told["error"].as_str().unwrap().contains("an event has no idempotency key: leave it out"), "{told}");
    }
    everybody.shop.get("/entities/ord-1").expect(404);
    everybody.shop.post("/events/raw", &event(r#", "idempotency_key": """#)).expect(201);
}

#[test]
fn p6_who_asks_again_is_told_when_it_was_done() {
    let clock = shop::SharedClock::default();
    let shop = Runtime::<Refund>::new(MemoryStore::new(), shop::policy(), Desk::default()).with_clock(clock.clone());
    let server = Server::of(Arc::new(shop), Limits::DEFAULT, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    clock.0.pass(Duration::from_hours(1));
    let keyed = everybody.agent.clone().header("idempotency-key: \"wish-1\"");
    let done = || keyed.post(PAY, &pay("pay-1", "")).expect(200)["result"].clone();
    let first = done();
    assert_eq!(first["executed_at"], "1970-01-01T01:00:00.000000Z");
    clock.0.pass(Duration::from_hours(1));
    let again = done();
    assert_eq!((&again["deduplicated"], &again["executed_at"]), (&json!(true), &first["executed_at"]));
}

#[test]
fn p6_who_asks_again_is_told_what_the_entity_is_by_now() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let keyed = everybody.agent.clone().header("idempotency-key: \"wish-1\"");
    let first = keyed.post(PAY, &pay("pay-1", "")).expect(200)["result"].clone();
    assert_eq!(first["current_state"], "PAID");
    let order = shop::order("ord-1");
    let refunded = block_on(async {
        shop::granted(&server.shop, &order, shop::refund(4_900)).await;
        server.shop.execute(&people().agent, &order, shop::refund(4_900)).await.unwrap()
    });
    assert_eq!(refunded.outcome(), "executed");
    let again = keyed.post(PAY, &pay("pay-1", "")).expect(200)["result"].clone();
    assert_eq!((&again["deduplicated"], &again["execution_id"]), (&json!(true), &first["execution_id"]));
    assert_eq!((&again["current_state"], &again["output"]), (&json!("REFUNDED"), &first["output"]));
}

#[test]
fn the_trace_of_a_request_is_that_of_its_records() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let traced = everybody.agent.clone().header(&format!("traceparent: 00-{trace}-{parent}-01"));
    traced.post(PAY, &pay("pay-1", "")).expect(200);
    let timeline = everybody.nora.get("/entities/ord-1/timeline").expect(200);
    let told: Vec<_> = timeline["timeline"].as_array().unwrap().iter().map(|line| &line["trace_id"]).collect();
    assert!(told[..2].iter().all(|of| of.is_null()) && told[2..].iter().all(|of| **of == trace), "{timeline}");
    assert_eq!(timeline["timeline"][2]["origin_id"], parent);
    everybody.agent.clone().header("traceparent: 00-0-0-0").get("/entities/ord-1").expect(200);
}

/// It holds roles out until it is asked of the broken order, or of the cursed one.
struct Broken(kiff::RolePolicy);

impl Policy for Broken {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        match question.entity.id() {
            "broken" => return Err(PolicyError::new("the directory does not answer")),
            "cursed" => panic!("the directory fell over"),
            _ => {}
        }
        self.0.holds(question)
    }
}

#[test]
fn p9_what_nobody_can_decide_is_refused() {
    let shop = Arc::new(Runtime::new(MemoryStore::new(), Broken(shop::policy()), Desk::default()));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    let everybody = server.everybody();
    for path in ["/entities/broken", "/entities/broken/timeline", "/entities/broken/allowed-actions"] {
        let told = everybody.nora.get(path).expect(503);
        assert_eq!(told["error"], "who may see this could not be decided: try again later");
    }
    let body = pay("pay-1", "");
    for what in ["validate", "execute", "evaluate"] {
        everybody.agent.post(&format!("/entities/broken/actions/MARK_PAID/{what}"), &body).expect(503);
    }
    // A panic is an answer as well, and the connection goes on.
    let mut connection = everybody.nora.begin("GET", "/entities/cursed", None, "");
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let told = Answer::read(&mut reader).expect(500);
    assert!(told["error"].as_str().unwrap().contains("something broke"), "{told}");
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut reader).status, 200);
    everybody.place("ord-1");
    everybody.agent.post(PAY, &body).expect(200);
}

#[test]
fn p9_what_nobody_can_decide_takes_nothing_else_away() {
    let store = Arc::new(MemoryStore::new());
    let before = Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default());
    for id in ["broken", "ord-1"] {
        let order = block_on(shop::paid(&before, id));
        let asked = block_on(before.request_approval(&people().agent, &order, shop::refund(5))).unwrap();
        assert!(asked.is_allowed());
    }
    let shop = Arc::new(Runtime::new(store, Broken(shop::policy()), Desk::default()));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    let nora = server.everybody().nora;
    let listed = nora.get("/approvals").expect(200);
    let ids = |listed: &serde_json::Value, list: &str, id: &str| {
        listed[list].as_array().unwrap().iter().map(|item| item[id].clone()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&listed, "approvals", "entity_id"), &listed["undecided"]), (vec![json!("ord-1")], &json!(true)));
    let listed = nora.get("/entities").expect(200);
    assert_eq!((ids(&listed, "entities", "id"), &listed["undecided"]), (vec![json!("ord-1")], &json!(true)));
    assert_eq!(nora.get("/doubts").expect(200), json!({ "doubts": [] }));

    let (_, token) = server.keys.create(kiff::http::NewKey::new(people().nora)).unwrap();
    let browser = Browser::at(&server.stranger(), &format!("key={token}")).unwrap();
    let left_out = "could not be decided";
    for (path, is_told) in [
        ("/admin", true),
        ("/admin/search?kind=approval_recorded", true),
        ("/admin/search?entity_type=Order", true),
        ("/admin/search?entity=ord-1&kind=approval_recorded", false),
    ] {
        let page = browser.get(path);
        assert!(page.contains("/Order/ord-1"), "{path}: {page}");
        assert!(!page.contains("/Order/broken") && page.contains(left_out) == is_told, "{path}: {page}");
    }
    assert!(browser.get("/admin/doubt").contains("Nothing is in doubt."));
}

/// It counts how often it is asked.
struct Counting(kiff::RolePolicy, Arc<AtomicUsize>);

impl Policy for Counting {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.holds(question)
    }
}

#[test]
fn a_policy_is_asked_once_whether_somebody_may_see_an_entity() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Counting(shop::policy(), Arc::clone(&asked));
    let shop = Arc::new(Runtime::new(MemoryStore::new(), counting, Desk::default()));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    let times = |method: &str, path: &str, status: u16| {
        asked.store(0, Ordering::Relaxed);
        assert_eq!(everybody.nora.send(method, path, (method == "POST").then_some("{}")).status, status, "{path}");
        asked.load(Ordering::Relaxed)
    };
    let to_look = times("GET", "/entities/ord-1", 200);
    assert!(to_look > 0);
    // No domain is known by this action: it is the one that has the entity.
    assert_eq!(times("POST", "/entities/ord-1/actions/FLY/evaluate", 404), to_look);
}

#[test]
fn what_a_browser_keeps_for_long_has_a_name_that_changes_with_it() {
    let server = Server::open();
    let stranger = server.stranger();
    let door = stranger.get("/admin/sign-in").body;
    for file in ["/admin/page.css", "/admin/page.js", "/admin/icon.svg"] {
        let version = between(&door, &format!("=\"{file}?v="), "\"");
        let kept = stranger.get(&format!("{file}?v={version}"));
        assert_eq!((kept.status, version.len()), (200, 12), "{file}?v={version}");
        assert!(kept.headers["cache-control"].ends_with("immutable"), "{file}");
    }
}

#[test]
fn p7_the_outside_world_is_asked_about_a_doubt() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let ask = |id: &str| everybody.nora.post(&format!("/entities/{id}/reconcile"), "").expect(200);
    assert_eq!(ask("ord-1")["outcome"], "nothing_in_doubt");
    server.shop.services().be(Mood::Silent);
    everybody.agent.post(PAY, &pay("pay-1", "")).expect(409);
    assert_eq!(ask("ord-1")["outcome"], "nobody_to_ask");

    server.shop.services().be(Mood::Willing);
    let order = block_on(shop::paid(&server.shop, "ord-2"));
    let granted = block_on(shop::granted(&server.shop, &order, shop::refund(5)));
    server.shop.services().be(Mood::Silent);
    let refund = format!(r#"{{"approval_id": "{granted}", "parameters": {{"amount": 5, "reason": "damaged"}}}}"#);
    everybody.agent.post("/entities/ord-2/actions/REFUND_ORDER/execute", &refund).expect(409);
    assert_eq!(ask("ord-2")["outcome"], "still_unknown");
    server.shop.services().be(Mood::Willing);
    assert_eq!(ask("ord-2"), json!({ "entity_id": "ord-2", "outcome": "settled", "detail": "REFUNDED" }));
    server.client(&kiff::Actor::human("mallory").unwrap()).post("/entities/ord-1/reconcile", "").expect(403);
}

#[test]
fn p7_what_another_process_may_still_run_is_told_with_until_when() {
    let (store, key, agent) = (SharedStore::default(), shop::order("ord-1"), people().agent);
    let open = || Runtime::<Refund, _>::new(store.clone(), shop::policy(), Desk::default());
    let crashed = open();
    let placed = shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(crashed.ingest(&people().shop, &key, placed)).unwrap().is_allowed());
    crashed.services().be(Mood::Stuck);
    let mut lost = Box::pin(crashed.execute(&agent, &key, shop::MarkPaid { payment_id: "pay-1".into() }));
    assert!(lost.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(lost);

    let server = Server::of(Arc::new(open()), Limits::DEFAULT, |api| api);
    let told = server.everybody().nora.post("/entities/ord-1/reconcile", "").expect(200);
    let since = block_on(server.shop.entity(&key)).unwrap().running().unwrap().since;
    let until = since.after(Runtime::<Refund>::LONGEST_RUN).to_string();
    let detail = "another process may still be at it";
    assert_eq!(told, json!({ "entity_id": "ord-1", "outcome": "may_still_run", "detail": detail, "until": until }));
}

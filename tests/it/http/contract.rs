//! The wire contract: what clients of other implementations already speak.

use std::sync::Arc;
use std::time::Duration;

use kiff::http::Limits;
use kiff::{MemoryStore, Proposal, Runtime};
use pollster::block_on;
use serde_json::{Value, json};

use super::server::{Everybody, Server};
use crate::shop::{self, Mood, people};

const REFUND: &str = r#"{"parameters": {"amount": 4900, "reason": "damaged"}}"#;

fn path(id: &str, action: &str, what: &str) -> String {
    format!("/entities/{id}/actions/{action}/{what}")
}

/// The agent asks for a sign-off of a refund.
fn asked(everybody: &Everybody, id: &str, approval: &str) -> Value {
    let body = format!(
        r#"{{"approval_id": "{approval}", "reason": "the photo", "parameters": {{"amount": 4900, "reason": "damaged"}}}}"#
    );
    everybody.agent.post(&path(id, "REFUND_ORDER", "approvals"), &body).expect(201)
}

#[test]
fn an_event_is_ingested_in_the_words_of_the_contract() {
    let server = Server::open();
    let everybody = server.everybody();
    let body = json!({
        "id": "evt-1", "adapter": "shop", "type": "ORDER_PLACED", "source": "checkout", "entity_id": "ord-1",
        "entity_type": "Order", "actor_id": "shop", "received_at": "2026-11-23T12:00:00Z",
        "metadata": { "trace_id": "t-1", "correlation_id": "c-1", "causation_id": "", "tags": ["a"] },
        "payload": { "total": 99900 },
    });
    let event = &everybody.shop.post("/events/raw", &body.to_string()).expect(201)["event"];
    let expected = json!({
        "id": "evt-1", "type": "ORDER_PLACED", "entity_id": "ord-1", "entity_type": "Order", "source": "checkout",
        "actor_id": "shop", "occurred_at": "2026-11-23T12:00:00.000000Z",
        "metadata": { "trace_id": "t-1", "correlation_id": "c-1" }, "payload": { "total": 99900 },
        "current_state": "CREATED",
    });
    assert_eq!(*event, expected);

    let again = everybody.shop.post("/events/raw", &body.to_string()).expect(409);
    assert_eq!((&again["reason"], &again["current_state"]), (&json!("state_not_allowed"), &json!("CREATED")));
    assert_eq!(again["entity_id"], "ord-1");
}

#[test]
fn an_accepted_event_is_told_as_it_is_on_the_record() {
    let server = Server::open();
    let everybody = server.everybody();
    let body = json!({
        "type": "ORDER_PLACED", "entity_id": "ord-1", "entity_type": "Order",
        "payload": { "total": 99900, "note": "fragile" },
    });
    let event = everybody.shop.post("/events/raw", &body.to_string()).expect(201)["event"].clone();
    let timeline = everybody.nora.get("/entities/ord-1/timeline").expect(200);
    let recorded = &timeline["timeline"][0]["data"]["payload"];
    assert_eq!((&event["payload"], recorded), (&json!({ "total": 99900 }), &json!({ "total": 99900 })));
}

#[test]
fn events_that_are_none_are_refused() {
    let server = Server::open();
    let everybody = server.everybody();
    let event = |kind: &str, entity: &str, payload: Value| {
        json!({ "type": kind, "entity_id": "ord-1", "entity_type": entity, "payload": payload }).to_string()
    };
    let send = |body: &str| everybody.shop.post("/events/raw", body);
    assert_eq!(send("{").expect(400)["error"], "invalid json body");
    send(r#"{"type": "ORDER_PLACED"}"#).expect(400);
    send(&event("ORDER_LOST", "Order", json!({}))).expect(400);
    send(&event("ORDER_PLACED", "Order", json!({ "total": "much" }))).expect(400);
    send(&event("ORDER_PLACED", "Ship", json!({ "total": 1 }))).expect(400);
    send(&event("ORDER_PLACED", "Order", json!({ "total": 1 })).replace("ord-1", "ord\\u202e1")).expect(400);
    let refused =
        everybody.agent.post("/events/raw", &event("ORDER_PLACED", "Order", json!({ "total": 1 }))).expect(403);
    assert_eq!(refused["reason"], "permission_denied");
}

#[test]
fn what_no_browser_can_be_led_to_is_no_name() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    for step in [".", ".."] {
        let sentence =
            |refused: &Value| refused["error"].as_str().unwrap().ends_with("no address can lead to what it names");
        let placed =
            json!({ "type": "ORDER_PLACED", "entity_id": step, "entity_type": "Order", "payload": { "total": 1 } });
        assert!(sentence(&everybody.shop.post("/events/raw", &placed.to_string()).expect(400)));
        let ask = json!({ "approval_id": step, "parameters": { "amount": 4900, "reason": "damaged" } });
        let refused = everybody.agent.post(&path("ord-1", "REFUND_ORDER", "approvals"), &ask.to_string()).expect(400);
        assert!(sentence(&refused), "{refused}");
        let step = step.replace('.', "%2E");
        for path in [format!("/entities/{step}"), format!("/entities/{step}/timeline")] {
            assert!(sentence(&everybody.agent.get(&path).expect(400)), "{path}");
        }
        everybody.nora.post(&format!("/approvals/{step}/grant"), "{}").expect(400);
    }
    assert_eq!(everybody.nora.get("/approvals").expect(200)["approvals"], json!([]));
    // A journal that has one already is listed all the same.
    block_on(shop::place(&server.shop, ".."));
    let first = everybody.nora.get("/entities?limit=1").expect(200);
    assert_eq!((&first["entities"][0]["id"], &first["next"]), (&json!(".."), &json!("..")));
    let rest = everybody.nora.get("/entities?limit=1&after=..").expect(200);
    assert_eq!(rest["entities"][0]["id"], "ord-1");
}

#[test]
fn allowed_actions_are_listed_in_order_of_their_names() {
    let server = Server::open();
    let everybody = server.everybody();
    assert!(everybody.agent.get("/entities/ord-1/allowed-actions").expect(404)["error"].is_string());
    everybody.paid("ord-1");
    let actions = everybody.agent.get("/entities/ord-1/allowed-actions").expect(200)["actions"].clone();
    let names: Vec<_> = actions.as_array().unwrap().iter().map(|action| action["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ADD_NOTE", "EXPORT_ORDER", "REFUND_ORDER"]);
    let refund = &actions[2];
    assert_eq!(refund["allowed_states"], json!(["PAID"]));
    assert_eq!(refund["required_parameters"], json!(["amount", "reason"]));
    assert_eq!(refund["required_permissions"], json!(["refund.refund_order"]));
    assert_eq!((&refund["risk"], &refund["approval_requirement"]), (&json!("high"), &json!("required")));

    let page = everybody.agent.get("/entities/ord-1/allowed-actions?limit=2").expect(200);
    assert_eq!(page["next"], "EXPORT_ORDER");
    let page = everybody.agent.get("/entities/ord-1/allowed-actions?limit=2&after=EXPORT_ORDER").expect(200);
    assert_eq!((page["actions"].as_array().unwrap().len(), &page["next"]), (1, &Value::Null));

    let cancelled =
        r#"{"type": "ORDER_CANCELLED", "entity_id": "ord-2", "entity_type": "Order", "payload": {"reason": "late"}}"#;
    everybody.place("ord-2");
    everybody.shop.post("/events/raw", cancelled).expect(201);
    assert_eq!(everybody.agent.get("/entities/ord-2/allowed-actions").expect(200), json!({ "actions": [] }));
}

#[test]
fn validating_and_executing_answer_in_the_words_of_the_contract() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let body = r#"{"entity_type": "Order", "actor": {"id": "agent-7", "type": "agent", "display_name": "Seven"},
        "parameters": {"payment_id": "pay-1"}, "reason": "it came in"}"#;
    let valid = everybody.agent.post(&path("ord-1", "MARK_PAID", "validate"), body).expect(200);
    assert_eq!(valid, json!({ "action": "MARK_PAID", "outcome": "allowed", "valid": true }));
    let dry = everybody.agent.post(&path("ord-1", "MARK_PAID", "evaluate"), body).expect(200);
    assert_eq!(dry, valid);

    let done = everybody.agent.post(&path("ord-1", "MARK_PAID", "execute"), body).expect(200);
    let result = &done["result"];
    assert_eq!(done["outcome"], "allowed");
    assert_eq!((&result["action_name"], &result["entity_id"]), (&json!("MARK_PAID"), &json!("ord-1")));
    assert_eq!((&result["status"], &result["executed"]), (&json!("executed"), &json!(true)));
    assert_eq!((&result["current_state"], &result["follow_up_events"]), (&json!("PAID"), &json!(["ORDER_PAID"])));
    assert_eq!(result["output"], json!({ "payment_id": "pay-1" }));
    assert!(result["executed_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn refusals_have_the_envelope_and_the_status_of_their_reason() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let refused = |client: &super::server::Client, action: &str, body: &str, status: u16| {
        let answer = client.post(&path("ord-1", action, "execute"), body);
        let again = client.post(&path("ord-1", action, "validate"), body);
        assert_eq!((again.status, again.json()), (answer.status, answer.json()));
        answer.expect(status)
    };
    // The state comes before everything, then the parameters, then the permission, then the approval.
    let state = refused(&everybody.nora, "REFUND_ORDER", "{}", 400);
    assert_eq!((&state["outcome"], &state["reason"]), (&json!("blocked"), &json!("state_not_allowed")));
    assert_eq!((&state["action"], &state["entity_id"]), (&json!("REFUND_ORDER"), &json!("ord-1")));
    assert_eq!(state["current_state"], "CREATED");
    assert!(state["error"].is_string());
    everybody
        .agent
        .post(&path("ord-1", "MARK_PAID", "execute"), r#"{"parameters": {"payment_id": "pay-1"}}"#)
        .expect(200);
    let missing = refused(&everybody.nora, "REFUND_ORDER", r#"{"parameters": {"amount": 1}}"#, 400);
    assert_eq!((&missing["outcome"], &missing["reason"]), (&json!("invalid"), &json!("missing_parameter")));
    let wrong = refused(&everybody.nora, "REFUND_ORDER", r#"{"parameters": {"amount": 0, "reason": "x"}}"#, 400);
    assert_eq!(wrong["reason"], "invalid_parameter");
    let denied = refused(&everybody.nora, "REFUND_ORDER", REFUND, 403);
    assert_eq!((&denied["outcome"], &denied["reason"]), (&json!("blocked"), &json!("permission_denied")));
    let held = refused(&everybody.agent, "REFUND_ORDER", REFUND, 409);
    assert_eq!((&held["outcome"], &held["reason"]), (&json!("approval_required"), &json!("approval_required")));
    assert_eq!(held["next_step"], "request_approval");
    let long = json!({ "reason": "x".repeat(5000), "parameters": { "amount": 1, "reason": "x" } }).to_string();
    assert_eq!(refused(&everybody.agent, "REFUND_ORDER", &long, 422)["reason"], "invalid_contract");
}

#[test]
fn what_is_not_there_is_not_found() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let agent = &everybody.agent;
    for (method, path) in [
        ("POST", "/entities/ord-1/actions/FLY/validate"),
        ("POST", "/entities/ord-1/actions/FLY/execute"),
        ("POST", "/entities/ord-1/actions/mark_paid/execute"),
        ("POST", "/entities/ord-9/actions/MARK_PAID/validate"),
        ("POST", "/entities/ord-9/actions/MARK_PAID/execute"),
        ("POST", "/approvals/app-9/grant"),
        ("POST", "/approvals/app-9/deny"),
        ("POST", "/approvals/app-9/withdraw"),
        ("GET", "/entities/ord-9"),
        ("GET", "/entities/ord-9/allowed-actions"),
        ("GET", "/tools/cobol.json"),
    ] {
        let answer = agent.send(method, path, (method == "POST").then_some("{}")).expect(404);
        assert!(answer["error"].is_string() && answer["reason"].is_null(), "{path}: {answer}");
    }
    for path in ["/", "/nowhere", "/entities/ord-1/nowhere"] {
        assert_eq!(agent.get(path).expect(404), json!({ "error": "route not found" }));
    }
    agent.get("/events/raw").expect(405);
    assert_eq!(agent.get("/entities/ord-9/approvals").expect(200), json!({ "approvals": [] }));
}

#[test]
fn an_approval_is_asked_for_listed_and_reviewed() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let required = everybody.agent.post(&path("ord-1", "REFUND_ORDER", "approvals"), REFUND).expect(400);
    assert_eq!(required["error"], "approval id is required");
    let approval = asked(&everybody, "ord-1", "app-1")["approval"].clone();
    assert_eq!((&approval["id"], &approval["status"]), (&json!("app-1"), &json!("pending")));
    assert_eq!((&approval["entity_id"], &approval["entity_type"]), (&json!("ord-1"), &json!("Order")));
    assert_eq!((&approval["action_name"], &approval["requested_by"]), (&json!("REFUND_ORDER"), &json!("agent-7")));
    assert_eq!((&approval["reason"], &approval["reviewed_at"]), (&json!("the photo"), &Value::Null));

    let waiting = everybody.nora.get("/approvals").expect(200);
    assert_eq!(waiting["approvals"], json!([approval]));
    assert_eq!(everybody.agent.get("/entities/ord-1/approvals/app-1").expect(200)["approval"], approval);
    let granted = everybody.nora.post("/approvals/app-1/grant", r#"{"actor": {"id": "nora"}, "reason": "fine"}"#);
    let granted = granted.expect(200)["approval"].clone();
    assert_eq!(everybody.agent.get("/entities/ord-1/approvals/app-1").expect(200)["approval"], granted);
    let none = everybody.agent.get("/entities/ord-1/approvals/app-2").expect(404);
    assert!(none["error"].as_str().unwrap().contains("has no approval `app-2`"), "{none}");
    assert_eq!((&granted["status"], &granted["reviewed_by"]), (&json!("granted"), &json!("nora")));
    assert_eq!(granted["reason"], "fine");
    assert!(granted["reviewed_at"].is_string());
    everybody.omar.post("/approvals/app-1/deny", "{}").expect(400);
    assert_eq!(everybody.nora.get("/approvals").expect(200), json!({ "approvals": [] }));
    assert_eq!(everybody.nora.get("/entities/ord-1/approvals").expect(200)["approvals"], json!([granted]));

    let body = r#"{"approval_id": "app-1", "parameters": {"amount": 4900, "reason": "damaged"}}"#;
    let other = body.replace("4900", "4901");
    everybody.agent.post(&path("ord-1", "REFUND_ORDER", "execute"), &other).expect(409);
    let done = everybody.agent.post(&path("ord-1", "REFUND_ORDER", "execute"), body).expect(200);
    assert_eq!(done["result"]["current_state"], "REFUNDED");
    assert_eq!(server.shop.services().done().len(), 2);
}

#[test]
fn what_an_agent_wrote_is_not_told_as_the_reason_of_its_reviewer() {
    let server = Server::open();
    let everybody = server.everybody();
    for (id, answer) in [("ord-1", "grant"), ("ord-2", "deny")] {
        everybody.paid(id);
        assert_eq!(asked(&everybody, id, "app-1")["approval"]["reason"], "the photo");
        let review = json!({ "entity_id": id }).to_string();
        let reviewed = everybody.nora.post(&format!("/approvals/app-1/{answer}"), &review).expect(200);
        let listed = everybody.nora.get(&format!("/entities/{id}/approvals")).expect(200);
        for approval in [&reviewed["approval"], &listed["approvals"][0]] {
            assert_eq!(approval["reviewed_by"], "nora");
            assert!(approval.get("reason").is_none(), "{approval}");
            assert_eq!(approval["claims"]["rationale"], "the photo");
        }
    }
    // Once it is spent, it says who had it asked for and no longer who granted it.
    everybody.agent.post(&path("ord-1", "REFUND_ORDER", "execute"), REFUND).expect(200);
    let spent = everybody.nora.get("/entities/ord-1/approvals").expect(200)["approvals"][0].clone();
    assert_eq!((&spent["status"], &spent["reason"]), (&json!("spent"), &json!("the photo")));
    assert!(spent.get("reviewed_by").is_none(), "{spent}");
}

#[test]
fn an_approval_is_found_by_its_entity_among_any_number_of_the_same_name() {
    let server = Server::open();
    block_on(async {
        for number in 0..65 {
            let order = shop::paid(&server.shop, &format!("ord-{number}")).await;
            let asked = Proposal::new(shop::refund(4_900)).approval("app-1".parse().unwrap());
            let asked = server.shop.request_approval(&people().agent, &order, asked).await.unwrap();
            assert!(asked.is_allowed());
        }
    });
    let nora = server.client(&people().nora);
    nora.post("/approvals/app-1/grant", "{}").expect(400);
    let granted = nora.post("/approvals/app-1/grant", r#"{"entity_id": "ord-64", "reason": "fine"}"#).expect(200);
    assert_eq!(granted["approval"]["entity_id"], "ord-64");
}

#[test]
fn a_request_that_nobody_answered_in_time_is_told_as_expired() {
    let shop = Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default());
    let shop = Arc::new(shop.with_approval_lifetime(Duration::ZERO));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    let everybody = server.everybody();
    everybody.paid("ord-1");
    asked(&everybody, "ord-1", "app-1");
    let approvals = everybody.nora.get("/entities/ord-1/approvals").expect(200);
    assert_eq!(approvals["approvals"][0]["status"], "expired");
    assert_eq!(everybody.nora.get("/approvals").expect(200)["approvals"], json!([]));
}

#[test]
fn a_denied_approval_stays_denied() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    asked(&everybody, "ord-1", "app-1");
    let denied =
        everybody.nora.post("/approvals/app-1/deny", r#"{"reason": "no photo"}"#).expect(200)["approval"].clone();
    assert_eq!((&denied["status"], &denied["reason"]), (&json!("denied"), &json!("no photo")));
    everybody.nora.post("/approvals/app-1/grant", "{}").expect(400);
    everybody.agent.post(&path("ord-1", "REFUND_ORDER", "execute"), REFUND).expect(409);
}

#[test]
fn a_grant_is_withdrawn_before_it_is_used() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    asked(&everybody, "ord-1", "app-1");
    let early = everybody.nora.post("/approvals/app-1/withdraw", "{}").expect(400);
    assert!(early["error"].as_str().unwrap().contains("there is no grant to withdraw"), "{early}");
    everybody.nora.post("/approvals/app-1/grant", "{}").expect(200);
    everybody.agent.post("/approvals/app-1/withdraw", "{}").expect(403);
    let withdrawn = everybody.omar.post("/approvals/app-1/withdraw", r#"{"reason": "another lamp"}"#).expect(200);
    let approval = &withdrawn["approval"];
    assert_eq!((&approval["status"], &approval["reviewed_by"]), (&json!("withdrawn"), &json!("omar")));
    assert_eq!(approval["reason"], "another lamp");
    assert_eq!(everybody.nora.get("/entities/ord-1/approvals").expect(200)["approvals"], json!([approval]));
    let held = everybody.agent.post(&path("ord-1", "REFUND_ORDER", "execute"), REFUND).expect(409);
    assert!(held["error"].as_str().unwrap().contains("was withdrawn by `omar`"), "{held}");
    everybody.nora.post("/approvals/app-1/withdraw", "{}").expect(400);
}

#[test]
fn the_timeline_is_told_in_order_and_by_pages() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    asked(&everybody, "ord-1", "app-1");
    let timeline = everybody.nora.get("/entities/ord-1/timeline").expect(200);
    let lines = timeline["timeline"].as_array().unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    let expected = [
        "event_ingested",
        "state_changed",
        "action_validated",
        "action_started",
        "action_executed",
        "event_ingested",
        "state_changed",
        "approval_recorded",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(timeline["next"], Value::Null);
    let first = &lines[0];
    assert_eq!((&first["entity_id"], &first["entity_type"]), (&json!("ord-1"), &json!("Order")));
    assert_eq!((&first["actor_id"], &first["data"]["payload"]), (&json!("shop"), &json!({ "total": 99900 })));
    assert!(first["message"].is_string() && first["created_at"].as_str().unwrap().ends_with('Z'));

    let (mut walked, mut after) = (Vec::new(), String::new());
    loop {
        let page = everybody.nora.get(&format!("/entities/ord-1/timeline?limit=3{after}")).expect(200);
        walked.extend(page["timeline"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(&walked, lines);
    everybody.nora.get("/entities/ord-1/timeline?after=x").expect(400);
    for limit in ["x", "-1", "0", "1001"] {
        everybody.nora.get(&format!("/entities/ord-1/timeline?limit={limit}")).expect(400);
    }
    let told = everybody.nora.get("/entities/ord-1/timeline?limit=0").expect(400);
    assert_eq!(told["error"], "Failed to deserialize query string: limit: it is from 1 to 1000");
}

#[test]
fn an_executor_that_declines_or_does_not_say_is_told_apart() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let (execute, body) = (path("ord-1", "MARK_PAID", "execute"), r#"{"parameters": {"payment_id": "pay-1"}}"#);
    server.shop.services().be(Mood::Declining);
    let declined = everybody.agent.post(&execute, body).expect(422);
    assert_eq!((&declined["outcome"], &declined["reason"]), (&json!("failed"), &json!("declined_by_bank")));
    assert_eq!(declined["current_state"], "CREATED");
    server.shop.services().be(Mood::Silent);
    let silent = everybody.agent.post(&execute, body).expect(409);
    assert_eq!((&silent["outcome"], &silent["next_step"]), (&json!("failed"), &json!("settle")));
    server.shop.services().be(Mood::Willing);
    assert_eq!(everybody.agent.post(&execute, body).expect(409)["reason"], "action_in_progress");

    let doubts = everybody.nora.get("/doubts").expect(200)["doubts"].clone();
    assert_eq!((&doubts[0]["entity_id"], &doubts[0]["execution_id"]), (&json!("ord-1"), &silent["execution_id"]));
    // Nothing of what the state allows is done meanwhile.
    let allowed = || everybody.agent.get("/entities/ord-1/allowed-actions").expect(200);
    let in_progress = allowed()["in_progress"].clone();
    for name in ["action_name", "execution_id", "since", "unknown"] {
        assert!(doubts[0].get(name).is_some() && in_progress[name] == doubts[0][name], "{name}: {in_progress}");
    }
    let settle = format!("/entities/ord-1/executions/{}/settle", doubts[0]["execution_id"].as_str().unwrap());
    let found = r#"{"happened": true, "event": {"type": "ORDER_PAID", "payload": {"payment_id": "pay-1"}}, "reason": "statement"}"#;
    everybody.agent.post(&settle, found).expect(403);
    everybody.auditor.post(&settle, &found.replace("statement", "")).expect(422);
    everybody.auditor.post(&settle, &found.replace("ORDER_PAID", "ORDER_LOST")).expect(400);
    let bare = r#"{"happened": true, "event": {"type": "ORDER_PAID"}, "reason": "statement"}"#;
    assert_eq!(everybody.auditor.post(&settle, bare).expect(400)["reason"], "invalid_parameter");
    let settled = everybody.auditor.post(&settle, found).expect(200)["settled"].clone();
    assert_eq!(settled["current_state"], "PAID");
    assert_eq!(everybody.nora.get("/doubts").expect(200), json!({ "doubts": [] }));
    assert_eq!(allowed().get("in_progress"), None);
}

//! The same over HTTP: the actor is whoever the key belongs to.

use std::sync::Arc;
use std::time::Duration;

use kiff::http::{Limits, NewKey};
use kiff::{Actor, Domain, Review};
use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientLifecycleMode, ClientServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::two_domains::{ParcelPacked, ParcelState, Shipping, depot};
use super::{Client, REFUND, refund, with_tokio};
use crate::http::server::Server;
use crate::shop::{paid, people, place};

const LIFECYCLES: [fn() -> ClientLifecycleMode; 2] = [
    || ClientLifecycleMode::Initialize,
    || ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] },
];

/// A client with a key of its own.
pub(super) async fn connect(server: &Server, actor: &Actor, lifecycle: ClientLifecycleMode) -> Client {
    let (_, token) = server.keys.create(NewKey::new(actor.clone())).unwrap();
    let config =
        StreamableHttpClientTransportConfig::with_uri(format!("http://{}/mcp", server.address)).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let running = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let tools = running.list_all_tools().await.unwrap();
    Client { running, tools }
}

#[test]
fn p4_over_http_the_key_says_who_acts() {
    with_tokio(async {
        for lifecycle in LIFECYCLES {
            let server = Server::open();
            let key = place(&server.shop, "ord-1").await;
            let agent = connect(&server, &people().agent, lifecycle()).await;
            let pay = json!({ "entity_id": "ord-1", "payment_id": "pay-1" });
            let (told, _) = agent.call("MARK_PAID", pay).await;
            assert_eq!(told["outcome"], "executed");
            let (held, _) = agent.call(REFUND, refund(500)).await;
            let approval = held["approval"]["id"].as_str().unwrap().parse().unwrap();
            let wait = agent.call("wait_for_decision", held["next_step"]["arguments"].clone());
            let nora = people().nora;
            let grant = server.shop.review(&nora, &key, &approval, Review::grant());
            let ((granted, _), reviewed) = tokio::join!(wait, grant);
            assert!(reviewed.unwrap().is_allowed());
            let (done, _) = agent.call(REFUND, granted["next_step"]["arguments"].clone()).await;
            assert_eq!((&done["outcome"], &done["current_state"]), (&json!("executed"), &json!("REFUNDED")));

            let auditor = connect(&server, &people().auditor, lifecycle()).await;
            let note = json!({ "entity_id": "ord-1", "text": "x" });
            let (told, _) = auditor.call("ADD_NOTE", note).await;
            assert_eq!(told["outcome"], "blocked");
            let timeline = server.shop.timeline(&key).await.unwrap();
            let last = timeline.records().last().unwrap();
            assert_eq!(last.commit().actor(), &people().auditor, "the refusal is on the record of whoever asked");
        }
    });
}

#[test]
fn a_wait_over_http_ends_before_the_server_gives_up() {
    with_tokio(async {
        let request_time = Duration::from_secs(6);
        let server = Server::with(Limits { request_time, ..Limits::DEFAULT }, |api| api);
        paid(&server.shop, "ord-1").await;
        let agent = connect(&server, &people().agent, LIFECYCLES[1]()).await;
        let (held, _) = agent.call(REFUND, refund(500)).await;
        let (told, _) = agent.call("wait_for_decision", held["next_step"]["arguments"].clone()).await;
        assert_eq!(told["status"], "pending");
    });
}

#[test]
fn an_action_that_takes_long_over_http_is_answered_in_time_and_goes_on() {
    with_tokio(async {
        let (depot, request_time) = (depot(0), Duration::from_secs(2));
        let shared = Arc::clone(&depot);
        let server = Server::with(Limits { request_time, ..Limits::DEFAULT }, move |api| api.domain(shared));
        let parcel = Shipping::entity("one").unwrap();
        assert!(depot.ingest(&people().shop, &parcel, ParcelPacked { weight: 7 }).await.unwrap().is_allowed());
        let agent = connect(&server, &people().agent, LIFECYCLES[1]()).await;
        let send = json!({ "kiff_entity_id": "one", "entity_id": "a", "rationale": "b" });
        let (told, is_error) = agent.call("SEND_PARCEL", send).await;
        assert_eq!(
            (&told["outcome"], &told["reason"], is_error),
            (&json!("failed"), &json!("action_in_progress"), true)
        );
        assert_eq!(told["message"], "it goes on for longer than you are let wait; how it ends is not known yet");
        assert!(told["remedy"].as_str().unwrap().contains("do not call it again"), "{told}");
        assert!(told.get("current_state").is_none(), "nothing is read when the time is over: {told}");
        let look = json!({ "entity_type": "Parcel", "entity_id": "one" });
        let (allowed, _) = agent.call("allowed_actions", look).await;
        assert_eq!(allowed["in_progress"]["action"], "SEND_PARCEL", "{allowed}");
        depot.services().open.add_permits(1);
        let is_sent = async {
            while depot.entity(&parcel).await.unwrap().state() != Some(ParcelState::Sent) {
                yield_now().await;
            }
        };
        assert!(timeout(Duration::from_mins(1), is_sent).await.is_ok(), "what has started is not finished");
    });
}

#[test]
fn p4_without_a_key_or_from_another_site_there_is_no_mcp() {
    let server = Server::open();
    let body = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let client = |client: crate::http::server::Client| {
        client.header("accept: application/json, text/event-stream").header("content-type: application/json")
    };
    client(server.stranger()).post("/mcp", body).expect(401);
    let agent = client(server.client(&people().agent));
    let listed = agent.post("/mcp", body).expect(200);
    assert_eq!(listed["result"]["tools"][0]["name"], "MARK_PAID");
    let own = agent.clone().header(&format!("origin: http://{}", server.address));
    assert_eq!(own.post("/mcp", body).expect(200)["result"]["tools"][0]["name"], "MARK_PAID");
    for other in ["https://evil.example", "http://127.0.0.1", "null"] {
        let refused = agent.clone().header(&format!("origin: {other}")).post("/mcp", body).expect(403);
        assert!(refused["error"].as_str().unwrap().contains("a page of another origin"), "{refused}");
    }
    assert_eq!(agent.get("/mcp").status, 405);
    let large = format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "x": "{}"}}"#, "x".repeat(300_000));
    assert_eq!(agent.post("/mcp", &large).status, 413);
}

#[test]
fn p4_the_key_says_whose_entities_there_are() {
    let server = Server::open();
    pollster::block_on(paid(&server.shop, "ord-1"));
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "timeline", "arguments": { "entity_id": "ord-1" } },
    });
    let told = |key: NewKey| {
        let (_, token) = server.keys.create(key).unwrap();
        let agent = server.bearing(&token).header("accept: application/json, text/event-stream");
        let agent = agent.header("content-type: application/json");
        agent.post("/mcp", &body.to_string()).expect(200)["result"]["structuredContent"].clone()
    };
    let ours = told(NewKey::new(people().agent));
    assert!(ours["records"].is_array(), "{ours}");
    let theirs = told(NewKey::new(people().agent).in_tenant("acme"));
    assert_eq!(theirs["reason"], "unknown_entity", "{theirs}");
}

#[test]
fn a_call_that_can_be_read_in_two_ways_is_none() {
    let server = Server::open();
    pollster::block_on(paid(&server.shop, "ord-1"));
    let agent = server.client(&people().agent).header("accept: application/json, text/event-stream");
    let agent = agent.header("content-type: application/json");
    let call = |amounts: &str| {
        let arguments = format!(r#"{{"entity_id": "ord-1", "reason": "broken", {amounts}}}"#);
        let params = format!(r#"{{"name": "{REFUND}", "arguments": {arguments}}}"#);
        agent.post("/mcp", &format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {params}}}"#))
    };
    let held = call(r#""amount": 49"#).expect(200);
    assert_eq!(held["result"]["structuredContent"]["outcome"], "approval_required");
    for twice in [r#""amount": 49, "amount": 999999"#, r#""amount": 49, "a\u006dount": 999999"#] {
        let refused = call(twice).expect(400);
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &json!(1)));
        assert!(refused["error"]["message"].as_str().unwrap().contains("stands twice"), "{refused}");
    }
}

#[test]
fn a_body_that_is_no_message_is_told_as_json_rpc_tells_it() {
    let server = Server::open();
    let agent = server.client(&people().agent).header("accept: application/json, text/event-stream");
    let agent = agent.header("content-type: application/json");
    for (body, code, id, why) in [
        ("not json", -32700, json!(null), "is no JSON"),
        ("", -32700, json!(null), "is no JSON"),
        (r#"{"jsonrpc": "2.0""#, -32700, json!(null), "is no JSON"),
        ("[1]", -32600, json!(null), "is no message"),
        (r#"{"jsonrpc": "2.0", "id": 7}"#, -32600, json!(7), "is no message"),
    ] {
        let told = agent.post("/mcp", body).expect(400);
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(code), &id), "{body}");
        assert!(told["error"]["message"].as_str().unwrap().contains(why), "{told}");
    }
    let call = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}}"#;
    assert_eq!(agent.post("/mcp", call).expect(200)["error"]["code"], -32602);
}

#[test]
fn the_page_about_agents_says_which_versions_are_spoken() {
    let page = include_str!("../../../docs/agents.md");
    let [oldest, .., newest] = ProtocolVersion::KNOWN_VERSIONS else { panic!("fewer than two") };
    let sentence = format!("The protocol of {newest} is spoken, and those before it back to {oldest}.");
    assert!(page.contains(&sentence), "{sentence}");

    let server = Server::open();
    let agent = server.client(&people().agent).header("accept: application/json, text/event-stream");
    let agent = agent.header("content-type: application/json");
    let start = |version: &ProtocolVersion| {
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" }
        });
        let start = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        agent.post("/mcp", &start.to_string()).expect(200)["result"]["protocolVersion"].clone()
    };
    assert_eq!(start(oldest), json!(oldest));
}

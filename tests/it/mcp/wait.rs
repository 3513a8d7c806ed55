//! Waiting for a person: how long, for how many at a time, and what of it is left when nobody waits any more.

use std::io::Write;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use kiff::http::Limits;
use kiff::mcp::Server as Agents;
use kiff::{Domain, EntityKey, Review, Runtime, Verdict};
use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest, ProgressNotificationParam, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, NotificationContext, PeerRequestOptions};
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::http::connect;
use super::two_domains::{ParcelPacked, Shipping, depot};
use super::{REFUND, with_tokio};
use crate::http::server::{Client, Server};
use crate::shop::{self, Refund, open, paid, people};

/// A server that would let its clients wait for an hour, one at a time.
fn patient() -> Server {
    let (request_time, many) = (Duration::from_hours(1), NonZeroU32::MAX);
    let grace = Duration::from_secs(10);
    let limits = Limits { streams: 1, request_time, grace, rate: many, burst: many, ..Limits::DEFAULT };
    Server::with(limits, |api| api)
}

/// The call that waits for the answer to a refund that the agent asks for.
async fn asked(runtime: &Runtime<Refund>, seconds: u64) -> (EntityKey, kiff::ApprovalId, CallToolRequestParams) {
    let key = paid(runtime, "ord-1").await;
    let asked = runtime.request_approval(&people().agent, &key, shop::refund(500)).await.unwrap();
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let wait = json!({ "entity_id": "ord-1", "approval_id": approval.id, "timeout_seconds": seconds });
    let Value::Object(arguments) = wait else { panic!() };
    (key, approval.id, CallToolRequestParams::new("wait_for_decision").with_arguments(arguments))
}

#[test]
fn p10_a_wait_over_http_counts_as_a_stream_and_ends_when_the_server_is_told_to_stop() {
    with_tokio(async {
        let mut server = patient();
        let (_, _, wait) = asked(&server.shop, 60).await;
        let agent = connect(&server, &people().agent, ClientLifecycleMode::Initialize).await;
        let call = || agent.running.call_tool(wait.clone());
        let (first, second) = (call(), call());
        tokio::pin!(first, second);
        let (refused, waits) = tokio::select! {
            told = &mut first => (told, second),
            told = &mut second => (told, first),
        };
        let refused = refused.unwrap().structured_content.unwrap();
        assert_eq!(refused["message"], "no more than 1 waits and streams at a time", "{refused}");
        assert_eq!((&refused["outcome"], &refused["reason"]), (&json!("blocked"), &json!("too_many_waits")));
        assert_eq!(server.client(&people().agent).get("/events").status, 429);
        server.stop();
        let told = waits.await.unwrap().structured_content.unwrap();
        assert_eq!(told["status"], "pending", "{told}");
    });
}

#[test]
fn a_wait_over_http_ends_when_its_client_leaves() {
    let server = patient();
    let (_, approval, _) = pollster::block_on(asked(&server.shop, 0));
    let agent = server.client(&people().agent).header("accept: application/json, text/event-stream");
    let agent = agent.header("content-type: application/json");
    let arguments = json!({ "entity_id": "ord-1", "approval_id": approval, "timeout_seconds": 600 });
    let params = json!({ "name": "wait_for_decision", "arguments": arguments });
    let wait = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    // Enough for the server to take up what was sent before.
    let settle = || (0..50).for_each(|_| assert_eq!(agent.get("/healthz").status, 200));
    let begin = |_| {
        settle();
        let mut stream = agent.begin("POST", "/mcp", Some(wait.len()), "");
        stream.write_all(wait.as_bytes()).unwrap();
        settle();
        stream
    };
    let is_taken = |agent: &Client| agent.get("/events").status == 429;
    // Whoever looks takes the place as well, for a moment: the wait has it when it is taken however often somebody looks.
    let waits = (0..100).map(begin).find(|_| (0..50).all(|_| is_taken(&agent)));
    drop(waits.expect("a wait that takes the place"));
    assert!((0..20_000).any(|_| !is_taken(&agent)), "the place is taken and nobody waits");
}

#[test]
fn a_wait_over_the_standard_streams_ends_when_its_client_gives_it_up() {
    with_tokio(async {
        let runtime = Arc::new(open());
        let (_, _, wait) = asked(&runtime, 600).await;
        let (here, there) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(there);
        let server = tokio::spawn(Agents::new(people().agent).domain(Arc::clone(&runtime)).serve(input, output));
        let client = ().serve(tokio::io::split(here)).await.unwrap();
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(wait));
        let waits = client.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap();
        // Messages are read in order: it waits when this is answered.
        client.list_all_tools().await.unwrap();
        waits.cancel(None).await.unwrap();
        client.cancel().await.unwrap();
        server.await.unwrap().unwrap();
        let nobody_waits = async {
            while Arc::strong_count(&runtime) > 1 {
                yield_now().await;
            }
        };
        assert!(timeout(Duration::from_mins(2), nobody_waits).await.is_ok(), "the wait goes on");
    });
}

/// A client that hears of progress.
struct Listening(UnboundedSender<ProgressNotificationParam>);

impl ClientHandler for Listening {
    async fn on_progress(&self, note: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send(note).unwrap();
    }
}

#[test]
fn who_waits_is_told_that_it_is_still_waited() {
    with_tokio(async {
        for lifecycle in [
            ClientLifecycleMode::Initialize,
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] },
        ] {
            let runtime = Arc::new(open());
            let (key, approval, wait) = asked(&runtime, 60).await;
            let (here, there) = tokio::io::duplex(1 << 16);
            let (input, output) = tokio::io::split(there);
            tokio::spawn(Agents::new(people().agent).domain(Arc::clone(&runtime)).serve(input, output));
            let (notes, mut heard) = unbounded_channel();
            let client = Listening(notes).serve_with_lifecycle(tokio::io::split(here), lifecycle).await.unwrap();
            let call = client.call_tool(wait);
            tokio::pin!(call);
            let note = tokio::select! {
                told = &mut call => panic!("{told:?}"),
                note = heard.recv() => note.unwrap(),
            };
            assert_eq!((note.total, note.message.as_deref()), (Some(60.0), Some("waiting for a human's decision")));
            assert!(note.progress > 0.0 && note.progress < 60.0, "{note:?}");
            assert!(runtime.review(&people().nora, &key, &approval, Review::grant()).await.unwrap().is_allowed());
            let told = call.await.unwrap().structured_content.unwrap();
            assert_eq!((&told["status"], &told["next_step"]["tool"]), (&json!("granted"), &json!(REFUND)));
        }
    });
}

#[test]
fn who_waits_for_the_end_of_an_action_is_told_that_it_goes_on() {
    with_tokio(async {
        let depot = depot(0);
        let parcel = Shipping::entity("one").unwrap();
        assert!(depot.ingest(&people().shop, &parcel, ParcelPacked { weight: 7 }).await.unwrap().is_allowed());
        let (here, there) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(there);
        tokio::spawn(Agents::new(people().agent).domain(Arc::clone(&depot)).serve(input, output));
        let (notes, mut heard) = unbounded_channel();
        let client = Listening(notes).serve(tokio::io::split(here)).await.unwrap();
        let Value::Object(send) = json!({ "kiff_entity_id": "one", "entity_id": "a", "rationale": "b" }) else {
            panic!()
        };
        let call = client.call_tool(CallToolRequestParams::new("SEND_PARCEL").with_arguments(send));
        tokio::pin!(call);
        let note = tokio::select! {
            told = &mut call => panic!("{told:?}"),
            note = heard.recv() => note.unwrap(),
        };
        assert_eq!((note.total, note.message.as_deref()), (None, Some("the action goes on")));
        depot.services().open.add_permits(1);
        let told = call.await.unwrap().structured_content.unwrap();
        assert_eq!(told["outcome"], "executed", "{told}");
    });
}

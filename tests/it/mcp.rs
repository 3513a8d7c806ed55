//! The Model Context Protocol: the loop as a client of it drives it, and what it cannot do.

use std::sync::Arc;

use kiff::mcp::Server;
use kiff::{Actor, EntityKey, Review, Runtime, State};
use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion, Tool};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RunningService};
use rmcp::{RoleClient, ServiceError};
use serde_json::{Value, json};

use crate::shop::{Mood, Refund, open, paid, people, place};

mod denied;
mod http;
mod line;
mod look;
mod once;
mod output;
mod refusal;
mod release;
mod resource;
mod room;
pub(crate) mod two_domains;
mod wait;

/// A client of the official library, and what it was told that it can call.
struct Client {
    running: RunningService<RoleClient, ()>,
    tools: Vec<Tool>,
}

/// A client of a server of that actor, with the protocol of today or, where it is told so, of yesterday.
async fn connect(server: Server, lifecycle: ClientLifecycleMode) -> Client {
    let (here, there) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(there);
    tokio::spawn(server.serve(input, output));
    let running = ().serve_with_lifecycle(tokio::io::split(here), lifecycle).await.unwrap();
    let tools = running.list_all_tools().await.unwrap();
    Client { running, tools }
}

async fn client(runtime: &Arc<Runtime<Refund>>) -> Client {
    let server = Server::new(people().agent).domain(Arc::clone(runtime));
    connect(server, ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] }).await
}

impl Client {
    async fn ask(&self, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("{arguments}") };
        self.running.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await
    }

    /// What a tool answers, which must be what it said that it answers.
    async fn call(&self, tool: &str, arguments: Value) -> (Value, bool) {
        let result = self.ask(tool, arguments).await.unwrap();
        let told = result.structured_content.unwrap();
        let schema = self.tool(tool).output_schema.as_ref().unwrap();
        let schema = Value::Object((**schema).clone());
        if let Err(fault) = jsonschema::validate(&schema, &told) {
            panic!("{fault}: {told:#}");
        }
        let text = result.content[0].as_text().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text.text).unwrap(), told, "the text says the same");
        (told, result.is_error.unwrap())
    }

    fn tool(&self, name: &str) -> &Tool {
        self.tools.iter().find(|tool| tool.name == name).unwrap_or_else(|| panic!("no tool {name}: {:?}", self.tools))
    }
}

/// Runs a test that needs a client, with an open shop.
fn with_client(test: impl AsyncFnOnce(Client, Arc<Runtime<Refund>>)) {
    with_tokio(async {
        let runtime = Arc::new(open());
        test(client(&runtime).await, runtime).await;
    });
}

fn with_tokio(test: impl Future<Output = ()>) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    tokio.block_on(test);
}

async fn state(runtime: &Runtime<Refund>, key: &EntityKey) -> &'static str {
    runtime.entity(key).await.unwrap().state().unwrap().name()
}

const REFUND: &str = "REFUND_ORDER";

fn refund(amount: i64) -> Value {
    json!({ "entity_id": "ord-1", "amount": amount, "reason": "damaged", "rationale": "the photo shows it" })
}

#[test]
fn p3_a_held_action_waits_for_a_human_and_then_runs_once() {
    with_client(async |client, runtime| {
        let key = place(&runtime, "ord-1").await;
        let (told, is_error) = client.call("MARK_PAID", json!({ "entity_id": "ord-1", "payment_id": "pay-1" })).await;
        assert_eq!((&told["outcome"], &told["current_state"], is_error), (&json!("executed"), &json!("PAID"), false));
        assert_eq!(told["event"], json!({ "name": "ORDER_PAID", "payload": { "payment_id": "pay-1" } }));

        let (held, is_error) = client.call(REFUND, refund(99_900)).await;
        assert_eq!(
            (&held["outcome"], &held["reason"], is_error),
            (&json!("approval_required"), &json!("approval_required"), false)
        );
        assert_eq!(held["approval"]["status"], "pending");
        assert_eq!(held["approval"]["approvers"], json!([{ "role": "operator", "kind": "human" }]));
        assert!(held["approval"]["expires_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(held["next_step"]["tool"], "wait_for_decision");
        let (again, _) = client.call(REFUND, refund(99_900)).await;
        assert_eq!(again["approval"]["id"], held["approval"]["id"], "asking again asks nobody twice");

        let mut wait = held["next_step"]["arguments"].clone();
        wait["timeout_seconds"] = json!(0);
        let (waits, _) = client.call("wait_for_decision", wait).await;
        assert_eq!((&waits["status"], &waits["next_step"]), (&json!("pending"), &held["next_step"]));

        let approval = held["approval"]["id"].as_str().unwrap().parse().unwrap();
        let wait = client.call("wait_for_decision", held["next_step"]["arguments"].clone());
        let grant = async {
            let review = Review::grant().because("it arrived broken");
            assert!(runtime.review(&people().nora, &key, &approval, review).await.unwrap().is_allowed());
        };
        let ((granted, is_error), ()) = tokio::join!(wait, grant);
        assert_eq!(
            (&granted["status"], &granted["approval"]["reviewed_by"], is_error),
            (&json!("granted"), &json!("nora"), false)
        );
        assert_eq!(granted["approval"]["review_reason"], "it arrived broken");

        // What was granted and nothing else.
        let mut more = granted["next_step"]["arguments"].clone();
        more["amount"] = json!(100_000);
        let (held, _) = client.call(REFUND, more).await;
        assert_eq!((&held["outcome"], &held["approval"]["status"]), (&json!("approval_required"), &json!("granted")));
        assert!(held["message"].as_str().unwrap().contains("for other parameters"), "{held:#}");

        assert_eq!(granted["next_step"]["tool"], REFUND);
        let (done, is_error) = client.call(REFUND, granted["next_step"]["arguments"].clone()).await;
        assert_eq!(
            (&done["outcome"], &done["current_state"], is_error),
            (&json!("executed"), &json!("REFUNDED"), false)
        );
        assert_eq!(state(&runtime, &key).await, "REFUNDED");
        let paid_back = runtime.services().done().iter().filter(|done| done.starts_with("paid back 999.00")).count();
        assert_eq!(paid_back, 1);
        let (spent, _) =
            client.call("wait_for_decision", json!({ "entity_id": "ord-1", "approval_id": approval })).await;
        assert_eq!(spent["status"], "spent");
        let (again, is_error) = client.call(REFUND, granted["next_step"]["arguments"].clone()).await;
        assert_eq!(
            (&again["outcome"], &again["execution_id"], &again["deduplicated"], is_error),
            (&json!("executed"), &done["execution_id"], &json!(true), false)
        );
        let paid_back = runtime.services().done().iter().filter(|done| done.starts_with("paid back")).count();
        assert_eq!(paid_back, 1);
    });
}

#[test]
fn a_no_is_not_asked_again_unless_there_is_something_new() {
    with_client(async |client, runtime| {
        let key = paid(&runtime, "ord-1").await;
        let (held, _) = client.call(REFUND, refund(500)).await;
        let approval = held["approval"]["id"].as_str().unwrap().parse().unwrap();
        let no = Review::deny().because("there is no photo");
        assert!(runtime.review(&people().nora, &key, &approval, no).await.unwrap().is_allowed());

        let (denied, is_error) = client.call("wait_for_decision", held["next_step"]["arguments"].clone()).await;
        assert_eq!(
            (&denied["status"], &denied["approval"]["review_reason"], is_error),
            (&json!("denied"), &json!("there is no photo"), false)
        );
        for arguments in
            [refund(500), json!({ "entity_id": "ord-1", "amount": 500, "reason": "damaged", "approval_id": approval })]
        {
            let (again, _) = client.call(REFUND, arguments).await;
            assert_eq!(
                (&again["outcome"], &again["approval"]["status"]),
                (&json!("approval_required"), &json!("denied"))
            );
            assert_eq!(again["approval"]["id"], json!(approval));
        }
        assert_eq!(runtime.pending_approvals(None, 9).await.unwrap().len(), 0);

        let mut new = refund(500);
        new["rationale"] = json!("here is the photo");
        let (asked, _) = client.call(REFUND, new).await;
        assert_eq!(asked["approval"]["status"], "pending");
        assert_eq!(runtime.pending_approvals(None, 9).await.unwrap().len(), 1);
    });
}

#[test]
fn p4_the_client_says_neither_who_acts_nor_that_it_is_approved() {
    with_client(async |client, runtime| {
        let key = paid(&runtime, "ord-1").await;
        for name in ["actor", "actor_id", "role", "approved", "approved_by"] {
            let mut forged = refund(500);
            forged[name] = json!("nora");
            let (told, is_error) = client.call(REFUND, forged).await;
            assert_eq!((&told["reason"], is_error), (&json!("invalid_parameter"), true), "{told}");
        }
        let tools: Vec<_> = client.tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(
            tools,
            [
                "MARK_PAID",
                REFUND,
                "ADD_NOTE",
                "EXPORT_ORDER",
                "allowed_actions",
                "evaluate",
                "timeline",
                "wait_for_decision"
            ]
        );
        let (told, is_error) = client.call("EXPORT_ORDER", json!({ "entity_id": "ord-1" })).await;
        assert_eq!(
            (&told["outcome"], &told["reason"], is_error),
            (&json!("blocked"), &json!("permission_denied"), true)
        );

        // An approver's own client is no way around the four eyes either: it asks, and somebody else decides.
        let nora =
            connect(Server::new(people().nora).domain(Arc::clone(&runtime)), ClientLifecycleMode::Initialize).await;
        let (told, _) = nora.call(REFUND, refund(500)).await;
        assert_eq!((&told["outcome"], &told["reason"]), (&json!("blocked"), &json!("permission_denied")));
        assert_eq!(state(&runtime, &key).await, "PAID");
    });
}

#[test]
fn who_holds_no_role_sees_nothing() {
    with_tokio(async {
        let runtime = Arc::new(open());
        paid(&runtime, "ord-1").await;
        let stranger = Server::new(Actor::agent("agent-8").unwrap()).domain(Arc::clone(&runtime));
        let client = connect(stranger, ClientLifecycleMode::Initialize).await;
        let (entity, approval) = (json!({ "entity_id": "ord-1" }), json!({ "entity_id": "ord-1", "approval_id": "a" }));
        for (tool, arguments) in [
            (REFUND, refund(5)),
            ("allowed_actions", entity.clone()),
            ("timeline", entity),
            ("evaluate", json!({ "action": REFUND, "parameters": { "amount": 5, "reason": "x" } })),
            ("wait_for_decision", approval),
        ] {
            for id in ["ord-1", "ord-none"] {
                let mut arguments = arguments.clone();
                arguments["entity_id"] = json!(id);
                let (told, is_error) = client.call(tool, arguments).await;
                assert_eq!((&told["reason"], is_error), (&json!("permission_denied"), true), "{tool} {id}");
                assert!(told.get("current_state").is_none(), "{told}");
            }
        }
    });
}

#[test]
fn what_an_identifier_may_take_is_told_in_bytes() {
    with_client(async |client, _| {
        for tool in &client.tools {
            let told = tool.input_schema["properties"]["entity_id"]["description"].as_str().unwrap();
            assert!(told.ends_with(" At most 256 bytes."), "{}: {told}", tool.name);
        }
    });
}

#[test]
fn looking_changes_nothing() {
    with_client(async |client, runtime| {
        let key = paid(&runtime, "ord-1").await;
        let before = runtime.timeline(&key).await.unwrap().kinds().len();
        let (allowed, _) = client.call("allowed_actions", json!({ "entity_id": "ord-1" })).await;
        let names: Vec<_> =
            allowed["actions"].as_array().unwrap().iter().map(|action| action["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["ADD_NOTE", "EXPORT_ORDER", REFUND]);
        let (told, is_error) = client
            .call(
                "evaluate",
                json!({ "entity_id": "ord-1", "action": REFUND, "parameters": { "amount": 5, "reason": "x" } }),
            )
            .await;
        assert_eq!((&told["outcome"], is_error), (&json!("approval_required"), false));
        let (told, is_error) = client
            .call("evaluate", json!({ "entity_id": "ord-1", "action": REFUND, "parameters": { "amount": 5 } }))
            .await;
        assert_eq!(
            (&told["outcome"], &told["reason"], is_error),
            (&json!("invalid"), &json!("missing_parameter"), false)
        );
        let (told, _) = client
            .call("evaluate", json!({ "entity_id": "ord-1", "action": "ADD_NOTE", "parameters": { "text": "x" } }))
            .await;
        assert_eq!(told["outcome"], "allowed");
        let (first, _) = client.call("timeline", json!({ "entity_id": "ord-1", "limit": 3 })).await;
        let (rest, _) = client.call("timeline", json!({ "entity_id": "ord-1", "after": first["next"] })).await;
        let kinds = |told: &Value| {
            told["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line["kind"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(rest["next"], Value::Null);
        assert_eq!([kinds(&first), kinds(&rest)].concat(), runtime.timeline(&key).await.unwrap().kinds());
        assert_eq!(kinds(&first).len() + kinds(&rest).len(), before, "nothing of this went on the record");
    });
}

#[test]
fn p6_the_same_wish_under_one_key_is_done_once() {
    with_client(async |client, runtime| {
        place(&runtime, "ord-1").await;
        let note = json!({ "entity_id": "ord-1", "text": "call back", "idempotency_key": "note-1" });
        let (first, _) = client.call("ADD_NOTE", note.clone()).await;
        let (second, _) = client.call("ADD_NOTE", note).await;
        assert_eq!(first["execution_id"], second["execution_id"]);
        assert_eq!((first.get("deduplicated"), &second["deduplicated"]), (None, &json!(true)));
        assert_eq!(runtime.services().done(), ["noted call back"]);
        let (told, is_error) =
            client.call("ADD_NOTE", json!({ "entity_id": "ord-1", "text": "no", "idempotency_key": "note-1" })).await;
        assert_eq!((&told["reason"], is_error), (&json!("idempotency_key_reused"), true));
    });
}

#[test]
fn p7_what_failed_may_be_tried_again_and_what_is_in_doubt_may_not() {
    with_client(async |client, runtime| {
        place(&runtime, "ord-1").await;
        let pay = json!({ "entity_id": "ord-1", "payment_id": "pay-1" });
        let told = async |mood: Mood, reason: &str, remedy: &str| {
            runtime.services().be(mood);
            let (told, is_error) = client.call("MARK_PAID", pay.clone()).await;
            assert_eq!((&told["reason"], is_error), (&json!(reason), true), "{told}");
            assert!(told["remedy"].as_str().unwrap().contains(remedy), "{told}");
        };
        told(Mood::Declining, "declined_by_bank", "it may be tried again, under another `idempotency_key`").await;
        told(Mood::Silent, "error", "do not try again").await;
        told(Mood::Willing, "action_in_progress", "settle it").await;
        let (allowed, _) = client.call("allowed_actions", json!({ "entity_id": "ord-1" })).await;
        let run = &allowed["in_progress"];
        assert_eq!((&run["action"], &run["unknown"]), (&json!("MARK_PAID"), &json!(true)), "{allowed}");
        let doubt = runtime.in_doubt(None, 1).await.unwrap().remove(0);
        assert_eq!(run["execution_id"], doubt.running.execution.as_str());
    });
}

#[test]
fn the_tools_say_what_the_contract_says() {
    with_client(async |client, _| {
        let refund = client.tool(REFUND);
        let hints = refund.annotations.as_ref().unwrap();
        assert_eq!(
            (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint),
            (Some(false), Some(true), Some(true))
        );
        assert!(refund.description.as_ref().unwrap().starts_with("Pays the customer back."));
        let input = Value::Object((*refund.input_schema).clone());
        assert_eq!(input["required"], json!(["entity_id", "amount", "reason"]));
        assert_eq!(input["properties"]["amount"]["maximum"], 1_000_000);
        for own in ["rationale", "approval_id", "idempotency_key"] {
            assert_eq!(input["properties"][own]["type"], "string", "{own}");
        }
        for looks in ["allowed_actions", "evaluate", "timeline", "wait_for_decision"] {
            assert_eq!(client.tool(looks).annotations.as_ref().unwrap().read_only_hint, Some(true), "{looks}");
        }
    });
}

#[test]
fn a_client_of_an_older_protocol_is_served_as_well() {
    with_tokio(async {
        let runtime = Arc::new(open());
        place(&runtime, "ord-1").await;
        for lifecycle in [
            ClientLifecycleMode::Initialize,
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] },
        ] {
            let client = connect(Server::new(people().agent).domain(Arc::clone(&runtime)), lifecycle).await;
            let (told, _) = client.call("allowed_actions", json!({ "entity_id": "ord-1" })).await;
            assert_eq!(told["current_state"], "CREATED");
        }
    });
}

#[test]
fn a_server_of_another_tenant_sees_none_of_ours() {
    with_tokio(async {
        let runtime = Arc::new(open());
        paid(&runtime, "ord-1").await;
        let server = Server::new(people().agent).domain(Arc::clone(&runtime)).in_tenant("acme").unwrap();
        let client = connect(server, ClientLifecycleMode::Initialize).await;
        let (told, _) = client.call("timeline", json!({ "entity_id": "ord-1" })).await;
        assert_eq!(told["reason"], "unknown_entity");
    });
}

//! What comes in over the standard streams, line by line.

use std::sync::Arc;

use kiff::Runtime;
use kiff::mcp::Server;
use rmcp::ServiceError;
use rmcp::model::{ErrorCode, ProtocolVersion};
use rmcp::service::ClientLifecycleMode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{REFUND, connect, refund, with_tokio};
use crate::shop::{Refund, open, paid, people, place};

/// What a server answers to these lines and to the one before them, one answer a line, in whatever order they come.
async fn told(runtime: &Arc<Runtime<Refund>>, lines: &[String]) -> Vec<Value> {
    let server = Server::new(people().agent).domain(Arc::clone(runtime));
    let (here, there) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(there);
    tokio::spawn(server.serve(input, output));
    let (answers, mut calls) = tokio::io::split(here);
    let start = r#"{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}}"#;
    let started = r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#;
    let said = format!("{start}\n{started}\n{}\n", lines.join("\n"));
    let hear = async {
        let (mut answers, mut told) = (BufReader::new(answers).lines(), Vec::<Value>::new());
        while told.len() <= lines.len() {
            let line = answers.next_line().await.unwrap().unwrap_or_else(|| panic!("not all is answered: {told:?}"));
            told.push(serde_json::from_str(&line).unwrap());
        }
        told
    };
    let (is_said, told) = tokio::join!(calls.write_all(said.as_bytes()), hear);
    is_said.unwrap();
    told
}

/// A call of an action, with arguments beside the entity.
fn call(id: u64, arguments: &str) -> String {
    let params = format!(r#"{{"name": "MARK_PAID", "arguments": {{"entity_id": "ord-1", {arguments}}}}}"#);
    format!(r#"{{"jsonrpc": "2.0", "id": {id}, "method": "tools/call", "params": {params}}}"#)
}

#[test]
fn a_line_that_can_be_read_in_two_ways_is_no_call_and_is_answered_under_its_id() {
    with_tokio(async {
        let runtime = Arc::new(open());
        place(&runtime, "ord-1").await;
        let deep = format!(r#""payment_id": {}{}"#, "[".repeat(60), "]".repeat(60));
        let cases = [
            (r#""payment_id": "pay-1", "payment_id": "pay-2""#, "the key `payment_id` stands twice"),
            (r#""payment_id": 9007199254740993"#, "or a string where a text is expected"),
            (
                r#""payment_id": 1e30"#,
                "a number beyond ±(2^53−1) is not exact for every reader: write one within that range",
            ),
            (r#""payment_id": 1e400"#, "out of range"),
            (r#""payment_id": "\ud800""#, "hex escape"),
            (&*deep, "it nests deeper than"),
        ];
        let wrong = (1..).zip(&cases).map(|(id, (arguments, _))| call(id, arguments));
        let lines: Vec<_> = wrong.chain([call(99, r#""payment_id": "pay-3""#)]).collect();
        let told = told(&runtime, &lines).await;
        for (id, (arguments, why)) in (1_u64..).zip(&cases) {
            let answer = told.iter().find(|told| told["id"] == id).unwrap_or_else(|| panic!("{arguments}: {told:?}"));
            assert_eq!(answer["error"]["code"], -32600, "{answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains(why), "{answer}");
        }
        assert_eq!(runtime.services().done(), ["captured pay-3"]);
    });
}

#[test]
fn p10_a_line_that_is_too_long_is_told_and_the_next_one_is_read() {
    with_tokio(async {
        let runtime = Arc::new(open());
        place(&runtime, "ord-1").await;
        let long = call(1, &format!(r#""payment_id": "{}""#, "x".repeat(1024 * 1024)));
        let told = told(&runtime, &[long, call(2, r#""payment_id": "pay-3""#)]).await;
        let refused = told.iter().find(|told| told["error"].is_object()).unwrap_or_else(|| panic!("{told:?}"));
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&Value::Null, &json!(-32600)));
        assert!(refused["error"]["message"].as_str().unwrap().contains("longer than 1048576 bytes"), "{refused}");
        assert_eq!(runtime.services().done(), ["captured pay-3"]);
    });
}

#[test]
fn a_client_hears_why_its_number_is_none() {
    with_tokio(async {
        let runtime = Arc::new(open());
        paid(&runtime, "ord-1").await;
        for lifecycle in [
            ClientLifecycleMode::Initialize,
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] },
        ] {
            let client = connect(Server::new(people().agent).domain(Arc::clone(&runtime)), lifecycle).await;
            let refused = client.ask(REFUND, refund((1 << 53) + 1)).await.unwrap_err();
            let ServiceError::McpError(error) = refused else { panic!("{refused:?}") };
            assert_eq!(error.code, ErrorCode::INVALID_REQUEST);
            assert!(error.message.contains("write one within that range"), "{error:?}");
        }
    });
}

#[test]
fn a_call_that_is_written_otherwise_than_the_protocol_says_hears_what_is_wrong() {
    with_tokio(async {
        let cases = [
            (r#", "params": {"name": 7}"#, "`name` must be"),
            (r#", "params": {"arguments": {}}"#, "`name` must be"),
            (r#", "params": {"name": "MARK_PAID", "arguments": [1]}"#, "`arguments` must be an object"),
            ("", "`params` must be an object"),
        ];
        let call = |(id, (params, _)): (u64, &(&str, &str))| {
            format!(r#"{{"jsonrpc": "2.0", "id": {id}, "method": "tools/call"{params}}}"#)
        };
        let lines: Vec<_> = (1..).zip(&cases).map(call).collect();
        let other = r#"{"jsonrpc": "2.0", "id": 99, "method": "tools/burn"}"#.to_owned();
        let told = told(&Arc::new(open()), &[lines, vec![other]].concat()).await;
        let error = |id: u64| &told.iter().find(|told| told["id"] == id).unwrap_or_else(|| panic!("{told:?}"))["error"];
        for (id, (params, why)) in (1..).zip(&cases) {
            assert_eq!(error(id)["code"], -32602, "{params}");
            assert!(error(id)["message"].as_str().unwrap().contains(why), "{params}: {}", error(id));
        }
        assert_eq!(error(99)["code"], -32601);
    });
}

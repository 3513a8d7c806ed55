//! The bridge between a model and governed actions, as a program that answers a conversation.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{command, printed};

/// What went back for each call, and what the model reads in it.
fn told(text: &str) -> Vec<(String, Value)> {
    let mut told = Vec::new();
    for line in text.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let content = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
        match message["role"].as_str() {
            Some("tool") => {
                told.push((message["tool_call_id"].as_str().unwrap().to_owned(), content(&message["content"])));
            }
            Some("user") => {
                for result in message["content"].as_array().unwrap() {
                    let content = content(&result["content"]);
                    let good = ["executed", "approval_required"].contains(&content["outcome"].as_str().unwrap());
                    assert_eq!(result["is_error"], !good, "{result}");
                    told.push((result["tool_use_id"].as_str().unwrap().to_owned(), content));
                }
            }
            _ => told.push((message["call_id"].as_str().unwrap().to_owned(), content(&message["output"]))),
        }
    }
    told
}

#[test]
fn both_models_are_told_the_same_in_their_own_form() {
    let outcomes = [
        ("call_1", "executed", "ORDER_PAID happened"),
        ("call_2", "executed", "ORDER_PAID happened"),
        ("call_3", "approval_required", "approval"),
        ("call_4", "executed", "ORDER_REFUNDED happened"),
        ("call_5", "state_not_allowed", "`REFUNDED`"),
        ("call_6", "approval_required", "approval"),
        ("call_7", "approval_required", "was denied by `nora`"),
        ("call_8", "missing_parameter", "reason"),
        ("call_9", "blocked", "amount"),
        ("call_10", "unknown_tool", "DELETE_ORDER"),
        ("call_11", "missing_parameter", "order_id"),
    ];
    for model in ["openai", "anthropic"] {
        let told = told(&printed("llm_bridge", &[&format!("examples/llm_bridge/{model}.jsonl")]));
        assert_eq!(told.len(), outcomes.len());
        for ((id, told), (call, outcome, message)) in told.iter().zip(outcomes) {
            assert_eq!((id.as_str(), &told["outcome"]), (call, &json!(outcome)), "{told}");
            assert!(told["message"].as_str().unwrap().contains(message), "{told}");
        }
        assert!(told[2].1["approval_id"].is_string() && told[8].1["reason"] == "invalid_parameter");
    }
}

#[test]
fn what_is_copied_from_the_bridge_signs_nothing_off() {
    let bridge = include_str!("../../../examples/llm_bridge/bridge.rs");
    assert!(bridge.contains(".request_approval(") && !bridge.contains("review"));
}

/// What the bridge writes for these lines of a model of this agent.
fn answered(agent: &str, lines: &str) -> String {
    let mut command = command("llm_bridge");
    let mut bridge = command.args(["-", agent]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    bridge.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    String::from_utf8(bridge.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_model_of_another_agent_is_denied_and_a_message_without_a_call_needs_no_answer() {
    let arguments = r#"{\"order_id\":\"ord-1\",\"payment_id\":\"pay-1\"}"#;
    let call = format!(r#"{{"type":"function_call","call_id":"c1","name":"MARK_PAID","arguments":"{arguments}"}}"#);
    let lines = format!("{{\"role\":\"assistant\",\"content\":\"Let me see.\"}}\n{call}\nno json\n");
    let told = told(&answered("intern", &lines));
    assert_eq!((told.len(), told[0].0.as_str(), &told[0].1["outcome"]), (1, "c1", &json!("permission_denied")));
}

#[test]
fn a_call_that_lacks_something_is_answered_and_those_beside_it_run() {
    let payment = |order: u8| json!({ "order_id": format!("ord-{order}"), "payment_id": format!("pay-{order}") });
    let chat = json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "c1", "type": "function", "function": { "name": "MARK_PAID" } },
        { "id": "c2", "type": "function" },
        { "id": "c3", "type": "function", "function": { "name": "MARK_PAID", "arguments": payment(1).to_string() } },
    ] });
    let blocks = json!({ "role": "assistant", "content": [
        { "type": "tool_use", "id": "c4", "name": "MARK_PAID" },
        { "type": "tool_use", "id": "c5", "input": payment(2) },
        { "type": "tool_use", "id": "c6", "name": "MARK_PAID", "input": payment(2) },
    ] });
    let item = json!({ "type": "function_call", "call_id": "c7", "name": "MARK_PAID" });
    let told = told(&answered("agent-7", &format!("{chat}\n{blocks}\n{item}\n")));
    let became = told.iter().map(|(id, told)| format!("{id} {} {}", told["outcome"], told["reason"]));
    let (broken, done) = (r#""blocked" "incomplete_tool_call""#, r#""executed" null"#);
    let outcomes = [broken, broken, done, broken, broken, done, broken];
    let expected = (1..).zip(outcomes).map(|(place, outcome)| format!("c{place} {outcome}"));
    assert_eq!(became.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn a_request_is_answered_under_its_id_as_it_came() {
    let params = json!({ "name": "MARK_PAID", "arguments": { "order_id": "ord-1", "payment_id": "pay-1" } });
    let request = |id: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    let broken = json!({ "jsonrpc": "2.0", "id": 8, "method": "tools/call" });
    let lines = format!("{}\n{}\n{broken}\n", request(json!(7)), request(json!("7")));
    let answers: Vec<Value> =
        answered("agent-7", &lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let became: Vec<(&Value, &Value)> =
        answers.iter().map(|answer| (&answer["id"], &answer["result"]["structuredContent"]["outcome"])).collect();
    let [seven, text, eight] = [json!(7), json!("7"), json!(8)];
    let [done, late, blocked] = ["executed", "state_not_allowed", "blocked"].map(|outcome| json!(outcome));
    assert_eq!(became, [(&seven, &done), (&text, &late), (&eight, &blocked)]);
}

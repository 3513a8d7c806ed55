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
fn a_model_of_another_agent_is_denied_and_a_message_without_a_call_needs_no_answer() {
    let arguments = r#"{\"order_id\":\"ord-1\",\"payment_id\":\"pay-1\"}"#;
    let call = format!(r#"{{"type":"function_call","call_id":"c1","name":"MARK_PAID","arguments":"{arguments}"}}"#);
    let mut bridge =
        command("llm_bridge").args(["-", "intern"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = format!("{{\"role\":\"assistant\",\"content\":\"Let me see.\"}}\n{call}\nno json\n");
    bridge.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = bridge.wait_with_output().unwrap();
    let told = told(&String::from_utf8(output.stdout).unwrap());
    assert_eq!((told.len(), told[0].0.as_str(), &told[0].1["outcome"]), (1, "c1", &json!("permission_denied")));
}

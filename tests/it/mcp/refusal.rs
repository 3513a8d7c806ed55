//! What a tool answers where nothing was done: what is wrong, and what would help.

use std::sync::Arc;

use kiff::{MemoryStore, Policy, PolicyError, Question, RolePolicy, Runtime};
use serde_json::json;

use super::{REFUND, client, refund, with_client, with_tokio};
use crate::shop::{Desk, Refund, place, policy};

#[test]
fn a_refusal_says_what_is_wrong_and_what_would_help() {
    with_client(async |client, runtime| {
        place(&runtime, "ord-1").await;
        let cases = [
            ("MARK_PAID", json!({ "payment_id": "pay-1" }), "invalid", "missing_parameter", "`entity_id` is missing"),
            (
                "MARK_PAID",
                json!({ "entity_id": 7, "payment_id": "pay-1" }),
                "invalid",
                "invalid_parameter",
                "must be a text",
            ),
            ("MARK_PAID", json!({ "entity_id": "ord-1" }), "invalid", "missing_parameter", "payment_id"),
            (
                "MARK_PAID",
                json!({ "entity_id": "ord-1", "payment_id": "7" }),
                "invalid",
                "invalid_parameter",
                "payment_id",
            ),
            ("MARK_PAID", json!({ "entity_id": "ord-9", "payment_id": "pay-1" }), "invalid", "unknown_entity", "ord-9"),
            (
                "MARK_PAID",
                json!({ "entity_id": "..", "payment_id": "pay-1" }),
                "invalid",
                "invalid_parameter",
                "no address can lead to what it names",
            ),
            (REFUND, refund(500), "blocked", "state_not_allowed", "not allowed in state `CREATED`"),
            ("timeline", json!({ "entity_id": "ord-9" }), "invalid", "unknown_entity", "ord-9"),
            ("timeline", json!({ "entity_id": "ord-1", "after": "x" }), "invalid", "invalid_parameter", "`after`"),
            (
                "allowed_actions",
                json!({ "entity_id": "ord-1", "x": 1 }),
                "invalid",
                "invalid_parameter",
                "no argument `x`",
            ),
            ("evaluate", json!({ "entity_id": "ord-1", "action": "BURN" }), "invalid", "unknown_action", "`BURN`"),
            (
                "wait_for_decision",
                json!({ "entity_id": "ord-1", "approval_id": "a" }),
                "invalid",
                "unknown_entity",
                "no approval `a`",
            ),
            (
                "wait_for_decision",
                json!({ "entity_id": "ord-1", "approval_id": "a", "timeout_seconds": 7000 }),
                "invalid",
                "invalid_parameter",
                "from 0 to 600",
            ),
        ];
        for (tool, arguments, outcome, reason, message) in cases {
            let (told, is_error) = client.call(tool, arguments.clone()).await;
            assert_eq!(
                (&told["outcome"], &told["reason"], is_error),
                (&json!(outcome), &json!(reason), true),
                "{tool} {arguments} {told}"
            );
            assert!(told["message"].as_str().unwrap().contains(message), "{told}");
        }
        let (told, _) = client.call("evaluate", json!({ "entity_id": "ord-1", "action": "mark_paid" })).await;
        assert_eq!(told["remedy"], "did you mean `MARK_PAID`?");
        let unknown = client.ask("BURN_ORDER", json!({})).await.unwrap_err();
        assert!(unknown.to_string().contains("there is no tool `BURN_ORDER`"), "{unknown}");
    });
}

/// A policy that decides nothing.
struct Mute;

impl Policy for Mute {
    fn holds(&self, _: &Question<'_>) -> Result<bool, PolicyError> {
        Err(PolicyError::new("the directory at ldap.internal does not answer"))
    }
}

#[test]
fn p9_an_agent_is_not_told_what_keeps_a_policy_from_deciding() {
    with_tokio(async {
        let runtime = Arc::new(Runtime::<Refund>::new(MemoryStore::new(), Mute, Desk::default()));
        let client = client(&runtime).await;
        let pay = json!({ "entity_id": "ord-1", "payment_id": "pay-1" });
        for (tool, arguments) in [("MARK_PAID", pay), ("timeline", json!({ "entity_id": "ord-1" }))] {
            let (told, is_error) = client.call(tool, arguments).await;
            assert_eq!(
                (&told["outcome"], &told["reason"], is_error),
                (&json!("blocked"), &json!("error"), true),
                "{told}"
            );
            assert!(told["message"].as_str().unwrap().contains("could not be decided"), "{told}");
            assert!(!told.to_string().contains("ldap.internal"), "{told}");
        }
    });
}

/// A list of roles that cannot say who marks orders as paid.
struct Unsure(RolePolicy);

impl Policy for Unsure {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        if question.permission.name == "refund.mark_paid" {
            return Err(PolicyError::new("the directory does not answer"));
        }
        self.0.holds(question)
    }
}

#[test]
fn p9_what_could_not_be_decided_is_not_permitted_and_the_tool_says_so() {
    with_tokio(async {
        let runtime = Arc::new(Runtime::<Refund>::new(MemoryStore::new(), Unsure(policy()), Desk::default()));
        place(&runtime, "ord-1").await;
        let client = client(&runtime).await;
        let (told, _) = client.call("allowed_actions", json!({ "entity_id": "ord-1" })).await;
        let mut actions = told["actions"].as_array().unwrap().iter();
        let pay = actions.find(|action| action["name"] == "MARK_PAID").unwrap();
        assert_eq!(pay["permitted"], false, "{told}");
        let schema = client.tool("allowed_actions").output_schema.as_ref().unwrap();
        let permitted = &schema["properties"]["actions"]["items"]["properties"]["permitted"]["description"];
        assert_eq!(permitted, "Whether you may run it; false also where that could not be decided.");
    });
}

//! What an agent is told of a sign-off that was asked for before a release.

use std::sync::Arc;

use kiff::mcp::Server;
use kiff::{Approval, Review};
use rmcp::service::ClientLifecycleMode;
use serde_json::{Value, json};

use super::{connect, with_tokio};
use crate::contract::{Counter, counter, empty};

#[test]
fn nobody_waits_for_a_sign_off_whose_contract_has_changed_or_is_told_to_run_by_it() {
    with_tokio(async {
        let Counter { before, after, drawer, clerk, manager } = counter().await;
        let ask = async |amount| {
            let asked = before.request_approval(&clerk, &drawer, empty(amount)).await.unwrap();
            asked.into_result().unwrap()
        };
        let (waits, granted) = (ask(1).await, ask(2).await);
        assert!(before.review(&manager, &drawer, &granted.id, Review::grant()).await.unwrap().is_allowed());
        let client = connect(Server::new(clerk.clone()).domain(Arc::new(after)), ClientLifecycleMode::Initialize).await;
        let told = async |approval: &Approval| {
            let wait = json!({ "entity_id": "d-1", "approval_id": approval.id, "timeout_seconds": 1 });
            client.call("wait_for_decision", wait).await.0
        };
        let again = "its contract has changed since it was asked for: call the action again without `approval_id`";
        for (approval, status) in [(&waits, "pending"), (&granted, "granted")] {
            let told = told(approval).await;
            assert_eq!((&told["status"], &told["message"]), (&json!(status), &json!(again)));
            assert_eq!((&told["approval"]["contract_changed"], &told["next_step"]), (&json!(true), &Value::Null));
        }

        let named = json!({ "entity_id": "d-1", "amount": 1, "approval_id": waits.id });
        let (held, _) = client.call("EMPTY_DRAWER", named).await;
        let why = format!("the contract of `EMPTY_DRAWER` has changed since approval `{}` was asked for", waits.id);
        assert_eq!((&held["message"], &held["next_step"]), (&json!(why), &Value::Null));
        assert_eq!(held["remedy"], "call again without `approval_id` to ask for a sign-off of exactly this");
        let (anew, _) = client.call("EMPTY_DRAWER", json!({ "entity_id": "d-1", "amount": 1 })).await;
        assert_ne!(anew["approval"]["id"], json!(waits.id), "{anew}");
        assert_eq!(anew["next_step"]["tool"], "wait_for_decision", "{anew}");
    });
}

//! What the tools tell that change nothing.

use serde_json::{Value, json};

use super::{REFUND, refund, with_client};
use crate::shop::paid;

#[test]
fn evaluate_takes_what_the_tool_of_the_action_takes() {
    with_client(async |client, runtime| {
        paid(&runtime, "ord-1").await;
        let judge = async |id: &str, parameters: Value| {
            let arguments = json!({ "entity_id": id, "action": REFUND, "parameters": parameters });
            client.call("evaluate", arguments).await
        };
        let (plain, _) = judge("ord-1", json!({ "amount": 500, "reason": "damaged" })).await;
        assert_eq!(plain["outcome"], "approval_required", "{plain}");
        let mut all = refund(500);
        all["idempotency_key"] = json!("mine");
        assert_eq!(judge("ord-1", all.clone()).await, (plain, false));

        // An approval there counts as one beside them.
        all["approval_id"] = json!("apr-none");
        let (told, _) = judge("ord-1", all).await;
        assert!(told["message"].as_str().unwrap().contains("apr-none"), "{told}");

        let (told, is_error) = judge("ord-2", refund(500)).await;
        assert_eq!((&told["reason"], is_error), (&json!("invalid_parameter"), true), "{told}");
        assert!(told["message"].as_str().unwrap().contains("is not `ord-2`"), "{told}");
        let (told, _) = judge("ord-1", json!({ "amount": 500, "reason": "damaged", "actor": "nora" })).await;
        assert!(told["message"].as_str().unwrap().contains("`actor`"), "{told}");
    });
}

#[test]
fn what_is_allowed_says_what_it_does_and_whether_this_agent_may() {
    with_client(async |client, runtime| {
        paid(&runtime, "ord-1").await;
        let (told, _) = client.call("allowed_actions", json!({ "entity_id": "ord-1" })).await;
        let actions = told["actions"].as_array().unwrap();
        let permitted: Vec<_> = actions.iter().map(|action| (&action["name"], &action["permitted"])).collect();
        assert_eq!(
            permitted,
            [
                (&json!("ADD_NOTE"), &json!(true)),
                (&json!("EXPORT_ORDER"), &json!(false)),
                (&json!(REFUND), &json!(true))
            ]
        );
        for action in actions {
            let tool = client.tool(action["name"].as_str().unwrap());
            assert_eq!(action["description"].as_str(), tool.description.as_deref());
        }
        assert!(actions[2]["description"].as_str().unwrap().starts_with("Pays the customer back."), "{told}");
    });
}

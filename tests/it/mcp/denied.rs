//! A wish that a human has said no to: it is known again, however it is written.

use std::sync::Arc;

use kiff::mcp::Server;
use kiff::{Domain, Failure, MemoryStore, Review, RolePolicy, Runtime, action, domain};
use rmcp::model::ProtocolVersion;
use rmcp::service::ClientLifecycleMode;
use serde_json::json;

use super::{REFUND, connect, refund, with_client, with_tokio};
use crate::shop::{paid, people};

domain! {
    /// Loans of money.
    pub domain Lombard governs Loan;
    roles { Broker: agent, Banker: human, Desk: system }
    states { Asked, final Paid }
    events { LoanAsked reported by Desk; LoanPaid; }
    transitions { LoanAsked: new => Asked; LoanPaid: Asked => Paid; }
    actions { Pay { risk: high, by: Broker, emits: LoanPaid, approval: Banker }; }
    allow { Asked => [Pay]; }
}

/// Pays it out.
#[action(Lombard::Pay)]
async fn pay(amount: u32, note: Option<String>) -> Result<LoanPaid, Failure> {
    drop((amount, note));
    Ok(LoanPaid)
}

#[test]
fn a_human_who_said_no_is_not_asked_again_where_a_parameter_is_left_out() {
    with_tokio(async {
        let people = people();
        let policy = RolePolicy::new()
            .assign(people.agent.id().clone(), LombardRole::Broker)
            .assign(people.nora.id().clone(), LombardRole::Banker)
            .assign(people.shop.id().clone(), LombardRole::Desk);
        let lombard = Arc::new(Runtime::<Lombard>::new(MemoryStore::new(), policy, ()));
        let loan = Lombard::entity("loan-1").unwrap();
        assert!(lombard.ingest(&people.shop, &loan, LoanAsked).await.unwrap().is_allowed());
        let server = Server::new(people.agent).domain(Arc::clone(&lombard));
        let today = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
        let client = connect(server, today).await;
        let wish = json!({ "entity_id": "loan-1", "amount": 5 });
        let (held, _) = client.call("PAY", wish.clone()).await;
        let approval = held["approval"]["id"].as_str().unwrap().parse().unwrap();
        assert!(lombard.review(&people.nora, &loan, &approval, Review::deny()).await.unwrap().is_allowed());

        for wish in [wish, json!({ "entity_id": "loan-1", "amount": 5, "note": null })] {
            let (told, _) = client.call("PAY", wish).await;
            assert!(told["remedy"].as_str().unwrap().contains("a human has said no"), "{told}");
        }
        assert!(lombard.entity(&loan).await.unwrap().open_approvals().is_empty());

        // A yes that was taken back is a no as well.
        let (held, _) = client.call("PAY", json!({ "entity_id": "loan-1", "amount": 6 })).await;
        let approval = held["approval"]["id"].as_str().unwrap().to_owned();
        for review in [Review::grant(), Review::withdraw()] {
            let answered = lombard.review(&people.nora, &loan, &approval.parse().unwrap(), review).await.unwrap();
            assert!(answered.is_allowed(), "{answered:?}");
        }
        let wait = json!({ "entity_id": "loan-1", "approval_id": approval });
        let (told, _) = client.call("wait_for_decision", wait).await;
        assert_eq!((&told["status"], &told["approval"]["reviewed_by"]), (&json!("withdrawn"), &json!("nora")));
        assert!(told["message"].as_str().unwrap().contains("taken the yes back"), "{told}");
        for named in [false, true] {
            let mut wish = json!({ "entity_id": "loan-1", "amount": 6 });
            if named {
                wish["approval_id"] = approval.as_str().into();
            }
            let (told, _) = client.call("PAY", wish).await;
            assert!(told["remedy"].as_str().unwrap().contains("a human has said no"), "{told}");
        }
    });
}

#[test]
fn a_held_action_for_which_nobody_was_asked_is_an_error_that_says_why() {
    with_client(async |client, runtime| {
        let key = paid(&runtime, "ord-1").await;
        let (asked, is_error) = client.call(REFUND, refund(500)).await;
        assert!(asked["next_step"].is_object() && !is_error, "{asked}");
        let approval = asked["approval"]["id"].as_str().unwrap().parse().unwrap();
        assert!(runtime.review(&people().nora, &key, &approval, Review::deny()).await.unwrap().is_allowed());

        let mut unknown = refund(600);
        unknown["approval_id"] = json!("nope");
        for (wish, why) in [(refund(500), "a human has said no"), (unknown, "call again without `approval_id`")] {
            let (told, is_error) = client.call(REFUND, wish).await;
            assert_eq!((&told["outcome"], is_error), (&json!("approval_required"), true), "{told}");
            assert_eq!(told.get("next_step"), None, "{told}");
            assert!(told["remedy"].as_str().unwrap().contains(why), "{told}");
        }
        assert!(runtime.entity(&key).await.unwrap().open_approvals().is_empty());
    });
}

#[test]
fn a_request_that_waits_for_something_else_is_not_to_be_waited_for() {
    with_client(async |client, runtime| {
        paid(&runtime, "ord-1").await;
        let (asked, _) = client.call(REFUND, refund(500)).await;
        let mut other = refund(600);
        other["approval_id"] = asked["approval"]["id"].clone();
        let (told, is_error) = client.call(REFUND, other).await;
        assert!(told["message"].as_str().unwrap().contains("is for other parameters"), "{told}");
        assert!(told["remedy"].as_str().unwrap().contains("call again without `approval_id`"), "{told}");
        assert!(is_error && told.get("next_step").is_none(), "{told}");
    });
}

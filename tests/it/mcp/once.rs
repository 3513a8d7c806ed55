//! What a human has signed off is done once, however often the call that leads on is made.

use std::sync::Arc;

use kiff::mcp::Server;
use kiff::{Domain, EntityKey, Failure, MemoryStore, Review, RolePolicy, Runtime, action, domain};
use rmcp::model::ProtocolVersion;
use rmcp::service::ClientLifecycleMode;
use serde_json::{Value, json};

use super::{Client, connect, with_tokio};
use crate::shop::people;

domain! {
    /// Tills, and the money that is put into them.
    pub domain Counter governs Till;
    roles { Clerk: agent, Boss: human, Desk: system }
    states { Open, final Shut }
    events {
        TillOpened reported by Desk;
        TillShut reported by Desk;
        MoneyAdded { amount: u32 };
    }
    transitions {
        TillOpened: new => Open;
        MoneyAdded: Open => Open;
        TillShut: Open => Shut;
    }
    actions { AddMoney { risk: high, by: Clerk, emits: MoneyAdded, approval: Boss }; }
    allow { Open => [AddMoney]; }
}

/// Puts it in.
#[action(Counter::AddMoney)]
async fn add_money(amount: u32) -> Result<MoneyAdded, Failure> {
    Ok(MoneyAdded { amount })
}

/// The call that the boss's yes to this wish leads to.
async fn granted(client: &Client, counter: &Runtime<Counter>, till: &EntityKey, wish: Value) -> Value {
    let (held, _) = client.call("ADD_MONEY", wish).await;
    let approval = held["approval"]["id"].as_str().unwrap().parse().unwrap();
    assert!(counter.review(&people().nora, till, &approval, Review::grant()).await.unwrap().is_allowed());
    let (told, _) = client.call("wait_for_decision", held["next_step"]["arguments"].clone()).await;
    assert_eq!(told["status"], "granted", "{told}");
    told["next_step"]["arguments"].clone()
}

#[test]
fn p6_the_call_after_a_grant_is_done_once_also_where_the_state_allows_it_again() {
    with_tokio(async {
        let people = people();
        let policy = RolePolicy::new()
            .assign(people.agent.id().clone(), CounterRole::Clerk)
            .assign(people.nora.id().clone(), CounterRole::Boss)
            .assign(people.shop.id().clone(), CounterRole::Desk);
        let counter = Arc::new(Runtime::<Counter>::new(MemoryStore::new(), policy, ()));
        let till = Counter::entity("till-1").unwrap();
        assert!(counter.ingest(&people.shop, &till, TillOpened).await.unwrap().is_allowed());
        let server = Server::new(people.agent).domain(Arc::clone(&counter));
        let today = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
        let client = connect(server, today).await;

        let unnamed = json!({ "entity_id": "till-1", "amount": 5 });
        let step = granted(&client, &counter, &till, unnamed).await;
        assert_eq!(step["idempotency_key"], step["approval_id"], "one approval is one run");
        let (first, _) = client.call("ADD_MONEY", step.clone()).await;
        let (second, _) = client.call("ADD_MONEY", step.clone()).await;
        assert_eq!((&first["outcome"], &second["outcome"]), (&json!("executed"), &json!("executed")));
        assert_eq!((&second["deduplicated"], &second["execution_id"]), (&json!(true), &first["execution_id"]));

        let mut other = step;
        other["idempotency_key"] = json!("another");
        let (spent, _) = client.call("ADD_MONEY", other).await;
        assert_eq!(
            (&spent["outcome"], &spent["approval"]["status"]),
            (&json!("approval_required"), &json!("spent")),
            "{spent}"
        );
        assert!(spent["remedy"].as_str().unwrap().contains("already run under this approval"), "{spent}");
        assert!(counter.entity(&till).await.unwrap().open_approvals().is_empty(), "nobody is asked again");

        let named = json!({ "entity_id": "till-1", "amount": 6, "idempotency_key": "mine" });
        let step = granted(&client, &counter, &till, named.clone()).await;
        assert_eq!(step["idempotency_key"], "mine");
        let (first, _) = client.call("ADD_MONEY", step).await;
        let (second, _) = client.call("ADD_MONEY", named).await;
        assert_eq!((&second["deduplicated"], &second["execution_id"]), (&json!(true), &first["execution_id"]));
    });
}

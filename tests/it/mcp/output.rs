//! The output schemas of tools: the fields of an event have the types that the block gives them.

use std::sync::Arc;

use kiff::mcp::Server;
use kiff::{Cents, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use rmcp::model::ProtocolVersion;
use rmcp::service::ClientLifecycleMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Client, connect, with_client, with_tokio};
use crate::shop::people;

/// What goes on a voyage; a crate may hold crates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Freight {
    /// In kilograms.
    pub weight: u32,
    /// What is in it.
    pub holds: Vec<Freight>,
}

/// It does not say what it looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seal(String);

domain! {
    /// Crates on a quay.
    pub domain Quay governs Berth;
    roles { Crane: agent, Harbour: system }
    states { Free, final Loaded }
    events {
        BerthFreed reported by Harbour;
        CrateLoaded {
            /// The crate itself.
            freight: Freight,
            fee: Cents,
            seal: Option<Seal>,
            #[serde(rename = "by")]
            crane: String,
        };
        LoadRefused { why: String };
    }
    transitions {
        BerthFreed:  new  => Free;
        CrateLoaded: Free => Loaded;
        LoadRefused: Free => Loaded;
    }
    actions { Load { risk: low, by: Crane, emits: CrateLoaded | LoadRefused }; }
    allow { Free => [Load]; }
}

/// Loads it.
#[action(Quay::Load)]
async fn load(weight: u32) -> Result<LoadEvent, Failure> {
    let freight = Freight { weight: weight + 1, holds: vec![Freight { weight, holds: Vec::new() }] };
    Ok(CrateLoaded { freight, fee: Cents(4_900), seal: Some(Seal("red".into())), crane: "crane-1".into() }.into())
}

fn schema(client: &Client, tool: &str) -> Value {
    Value::Object((**client.tool(tool).output_schema.as_ref().unwrap()).clone())
}

#[test]
fn an_event_is_held_to_the_types_of_its_fields() {
    with_client(async |client, _| {
        let schema = schema(&client, "REFUND_ORDER");
        let told = |payload: Value| {
            let event = json!({ "name": "ORDER_REFUNDED", "payload": payload });
            jsonschema::is_valid(&schema, &json!({ "outcome": "executed", "event": event }))
        };
        assert!(told(json!({ "amount": 4_900, "reason": "damaged" })));
        assert!(!told(json!({ "amount": "4900", "reason": "damaged" })));
        assert!(!told(json!({ "amount": 49.5, "reason": "damaged" })));
        assert!(!told(json!({ "amount": 4_900, "reason": ["damaged"] })));
        let other = json!({ "outcome": "executed", "event": { "name": "ORDER_PAID", "payload": {} } });
        assert!(!jsonschema::is_valid(&schema, &other), "an event that the action does not make happen");
    });
}

#[test]
fn types_of_ones_own_say_what_they_look_like_and_others_may_be_anything() {
    with_tokio(async {
        let policy = RolePolicy::new()
            .assign(people().agent.id().clone(), QuayRole::Crane)
            .assign(people().shop.id().clone(), QuayRole::Harbour);
        let quay = Arc::new(Runtime::<Quay>::new(MemoryStore::new(), policy, ()));
        let berth = Quay::entity("berth-1").unwrap();
        assert!(quay.ingest(&people().shop, &berth, BerthFreed).await.unwrap().is_allowed());
        let server = Server::new(people().agent).domain(quay);
        let today = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
        let client = connect(server, today).await;
        let schema = schema(&client, "LOAD");
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        // What is answered is what was said, which the client holds it to.
        let (done, is_error) = client.call("LOAD", json!({ "entity_id": "berth-1", "weight": 7 })).await;
        assert_eq!((&done["event"]["payload"]["by"], is_error), (&json!("crane-1"), false), "{done}");
        let told = |name: &str, payload: Value| {
            let event = json!({ "name": name, "payload": payload });
            jsonschema::is_valid(&schema, &json!({ "outcome": "executed", "event": event }))
        };
        let freight =
            |weight: Value| json!({ "freight": { "weight": 8, "holds": [{ "weight": weight, "holds": [] }] } });
        assert!(told("CRATE_LOADED", freight(json!(7))));
        assert!(!told("CRATE_LOADED", freight(json!("heavy"))), "deep inside");
        assert!(told("CRATE_LOADED", json!({ "seal": { "wax": true } })), "of which nothing is known");
        assert!(told("CRATE_LOADED", json!({ "crane": 7 })), "which serde was told to call otherwise");
        assert!(told("LOAD_REFUSED", json!({ "why": "wind" })) && !told("LOAD_REFUSED", json!({ "why": 7 })));
        assert!(schema.to_string().contains("The crate itself."), "{schema}");
    });
}

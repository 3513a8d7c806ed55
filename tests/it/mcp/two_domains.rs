//! Two domains in one server, and names that meet.

use std::sync::Arc;
use std::time::Duration;

use kiff::mcp::{Server, ServerError};
use kiff::{Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::ClientLifecycleMode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{REFUND, connect, with_tokio};
use crate::shop::{open, paid, people};

domain! {
    /// Parcels on their way.
    pub domain Shipping governs Parcel;
    services Gate;
    roles { Agent: agent, Depot: system }
    states { Packed, final Sent }
    events {
        ParcelPacked { weight: u32 } reported by Depot;
        ParcelSent { entity_id: String, rationale: String };
    }
    transitions {
        ParcelPacked: new => Packed;
        ParcelSent: Packed => Sent;
    }
    actions { SendParcel { risk: low, by: Agent, emits: ParcelSent }; }
    allow { Packed => [SendParcel]; }
}

/// Another sort of entity, whose action is called as that of parcels.
mod freight {
    use kiff::{Failure, action, domain};

    domain! {
        /// Crates on their way.
        pub domain Freight governs Crate;
        roles { Agent: agent, Depot: system }
        states { Packed, final Sent }
        events { CratePacked reported by Depot; CrateSent; }
        transitions { CratePacked: new => Packed; CrateSent: Packed => Sent; }
        actions { SendParcel { risk: low, by: Agent, emits: CrateSent }; }
        allow { Packed => [SendParcel]; }
    }

    #[action(Freight::SendParcel)]
    async fn send_parcel() -> Result<CrateSent, Failure> {
        Ok(CrateSent {})
    }
}

/// What a parcel has to pass: it is seen there, and goes on when it is let through.
#[derive(Debug)]
pub struct Gate {
    pub(crate) seen: Semaphore,
    pub(crate) open: Semaphore,
}

impl Gate {
    fn new(open: usize) -> Self {
        Self { seen: Semaphore::new(0), open: Semaphore::new(open) }
    }
}

/// Sends it. Its parameters are called as the server's own arguments are.
#[action(Shipping::SendParcel)]
async fn send_parcel(gate: &Gate, entity_id: String, rationale: String) -> Result<ParcelSent, Failure> {
    gate.seen.add_permits(1);
    gate.open.acquire().await.map_err(|_| Failure::refused("the gate is gone"))?.forget();
    Ok(ParcelSent { entity_id, rationale })
}

/// A depot whose gate lets so many through.
pub(crate) fn depot(open: usize) -> Arc<Runtime<Shipping>> {
    let policy = RolePolicy::new()
        .assign(people().agent.id().clone(), ShippingRole::Agent)
        .assign(people().shop.id().clone(), ShippingRole::Depot);
    Arc::new(Runtime::new(MemoryStore::new(), policy, Gate::new(open)))
}

#[test]
fn two_domains_are_served_together_and_no_argument_hides_a_parameter() {
    with_tokio(async {
        let (shop, depot) = (Arc::new(open()), depot(1));
        paid(&shop, "one").await;
        let parcel = Shipping::entity("one").unwrap();
        assert!(depot.ingest(&people().shop, &parcel, ParcelPacked { weight: 7 }).await.unwrap().is_allowed());
        let server = Server::new(people().agent).domain(Arc::clone(&shop)).domain(Arc::clone(&depot));
        let client = connect(server, ClientLifecycleMode::Initialize).await;

        let send = json!({
            "kiff_entity_id": "one", "entity_id": "a parameter", "rationale": "another", "kiff_rationale": "it is packed"
        });
        let (told, _) = client.call("SEND_PARCEL", send).await;
        assert_eq!(told["event"]["payload"], json!({ "entity_id": "a parameter", "rationale": "another" }));
        for (entity_type, state) in [("Order", "PAID"), ("Parcel", "SENT")] {
            let (told, _) =
                client.call("allowed_actions", json!({ "entity_type": entity_type, "entity_id": "one" })).await;
            assert_eq!(told["current_state"], state);
        }
        let (told, _) = client.call("allowed_actions", json!({ "entity_id": "one" })).await;
        assert_eq!(told["reason"], "missing_parameter");
        let (told, _) = client.call("allowed_actions", json!({ "entity_type": "Ghost", "entity_id": "one" })).await;
        assert!(told["message"].as_str().unwrap().contains("no domain here governs `Ghost`"));

        let (held, _) = client.call(REFUND, json!({ "entity_id": "one", "amount": 5, "reason": "x" })).await;
        let mut wait = held["next_step"]["arguments"].clone();
        wait["timeout_seconds"] = json!(0);
        let (waits, _) = client.call("wait_for_decision", wait).await;
        assert_eq!(waits["status"], "pending");
    });
}

#[test]
fn two_tools_of_one_name_are_told_at_the_start() {
    with_tokio(async {
        let freight = Runtime::<freight::Freight>::new(MemoryStore::new(), RolePolicy::new(), ());
        let server = Server::new(people().agent).domain(depot(0)).domain(Arc::new(freight));
        let told = server.serve(tokio::io::empty(), tokio::io::sink()).await.unwrap_err();
        assert_eq!(told, ServerError::TwoTools("SEND_PARCEL".to_owned()));
        assert!(told.to_string().contains("another name on the wire"), "{told}");
    });
}

#[test]
fn p4_two_domains_of_one_sort_of_entity_are_told_at_the_start() {
    with_tokio(async {
        let server = Server::new(people().agent).domain(depot(0)).domain(depot(0));
        let told = server.serve(tokio::io::empty(), tokio::io::sink()).await.unwrap_err();
        assert_eq!(told, ServerError::TwoDomains("Parcel".to_owned()));
        assert!(told.to_string().contains("give each sort of entity to one"), "{told}");
    });
}

#[test]
fn p7_what_has_started_is_finished_when_the_client_leaves() {
    with_tokio(async {
        let depot = depot(0);
        let parcel = Shipping::entity("one").unwrap();
        assert!(depot.ingest(&people().shop, &parcel, ParcelPacked { weight: 7 }).await.unwrap().is_allowed());
        let (here, there) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(there);
        let mut server = tokio::spawn(Server::new(people().agent).domain(Arc::clone(&depot)).serve(input, output));
        let client = ().serve(tokio::io::split(here)).await.unwrap();
        let Value::Object(send) = json!({ "kiff_entity_id": "one", "entity_id": "a", "rationale": "b" }) else {
            panic!()
        };
        let peer = client.peer().clone();
        let call = tokio::spawn(async move {
            peer.call_tool(CallToolRequestParams::new("SEND_PARCEL").with_arguments(send)).await
        });
        depot.services().seen.acquire().await.unwrap().forget();
        client.cancel().await.unwrap();
        assert!(call.await.unwrap().is_err(), "nobody hears the answer");
        let early = tokio::time::timeout(Duration::from_millis(100), &mut server).await;
        assert!(early.is_err(), "the server waits for what has started");
        depot.services().open.add_permits(1);
        server.await.unwrap().unwrap();
        assert_eq!(depot.entity(&parcel).await.unwrap().state(), Some(ParcelState::Sent));
    });
}

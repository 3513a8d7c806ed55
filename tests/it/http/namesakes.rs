//! Domains whose actions have the same name, behind one port: whoever says which is meant is understood.

use std::sync::Arc;

use kiff::http::{Api, Keys, Limits, NewKey};
use kiff::{Actor, Domain, Failure, MemoryStore, RolePolicy, Runtime, Store, action, domain};
use pollster::block_on;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::description::collect;
use super::server::{Client, Server};
use crate::observed::Heard;
use crate::shop::{self, Desk, Refund, people};

/// What is said of a flight, and of what was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    pub urgent: bool,
    pub about: Vec<Remark>,
}

domain! {
    /// Flights and what is noted of them.
    pub domain Tower governs Flight;
    roles { Pilot: agent, Radar: system }
    states { Seen, final Landed }
    events {
        FlightSeen reported by Radar;
        FlightNoted { remark: Remark };
        FlightLanded reported by Radar;
    }
    transitions {
        FlightSeen: new => Seen;
        FlightNoted: Seen => Seen;
        FlightLanded: Seen => Landed;
    }
    actions { AddNote { risk: low, by: Pilot, emits: FlightNoted }; }
    allow { Seen => [AddNote]; }
}

/// Notes what a pilot says.
#[action(Tower::AddNote)]
async fn add_note(remark: Remark) -> Result<FlightNoted, Failure> {
    Ok(FlightNoted { remark })
}

mod wards {
    use super::{Deserialize, Failure, JsonSchema, Serialize, action, domain};

    /// What is said of a patient, and of what was said.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Remark {
        pub colour: String,
        pub about: Vec<Remark>,
    }

    domain! {
        /// Patients and what is noted of them.
        pub domain Ward governs Patient;
        roles { Nurse: agent, Desk: system }
        states { Here, final Gone }
        events {
            PatientCame reported by Desk;
            PatientNoted { remark: Remark };
            PatientWent reported by Desk;
        }
        transitions {
            PatientCame: new => Here;
            PatientNoted: Here => Here;
            PatientWent: Here => Gone;
        }
        actions { AddNote { risk: low, by: Nurse, emits: PatientNoted }; }
        allow { Here => [AddNote]; }
    }

    /// Notes what a nurse says.
    #[action(Ward::AddNote)]
    async fn add_note(remark: Remark) -> Result<PatientNoted, Failure> {
        Ok(PatientNoted { remark })
    }
}

/// A tower that has seen a flight.
fn tower<S: Store>(store: S) -> Runtime<Tower, S> {
    let people = people();
    let policy = RolePolicy::new()
        .assign(people.agent.id().clone(), TowerRole::Pilot)
        .assign(people.shop.id().clone(), TowerRole::Radar);
    let tower = Runtime::new(store, policy, ());
    let flight = Tower::entity("one").unwrap();
    assert!(block_on(tower.ingest(&people.shop, &flight, FlightSeen)).unwrap().is_allowed());
    tower
}

/// A shop, a tower and a ward, each with `ADD_NOTE`, and a flight that the tower has seen.
fn three() -> Server {
    let tower = tower(MemoryStore::new());
    let ward = RolePolicy::new().assign(people().agent.id().clone(), wards::WardRole::Nurse);
    let ward: Runtime<wards::Ward> = Runtime::new(MemoryStore::new(), ward, ());
    Server::with(Limits::DEFAULT, |api: Api| api.domain(Arc::new(tower)).domain(Arc::new(ward)))
}

/// A message to a path that speaks the Model Context Protocol.
fn send(agent: &Client, path: &str, method: &str, params: &Value) -> super::server::Answer {
    let agent = agent.clone().header("accept: application/json, text/event-stream");
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    agent.header("content-type: application/json").post(path, &message.to_string())
}

#[test]
fn the_description_has_the_parameters_of_all_of_them() {
    let server = three();
    let agent = server.client(&people().agent);
    let document = agent.get("/openapi.json").expect(200);
    let execute = &document["paths"]["/entities/{id}/actions/ADD_NOTE/execute"]["post"];
    for of_one in ["Writes something down.", "Notes what a pilot says.", "Notes what a nurse says."] {
        assert!(execute["description"].as_str().unwrap().contains(of_one), "{execute:#}");
    }
    let body = &execute["requestBody"]["content"]["application/json"]["schema"];
    let parameters = body["properties"]["parameters"]["anyOf"].as_array().unwrap();
    assert_eq!(parameters.len(), 3);
    // Two types of one name are two.
    let required = |of: &str| &document["components"]["schemas"][format!("{of}.ADD_NOTE.Remark")]["required"];
    assert_eq!((required("tower"), required("ward")), (&json!(["urgent", "about"]), &json!(["colour", "about"])));
    let mut references = Vec::new();
    collect(&json!(parameters), &mut references);
    references.sort();
    let expected = ["tower", "ward"].map(|domain| format!("#/components/schemas/{domain}.ADD_NOTE.Remark"));
    assert_eq!(references, expected);
}

#[test]
fn tools_of_one_name_are_not_listed_together() {
    let server = three();
    let agent = server.client(&people().agent);
    let told =
        "two domains have an action `ADD_NOTE`: say by `entity_type` which of `Order`, `Flight`, `Patient` is meant";
    assert_eq!(agent.get("/tools/openai.json").expect(400)["error"], told);
    let tools = agent.get("/tools/openai.json?entity_type=Flight").expect(200);
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, ["ADD_NOTE"]);

    assert_eq!(send(&agent, "/mcp", "tools/list", &json!({})).expect(400)["error"], told);
    let unknown = send(&agent, "/mcp?entity_type=Ghost", "tools/list", &json!({})).expect(400);
    assert!(unknown["error"].as_str().unwrap().starts_with("no domain here governs `Ghost`"), "{unknown}");
    let listed = send(&agent, "/mcp?entity_type=Flight", "tools/list", &json!({})).expect(200);
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.iter().filter(|tool| tool["name"] == "ADD_NOTE").count(), 1);
    let note =
        json!({ "name": "ADD_NOTE", "arguments": { "entity_id": "one", "remark": { "urgent": true, "about": [] } } });
    let told = send(&agent, "/mcp?entity_type=Flight", "tools/call", &note).expect(200);
    let told = &told["result"]["structuredContent"];
    assert_eq!((&told["outcome"], &told["event"]["name"]), (&json!("executed"), &json!("FLIGHT_NOTED")), "{told}");
    // Over the API the entity says it as well.
    let note = r#"{"parameters": {"remark": {"urgent": false, "about": []}}}"#;
    let done = agent.post("/entities/one/actions/ADD_NOTE/execute", note).expect(200);
    assert_eq!(done["result"]["output"], json!({ "remark": { "urgent": false, "about": [] } }));
}

#[test]
fn p4_the_journals_of_a_store_open_nothing_that_a_domain_here_governs() {
    let store = Arc::new(MemoryStore::new());
    let orders = Arc::new(Runtime::<Refund, _>::new(Arc::clone(&store), shop::policy(), Desk::default()));
    block_on(shop::paid(&orders, "ord-1"));
    drop(tower(Arc::clone(&store)));
    for journals_come_first in [false, true] {
        let keys = Keys::in_memory();
        let key = |actor: Actor| keys.create(NewKey::new(actor)).unwrap().1;
        let (nora, mallory) = (key(people().nora), key(Actor::human("mallory").unwrap()));
        let (orders, store) = (Arc::clone(&orders), Arc::clone(&store));
        let server = Server::with(Limits::DEFAULT, move |_| {
            let api = Api::new().authenticate(keys);
            if journals_come_first {
                block_on(api.journals(store)).unwrap().domain(orders)
            } else {
                block_on(api.domain(orders).journals(store)).unwrap()
            }
        });
        let (nora, mallory) = (server.bearing(&nora), server.bearing(&mallory));
        assert_eq!(nora.get("/entities/ord-1?entity_type=Order").status, 200);
        assert_eq!(mallory.get("/entities/ord-1?entity_type=Order").status, 403);
        assert_eq!(mallory.get("/entities/ord-1").status, 404);
        // What no domain here governs is shown to whoever is let in.
        assert_eq!(mallory.get("/entities/one?entity_type=Flight").status, 200);
    }
}

#[test]
fn p9_of_two_domains_that_govern_the_same_none_is_served() {
    let heard = Heard::everything();
    let other = Arc::new(shop::open());
    let server = Server::with(Limits::DEFAULT, |api| api.domain(other));
    let told = server.client(&people().nora).get("/entities?entity_type=Order").expect(400);
    assert_eq!(told["error"], "no domain is served here");
    let told = heard.with("entity_type", "Order");
    assert!(told.iter().filter_map(|event| event.get("message")).any(|said| said.contains("give each sort to one")));
}

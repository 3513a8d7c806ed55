//! Domains whose actions have the same name, behind one port: whoever says which is meant is understood.

use std::sync::Arc;

use kiff::http::{Api, Limits};
use kiff::{Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::description::collect;
use super::server::{Client, Server};
use crate::shop::people;

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

/// A shop, a tower and a ward, each with `ADD_NOTE`, and a flight that the tower has seen.
fn three() -> Server {
    let agent = || people().agent.id().clone();
    let tower =
        RolePolicy::new().assign(agent(), TowerRole::Pilot).assign(people().shop.id().clone(), TowerRole::Radar);
    let tower: Runtime<Tower> = Runtime::new(MemoryStore::new(), tower, ());
    let flight = Tower::entity("one").unwrap();
    assert!(block_on(tower.ingest(&people().shop, &flight, FlightSeen)).unwrap().is_allowed());
    let ward = RolePolicy::new().assign(agent(), wards::WardRole::Nurse);
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

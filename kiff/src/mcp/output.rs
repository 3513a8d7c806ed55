//! What a tool answers, as a JSON Schema.

use std::iter;

use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};

use crate::schema::{Contract, EventSchema, Schema};
use crate::served::{EventShapes, Served};

use super::catalogue::{Own, object};

/// What the tool of an action answers.
pub(super) fn action(served: &dyn Served, contract: &Contract) -> JsonObject {
    let schema = served.schema();
    let outcomes = ["executed", "approval_required", "blocked", "invalid", "failed"];
    let mut properties = judged(schema, &outcomes);
    let EventShapes { fields, definitions } = served.event_shapes(&contract.emits);
    if !contract.emits.is_empty() {
        properties.insert("event".to_owned(), event(schema, contract, fields));
    }
    properties.insert("execution_id".to_owned(), said("The run, for the record."));
    let deduplicated = "It ran earlier, under the same idempotency key, and nothing ran now.";
    properties.insert("deduplicated".to_owned(), json!({ "type": "boolean", "description": deduplicated }));
    properties.insert("approval".to_owned(), approval());
    properties.insert("next_step".to_owned(), next_step());
    let mut answer = closed(&properties, &["outcome"]);
    if !definitions.is_empty() {
        answer.insert("$defs".to_owned(), definitions.into());
    }
    answer
}

/// What a tool answers that is no action.
pub(super) fn own(own: Own) -> JsonObject {
    let texts = ["outcome", "reason", "message", "remedy", "entity_id"];
    let texts = texts.map(|name| (name.to_owned(), json!({ "type": "string" })));
    let mut properties: Map<String, Value> = texts.into_iter().collect();
    let mut add = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
    let maybe_text = json!({ "type": ["string", "null"] });
    match own {
        Own::AllowedActions => {
            add("current_state", maybe_text.clone());
            add("in_progress", in_progress());
            add("actions", json!({ "type": "array", "items": allowed() }));
        }
        Own::Evaluate => {
            add("outcome", json!({ "enum": ["allowed", "approval_required", "blocked", "invalid", "failed"] }));
            add("action", json!({ "type": "string" }));
            add("current_state", maybe_text);
        }
        Own::Timeline => {
            add("current_state", maybe_text.clone());
            add("records", json!({ "type": "array", "items": { "type": "object" } }));
            add(
                "next",
                json!({ "type": ["string", "null"], "description": "There are more: ask for those `after` this." }),
            );
        }
        Own::WaitForDecision => {
            add("status", json!({ "enum": ["pending", "granted", "denied", "spent", "withdrawn", "expired"] }));
            add("action", json!({ "type": "string" }));
            add("approval", approval());
            add("next_step", next_step());
        }
    }
    closed(&properties, &[])
}

/// What is told of a proposal that was judged.
fn judged(schema: &Schema, outcomes: &[&str]) -> Map<String, Value> {
    let states: Vec<&str> = schema.states.iter().map(|state| state.name.as_ref()).collect();
    object(json!({
        "outcome": { "enum": outcomes, "description": "What became of it." },
        "action": { "type": "string" },
        "entity_id": { "type": "string" },
        "current_state": { "enum": states, "description": format!("What the {} is now.", schema.entity_type) },
        "reason": said("Why not, as a code."),
        "message": said("Why not, in a sentence."),
        "remedy": said("What would help."),
    }))
}

/// The event that the action makes happen.
fn event(schema: &Schema, contract: &Contract, fields: Vec<Vec<schemars::Schema>>) -> Value {
    let emitted = contract.emits.iter().filter_map(|name| schema.event(name));
    let events: Vec<Value> = emitted.zip(fields).map(|(event, fields)| one(event, fields)).collect();
    match <[Value; 1]>::try_from(events) {
        Ok([only]) => only,
        Err(several) => json!({ "type": "object", "anyOf": several }),
    }
}

/// One event, whose fields look like that.
fn one(event: &EventSchema, fields: Vec<schemars::Schema>) -> Value {
    // An `Event` that somebody wrote by hand has not asked its types.
    let shapes = fields.into_iter().chain(iter::repeat_with(schemars::Schema::default));
    let fields = event.fields.iter().zip(shapes).map(|(field, mut shape)| {
        let mut schema = std::mem::take(shape.ensure_object());
        if !field.documentation.is_empty() {
            schema.insert("description".to_owned(), field.documentation.as_ref().into());
        }
        (field.name.to_string(), Value::Object(schema))
    });
    let fields: Map<_, _> = fields.collect();
    let payload = json!({ "type": "object", "description": event.documentation, "properties": fields });
    json!({ "type": "object", "properties": { "name": { "const": event.name }, "payload": payload }, "required": ["name"] })
}

fn approval() -> Value {
    let approver = json!({
        "type": "object",
        "properties": { "role": { "type": "string" }, "kind": { "type": "string" } },
        "required": ["role", "kind"],
    });
    json!({
        "type": "object",
        "description": "The human sign-off that is awaited, or was given, denied or withdrawn.",
        "properties": {
            "id": { "type": "string" },
            "status": { "enum": ["pending", "granted", "denied", "spent", "withdrawn", "expired"] },
            "contract_changed": { "type": "boolean", "description": "Its contract has changed, so that nothing can come of it: ask again." },
            "approvers": { "type": "array", "items": approver, "description": "Who may sign it off." },
            "requested_by": { "type": "string" },
            "requested_at": { "type": "string" },
            "expires_at": { "type": "string" },
            "reviewed_by": { "type": "string" },
            "reviewed_at": { "type": "string" },
            "review_reason": { "type": "string" },
        },
        "required": ["id", "status", "approvers", "expires_at"],
    })
}

fn allowed() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "description": { "type": "string" },
            "risk": { "type": "string" },
            "permitted": { "type": "boolean", "description": "Whether you may run it; false also where that could not be decided." },
            "needs_approval": { "type": "boolean", "description": "Whether a human has to sign it off." },
            "required_parameters": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["name", "description", "risk", "permitted", "needs_approval", "required_parameters"],
    })
}

fn in_progress() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "The action that runs, or is in doubt. Until it has ended, none of the others is done.",
        "properties": {
            "action": { "type": "string" },
            "execution_id": { "type": "string" },
            "since": { "type": "string" },
            "unknown": { "type": "boolean", "description": "The executor itself did not know what happened." },
        },
        "required": ["action", "execution_id", "since", "unknown"],
    })
}

fn next_step() -> Value {
    json!({
        "type": "object",
        "description": "The call that leads on.",
        "properties": { "tool": { "type": "string" }, "arguments": { "type": "object" } },
        "required": ["tool", "arguments"],
    })
}

fn said(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn closed(properties: &Map<String, Value>, required: &[&str]) -> JsonObject {
    object(json!({ "type": "object", "properties": properties, "required": required }))
}

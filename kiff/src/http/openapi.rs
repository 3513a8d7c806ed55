//! The `OpenAPI` document: the routes that every face has, and each action of its domains with its own parameters.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::tool::Dialect;

use super::{Parts, percent};

/// The routes that every face has, and what all of them refer to.
const BASE: &str = include_str!("openapi/base.json");

/// What every route that is not open to all can answer beside what it is for.
const PROBLEMS: [&str; 5] = ["400", "401", "429", "503", "504"];

/// The document, and none where a domain's actions cannot be described, which the log then says.
pub(super) fn document(parts: &Parts) -> Option<Value> {
    let written = base().and_then(|mut document| {
        let mut actions: BTreeMap<String, Action> = BTreeMap::new();
        for served in &parts.domains {
            let tools = served.described(Dialect::Mcp);
            let Value::Array(tools) = serde_json::to_value(tools).map_err(|error| error.to_string())? else {
                continue;
            };
            for tool in tools {
                learn(&mut document, &mut actions, &served.schema().domain, tool);
            }
        }
        for (name, action) in actions {
            describe(&mut document, &name, action);
        }
        Ok(document)
    });
    match written {
        Ok(mut document) => {
            let operations = document.pointer_mut("/paths").and_then(Value::as_object_mut);
            operations.into_iter().flat_map(Map::values_mut).for_each(add_problems);
            Some(document)
        }
        Err(error) => {
            tracing::error!(target: "kiff::http", %error, "there is no OpenAPI document");
            None
        }
    }
}

/// What the domains say of the action of one name: each its own, and nearly always there is one.
#[derive(Default)]
struct Action {
    descriptions: Vec<String>,
    parameters: Vec<Value>,
}

/// The routes that every face has, but for one that it has only with the feature `proof`.
fn base() -> Result<Value, String> {
    let mut document: Value = serde_json::from_str(BASE).map_err(|error| error.to_string())?;
    if !cfg!(feature = "proof")
        && let Some(paths) = document.pointer_mut("/paths").and_then(Value::as_object_mut)
    {
        paths.remove("/entities/{id}/receipt");
    }
    Ok(document)
}

/// Says of every operation of a path what it answers when it is not done: what all do, and its own `problems`.
fn add_problems(path: &mut Value) {
    let operations = path.as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in operations.filter_map(Value::as_object_mut) {
        let own = operation.remove("problems");
        let own = own.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        let is_open = operation.contains_key("security");
        let all = PROBLEMS.into_iter().filter(|_| !is_open);
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            for status in own.chain(all) {
                responses.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
            }
        }
    }
}

/// Takes in an action of a domain, which is described as a tool of the Model Context Protocol. The definitions that its parameters
/// refer to become those of the document.
fn learn(document: &mut Value, actions: &mut BTreeMap<String, Action>, domain: &str, mut tool: Value) {
    let Some(name) = tool.get("name").and_then(Value::as_str).map(str::to_owned) else { return };
    let mut parameters = tool.get_mut("inputSchema").map(Value::take).unwrap_or_default();
    let definitions = parameters.as_object_mut().and_then(|schema| schema.remove("$defs"));
    let place = format!("{}.{}", component(domain), component(&name));
    refer(&mut parameters, &place);
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    if let (Some(schemas), Some(Value::Object(definitions))) = (schemas, definitions) {
        for (definition, mut schema) in definitions {
            refer(&mut schema, &place);
            schemas.insert(format!("{place}.{}", component(&definition)), schema);
        }
    }
    let description = tool.get("description").and_then(Value::as_str).unwrap_or_default();
    let action = actions.entry(name).or_default();
    action.descriptions.push(description.to_owned());
    action.parameters.push(parameters);
}

/// The routes of an action.
fn describe(document: &mut Value, name: &str, Action { descriptions, parameters }: Action) {
    let description = descriptions.join("\n\n");
    let are_needed = parameters.iter().all(needs_members);
    let parameters = match <[Value; 1]>::try_from(parameters) {
        Ok([only]) => only,
        Err(several) => json!({ "anyOf": several }),
    };
    let Some(paths) = document.pointer_mut("/paths").and_then(Value::as_object_mut) else { return };
    let routes = [
        ("validate", "200", "Allowed", "Whether it may run now, with the answer on the record"),
        ("evaluate", "200", "Allowed", "Whether it may run now, without a record"),
        ("execute", "200", "Executed", "Run it, if it may"),
        ("approvals", "201", "Approval", "Ask for a human's sign-off of exactly this"),
    ];
    for (route, status, answer, summary) in routes {
        let needed = [are_needed.then_some("parameters"), (route == "approvals").then_some("approval_id")];
        let needed: Vec<_> = needed.into_iter().flatten().collect();
        // What has started and could not be recorded is told as well, so that somebody settles it.
        let broken = (route == "execute").then_some("500");
        let problems: Vec<_> = ["403", "404", "409", "413", "422"].into_iter().chain(broken).collect();
        let operation = json!({
            "summary": format!("{name}: {summary}"),
            "description": description,
            "tags": [name],
            "problems": problems,
            "parameters": (["id", "idempotency_key", "traceparent"])
                .map(|parameter| json!({ "$ref": format!("#/components/parameters/{parameter}") })),
            "requestBody": {
                "required": !needed.is_empty(),
                "content": { "application/json": { "schema": body(&parameters, &needed) } },
            },
            "responses": { status: { "$ref": format!("#/components/responses/{answer}") } },
        });
        let name = percent::encoded(name);
        paths.insert(format!("/entities/{{id}}/actions/{name}/{route}"), json!({ "post": operation }));
    }
}

/// Whether an object of that schema has to have members.
fn needs_members(schema: &Value) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty())
}

/// What the routes of an action take.
fn body(parameters: &Value, needed: &[&str]) -> Value {
    let text = json!({ "type": "string" });
    let identifier = json!({ "$ref": "#/components/schemas/Identifier" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": needed,
        "properties": {
            "entity_type": text,
            "actor": { "$ref": "#/components/schemas/Actor" },
            "parameters": parameters,
            "approval_id": identifier,
            "reason": text,
            "confidence": { "type": "number", "minimum": 0, "maximum": 1 },
            "evidence": { "type": "array", "items": { "$ref": "#/components/schemas/Evidence" } },
            "idempotency_key": identifier,
        },
    })
}

/// A part of the name of a component, which may have fewer letters than the names of kiff and no dot of its own.
fn component(part: &str) -> String {
    part.bytes().fold(String::with_capacity(part.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "-{byte:02X}")),
        }
        out
    })
}

/// The name of the definition that a reference says, which is encoded there twice: for an address, and within it for a pointer.
fn named(reference: &str) -> String {
    let pointer = percent::decoded(reference).unwrap_or_else(|| reference.to_owned());
    pointer.replace("~1", "/").replace("~0", "~")
}

/// Makes references to a schema's own definitions lead to where they are now: below `place`.
fn refer(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        if let Some(definition) = target.strip_prefix("#/$defs/") {
                            *target = format!("#/components/schemas/{place}.{}", component(&named(definition)));
                        }
                    }
                    _ => refer(member, place),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, place)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::*;

    #[test]
    fn the_stream_takes_every_kind_of_record() {
        let document = base().unwrap();
        let parameters = document["paths"]["/events"]["get"]["parameters"].as_array().unwrap();
        let kind = parameters.iter().find(|parameter| parameter["name"] == "kind").unwrap();
        assert_eq!(kind["schema"]["enum"], json!(Kind::names().collect::<Vec<_>>()));
    }

    #[test]
    fn receipts_are_described_where_there_is_a_route_to_them() {
        let described = base().unwrap()["paths"].get("/entities/{id}/receipt").is_some();
        assert_eq!(described, cfg!(feature = "proof"));
    }

    #[test]
    fn the_name_of_a_component_is_one_and_of_no_other_parts() {
        let parts = ["ADD_NOTE", "a.b", "a-2Eb", "a", "b", "é", "acme:payables", "a/b", ""];
        let mut names: Vec<_> = parts.into_iter().map(component).collect();
        assert_eq!(names.first().map(String::as_str), Some("ADD_NOTE"));
        for name in &names {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{name}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), parts.len());
    }

    #[test]
    fn a_reference_leads_to_its_definition_whatever_that_is_called() {
        let mut schema = json!({ "items": { "$ref": "#/$defs/a~1b%20~0%C3%A9" } });
        refer(&mut schema, "tower.ADD_NOTE");
        let expected = format!("#/components/schemas/tower.ADD_NOTE.{}", component("a/b ~é"));
        assert_eq!(schema, json!({ "items": { "$ref": expected } }));
    }
}

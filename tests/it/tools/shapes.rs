//! What each kind of agent expects of a tool, written by hand from its documentation as a JSON Schema.

use kiff::Dialect;
use serde_json::{Value, json};

/// The schema of one tool.
pub(super) fn tool(dialect: Dialect) -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$" });
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 1024 });
    let parameters = parameters_schema();
    match dialect {
        Dialect::OpenAi => object(&json!({
            "type": { "const": "function" },
            "function": object(&json!({
                "name": name, "description": text, "parameters": parameters, "strict": { "type": "boolean" }
            })),
        })),
        // Without `strict` it is taken for strict.
        Dialect::OpenAiResponses => object(&json!({
            "type": { "const": "function" },
            "name": name, "description": text, "parameters": parameters, "strict": { "const": false },
        })),
        Dialect::Anthropic => object(&json!({ "name": name, "description": text, "input_schema": parameters })),
        Dialect::Mcp => {
            let hint = json!({ "type": "boolean" });
            object(&json!({
                "name": name, "title": text, "description": text, "inputSchema": parameters,
                "annotations": object(&json!({
                    "readOnlyHint": hint, "destructiveHint": hint, "idempotentHint": hint, "openWorldHint": hint
                })),
            }))
        }
        other => panic!("nobody has written down what `{other}` expects"),
    }
}

/// The schema of a schema of parameters: an object that says of each property what it is, and knows no others.
fn parameters_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": { "const": "object" },
            "properties": { "type": "object", "additionalProperties": { "type": "object" } },
            "required": { "type": "array", "items": { "type": "string" }, "uniqueItems": true },
            "additionalProperties": { "const": false },
            "$defs": { "type": "object" },
        },
        "required": ["type", "properties", "required", "additionalProperties"],
        "additionalProperties": false,
    })
}

/// An object with exactly these members.
fn object(properties: &Value) -> Value {
    let names: Vec<_> = properties.as_object().unwrap().keys().collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// Where the schema of the parameters stands in a tool.
pub(super) fn parameters(dialect: Dialect, tool: &Value) -> &Value {
    match dialect {
        Dialect::OpenAi => &tool["function"]["parameters"],
        Dialect::OpenAiResponses => &tool["parameters"],
        Dialect::Anthropic => &tool["input_schema"],
        _ => &tool["inputSchema"],
    }
}

//! A parameter's rules as keywords of JSON Schema, beside what its type has already said.

use serde_json::{Map, Value};

use super::pattern;
use crate::schema::Rule;

/// Adds a rule to the schema of a parameter.
pub(super) fn add(rule: &Rule, schema: &mut Map<String, Value>) {
    match rule {
        Rule::Range { min, max } => {
            least(schema, "minimum", min.map(Value::from));
            most(schema, "maximum", max.map(Value::from));
        }
        Rule::Length { min, max } => {
            // A keyword for texts says nothing of lists, and the other way round: both fit a type that can be either.
            for (kind, shortest, longest) in [("string", "minLength", "maxLength"), ("array", "minItems", "maxItems")] {
                if can_be(schema, kind) {
                    least(schema, shortest, min.map(Value::from));
                    most(schema, longest, max.map(Value::from));
                }
            }
        }
        Rule::Pattern { pattern } => {
            if let Some(pattern) = pattern::anchored(pattern) {
                put(schema, "pattern", pattern.into(), |_, _| false);
            }
        }
        Rule::Float { .. } => {}
    }
}

/// Whether the schema has no type, or this one among others.
fn can_be(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(|own| own == kind),
        Some(own) => own == kind,
    }
}

fn least(schema: &mut Map<String, Value>, keyword: &str, limit: Option<Value>) {
    if let Some(limit) = limit {
        put(schema, keyword, limit, |own, given| own > given);
    }
}

fn most(schema: &mut Map<String, Value>, keyword: &str, limit: Option<Value>) {
    if let Some(limit) = limit {
        put(schema, keyword, limit, |own, given| own < given);
    }
}

/// Adds a demand. Where the type has made one by the same keyword, the tighter one is kept, or else both are.
fn put(schema: &mut Map<String, Value>, keyword: &str, own: Value, is_tighter: fn(i128, i128) -> bool) {
    let whole = |value: &Value| value.as_number().and_then(serde_json::Number::as_i128);
    match schema.get(keyword).map(|given| (whole(&own), whole(given), *given == own)) {
        None => {
            schema.insert(keyword.to_owned(), own);
        }
        Some((_, _, true)) => {}
        Some((Some(number), Some(given), _)) => {
            if is_tighter(number, given) {
                schema.insert(keyword.to_owned(), own);
            }
        }
        Some(_) => {
            let others = schema.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(others) = others {
                others.push(Value::Object(Map::from_iter([(keyword.to_owned(), own)])));
            }
        }
    }
}

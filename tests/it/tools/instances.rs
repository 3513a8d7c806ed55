//! Instances of a schema as tools have it, and the same with one fault each.

use std::collections::BTreeMap;

use kiff::ReasonCode;
use kiff_test::proptest::collection::vec;
use kiff_test::proptest::option;
use kiff_test::proptest::prelude::{Just, Strategy, any};
use kiff_test::proptest::sample::select;
use kiff_test::proptest::strategy::{BoxedStrategy, Union};
use kiff_test::proptest::string::string_regex;
use serde_json::{Map, Value, json};

/// How deep a type that contains itself is followed.
const DEPTH: usize = 3;

/// Everything that the schema accepts, more or less.
pub(super) fn of(schema: &Value) -> BoxedStrategy<Value> {
    instance(schema, schema, 0)
}

fn instance(schema: &Value, root: &Value, depth: usize) -> BoxedStrategy<Value> {
    if let Some(definition) = referred(schema, root) {
        return instance(definition, root, depth + 1);
    }
    if let Some(only) = schema.get("const") {
        return Just(only.clone()).boxed();
    }
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).boxed();
    }
    if let Some(choices) = choices(schema) {
        return Union::new(choices.iter().map(|choice| instance(choice, root, depth))).boxed();
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => vec![json!("string"), json!("boolean"), json!("null"), json!("integer")],
        kind => vec![kind.clone()],
    };
    Union::new(kinds.iter().map(|kind| of_kind(kind.as_str().unwrap(), schema, root, depth))).boxed()
}

fn of_kind(kind: &str, schema: &Value, root: &Value, depth: usize) -> BoxedStrategy<Value> {
    match kind {
        "integer" => {
            let (min, max) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
            let whole = min.unwrap_or(-1_000)..=max.unwrap_or(1_000);
            let written = |(whole, is_float)| if is_float { as_float(whole) } else { Value::from(whole) };
            (whole, any::<bool>()).prop_map(written).boxed()
        }
        "number" => {
            let (min, max) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
            (min.unwrap_or(-1e9)..=max.unwrap_or(1e9)).prop_map(Value::from).boxed()
        }
        "string" => text(schema),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "null" => Just(Value::Null).boxed(),
        "array" => {
            let most = if depth < DEPTH { limit(schema, "maxItems", 3) } else { 0 };
            vec(instance_below(&schema["items"], root, depth), limit(schema, "minItems", 0)..=most)
                .prop_map(Value::from)
                .boxed()
        }
        "object" => object(schema, root, depth),
        other => panic!("no instance of the type `{other}`"),
    }
}

/// The integer as a program writes it that has floats alone: `4900.0`.
#[expect(clippy::cast_precision_loss, reason = "kiff takes no integer that a float does not hold")]
fn as_float(whole: i64) -> Value {
    Value::from(whole as f64)
}

/// The items of a list; none where a list must end because its items are too deep.
fn instance_below(schema: &Value, root: &Value, depth: usize) -> BoxedStrategy<Value> {
    if depth < DEPTH { instance(schema, root, depth) } else { Just(Value::Null).boxed() }
}

fn text(schema: &Value) -> BoxedStrategy<Value> {
    if schema["format"] == "date" {
        return Just(json!("2027-03-01")).boxed();
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        return string_regex(pattern).unwrap().prop_map(Value::from).boxed();
    }
    let letters = if schema["description"].as_str().is_some_and(|text| text.contains("regular expression")) {
        vec!['a', 'Z'] // what the only such pattern of these tests accepts
    } else {
        vec!['a', 'Z', '7', ' ', '"', '\\', '\n', 'é', '漢', '🦀']
    };
    let least = limit(schema, "minLength", 1);
    vec(select(letters), least..=limit(schema, "maxLength", least + 20))
        .prop_map(|letters| Value::from(letters.into_iter().collect::<String>()))
        .boxed()
}

fn object(schema: &Value, root: &Value, depth: usize) -> BoxedStrategy<Value> {
    let empty = Map::new();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let members = properties.iter().fold(Just(BTreeMap::new()).boxed(), |members, (name, property)| {
        let value = instance(property, root, depth);
        let value =
            if required.contains(&json!(name)) { value.prop_map(Some).boxed() } else { option::of(value).boxed() };
        let name = name.clone();
        let add = move |(mut members, value): (BTreeMap<String, Value>, Option<Value>)| {
            members.extend(value.map(|value| (name.clone(), value)));
            members
        };
        (members, value).prop_map(add).boxed()
    });
    members.prop_map(|members| Value::Object(members.into_iter().collect())).boxed()
}

fn limit(schema: &Value, keyword: &str, otherwise: usize) -> usize {
    schema[keyword].as_u64().map_or(otherwise, |limit| usize::try_from(limit).unwrap())
}

fn referred<'a>(schema: &Value, root: &'a Value) -> Option<&'a Value> {
    root.pointer(schema["$ref"].as_str()?.trim_start_matches('#'))
}

fn choices(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())
}

/// An instance with one fault.
pub(super) struct Mutant {
    pub(super) what: String,
    pub(super) instance: Value,
    pub(super) code: ReasonCode,
}

/// The instance with each fault that the schema knows.
pub(super) fn mutants(schema: &Value, instance: &Value) -> Vec<Mutant> {
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut members = instance.as_object().unwrap().clone();
        change(&mut members);
        Value::Object(members)
    };
    let mut mutants = vec![Mutant {
        what: "one too many".to_owned(),
        instance: with(&|members| drop(members.insert("invented".to_owned(), json!(1)))),
        code: ReasonCode::InvalidParameter,
    }];
    for name in schema["required"].as_array().unwrap() {
        mutants.push(Mutant {
            what: format!("{name} is missing"),
            instance: with(&|members| drop(members.remove(name.as_str().unwrap()))),
            code: ReasonCode::MissingParameter,
        });
    }
    for (name, property) in schema["properties"].as_object().unwrap() {
        for value in faulty(property, schema) {
            mutants.push(Mutant {
                what: format!("{name} is {value}"),
                instance: with(&|members| drop(members.insert(name.clone(), value.clone()))),
                code: ReasonCode::InvalidParameter,
            });
        }
    }
    mutants
}

/// Values that a property cannot have: of another type, or just over each limit.
fn faulty(schema: &Value, root: &Value) -> Vec<Value> {
    let schema = referred(schema, root).unwrap_or(schema);
    if schema["enum"].is_array() || choices(schema).is_some() {
        return vec![json!("no such thing"), json!(true)];
    }
    let kinds = schema["type"].as_array().map_or_else(|| vec![schema["type"].clone()], Clone::clone);
    let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
    let mut faulty = match kind {
        Some("integer") => vec![json!("1"), json!(1.5), json!([])],
        Some("number") => vec![json!("1"), json!(true)],
        Some("string") => vec![json!(1), json!(["a"])],
        Some("boolean") => vec![json!("yes"), json!(0)],
        Some("array") => vec![json!("a"), json!({})],
        Some("object") => vec![json!("a"), json!(1)],
        _ => Vec::new(),
    };
    if kind.is_some() && !kinds.contains(&json!("null")) {
        faulty.push(Value::Null);
    }
    if kind == Some("integer") && schema["maximum"].is_i64() {
        faulty.push(json!(schema["minimum"].as_i64().unwrap() - 1));
        faulty.push(json!(schema["maximum"].as_i64().unwrap() + 1));
    }
    if let (Some(min), Some(max)) = (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        faulty.extend([json!(min - 1.5), json!(max + 1.5)]);
    }
    if let Some(least @ 1..) = schema["minLength"].as_u64() {
        faulty.push(json!("é".repeat(usize::try_from(least).unwrap() - 1)));
    }
    if schema["maxLength"].is_u64() {
        faulty.push(json!("é".repeat(limit(schema, "maxLength", 0) + 1)));
    }
    if schema["pattern"].is_string() {
        faulty.extend([json!(""), json!("~"), json!("x pay-1"), json!("untitled ")]);
    }
    if schema["minItems"].is_u64() {
        faulty.push(json!(vec!["a"; limit(schema, "minItems", 0) - 1]));
        faulty.push(json!(vec!["a"; limit(schema, "maxItems", 0) + 1]));
    }
    faulty
}

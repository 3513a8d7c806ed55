//! What a tool takes, as a JSON Schema whose properties keep the order of the signature.

use std::borrow::Cow;
use std::iter;

use schemars::Schema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{description, pattern, rule};
use crate::probe::Shapes;
use crate::schema::{Parameter, Rule};

/// The schema of an object.
///
/// It is no `Value`, because that would sort the properties by name, and some agents write arguments in the order in which
/// they read the properties: a reason before an amount is not the same as one after it. Only the server of the Model Context
/// Protocol sorts them, because its library keeps a schema as a `Value`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Input {
    properties: Vec<(Cow<'static, str>, Value)>,
    required: Vec<Cow<'static, str>>,
    definitions: Map<String, Value>,
}

impl Input {
    /// The schema of these parameters, whose types look like that.
    pub(super) fn new(parameters: &'static [Parameter], shapes: Shapes) -> Self {
        let (shapes, definitions) = shapes.into_parts();
        // An `Action` that somebody wrote by hand has not asked its types.
        let shapes = shapes.into_iter().chain(iter::repeat_with(Schema::default));
        let properties = parameters.iter().zip(shapes);
        let required = parameters.iter().filter(|parameter| !parameter.optional);
        Self {
            properties: properties
                .map(|(own, shape)| (Cow::Borrowed(own.name.as_ref()), property(own, shape)))
                .collect(),
            required: required.map(|parameter| Cow::Borrowed(parameter.name.as_ref())).collect(),
            definitions,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|(own, _)| own == name)
    }

    pub(super) fn require_first(&mut self, name: String, schema: Value) {
        self.properties.insert(0, (Cow::Owned(name.clone()), schema));
        self.required.insert(0, Cow::Owned(name));
    }
}

fn property(parameter: &Parameter, mut shape: Schema) -> Value {
    let mut schema = std::mem::take(shape.ensure_object());
    let mut texts = vec![parameter.documentation.to_string()];
    if let Some(Value::String(text)) = schema.remove("description") {
        texts.push(text);
    }
    for demanded in parameter.rules.iter() {
        rule::add(demanded, &mut schema);
        if let Rule::Pattern { pattern } = demanded
            && pattern::anchored(pattern).is_none()
        {
            texts.push(format!("Must match the regular expression `{pattern}` as a whole."));
        }
    }
    if parameter.optional {
        allow_null(&mut schema);
    }
    let description = description::joined(&texts);
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.into());
    }
    Value::Object(schema)
}

/// Says that a value may be `null`, as the gate takes it of what may be left out.
fn allow_null(schema: &mut Map<String, Value>) {
    /// What can refuse `null` whatever the types are.
    const CHOOSING: [&str; 8] = ["$ref", "allOf", "anyOf", "const", "enum", "if", "not", "oneOf"];
    if CHOOSING.into_iter().any(|keyword| schema.contains_key(keyword)) {
        let given = Value::Object(std::mem::take(schema));
        schema.insert("anyOf".to_owned(), json!([given, { "type": "null" }]));
        return;
    }
    let null = Value::from("null");
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) if !kinds.contains(&null) => kinds.push(null),
        Some(kind) if kind.is_string() && *kind != null => *kind = Value::from(vec![kind.take(), null]),
        // It may be `null` already, or anything.
        _ => {}
    }
}

impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "object")?;
        object.serialize_entry("properties", &Ordered(&self.properties))?;
        object.serialize_entry("required", &self.required)?;
        object.serialize_entry("additionalProperties", &false)?;
        if !self.definitions.is_empty() {
            object.serialize_entry("$defs", &self.definitions)?;
        }
        object.end()
    }
}

/// The members of an object in their order.
struct Ordered<'a>(&'a [(Cow<'static, str>, Value)]);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, schema)| (name, schema)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_left_out_may_be_null_whatever_its_form() {
        let choice = json!({ "type": "string", "enum": ["a", "b"] });
        let reference = json!({ "$ref": "#/$defs/Part" });
        for (given, expected) in [
            (json!({ "type": "string", "minLength": 1 }), json!({ "type": ["string", "null"], "minLength": 1 })),
            (json!({ "type": ["integer", "string"] }), json!({ "type": ["integer", "string", "null"] })),
            (json!({ "type": ["string", "null"] }), json!({ "type": ["string", "null"] })),
            (json!({ "type": "null" }), json!({ "type": "null" })),
            (json!({}), json!({})),
            (choice.clone(), json!({ "anyOf": [choice, { "type": "null" }] })),
            (reference.clone(), json!({ "anyOf": [reference, { "type": "null" }] })),
        ] {
            let Value::Object(mut schema) = given else { panic!("it is an object") };
            allow_null(&mut schema);
            assert_eq!(Value::Object(schema), expected);
        }
    }
}

//! With the feature `tools` the types' JSON Schemas are collected.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::json::LARGEST_INTEGER;
use crate::money::Cents;
use crate::probe::Probe;

/// Where the types of an action's parameters or an event's fields say what they look like, one after the other.
#[derive(Debug)]
pub struct Shapes {
    generator: SchemaGenerator,
    found: Vec<Schema>,
}

impl Shapes {
    /// Nothing has been said yet.
    pub(crate) fn new() -> Self {
        // Agents read a schema from top to bottom: only a type that contains itself is worth a reference.
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let settings = settings.with_transform(RecursiveTransform(number));
        Self { generator: settings.into_generator(), found: Vec::new() }
    }

    /// One schema for each type in the order of the parameters, and the definitions that these refer to under `#/$defs`.
    pub(crate) fn into_parts(mut self) -> (Vec<Schema>, Map<String, Value>) {
        let definitions = self.generator.take_definitions(true);
        (self.found, definitions)
    }

    /// What has been said since this was asked last.
    #[cfg(feature = "mcp")]
    pub(crate) fn take(&mut self) -> Vec<Schema> {
        std::mem::take(&mut self.found)
    }

    pub(in crate::probe) fn anything(&mut self) {
        self.found.push(Schema::default());
    }
}

impl<T: JsonSchema> Probe<T> {
    /// Says what the type looks like.
    pub fn shape(&self, shapes: &mut Shapes) {
        let mut schema = shapes.generator.subschema_for::<T>();
        RecursiveTransform(number).transform(&mut schema);
        shapes.found.push(schema);
    }
}

/// Puts limits in the place of the names that Rust has for its numbers, which say nothing to an agent.
fn number(schema: &mut Schema) {
    // Beyond this, kiff accepts no number, because many readers of JSON would round it.
    let largest = LARGEST_INTEGER.cast_signed();
    let limits = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
        Some("uint32") => Some((0, u32::MAX.into())),
        Some("int64" | "int128" | "int" | "float" | "double") => Some((-largest, largest)),
        Some("uint64" | "uint128" | "uint") => Some((0, largest)),
        Some("int8" | "int16" | "uint8" | "uint16") => None,
        _ => return,
    };
    schema.remove("format");
    if let Some((min, max)) = limits {
        let schema = schema.ensure_object();
        schema.entry("minimum").or_insert_with(|| min.into());
        schema.entry("maximum").or_insert_with(|| max.into());
    }
}

impl JsonSchema for Cents {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Cents")
    }

    fn schema_id() -> Cow<'static, str> {
        Cow::Borrowed("kiff::Cents")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "format": "int64",
            "description": "An amount in the currency's minor unit: 999 is 9.99."
        })
    }
}

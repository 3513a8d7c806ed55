//! The JSON of payloads and parameters: valid by its schema, or with one known fault.

use std::fmt;

use kiff::{Contract, EventSchema, ReasonCode, Rule};
use proptest::prelude::{Just, Strategy};
use proptest::strategy::{BoxedStrategy, Union};
use serde_json::{Map, Value, json};

use super::value::{breaking, is_option, valid, wrong};
use super::{Reads, Values};

/// A field of an event or a parameter of an action, for which values are needed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Field<'a> {
    /// The wire name of the event or of the action.
    pub owner: &'a str,
    /// The name of the field.
    pub name: &'a str,
    /// Its type as it is written in the source.
    pub type_name: &'a str,
    /// What its value must fulfil.
    pub rules: &'a [Rule],
    /// Whether it may be left out.
    pub optional: bool,
}

/// The JSON text of an object, and what is wrong with it by the schema.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) fault: Option<ReasonCode>,
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.fault {
            Some(fault) => write!(f, " ({fault})"),
            None => Ok(()),
        }
    }
}

pub(super) fn fields_of_event(event: &EventSchema) -> Vec<Field<'_>> {
    let fields = event.fields.iter();
    fields
        .map(|schema| Field {
            owner: &event.name,
            name: &schema.name,
            type_name: &schema.type_name,
            rules: &[],
            optional: is_option(&schema.type_name),
        })
        .collect()
}

pub(super) fn fields_of_action(contract: &Contract) -> Vec<Field<'_>> {
    let parameters = contract.parameters.iter();
    parameters
        .map(|parameter| Field {
            owner: &contract.name,
            name: &parameter.name,
            type_name: &parameter.type_name,
            rules: &parameter.rules,
            optional: parameter.optional,
        })
        .collect()
}

/// Objects that hold to the schema.
pub(super) fn sound(fields: &[Field<'_>], values: &Values) -> BoxedStrategy<Draft> {
    members(fields, values).prop_map(|members| draft(&Value::Object(members), None)).boxed()
}

fn draft(value: &Value, fault: Option<ReasonCode>) -> Draft {
    Draft { text: value.to_string(), fault }
}

fn members(fields: &[Field<'_>], values: &Values) -> BoxedStrategy<Map<String, Value>> {
    let members: Vec<_> = fields.iter().map(|field| member(field, values)).collect();
    members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

fn member(field: &Field<'_>, values: &Values) -> BoxedStrategy<Option<(String, Value)>> {
    let name = field.name.to_owned();
    let there = values(field).unwrap_or_else(|| valid(field));
    let there = there.prop_map(move |value| Some((name.clone(), value))).boxed();
    if field.optional { Union::new([Just(None).boxed(), there]).boxed() } else { there }
}

/// One way to spoil an object.
#[derive(Debug, Clone)]
enum Spoil {
    LeaveOut(String, ReasonCode),
    Set(String, Value),
    Whole(&'static str),
}

/// Payloads of an event that its `Deserialize` refuses; none when the kit knows none.
///
/// Which fields have a default by `#[serde(default)]` is not in the schema: a payload without them is sound where the event
/// `reads` it.
pub(super) fn spoiled_event(
    event: &EventSchema,
    fields: &[Field<'_>],
    values: &Values,
    reads: Reads,
) -> Option<BoxedStrategy<Draft>> {
    let mut spoils = Vec::new();
    for field in fields {
        let name = || field.name.to_owned();
        if !field.optional {
            spoils.push(Spoil::LeaveOut(name(), ReasonCode::InvalidParameter));
        }
        spoils.extend(wrong(field).map(|value| Spoil::Set(name(), value)));
    }
    let event = event.name.clone();
    spoil(fields, values, spoils, move |payload| reads(&event, payload))
}

/// Parameters that break their rules.
pub(super) fn spoiled_action(fields: &[Field<'_>], values: &Values) -> Option<BoxedStrategy<Draft>> {
    let mut spoils = vec![
        Spoil::Set("no_such_parameter".to_owned(), json!(1)),
        Spoil::Whole("[]"),
        Spoil::Whole("{"),
        Spoil::Whole(r#"{"": 1, "": 2}"#),
    ];
    for field in fields {
        let name = || field.name.to_owned();
        if !field.optional {
            spoils.push(Spoil::LeaveOut(name(), ReasonCode::MissingParameter));
        }
        spoils.extend(wrong(field).map(|value| Spoil::Set(name(), value)));
        spoils.extend(breaking(field).into_iter().map(|value| Spoil::Set(name(), value)));
    }
    spoil(fields, values, spoils, |_| false)
}

fn spoil(
    fields: &[Field<'_>],
    values: &Values,
    spoils: Vec<Spoil>,
    is_whole: impl Fn(&str) -> bool + 'static,
) -> Option<BoxedStrategy<Draft>> {
    if spoils.is_empty() {
        return None;
    }
    let spoiled =
        (members(fields, values), proptest::sample::select(spoils)).prop_map(move |(mut members, spoil)| match spoil {
            Spoil::LeaveOut(name, fault) => {
                members.remove(&name);
                let left = draft(&Value::Object(members), Some(fault));
                if is_whole(&left.text) { Draft { fault: None, ..left } } else { left }
            }
            Spoil::Set(name, value) => {
                members.insert(name, value);
                draft(&Value::Object(members), Some(ReasonCode::InvalidParameter))
            }
            Spoil::Whole(text) => Draft { text: text.to_owned(), fault: Some(ReasonCode::InvalidParameter) },
        });
    Some(spoiled.boxed())
}

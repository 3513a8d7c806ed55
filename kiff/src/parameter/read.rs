//! Parameters as they are read: each from JSON, whatever is wrong with the others.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Checks, ParameterFault};
use crate::json::{self, Excerpt, Json, Object, in_words, visible};
use crate::schema::Parameter;

/// The members of a JSON object of parameters, taken out one by one.
#[derive(Debug)]
pub struct Fields<'a> {
    /// None where there is no object.
    members: Option<Object<'a>>,
    checks: Checks,
}

impl<'a> Fields<'a> {
    /// Reads an object whose members are all in `known`.
    ///
    /// It is at fault when the text is over a bound, no object, readable in two ways, or when it holds a member that is not
    /// known: an agent that invents a parameter must not believe that it was heard.
    #[must_use]
    pub fn read(text: &'a Json, known: &[Parameter]) -> Self {
        let mut fields = Self::recorded(text);
        let is_known = |name: &str| known.iter().any(|parameter| parameter.name == *name);
        for (name, _) in fields.members.iter().flat_map(|members| &members.0) {
            if !is_known(name) {
                fields.checks.add(ParameterFault::Unknown(Excerpt(name).to_string()));
            }
        }
        fields
    }

    /// Reads an object of parameters that were recorded, for whoever takes some of them: what else there is is no fault.
    #[must_use]
    pub fn recorded(text: &'a Json) -> Self {
        let mut checks = Checks::default();
        let members = text.members().ok();
        if members.is_none() {
            checks.add(ParameterFault::Unreadable("they are not a JSON object".to_owned()));
        }
        Self { members, checks }
    }

    /// What holds those that were read to their rules, so that all that is wrong is told at once; none where nothing is wrong yet.
    pub fn checks(&mut self) -> Option<&mut Checks> {
        (self.members.is_some() && self.checks.has_faults()).then_some(&mut self.checks)
    }

    /// Takes out a parameter that must be there; none when it is missing or of another shape.
    pub fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        self.take(name, |value| {
            value.map_or(Err(ParameterFault::Missing(Cow::Borrowed(name))), |value| decode(name, value))
        })
    }

    /// Takes out a parameter that may be left out or `null`; none when it is there and of another shape.
    pub fn optional<T: DeserializeOwned + Default>(&mut self, name: &'static str) -> Option<T> {
        self.take(name, |value| value.map_or_else(|| Ok(T::default()), |value| decode(name, value)))
    }

    fn take<T>(&mut self, name: &str, read: impl FnOnce(Option<&RawValue>) -> Result<T, ParameterFault>) -> Option<T> {
        let value = self.members.as_mut()?.take(name);
        read(value).map_err(|fault| self.checks.add(fault)).ok()
    }

    /// What was made of the parameters, if all of them were read.
    ///
    /// # Errors
    /// [`ParameterFault`] when the object or some of them are at fault.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, ParameterFault> {
        self.checks.finish()?;
        read.ok_or_else(|| ParameterFault::Unreadable("one was left out".to_owned()))
    }
}

fn decode<T: DeserializeOwned>(name: &'static str, value: &RawValue) -> Result<T, ParameterFault> {
    // What is read is written anew for the record.
    json::read(value.get()).map_err(|error| ParameterFault::invalid(name, visible(&in_words(&error))))
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use crate::{Bounds, Json};

    #[test]
    fn a_number_out_of_range_hears_the_range() {
        let told = |value: &str| {
            let text = Json::parameters(&format!(r#"{{"days": {value}}}"#), &Bounds::DEFAULT).unwrap();
            let mut fields = Fields::recorded(&text);
            let days = fields.required::<u16>("days");
            fields.finish(days).unwrap_err().to_string()
        };
        for value in ["70000", "-1"] {
            assert_eq!(
                told(value),
                format!(
                    "the parameter `days` is invalid: invalid value: `{value}`, expected a whole number from 0 to 65535"
                )
            );
        }
    }
}

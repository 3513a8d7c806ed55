//! The parameters of an action: read one by one from JSON, and held to their rules.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::bounds::Bounds;
use crate::json::{Excerpt, Json, JsonError, Object, Scratch, visible};
use crate::money::Cents;
use crate::schema::Parameter;

/// What is wrong with the parameters of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterFault {
    /// A parameter that the action needs is not there; its name.
    Missing(Cow<'static, str>),
    /// A parameter has a value that it cannot have.
    Invalid {
        /// The parameter.
        name: Cow<'static, str>,
        /// What is wrong with its value.
        problem: String,
    },
    /// There is one that the action does not have; an excerpt of its name.
    Unknown(String),
    /// The parameters cannot be read at all; what is wrong.
    Unreadable(String),
}

impl ParameterFault {
    /// A value that a parameter cannot have, and why.
    #[must_use]
    pub fn invalid(name: impl Into<Cow<'static, str>>, problem: impl fmt::Display) -> Self {
        Self::Invalid { name: name.into(), problem: problem.to_string() }
    }

    /// The same of parameters as they go on the record, which their own types have written.
    pub(crate) fn of_written(self) -> Self {
        const AGAIN: &str = "what its type writes of it cannot be read again";
        match self {
            Self::Invalid { name, problem } => Self::Invalid { name, problem: format!("{AGAIN}: {problem}") },
            Self::Missing(name) => Self::Invalid { name, problem: AGAIN.to_owned() },
            Self::Unknown(_) | Self::Unreadable(_) => self,
        }
    }
}

impl fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the parameter `{name}` is missing"),
            Self::Invalid { name, problem } => write!(f, "the parameter `{name}` is invalid: {problem}"),
            Self::Unknown(name) => write!(f, "there is no parameter `{name}`"),
            Self::Unreadable(problem) => write!(f, "the parameters cannot be read: {problem}"),
        }
    }
}

impl std::error::Error for ParameterFault {}

impl From<JsonError> for ParameterFault {
    fn from(error: JsonError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// The members of a JSON object of parameters, taken out one by one.
#[derive(Debug)]
pub struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    /// Reads an object whose members are all in `known`.
    ///
    /// # Errors
    /// [`ParameterFault`] when the text is over a bound, no object, readable in two ways, or when it holds a member
    /// that is not known: an agent that invents a parameter must not believe that it was heard.
    pub fn read(text: &'a Json, known: &[Parameter]) -> Result<Self, ParameterFault> {
        let fields = text.members().map_err(|_| ParameterFault::Unreadable("they are not a JSON object".to_owned()))?;
        for (name, _) in &fields.0 {
            if !known.iter().any(|parameter| parameter.name == *name) {
                return Err(ParameterFault::Unknown(Excerpt(name).to_string()));
            }
        }
        Ok(Self(fields))
    }

    /// Takes out a parameter that must be there.
    ///
    /// # Errors
    /// [`ParameterFault`] when it is missing or of another shape.
    pub fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, ParameterFault> {
        let value = self.0.take(name).ok_or(ParameterFault::Missing(Cow::Borrowed(name)))?;
        decode(name, value)
    }

    /// Takes out a parameter that may be left out or `null`.
    ///
    /// # Errors
    /// [`ParameterFault`] when it is there and of another shape.
    pub fn optional<T: DeserializeOwned + Default>(&mut self, name: &'static str) -> Result<T, ParameterFault> {
        self.0.take(name).map_or_else(|| Ok(T::default()), |value| decode(name, value))
    }
}

fn decode<T: DeserializeOwned>(name: &'static str, value: &RawValue) -> Result<T, ParameterFault> {
    serde_json::from_str(value.get()).map_err(|error| ParameterFault::invalid(name, visible(&in_words(&error))))
}

/// What serde says of a value, without the place in the text and with words for Rust's types.
fn in_words(error: &serde_json::Error) -> String {
    const TYPES: [(&str, &str); 13] = [
        ("i8", "a whole number"),
        ("i16", "a whole number"),
        ("i32", "a whole number"),
        ("i64", "a whole number"),
        ("i128", "a whole number"),
        ("u8", "a whole number that is not negative"),
        ("u16", "a whole number that is not negative"),
        ("u32", "a whole number that is not negative"),
        ("u64", "a whole number that is not negative"),
        ("u128", "a whole number that is not negative"),
        ("f32", "a number"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
    ];
    let text = error.to_string();
    let sentence = text.split(" at line ").next().unwrap_or(&text);
    let Some((given, expected)) = sentence.rsplit_once("expected ") else { return sentence.to_owned() };
    let expected = TYPES.iter().find(|(rust, _)| *rust == expected).map_or(expected, |(_, words)| words);
    let given = excerpt(given).replace("floating point `", "`").replace("integer `", "`");
    format!("{given}expected {expected}")
}

/// What was given may be as long as all parameters together, and is on the record as it was sent.
fn excerpt(given: &str) -> Cow<'_, str> {
    const SHOWN: usize = 128;
    match given.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…, ", given.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(given),
    }
}

/// A JSON object of parameters, written one by one in the order of the signature.
#[derive(Debug)]
pub struct Members(Scratch);

impl Default for Members {
    fn default() -> Self {
        Self(Scratch::take())
    }
}

impl Members {
    /// Adds a parameter.
    ///
    /// # Errors
    /// [`ParameterFault`] when the value's `Serialize` fails.
    pub fn put<T: Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), ParameterFault> {
        let out = self.0.out();
        out.extend_from_slice(if out.is_empty() { b"{\"" } else { b",\"" });
        // The name of a parameter is one of Rust, which JSON writes as it is.
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        serde_json::to_writer(out, value).map_err(|error| ParameterFault::invalid(name, error))
    }

    /// The object.
    ///
    /// # Errors
    /// [`ParameterFault`] when it is over a bound or readable in two ways.
    pub fn finish(mut self, bounds: &Bounds) -> Result<Json, ParameterFault> {
        let out = self.0.out();
        if out.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(Json::parameters(self.0.text()?, bounds)?)
    }
}

/// A type that `#[param(range(..))]` fits.
#[diagnostic::on_unimplemented(
    message = "a `range` rule does not fit a parameter of type `{Self}`",
    label = "not a number",
    note = "`range` fits integers, `Cents` and types that implement `kiff::Ranged`; for texts and lists write `length(min = .., max = ..)`"
)]
pub trait Ranged {
    /// Whether the value lies within the limits, both included.
    fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool;
}

macro_rules! ranged {
    ($($integer:ty),*) => {$(
        impl Ranged for $integer {
            fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool {
                let value = i128::from(*self);
                min.is_none_or(|min| i128::from(min) <= value) && max.is_none_or(|max| value <= i128::from(max))
            }
        }
    )*};
}

ranged!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Ranged for Cents {
    fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool {
        self.0.is_within(min, max)
    }
}

impl Ranged for f64 {
    #[expect(clippy::cast_precision_loss, reason = "limits of floats are small integers; a huge one is only rounded")]
    fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool {
        self.is_finite() && min.is_none_or(|min| min as Self <= *self) && max.is_none_or(|max| *self <= max as Self)
    }
}

impl Ranged for f32 {
    fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool {
        f64::from(*self).is_within(min, max)
    }
}

impl<T: Ranged> Ranged for Option<T> {
    fn is_within(&self, min: Option<i64>, max: Option<i64>) -> bool {
        self.as_ref().is_none_or(|value| value.is_within(min, max))
    }
}

/// A type that `#[param(length(..))]` fits.
#[diagnostic::on_unimplemented(
    message = "a `length` rule does not fit a parameter of type `{Self}`",
    label = "neither a text nor a list",
    note = "`length` fits `String`, `Vec<_>` and types that implement `kiff::Measured`; for numbers write `range(min = .., max = ..)`"
)]
pub trait Measured {
    /// How many characters or items it has; none when there is nothing to measure.
    fn measure(&self) -> Option<u64>;
}

impl Measured for String {
    fn measure(&self) -> Option<u64> {
        Some(self.chars().count() as u64)
    }
}

impl<T> Measured for Vec<T> {
    fn measure(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}

impl<T: Measured> Measured for Option<T> {
    fn measure(&self) -> Option<u64> {
        self.as_ref().and_then(Measured::measure)
    }
}

/// A type that `#[param(pattern(..))]` fits.
#[diagnostic::on_unimplemented(
    message = "a `pattern` rule does not fit a parameter of type `{Self}`",
    label = "not a text",
    note = "`pattern` fits `String` and types that implement `kiff::Textual`"
)]
pub trait Textual {
    /// The text; none when there is nothing to match.
    fn text(&self) -> Option<&str>;
}

impl Textual for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: Textual> Textual for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(Textual::text)
    }
}

/// Holds a parameter to `range(min = .., max = ..)`, by what its type has said of it.
///
/// The type is asked by generated code where it stands in the source, so that one that cannot answer is blamed there.
///
/// # Errors
/// [`ParameterFault`] when it lies outside.
pub fn check_range(
    name: &'static str,
    is_within: bool,
    min: Option<i64>,
    max: Option<i64>,
) -> Result<(), ParameterFault> {
    if is_within {
        return Ok(());
    }
    let what = "the value";
    Err(ParameterFault::invalid(name, Limits { what, min, max }))
}

/// Holds a parameter to `length(min = .., max = ..)`, by its length if it has one.
///
/// # Errors
/// [`ParameterFault`] when it is shorter or longer.
pub fn check_length(
    name: &'static str,
    length: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
) -> Result<(), ParameterFault> {
    let Some(length) = length else { return Ok(()) };
    if min.is_none_or(|min| min <= length) && max.is_none_or(|max| length <= max) {
        return Ok(());
    }
    let what = "the length";
    Err(ParameterFault::invalid(name, Limits { what, min, max }))
}

/// Holds a parameter to `pattern("..")`, which must match the whole of its text if it has one.
///
/// # Errors
/// [`ParameterFault`] when it does not match.
pub fn check_pattern(name: &'static str, text: Option<&str>, pattern: &Pattern) -> Result<(), ParameterFault> {
    let Some(text) = text else { return Ok(()) };
    match pattern.matches(text) {
        Some(true) => Ok(()),
        Some(false) => Err(ParameterFault::invalid(name, format_args!("it must match `{}`", pattern.text))),
        None => Err(ParameterFault::invalid(name, format_args!("`{}` is no regular expression", pattern.text))),
    }
}

/// A regular expression that is compiled at its first use.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern that `text` writes.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Whether it matches the whole of `text`; none when it is no regular expression.
    fn matches(&self, text: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| Regex::new(&format!("^(?:{})$", self.text)).ok());
        compiled.as_ref().map(|regex| regex.is_match(text))
    }
}

/// Limits in a sentence: `the value must be from 1 to 1000000`.
struct Limits<T> {
    what: &'static str,
    min: Option<T>,
    max: Option<T>,
}

impl<T: fmt::Display> fmt::Display for Limits<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => write!(f, "{} must be from {min} to {max}", self.what),
            (Some(min), None) => write!(f, "{} must be at least {min}", self.what),
            (None, Some(max)) => write!(f, "{} must be at most {max}", self.what),
            (None, None) => write!(f, "{} is out of its limits", self.what),
        }
    }
}

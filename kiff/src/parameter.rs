//! The parameters of an action: read one by one from JSON, and held to their rules.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::bounds::Bounds;
use crate::json::{Excerpt, Json, JsonError, Object, Scratch, visible, with_integers};
use crate::money::Cents;
use crate::schema::Parameter;

/// What is wrong with the parameters of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    pub(crate) fn of_recorded(self) -> Self {
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

/// The members of a JSON object of parameters, taken out one by one until one of them is at fault.
#[derive(Debug)]
pub struct Fields<'a>(Result<Object<'a>, ParameterFault>);

impl<'a> Fields<'a> {
    /// Reads an object whose members are all in `known`.
    ///
    /// It is at fault when the text is over a bound, no object, readable in two ways, or when it holds a member that is not
    /// known: an agent that invents a parameter must not believe that it was heard.
    #[must_use]
    pub fn read(text: &'a Json, known: &[Parameter]) -> Self {
        let fields = text.members().map_err(|_| ParameterFault::Unreadable("they are not a JSON object".to_owned()));
        Self(fields.and_then(|fields| {
            let is_known = |name: &str| known.iter().any(|parameter| parameter.name == *name);
            match fields.0.iter().find(|(name, _)| !is_known(name)) {
                Some((name, _)) => Err(ParameterFault::Unknown(Excerpt(name).to_string())),
                None => Ok(fields),
            }
        }))
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
        let fields = self.0.as_mut().ok()?;
        read(fields.take(name)).map_err(|fault| self.0 = Err(fault)).ok()
    }

    /// What was made of the parameters, if all of them were read.
    ///
    /// # Errors
    /// [`ParameterFault`] when the object or one of them is at fault: the first one.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, ParameterFault> {
        let unread = || ParameterFault::Unreadable("one was left out".to_owned());
        self.0.and_then(|_| read.ok_or_else(unread))
    }
}

fn decode<T: DeserializeOwned>(name: &'static str, value: &RawValue) -> Result<T, ParameterFault> {
    let text = value.get();
    // To JSON Schema `4900.0` is an integer, and some programs write every number so. What is read is written anew for the record.
    let read = serde_json::from_str(text).or_else(|error| match with_integers(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    });
    read.map_err(|error| ParameterFault::invalid(name, visible(&in_words(&error))))
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

/// A JSON object of parameters, written one by one in the order of the signature until one of them cannot be.
#[derive(Debug)]
pub struct Members {
    written: Result<Scratch, ParameterFault>,
    /// Whether all that the parameters hold has been written.
    are_whole: bool,
}

impl Default for Members {
    fn default() -> Self {
        Self { written: Ok(Scratch::take()), are_whole: true }
    }
}

impl Members {
    /// Adds a parameter; it is at fault when the value's `Serialize` fails.
    pub fn put<T: Serialize + 'static>(&mut self, name: &'static str, value: &T) {
        self.are_whole &= is_whole::<T>();
        if let Ok(scratch) = &mut self.written
            && let Err(error) = write(scratch.out(), name, value)
        {
            self.written = Err(ParameterFault::invalid(name, error));
        }
    }

    /// The object.
    ///
    /// # Errors
    /// [`ParameterFault`] when a parameter is at fault, or when the object is over a bound or readable in two ways.
    pub(crate) fn finish(self, bounds: &Bounds) -> Result<RecordedParameters, ParameterFault> {
        let mut scratch = self.written?;
        let out = scratch.out();
        if out.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(RecordedParameters { json: Json::parameters(scratch.text()?, bounds)?, is_whole: self.are_whole })
    }
}

/// Parameters as they go on the record.
pub(crate) struct RecordedParameters {
    pub(crate) json: Json,
    /// Whether they say all that was held where they were written, so that reading them leads to the same.
    pub(crate) is_whole: bool,
}

/// Whether a type writes all that it holds: one's own may leave something out, and a float may be read as one nearby.
fn is_whole<T: 'static>() -> bool {
    macro_rules! is_of {
        ($($whole:ty),*) => {
            [$(TypeId::of::<$whole>(), TypeId::of::<Option<$whole>>(), TypeId::of::<Vec<$whole>>()),*]
        };
    }
    is_of![String, Cents, bool, i8, i16, i32, i64, u8, u16, u32, u64].contains(&TypeId::of::<T>())
}

fn write<T: Serialize>(out: &mut Vec<u8>, name: &'static str, value: &T) -> serde_json::Result<()> {
    out.extend_from_slice(if out.is_empty() { b"{\"" } else { b",\"" });
    // The name of a parameter is one of Rust, which JSON writes as it is.
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(out, value)
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
    note = "`length` fits `String`, `Box<str>`, `Cow<'static, str>`, `Vec<_>` and types that implement `kiff::Measured`; \
            for numbers write `range(min = .., max = ..)`"
)]
pub trait Measured {
    /// How many characters or items it has; none when there is nothing to measure.
    fn measure(&self) -> Option<u64>;
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
    note = "`pattern` fits `String`, `Box<str>`, `Cow<'static, str>` and types that implement `kiff::Textual`"
)]
pub trait Textual {
    /// The text; none when there is nothing to match.
    fn text(&self) -> Option<&str>;
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl Measured for $text {
            fn measure(&self) -> Option<u64> {
                Some(self.chars().count() as u64)
            }
        }

        impl Textual for $text {
            fn text(&self) -> Option<&str> {
                Some(self)
            }
        }
    )*};
}

texts!(String, Box<str>, Cow<'_, str>);

impl<T: Textual> Textual for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(Textual::text)
    }
}

/// Parameters held to their rules one by one, until one of them breaks one.
///
/// How its type keeps the rule is told by generated code where it stands in the source, so that a type that cannot say is blamed
/// there.
#[derive(Debug)]
pub struct Checks(Result<(), ParameterFault>);

impl Default for Checks {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Checks {
    /// Holds a parameter to `range(min = .., max = ..)`.
    pub fn range<T>(
        &mut self,
        name: &'static str,
        value: &T,
        is_within: fn(&T, Option<i64>, Option<i64>) -> bool,
        min: Option<i64>,
        max: Option<i64>,
    ) {
        if self.0.is_ok() && !is_within(value, min, max) {
            self.0 = Err(ParameterFault::invalid(name, outside("the value", min, max)));
        }
    }

    /// Holds a parameter to `length(min = .., max = ..)`, if it has a length.
    pub fn length<T>(
        &mut self,
        name: &'static str,
        value: &T,
        measure: fn(&T) -> Option<u64>,
        min: Option<u64>,
        max: Option<u64>,
    ) {
        if self.0.is_ok()
            && let Some(length) = measure(value)
            && (min.is_some_and(|min| length < min) || max.is_some_and(|max| max < length))
        {
            self.0 = Err(ParameterFault::invalid(name, outside("the length", min, max)));
        }
    }

    /// Holds a parameter to `pattern("..")`, which must match the whole of its text if it has one.
    pub fn pattern<T>(&mut self, name: &'static str, value: &T, text: fn(&T) -> Option<&str>, pattern: &Pattern) {
        if self.0.is_ok()
            && let Some(text) = text(value)
        {
            self.0 = match pattern.matches(text) {
                Some(true) => return,
                Some(false) => Err(ParameterFault::invalid(name, format_args!("it must match `{}`", pattern.text))),
                None => Err(ParameterFault::invalid(name, format_args!("`{}` is no regular expression", pattern.text))),
            };
        }
    }

    /// The end.
    ///
    /// # Errors
    /// [`ParameterFault`] that names the first parameter that breaks a rule.
    pub fn finish(self) -> Result<(), ParameterFault> {
        self.0
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

/// What is wrong with something that is not within its limits: "the value must be from 1 to 1000000".
fn outside<T: fmt::Display>(what: &str, min: Option<T>, max: Option<T>) -> String {
    match limits(min, max, "") {
        Some(limits) => format!("{what} must be {limits}"),
        None => format!("{what} is out of its limits"),
    }
}

/// The limits of a rule in words, with what they count: "from 1 to 500 characters".
pub(crate) fn limits<T: fmt::Display>(min: Option<T>, max: Option<T>, what: &str) -> Option<String> {
    match (min, max) {
        (Some(min), Some(max)) => Some(format!("from {min} to {max}{what}")),
        (Some(min), None) => Some(format!("at least {min}{what}")),
        (None, Some(max)) => Some(format!("at most {max}{what}")),
        (None, None) => None,
    }
}

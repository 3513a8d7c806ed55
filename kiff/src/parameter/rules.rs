//! The rules of parameters: which types they fit, how a value is held to them, and how they read.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;

use super::ParameterFault;
use super::faults::Faults;
use crate::money::Cents;

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

/// Parameters held to their rules one by one.
///
/// How its type keeps the rule is told by generated code where it stands in the source, so that a type that cannot say is blamed
/// there.
#[derive(Debug, Default)]
pub struct Checks(Faults);

impl Checks {
    pub(super) fn add(&mut self, fault: ParameterFault) {
        self.0.add(fault);
    }

    pub(super) const fn has_faults(&self) -> bool {
        !self.0.is_empty()
    }

    /// Holds a parameter to `range(min = .., max = ..)`.
    pub fn range<T>(
        &mut self,
        name: &'static str,
        value: &T,
        is_within: fn(&T, Option<i64>, Option<i64>) -> bool,
        min: Option<i64>,
        max: Option<i64>,
    ) {
        if !is_within(value, min, max) {
            self.add(ParameterFault::invalid(name, outside("the value", min, max)));
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
        if let Some(length) = measure(value)
            && (min.is_some_and(|min| length < min) || max.is_some_and(|max| max < length))
        {
            self.add(ParameterFault::invalid(name, outside("the length", min, max)));
        }
    }

    /// Holds a parameter to `pattern("..")`, which must match the whole of its text if it has one.
    pub fn pattern<T>(&mut self, name: &'static str, value: &T, text: fn(&T) -> Option<&str>, pattern: &Pattern) {
        let Some(text) = text(value) else { return };
        match pattern.matches(text) {
            Some(true) => {}
            Some(false) => {
                self.add(ParameterFault::invalid(name, format_args!("it must match `{}`", pattern.text)));
            }
            None => {
                self.add(ParameterFault::invalid(name, format_args!("`{}` is no regular expression", pattern.text)));
            }
        }
    }

    /// The end.
    ///
    /// # Errors
    /// [`ParameterFault`] that names the parameters that break a rule.
    pub fn finish(self) -> Result<(), ParameterFault> {
        self.0.finish()
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

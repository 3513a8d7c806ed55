//! What the type of a parameter or a field looks like as JSON: every type is asked, and those that can say it do.
//!
//! A type says it by `schemars::JsonSchema`, which only tools need. So nobody demands it: a type that lacks it is anything.
//!
//! An event is asked in the same way whether it can be written and read, so that a field that cannot be is blamed once.

#[cfg(not(feature = "tools"))]
mod disabled;
#[cfg(feature = "tools")]
mod enabled;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::bounds::Bounds;
use crate::json::{Json, JsonError};

#[cfg(not(feature = "tools"))]
pub use disabled::Shapes;
#[cfg(feature = "tools")]
pub use enabled::Shapes;

/// A type that is asked by generated code: `Probe::<Iban>::NEW.shape(shapes)`.
///
/// rustc takes the method of the probe itself where `Iban` has a `JsonSchema`, and otherwise, one dereference further, that
/// of `Anything`. This needs no trait in scope, and no bound that a type could break.
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    /// The probe.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: Serialize + DeserializeOwned> Probe<T> {
    /// Writes an event.
    ///
    /// # Errors
    /// [`JsonError`] when a field's `Serialize` fails or what it writes is over a bound.
    pub fn encode(&self, event: &T, bounds: &Bounds) -> Result<Json, JsonError> {
        Json::encode(event, bounds)
    }

    /// Reads an event.
    ///
    /// # Errors
    /// [`JsonError`] when the text says something else.
    pub fn decode(&self, payload: &Json) -> Result<T, JsonError> {
        Json::decode(payload)
    }
}

impl<T: Clone> Probe<T> {
    /// A field once more.
    #[must_use]
    pub fn duplicate(&self, field: &T) -> T {
        field.clone()
    }
}

impl<T: fmt::Debug> Probe<T> {
    /// A field for a programmer's eyes.
    pub fn shown<'f>(&self, field: &'f T) -> &'f dyn fmt::Debug {
        field
    }
}

impl<T> fmt::Debug for Probe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

impl<T> Deref for Probe<T> {
    type Target = Anything;

    fn deref(&self) -> &Anything {
        &Anything
    }
}

/// What a type is that does not say what it is.
#[derive(Debug)]
pub struct Anything;

impl Anything {
    /// Says that it may be anything.
    #[expect(clippy::unused_self, reason = "it is called as the method of the probe is")]
    pub fn shape(&self, shapes: &mut Shapes) {
        shapes.anything();
    }

    /// Stands in for a field that cannot be cloned, which is an error at the field: no program that builds calls it.
    #[expect(clippy::unused_self, reason = "it is called as the method of the probe is")]
    #[expect(clippy::unreachable, reason = "no program that builds calls it")]
    pub fn duplicate<T>(&self, _: &T) -> T {
        unreachable!()
    }

    /// Stands in for a field that cannot be shown, which is an error at the field: no program that builds calls it.
    #[expect(clippy::unused_self, reason = "it is called as the method of the probe is")]
    pub fn shown<'f, T>(&self, _: &'f T) -> &'f dyn fmt::Debug {
        &"…"
    }

    /// Writes nothing: it stands in for an event that cannot be written, which is an error at its field.
    ///
    /// # Errors
    /// Always; no program that builds calls it.
    #[expect(clippy::unused_self, reason = "it is called as the method of the probe is")]
    pub fn encode<T>(&self, _: &T, _: &Bounds) -> Result<Json, JsonError> {
        Err(unfit())
    }

    /// Reads nothing: it stands in for an event that cannot be read, which is an error at its field.
    ///
    /// # Errors
    /// Always; no program that builds calls it.
    #[expect(clippy::unused_self, reason = "it is called as the method of the probe is")]
    pub fn decode<T>(&self, _: &Json) -> Result<T, JsonError> {
        Err(unfit())
    }
}

fn unfit() -> JsonError {
    JsonError::syntax(serde_json::Error::custom("a field of this event has no JSON"))
}

//! What generated code asks of the user's types.
//!
//! A type that must have something is asked by a trait that all fit types have: [`Value`], [`EventField`], [`CarriedField`]. Its message
//! says what the type lacks, at its place in the source.
//!
//! A type that may have something is asked without a bound that it could break, in one of two ways:
//!
//! - **By method**, as in `Probe::<Iban>::NEW.shape(shapes)`. rustc takes the method of [`Probe`] itself where `Iban` has what that
//!   needs, and otherwise, one dereference further, the one of [`Anything`]. This needs no trait in scope. An event is asked so too, whether
//!   it can be written and read, so that a field that cannot be is blamed once.
//! - **By constant**, as in `Float::<Money, 0>::IS_ONE`. rustc takes what the asking type has itself where `Money` has what that needs, and
//!   otherwise what it has by a trait, [`NoFloat`], which generated code brings into scope. This is known while the program is compiled.

mod field;
mod float;
mod shape;
mod value;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::bounds::Bounds;
use crate::json::{Json, JsonError};

pub use self::field::{CarriedField, EventField};
pub use self::float::{BinaryFloat, Float, NoFloat};
pub use self::shape::Shapes;
pub use self::value::{Value, show};

/// A type that is asked by method: what it looks like as JSON, and of an event and its fields how they are written and read, cloned and
/// shown.
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

/// What answers for a type that has not what is asked for.
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

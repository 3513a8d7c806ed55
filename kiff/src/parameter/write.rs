//! Parameters as they are written: each into one JSON object, which goes on the record.

use std::any::TypeId;

use serde::Serialize;

use super::ParameterFault;
use crate::bounds::Bounds;
use crate::json::{Json, Scratch};
use crate::money::Cents;

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

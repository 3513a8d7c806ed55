//! What a parameter's type looks like as JSON: every type is asked, and those that can say it do.
//!
//! A type says it by `schemars::JsonSchema`, which only tools need. So nobody demands it: a type that lacks it is anything.

#[cfg(not(feature = "tools"))]
mod disabled;
#[cfg(feature = "tools")]
mod enabled;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

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
}

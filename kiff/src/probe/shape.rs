//! What the type of a parameter or a field looks like as JSON.
//!
//! A type says it by `schemars::JsonSchema`, which only tools need. So nobody demands it: a type that lacks it is anything.

#[cfg(not(feature = "tools"))]
mod disabled;
#[cfg(feature = "tools")]
mod enabled;

#[cfg(not(feature = "tools"))]
pub use disabled::Shapes;
#[cfg(feature = "tools")]
pub use enabled::Shapes;

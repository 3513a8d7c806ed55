//! kiff-test
mod actors;
mod clock;
mod failure;
mod histories;
mod identifiers;
mod model;
mod scenario;
mod snapshot;
mod spy;
pub mod store;
mod trial;
mod wait;

/// What the macros name, and nobody else: nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use insta;
}

pub use actors::{Actors, AsItself, ByRole, Who};
pub use clock::FixedClock;
pub use histories::{Field, Histories, History, HistoryTree, histories, obeys_its_schema};
pub use identifiers::SequentialIdentifiers;
pub use scenario::{Given, Then, When, given};
pub use snapshot::stable;
pub use spy::Spy;
pub use wait::block_on;
pub use {proptest, serde_json};

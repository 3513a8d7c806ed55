//! The tests of the language, with what a newcomer's crate has: `kiff` and its default features.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share fails as loudly as a test"
)]

mod catalogue;
mod crates;
mod ui;

/// The folder that holds all of kiff.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

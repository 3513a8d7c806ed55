//! The tests of the kit itself: that its expectations hold where they should, and fail where they should.

mod crooked;
mod doubt;
mod goes_on;
mod histories;
/// A domain that lets through more than its schema shows.
pub mod metering;
#[cfg(feature = "tokio")]
mod reactor;
mod replay;
/// The refund domain, which the examples in the documentation include as well.
pub mod refund;
mod scenario;
/// A domain with everything that a schema can have.
pub mod shipment;
mod store;
mod three_tests;
mod tools;

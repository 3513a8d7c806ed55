//! The tests of the kit itself: that its expectations hold where they should, and fail where they should.

mod histories;
pub mod refund;
mod scenario;
mod shipment;
mod store;
mod three_tests;
mod tools;

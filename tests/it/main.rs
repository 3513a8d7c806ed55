//! The integration tests.

mod approval;
mod contract;
mod failure;
mod identity;
mod journal;
mod limits;
mod observed;
mod race;
mod schema;
mod shop;
mod tidy;
mod ui;

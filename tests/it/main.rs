//! The integration tests.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share fails as loudly as a test"
)]

mod alone;
mod approval;
mod busy;
mod chain;
mod cli;
mod cluster;
mod contract;
mod deploy;
mod difference;
mod elsewhere;
mod errors;
mod examples;
mod executor;
mod expired;
mod failure;
mod gate;
mod http;
mod identity;
mod journal;
mod limits;
mod mcp;
mod observed;
mod parameter;
mod postgres;
mod programs;
mod proof;
mod race;
mod repeat;
mod readme;
mod schema;
mod settle;
mod shop;
mod snapshot;
mod sqlite;
mod tidy;
mod tools;
mod unended;
mod wait;
mod wire;
mod withdraw;
mod written;

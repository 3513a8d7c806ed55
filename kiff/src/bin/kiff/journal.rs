//! Journals: where they are, and what can be asked of them.

mod doubt;
mod entity;
mod export;
mod exported;
pub(crate) mod place;
mod timeline;
mod verify;

#[cfg(feature = "postgres")]
pub(crate) mod migrate;
#[cfg(feature = "proof")]
pub(crate) mod log;
#[cfg(feature = "proof")]
pub(crate) mod receipt;

use kiff::StoreError;

use crate::failure::Failure;

pub(crate) use doubt::InDoubt;
pub(crate) use export::Export;
pub(crate) use timeline::ShowTimeline;
pub(crate) use verify::Verify;

/// How many commits or entities are read at once.
const PAGE: usize = 512;

/// What to do where a store is not the one that was signed because a backup was put in its place.
const AFTER_A_RESTORE: &str = "where a backup was restored, keep the log's folder and begin a log of another name: docs/operations.md says how, under \
     \"A signed log after a restore\"";

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if let Some(broken) = error.broken() {
            let help = "`kiff verify` tells what else is wrong, and what to do is in docs/operations.md";
            return Self::new(broken.to_string()).help(help).being_the_answer();
        }
        Self::new(error.to_string())
    }
}

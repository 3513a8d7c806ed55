//! Whether the store takes what is written.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::{Appended, StoreError};
use crate::time::Timestamp;

/// When the store failed to take a commit, in microseconds, where it has taken none since; otherwise 0.
#[derive(Debug, Default)]
pub(super) struct StoreHealth(AtomicU64);

impl StoreHealth {
    /// Notes what became of a commit. That one journal is broken says nothing of the others.
    pub(super) fn note(&self, appended: &Result<Appended, StoreError>, now: impl FnOnce() -> Timestamp) {
        match appended {
            // Looked at before, because it is shared and hardly ever changes.
            Ok(Appended::Written) if self.0.load(Ordering::Relaxed) != 0 => self.0.store(0, Ordering::Relaxed),
            Err(error) if error.broken().is_none() => {
                self.0.store(now().as_microseconds().max(1), Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// When a commit was not taken, where none was since.
    #[cfg(feature = "http")]
    pub(super) fn failed(&self) -> Option<Timestamp> {
        let at = self.0.load(Ordering::Relaxed);
        (at != 0).then(|| Timestamp::from_microseconds(at))
    }
}

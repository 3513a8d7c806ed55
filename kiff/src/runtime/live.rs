//! The executions that run in this process now.

use std::array;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::identifier::ExecutionId;

/// How many parts the set is cut into, so that executions of two entities seldom meet.
const SHARDS: usize = 16;

/// The executions that run in this process now. What has started, not ended, and is not among them is in doubt.
pub(super) struct Live {
    hasher: RandomState,
    shards: [Mutex<HashSet<ExecutionId>>; SHARDS],
}

impl Live {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: array::from_fn(|_| Mutex::default()) }
    }

    fn shard(&self, execution: &ExecutionId) -> MutexGuard<'_, HashSet<ExecutionId>> {
        let place = (self.hasher.hash_one(execution) >> 48) as usize % SHARDS;
        let [first, ..] = &self.shards;
        self.shards.get(place).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn contains(&self, execution: &ExecutionId) -> bool {
        self.shard(execution).contains(execution)
    }

    /// Counts an execution in until the mark is dropped.
    pub(super) fn enter(&self, execution: ExecutionId) -> Mark<'_> {
        self.shard(&execution).insert(execution.clone());
        Mark { live: self, execution }
    }
}

/// Says that an execution runs, as long as it is held.
pub(super) struct Mark<'l> {
    live: &'l Live,
    execution: ExecutionId,
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        self.live.shard(&self.execution).remove(&self.execution);
    }
}

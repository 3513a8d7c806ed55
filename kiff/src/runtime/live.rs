//! The executions that run in this process now.

use std::array;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::identifier::ExecutionId;
use crate::sharded::AlreadyHashed;
use crate::store::Store;

/// How many parts the set is cut into, so that executions of two entities seldom meet.
const SHARDS: usize = 16;

/// The executions that run in this process now, whichever of its runtimes runs them. What has started, not ended, and is not
/// among them is in doubt.
static LIVE: LazyLock<Live> =
    LazyLock::new(|| Live { hasher: RandomState::new(), shards: array::from_fn(|_| Shard::default()) });

struct Live {
    hasher: RandomState,
    shards: [Shard; SHARDS],
}

/// Each on lines of the cache of its own, so that threads in two of them do not disturb each other.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<HashSet<Run, AlreadyHashed>>);

/// An execution by the place of its store, since two stores may have executions of one name; hashed once.
#[derive(Clone, PartialEq, Eq)]
struct Run {
    hash: u64,
    place: usize,
    execution: ExecutionId,
}

impl Hash for Run {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

impl Live {
    fn run<S: Store>(&self, store: &S, execution: &ExecutionId) -> Run {
        let (place, execution) = (store.place(), execution.clone());
        Run { hash: self.hasher.hash_one((place, &execution)), place, execution }
    }

    fn shard(&self, run: &Run) -> MutexGuard<'_, HashSet<Run, AlreadyHashed>> {
        // The low bits choose the bucket within the shard, so the shard is chosen by others.
        let place = (run.hash >> 48) as usize % SHARDS;
        let [first, ..] = &self.shards;
        self.shards.get(place).unwrap_or(first).0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an execution runs in this process, by what its store says.
pub(super) fn contains<S: Store>(store: &S, execution: &ExecutionId) -> bool {
    let run = LIVE.run(store, execution);
    LIVE.shard(&run).contains(&run)
}

/// Counts an execution in until the mark is dropped.
pub(super) fn enter<S: Store>(store: &S, execution: &ExecutionId) -> Mark {
    let run = LIVE.run(store, execution);
    LIVE.shard(&run).insert(run.clone());
    Mark(run)
}

/// Says that an execution runs, as long as it is held.
pub(super) struct Mark(Run);

impl Drop for Mark {
    fn drop(&mut self) {
        LIVE.shard(&self.0).remove(&self.0);
    }
}

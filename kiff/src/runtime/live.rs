//! The executions that run in this process now.

use std::array;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::identifier::{EntityKey, ExecutionId};
use crate::sharded::AlreadyHashed;
use crate::store::Store;

/// How many parts the set is cut into, so that executions of two entities seldom meet.
const SHARDS: usize = 16;

/// The executions that run in this process now, whichever of its runtimes runs them. What has started, not ended, and is not
/// among them is in doubt.
static LIVE: LazyLock<Live> = LazyLock::new(|| Live(array::from_fn(|_| Shard::default())));

struct Live([Shard; SHARDS]);

/// Each on lines of the cache of its own, so that threads in two of them do not disturb each other.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<HashSet<Run, AlreadyHashed>>);

/// An execution of an entity by the place of its store, since two stores may have executions of one name.
#[derive(Clone, PartialEq, Eq)]
struct Run {
    place: usize,
    entity: EntityKey,
    execution: ExecutionId,
}

impl Run {
    fn new<S: Store>(store: &S, entity: &EntityKey, execution: &ExecutionId) -> Self {
        Self { place: store.place(), entity: entity.clone(), execution: execution.clone() }
    }
}

/// By its entity alone, which brings its hash along: of one entity there is one at a time.
impl Hash for Run {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.entity.hash(hasher);
    }
}

impl Live {
    fn shard(&self, run: &Run) -> MutexGuard<'_, HashSet<Run, AlreadyHashed>> {
        // The low bits choose the bucket within the shard, so the shard is chosen by others.
        let place = (AlreadyHashed::default().hash_one(run) >> 48) as usize % SHARDS;
        let [first, ..] = &self.0;
        self.0.get(place).unwrap_or(first).0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an execution runs in this process, by what its store says.
pub(super) fn contains<S: Store>(store: &S, entity: &EntityKey, execution: &ExecutionId) -> bool {
    let run = Run::new(store, entity, execution);
    LIVE.shard(&run).contains(&run)
}

/// Counts an execution in until the mark is dropped.
pub(super) fn enter<S: Store>(store: &S, entity: &EntityKey, execution: &ExecutionId) -> Mark {
    let run = Run::new(store, entity, execution);
    let is_first = LIVE.shard(&run).insert(run.clone());
    Mark(is_first.then_some(run))
}

/// Says that an execution runs, as long as it is held. Where a source of identifiers repeats itself, it is another mark that says so.
pub(super) struct Mark(Option<Run>);

impl Drop for Mark {
    fn drop(&mut self) {
        if let Some(run) = &self.0 {
            LIVE.shard(run).remove(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn p7_a_number_that_is_given_twice_ends_no_run_of_the_first() {
        let (store, entity) = (MemoryStore::new(), EntityKey::new("Order", "ord-1").unwrap());
        let execution = ExecutionId::new("execution-1").unwrap();
        let first = enter(&store, &entity, &execution);
        drop(enter(&store, &entity, &execution));
        assert!(contains(&store, &entity, &execution));
        drop(first);
        assert!(!contains(&store, &entity, &execution));
    }
}

//! The executions that run in this process now.

use std::sync::LazyLock;

use crate::identifier::{EntityKey, ExecutionId};
use crate::sharded::Sharded;
use crate::store::Store;

/// The executions that run in this process now, whichever of its runtimes runs them. What has started, not ended, and is not
/// among them is in doubt.
static LIVE: LazyLock<Sharded<Live>> = LazyLock::new(Sharded::new);

/// The executions of one entity: hardly ever more than one, so that there is no list of them before the second.
#[derive(Clone)]
struct Live {
    first: Run,
    others: Vec<Run>,
}

/// An execution by the place of its store, since two stores may have executions of one name.
#[derive(Clone, PartialEq, Eq)]
struct Run {
    place: usize,
    execution: ExecutionId,
}

impl Run {
    fn new<S: Store>(store: &S, execution: &ExecutionId) -> Self {
        Self { place: store.place(), execution: execution.clone() }
    }
}

impl Live {
    fn contains(&self, run: &Run) -> bool {
        self.first == *run || self.others.contains(run)
    }
}

/// Whether an execution runs in this process, by what its store says.
pub(super) fn contains<S: Store>(store: &S, entity: &EntityKey, execution: &ExecutionId) -> bool {
    LIVE.get(entity).is_some_and(|live| live.contains(&Run::new(store, execution)))
}

/// Counts an execution in until the mark is dropped.
pub(super) fn enter<S: Store>(store: &S, entity: &EntityKey, execution: &ExecutionId) -> Mark {
    let run = Run::new(store, execution);
    let is_new = LIVE.with_shard(entity, |shard| {
        let Some(live) = shard.get_mut(entity) else {
            shard.insert(entity.clone(), Live { first: run.clone(), others: Vec::new() });
            return true;
        };
        let is_new = !live.contains(&run);
        if is_new {
            live.others.push(run.clone());
        }
        is_new
    });
    Mark(is_new.then(|| (entity.clone(), run)))
}

/// Says that an execution runs, as long as it is held. Where a source of identifiers repeats itself, it is another mark that says so.
pub(super) struct Mark(Option<(EntityKey, Run)>);

impl Drop for Mark {
    fn drop(&mut self) {
        let Some((entity, run)) = &self.0 else {
            return;
        };
        LIVE.with_shard(entity, |shard| {
            let Some(live) = shard.get_mut(entity) else {
                return;
            };
            if live.first != *run {
                live.others.retain(|other| other != run);
                return;
            }
            match live.others.pop() {
                Some(other) => live.first = other,
                None => {
                    shard.remove(entity);
                }
            }
        });
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

    #[test]
    fn p7_of_runs_of_one_entity_each_ends_by_itself() {
        let (here, there, entity) = (MemoryStore::new(), MemoryStore::new(), EntityKey::new("Order", "ord-2").unwrap());
        let runs = ["execution-1", "execution-2"].map(|run| ExecutionId::new(run).unwrap());
        let marks =
            [enter(&here, &entity, &runs[0]), enter(&here, &entity, &runs[1]), enter(&there, &entity, &runs[0])];
        let live = || {
            [
                contains(&here, &entity, &runs[0]),
                contains(&here, &entity, &runs[1]),
                contains(&there, &entity, &runs[0]),
            ]
        };
        assert_eq!(live(), [true; 3]);
        let [first, second, third] = marks;
        drop(first);
        assert_eq!(live(), [false, true, true]);
        drop(third);
        assert_eq!(live(), [false, true, false]);
        drop(second);
        assert_eq!(live(), [false; 3]);
        assert!(!contains(&there, &entity, &runs[1]));
    }
}

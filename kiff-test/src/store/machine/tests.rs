//! What is made up is worth it: what nothing ever comes of holds no store to anything.

use std::collections::BTreeMap;

use kiff::{MemoryStore, Store as _};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{Machine, Operation, Wanted, entities, operations, query};
use crate::wait::block_on;

#[test]
fn each_sort_of_search_finds_something() {
    let mut runner = TestRunner::deterministic();
    let mut found: Vec<Wanted> = Vec::new();
    for _ in 0..256 {
        let store = MemoryStore::new();
        let entities = entities().unwrap();
        let mut machine = Machine { store: &store, entities, journals: BTreeMap::new(), order: Vec::new() };
        for operation in operations().new_tree(&mut runner).unwrap().current() {
            machine.step(&operation).unwrap();
            if let Operation::Search { wanted, entity, seed, cursor, limit } = operation {
                let query = query(wanted, &machine.key(entity).unwrap(), seed).unwrap();
                if !block_on(store.search(&query, cursor, limit)).unwrap().is_empty() {
                    found.extend(wanted);
                }
            }
        }
    }
    for wanted in Wanted::ALL {
        assert!(found.contains(&wanted), "no search by {wanted:?} finds anything");
    }
}

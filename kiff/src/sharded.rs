//! A map by entity that many threads use at once: two entities wait for each other only while one of them is new.

use std::array;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use crate::identifier::EntityKey;

/// How many parts the map is cut into.
const SHARDS: usize = 64;

/// A map from entities to values that are cheap to clone, such as an `Arc`.
pub(crate) struct Sharded<V> {
    hasher: RandomState,
    shards: [RwLock<HashMap<EntityKey, V, RandomState>>; SHARDS],
}

impl<V: Clone> Sharded<V> {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::new();
        let shards = array::from_fn(|_| RwLock::new(HashMap::with_hasher(hasher.clone())));
        Self { hasher, shards }
    }

    fn shard(&self, key: &EntityKey) -> &RwLock<HashMap<EntityKey, V, RandomState>> {
        // The low bits choose the bucket within the shard, so the shard is chosen by others.
        let place = (self.hasher.hash_one(key) >> 48) as usize % SHARDS;
        let [first, ..] = &self.shards;
        self.shards.get(place).unwrap_or(first)
    }

    pub(crate) fn get(&self, key: &EntityKey) -> Option<V> {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(key).cloned()
    }

    pub(crate) fn get_or_insert_with(&self, key: &EntityKey, make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.get(key) {
            return value;
        }
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        shard.entry(key.clone()).or_insert_with(make).clone()
    }

    /// Puts in what `choose` makes of the present value; a shard that holds `most` values is emptied first.
    pub(crate) fn update(&self, key: &EntityKey, most: usize, choose: impl FnOnce(Option<&V>) -> Option<V>) {
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        let Some(value) = choose(shard.get(key)) else {
            return;
        };
        if shard.len() >= most / SHARDS && !shard.contains_key(key) {
            shard.clear();
        }
        shard.insert(key.clone(), value);
    }

    pub(crate) fn keys(&self) -> Vec<EntityKey> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            keys.extend(shard.read().unwrap_or_else(PoisonError::into_inner).keys().cloned());
        }
        keys
    }
}

//! A map by entity that many threads use at once: two entities wait for each other only while one of them is new.

use std::array;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock};

use crate::identifier::EntityKey;

/// How many parts the map is cut into.
const SHARDS: usize = 64;

/// A map from entities to values that are cheap to clone, such as an `Arc`.
pub(crate) struct Sharded<V> {
    /// Boxed, so that whoever holds a map is moved at no cost.
    shards: Box<[Shard<V>; SHARDS]>,
}

/// Where the value of an entity is, or is to be put.
pub(crate) enum Place<'s, V> {
    Taken(&'s mut V),
    Free(&'s mut Option<V>),
}

/// Each on lines of the cache of its own, so that threads in two of them do not disturb each other.
#[repr(align(128))]
struct Shard<V>(RwLock<HashMap<EntityKey, V, AlreadyHashed>>);

/// Takes the hash that a key, such as an [`EntityKey`], brings along.
pub(crate) type AlreadyHashed = BuildHasherDefault<Brought>;

#[derive(Default)]
pub(crate) struct Brought(u64);

impl Hasher for Brought {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // INVARIANT: such a key writes one `u64`; other bytes are mixed in so that nothing depends on that.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl<V: Clone> Sharded<V> {
    pub(crate) fn new() -> Self {
        Self { shards: Box::new(array::from_fn(|_| Shard(RwLock::default()))) }
    }

    fn shard(&self, key: &EntityKey) -> &Shard<V> {
        // The low bits choose the bucket within the shard, so the shard is chosen by others.
        let place = (AlreadyHashed::default().hash_one(key) >> 48) as usize % SHARDS;
        let [first, ..] = &*self.shards;
        self.shards.get(place).unwrap_or(first)
    }

    pub(crate) fn get(&self, key: &EntityKey) -> Option<V> {
        let shard = self.shard(key).0.read().unwrap_or_else(PoisonError::into_inner);
        shard.get(key).cloned()
    }

    pub(crate) fn get_or_insert_with(&self, key: &EntityKey, make: impl FnOnce() -> V) -> V {
        self.at(key, usize::MAX, |place| match place {
            Place::Taken(value) => value.clone(),
            Place::Free(place) => place.insert(make()).clone(),
        })
    }

    /// Does something at the place of an entity; a shard that holds `most` values is emptied before it takes one more.
    pub(crate) fn at<R>(&self, key: &EntityKey, most: usize, act: impl FnOnce(Place<'_, V>) -> R) -> R {
        let mut shard = self.shard(key).0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = shard.get_mut(key) {
            return act(Place::Taken(value));
        }
        let mut value = None;
        let done = act(Place::Free(&mut value));
        if let Some(value) = value {
            if shard.len() >= most / SHARDS {
                shard.clear();
            }
            shard.insert(key.clone(), value);
        }
        done
    }

    pub(crate) fn remove(&self, key: &EntityKey) {
        self.shard(key).0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    pub(crate) fn keys(&self) -> Vec<EntityKey> {
        let mut keys = Vec::new();
        for shard in &*self.shards {
            keys.extend(shard.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned());
        }
        keys
    }
}

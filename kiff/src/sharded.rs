//! A map by entity that many threads use at once: two entities wait for each other only while one of them is new.

use std::array;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::mem;
use std::sync::{PoisonError, RwLock};

use crate::identifier::EntityKey;

/// How many parts the map is cut into.
pub(crate) const SHARDS: usize = 64;

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
struct Shard<V>(RwLock<Values<V>>);

/// The values of some entities.
pub(crate) type Values<V> = HashMap<EntityKey, V, AlreadyHashed>;

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

/// Does something at the place of an entity.
#[inline]
pub(crate) fn at<V, R>(values: &mut Values<V>, key: &EntityKey, act: impl FnOnce(Place<'_, V>) -> R) -> R {
    if let Some(value) = values.get_mut(key) {
        return act(Place::Taken(value));
    }
    let mut value = None;
    let done = act(Place::Free(&mut value));
    if let Some(value) = value {
        values.insert(key.clone(), value);
    }
    done
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
        self.with_shard(key, |shard| {
            at(shard, key, |place| match place {
                Place::Taken(value) => value.clone(),
                Place::Free(place) => place.insert(make()).clone(),
            })
        })
    }

    /// Does something with the part of the map that an entity is in, while nobody else sees it.
    #[inline]
    pub(crate) fn with_shard<R>(&self, key: &EntityKey, act: impl FnOnce(&mut Values<V>) -> R) -> R {
        act(&mut self.shard(key).0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Empties one part of the map.
    pub(crate) fn take(&self, place: usize) -> Values<V> {
        let shard = self.shards.get(place);
        shard.map_or_else(Values::default, |shard| {
            mem::take(&mut *shard.0.write().unwrap_or_else(PoisonError::into_inner))
        })
    }

    pub(crate) fn remove(&self, key: &EntityKey) -> Option<V> {
        self.with_shard(key, |shard| shard.remove(key))
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

//! What is remembered of entities between two calls, within bounds.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::Domain;
use crate::entity::Entity;
use crate::identifier::EntityKey;
use crate::sharded::{Place, SHARDS, Sharded, Values, at};

/// Entities as they were when somebody looked last. Where there is too much, a part is forgotten: it is folded again when
/// somebody looks again.
pub(crate) struct Remembered<D: Domain> {
    entities: Sharded<Arc<Entity<D>>>,
    /// How many entities.
    most: usize,
    /// How many bytes of what they hold.
    room: usize,
    /// How many bytes they hold. An entity of which no sign-off was asked for holds none, so that most steps leave this alone.
    held: AtomicUsize,
    /// Which shard is forgotten next.
    next: AtomicUsize,
}

impl<D: Domain> Remembered<D> {
    /// Nothing yet; later at most about `most` entities, which hold about `room` bytes at most.
    pub(crate) fn new(most: usize, room: usize) -> Self {
        Self { entities: Sharded::new(), most, room, held: AtomicUsize::new(0), next: AtomicUsize::new(0) }
    }

    pub(crate) fn get(&self, key: &EntityKey) -> Option<Arc<Entity<D>>> {
        self.entities.get(key)
    }

    pub(crate) fn remove(&self, key: &EntityKey) {
        if let Some(forgotten) = self.entities.remove(key) {
            self.held.fetch_sub(forgotten.held(), Ordering::Relaxed);
        }
    }

    /// Does something at the place of an entity, and forgets others where there is too much then.
    pub(crate) fn at<R>(&self, key: &EntityKey, act: impl FnOnce(Place<'_, Arc<Entity<D>>>) -> R) -> R {
        let (mut has_grown, mut forgotten) = (false, None);
        let done = self.entities.with_shard(key, |shard| {
            let (mut before, mut after) = (0, 0);
            let done = at(shard, key, |place| match place {
                Place::Taken(entity) => {
                    before = entity.held();
                    let done = act(Place::Taken(&mut *entity));
                    after = entity.held();
                    done
                }
                Place::Free(place) => {
                    let done = act(Place::Free(&mut *place));
                    after = place.as_ref().map_or(0, |entity| entity.held());
                    done
                }
            });
            // Noted before anybody else can take it away. An entity that holds as much as before is nobody else's business.
            if after < before {
                self.held.fetch_sub(before - after, Ordering::Relaxed);
            } else if before < after {
                self.held.fetch_add(after - before, Ordering::Relaxed);
            }
            has_grown = before < after;
            if shard.len() > (self.most / SHARDS).max(1) {
                forgotten = Some(self.forget_others(shard, key));
            }
            done
        });
        // Let go behind the lock, which others wait for.
        drop(forgotten);
        if has_grown {
            self.make_room();
        }
        done
    }

    /// Forgets all of a shard but this entity.
    fn forget_others(&self, shard: &mut Values<Arc<Entity<D>>>, key: &EntityKey) -> Values<Arc<Entity<D>>> {
        let kept = shard.remove_entry(key);
        let forgotten = mem::take(shard);
        shard.extend(kept);
        self.let_go(&forgotten);
        forgotten
    }

    /// Forgets one shard after the other until there is room.
    fn make_room(&self) {
        for _ in 0..SHARDS {
            if self.held.load(Ordering::Relaxed) <= self.room {
                return;
            }
            let next = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
            self.let_go(&self.entities.take(next));
        }
    }

    fn let_go(&self, forgotten: &Values<Arc<Entity<D>>>) {
        let held = forgotten.values().map(|entity| entity.held()).sum();
        self.held.fetch_sub(held, Ordering::Relaxed);
    }
}

//! What is remembered of entities between two calls, within bounds, and how it goes on from there.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::Domain;
use crate::entity::Entity;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit};
use crate::sharded::{Place, SHARDS, Sharded, Values, at};
use crate::store::{PAGE, Store, StoreError};

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

    fn remove(&self, key: &EntityKey) {
        if let Some(forgotten) = self.entities.remove(key) {
            self.held.fetch_sub(forgotten.held(), Ordering::Relaxed);
        }
    }

    /// What the entity is now, by its journal.
    pub(crate) async fn entity(&self, store: &impl Store, key: &EntityKey) -> Result<Arc<Entity<D>>, StoreError> {
        let entity = self.follow(store, key).await;
        if entity.as_ref().is_err_and(|error| error.broken().is_some()) {
            // What is remembered of it is not to be shown either.
            self.remove(key);
        }
        entity
    }

    /// The entity as it is remembered, and what its journal says beyond that.
    async fn follow(&self, store: &impl Store, key: &EntityKey) -> Result<Arc<Entity<D>>, StoreError> {
        let mut entity = match self.get(key) {
            Some(remembered) => remembered,
            None => Arc::new(Self::recall(store, key).await?),
        };
        loop {
            let commits = store.read(key, entity.number(), PAGE).await?;
            if commits.is_empty() {
                return Ok(entity);
            }
            let folded = Arc::make_mut(&mut entity);
            commits.iter().try_for_each(|commit| folded.apply(commit))?;
            self.remember(&entity);
            if commits.len() < PAGE {
                return Ok(entity);
            }
        }
    }

    /// The entity as it was right after its fold was last kept beside the journal; empty when it never was. A fold that the
    /// journal does not vouch for is left alone: the journal says everything.
    async fn recall(store: &impl Store, key: &EntityKey) -> Result<Entity<D>, StoreError> {
        let Some(snapshot) = store.snapshot(key).await? else {
            return Ok(Entity::empty(key.clone()));
        };
        let next = store.read(key, snapshot.number, 1).await?;
        let restored = next.first().map(|next| Entity::restore(&snapshot, next));
        match restored {
            Some(Ok(entity)) => Ok(entity),
            Some(Err(error)) => {
                tracing::warn!(target: "kiff::snapshot", entity = %key, %error, "the journal is folded from its beginning");
                Ok(Entity::empty(key.clone()))
            }
            None => Ok(Entity::empty(key.clone())),
        }
    }

    /// Forgets an entity whose last commit the store does not have, or has another in its place.
    pub(crate) async fn forget_unless_kept(&self, store: &impl Store, entity: &Entity<D>) -> Result<(), StoreError> {
        if !Self::is_kept(store, entity).await? {
            let (key, number) = (entity.key(), entity.number());
            tracing::error!(target: "kiff::journal", entity = %key, number, "the store has lost what it had taken");
            self.remove(key);
        }
        Ok(())
    }

    /// Whether the store has the entity's last commit, and not another in its place. Of one without any, nothing is read.
    pub(crate) async fn is_kept(store: &impl Store, entity: &Entity<D>) -> Result<bool, StoreError> {
        let Some(before) = entity.number().checked_sub(1) else { return Ok(true) };
        let kept = store.read(entity.key(), before, 1).await?;
        Ok(kept.first().is_some_and(|last| entity.end().is_of(last)))
    }

    /// Remembers the entity, unless a later one is remembered.
    fn remember(&self, entity: &Arc<Entity<D>>) {
        self.at(entity.key(), |place| match place {
            Place::Taken(known) if known.number() >= entity.number() => {}
            Place::Taken(known) => known.clone_from(entity),
            Place::Free(place) => *place = Some(Arc::clone(entity)),
        });
    }

    /// The entity with one more commit, which was made of it. Where nobody else looks at the one that is remembered, that one is
    /// folded on as it stands.
    pub(crate) fn advance(
        &self,
        entity: Arc<Entity<D>>,
        commit: &Arc<Commit>,
    ) -> Result<Arc<Entity<D>>, BrokenJournal> {
        let folded = self.at(commit.key(), |place| match place {
            Place::Taken(known) if Arc::ptr_eq(known, &entity) => {
                drop(entity);
                Ok(Arc::make_mut(known).advance(commit).map(|()| Arc::clone(known)))
            }
            Place::Taken(_) | Place::Free(_) => Err(entity),
        });
        match folded {
            Ok(advanced) => advanced,
            Err(mut entity) => {
                Arc::make_mut(&mut entity).advance(commit)?;
                self.remember(&entity);
                Ok(entity)
            }
        }
    }

    /// Does something at the place of an entity, and forgets others where there is too much then.
    #[inline]
    fn at<R>(&self, key: &EntityKey, act: impl FnOnce(Place<'_, Arc<Entity<D>>>) -> R) -> R {
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
    #[cold]
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

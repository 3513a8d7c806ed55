//! What a runtime remembers of entities between two calls, and how it goes on from there.

use std::sync::Arc;

use crate::entity::Entity;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit};
use crate::sharded::Place;
use crate::store::Store;

use super::{Error, PAGE, Runtime};

impl<D: Executable, S: Store> Runtime<D, S> {
    /// What the entity is now, by its journal. Of another domain there is none here, whatever the store holds.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn entity(&self, key: &EntityKey) -> Result<Arc<Entity<D>>, Error> {
        if Self::check_type(key).is_some() {
            return Ok(Arc::new(Entity::empty(key.clone())));
        }
        let entity = self.follow(key).await;
        if let Err(Error::Journal(_)) = entity {
            // What is remembered of it is not to be shown either.
            self.entities.remove(key);
        }
        entity
    }

    /// The entity as it is remembered, and what its journal says beyond that.
    async fn follow(&self, key: &EntityKey) -> Result<Arc<Entity<D>>, Error> {
        let mut entity = match self.entities.get(key) {
            Some(remembered) => remembered,
            None => Arc::new(self.recall(key).await?),
        };
        loop {
            let commits = self.store.read(key, entity.number(), PAGE).await?;
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
    async fn recall(&self, key: &EntityKey) -> Result<Entity<D>, Error> {
        let Some(snapshot) = self.store.snapshot(key).await? else {
            return Ok(Entity::empty(key.clone()));
        };
        let next = self.store.read(key, snapshot.number, 1).await?;
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
    pub(super) async fn forget_unless_kept(&self, entity: &Entity<D>) -> Result<(), Error> {
        if !self.is_kept(entity).await? {
            let (key, number) = (entity.key(), entity.number());
            tracing::error!(target: "kiff::journal", entity = %key, number, "the store has lost what it had taken");
            self.entities.remove(key);
        }
        Ok(())
    }

    /// Whether the store has the entity's last commit, and not another in its place. Of one without any, nothing is read.
    pub(super) async fn is_kept(&self, entity: &Entity<D>) -> Result<bool, Error> {
        let Some(before) = entity.number().checked_sub(1) else { return Ok(true) };
        let kept = self.store.read(entity.key(), before, 1).await?;
        Ok(kept.first().is_some_and(|last| entity.end().is_of(last)))
    }

    /// Remembers the entity, unless a later one is remembered.
    fn remember(&self, entity: &Arc<Entity<D>>) {
        self.entities.at(entity.key(), |place| match place {
            Place::Taken(known) if known.number() >= entity.number() => {}
            Place::Taken(known) => known.clone_from(entity),
            Place::Free(place) => *place = Some(Arc::clone(entity)),
        });
    }

    /// The entity with one more commit, which was made of it. Where nobody else looks at the one that is remembered, that one is
    /// folded on as it stands.
    pub(super) fn advance(
        &self,
        entity: Arc<Entity<D>>,
        commit: &Arc<Commit>,
    ) -> Result<Arc<Entity<D>>, BrokenJournal> {
        let folded = self.entities.at(commit.key(), |place| match place {
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

    /// The entity as a step sees it that is to append: at its first try as it is remembered, since it is told by the store
    /// when the entity has moved, and then as its journal has it.
    ///
    /// INVARIANT: whoever answers without having appended does not rely on the first try, except for that there is such an
    /// entity: what is once in a journal stays there.
    pub(super) async fn presumed(&self, key: &EntityKey, tried: u16) -> Result<Arc<Entity<D>>, Error> {
        match self.entities.get(key) {
            Some(remembered) if tried == 0 && remembered.state().is_some() => Ok(remembered),
            _ => self.entity(key).await,
        }
    }
}

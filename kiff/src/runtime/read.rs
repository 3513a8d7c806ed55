//! Looking: what is allowed, what was, and whether the events alone lead to the same state.

use std::sync::Arc;

use crate::actor::Actor;
use crate::domain::{Domain, State};
use crate::entity::Entity;
use crate::event::Trace;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Fact, StateRebuilt};
use crate::remembered::Remembered;
use crate::schema::{Contract, Text};
use crate::store::Store;
use crate::timeline::Timeline;
use crate::verdict::{self, Refused, Verdict};

use super::{Batch, Error, PAGE, Runtime, TRIES};

/// What the events alone lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt<D: Domain> {
    /// The state after all events.
    pub state: D::State,
    /// How many events there are.
    pub events: u64,
    /// Whether the recorded state is the same.
    pub matches: bool,
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Refuses an entity of another domain: a store may hold its journal, and it is nobody's business here.
    pub(super) fn governed(key: &EntityKey) -> Result<(), Refused> {
        if key.entity_type() == D::schema().entity_type {
            return Ok(());
        }
        Err(Refused::invalid(verdict::other_type(D::schema(), key)))
    }

    /// What the entity is; refused where the domain does not govern it, or there is no such entity.
    pub(super) fn existing(entity: &Entity<D>) -> Result<D::State, Refused> {
        Self::governed(entity.key())?;
        entity.state().ok_or_else(|| Refused::invalid(verdict::unknown_entity(entity.key())))
    }

    /// What the entity is now, by its journal. Of another domain there is none here, whatever the store holds.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn entity(&self, key: &EntityKey) -> Result<Arc<Entity<D>>, Error> {
        if Self::governed(key).is_err() {
            return Ok(Arc::new(Entity::empty(key.clone())));
        }
        Ok(self.entities.entity(&self.store, key).await?)
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

    /// What the entity's state allows now, in order of the names; none when there is no such entity.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn allowed_actions(&self, key: &EntityKey) -> Result<Option<Vec<&'static Contract>>, Error> {
        let Some(state) = self.entity(key).await?.state() else {
            return Ok(None);
        };
        let allowed = D::actions().iter().filter(|action| action.allowed_in(state));
        let mut contracts: Vec<_> = allowed.map(|action| action.contract()).collect();
        contracts.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(contracts))
    }

    /// Every record of the entity, in order. Of an entity of another domain there is none here, whatever the store holds.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn timeline(&self, key: &EntityKey) -> Result<Timeline, Error> {
        if Self::governed(key).is_err() {
            return Ok(Timeline::new(key.clone(), Vec::new()));
        }
        Ok(Timeline::new(key.clone(), self.commits(key).await?))
    }

    /// Replays the entity's events from the beginning, compares what they lead to with the recorded state, and puts
    /// the result on the record. It changes no state, and so `actor`, who had it done, needs no role.
    ///
    /// # Errors
    /// [`Error`] when the store fails, the journal is broken, or an event of it has no transition.
    pub async fn rebuild(&self, actor: &Actor, key: &EntityKey) -> Result<Verdict<Rebuilt<D>>, Error> {
        if let Err(refused) = Self::governed(key) {
            return Ok(Self::told(refused).into());
        }
        let mut walk = Walk::<D>::of(key);
        for _ in 0..TRIES {
            self.walk_on(&mut walk).await?;
            let recorded = match Self::existing(&walk.entity) {
                Ok(recorded) => recorded,
                Err(refused) => return Ok(Self::told(refused).into()),
            };
            let Replayed { state, events } = walk.replayed.clone()?;
            let state = state.unwrap_or(recorded);
            let matches = state == recorded;
            let fact = StateRebuilt { state: Text::Borrowed(state.name()), events, matches };
            let (trace, facts) = (&Trace::default(), Box::new([fact.into()]));
            let batch = Batch { at: self.now(), actor, trace, cause: None, facts };
            if self.commit(Arc::new(walk.entity.clone()), batch).await?.is_some() {
                return Ok(Verdict::Allowed(Rebuilt { state, events, matches }));
            }
            if !Remembered::is_kept(&self.store, &walk.entity).await? {
                walk = Walk::of(key);
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// Goes on to the end of the journal, and holds a page of it at a time.
    async fn walk_on(&self, walk: &mut Walk<D>) -> Result<(), Error> {
        loop {
            let page = self.store.read(walk.entity.key(), walk.entity.number(), PAGE).await?;
            page.iter().try_for_each(|commit| walk.step(commit))?;
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn commits(&self, key: &EntityKey) -> Result<Vec<Arc<Commit>>, Error> {
        let mut commits: Vec<Arc<Commit>> = Vec::new();
        loop {
            let after = commits.last().map_or(0, |last| last.number());
            let page = self.store.read(key, after, PAGE).await?;
            let last = page.len() < PAGE;
            commits.extend(page);
            if last {
                return Ok(commits);
            }
        }
    }
}

/// Where events lead by the transitions of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed<D: Domain> {
    /// The state after all events; none when there are none.
    pub state: Option<D::State>,
    /// How many events there are.
    pub events: u64,
}

/// The journal of an entity as far as it was read.
struct Walk<D: Domain> {
    /// What its records lead to.
    entity: Entity<D>,
    /// What its events alone lead to, or the first one that leads nowhere.
    replayed: Result<Replayed<D>, BrokenJournal>,
}

impl<D: Domain> Walk<D> {
    fn of(key: &EntityKey) -> Self {
        Self { entity: Entity::empty(key.clone()), replayed: Ok(Replayed { state: None, events: 0 }) }
    }

    fn step(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        self.entity.apply(commit)?;
        // A journal whose records do not lead on is broken before any event of it is looked at.
        if let Ok(replayed) = self.replayed {
            self.replayed = replay_on(self.entity.key(), replayed, commit);
        }
        Ok(())
    }
}

/// Where the events of a journal lead by the domain's transitions alone. Recorded states are not looked at.
///
/// # Errors
/// [`BrokenJournal`] at the first event that leads nowhere.
pub fn replay<'a, D: Domain>(
    key: &EntityKey,
    commits: impl IntoIterator<Item = &'a Commit>,
) -> Result<Replayed<D>, BrokenJournal> {
    let start = Replayed::<D> { state: None, events: 0 };
    commits.into_iter().try_fold(start, |replayed, commit| replay_on(key, replayed, commit))
}

/// Where the events lead with those of one more commit.
fn replay_on<D: Domain>(
    key: &EntityKey,
    mut replayed: Replayed<D>,
    commit: &Commit,
) -> Result<Replayed<D>, BrokenJournal> {
    for fact in commit.facts() {
        let Fact::EventIngested(ingested) = fact else {
            continue;
        };
        let Some(to) = D::transition(replayed.state, &ingested.event) else {
            let from = replayed.state.map_or("new", State::name);
            let problem = format!("`{}` leads nowhere from `{from}`", ingested.event);
            return Err(BrokenJournal::new(key.clone(), commit.number(), problem));
        };
        replayed.state = Some(to);
        replayed.events += 1;
    }
    Ok(replayed)
}

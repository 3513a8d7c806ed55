//! Looking: what is allowed, what was, and whether the events alone lead to the same state.

use std::sync::Arc;

use crate::actor::Actor;
use crate::domain::{Domain, State};
use crate::entity::Entity;
use crate::event::Trace;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Fact, StateRebuilt};
use crate::schema::{Contract, Text};
use crate::store::Store;
use crate::timeline::{Phase, Timeline};
use crate::verdict::{self, Verdict};

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

    /// Every record of the entity, in order.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn timeline(&self, key: &EntityKey) -> Result<Timeline, Error> {
        Ok(Timeline::new(key.clone(), self.commits(key).await?))
    }

    /// The states that the entity went through, in order.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn lifecycle(&self, key: &EntityKey) -> Result<Vec<Phase>, Error> {
        Ok(self.timeline(key).await?.lifecycle())
    }

    /// Replays the entity's events from the beginning, compares what they lead to with the recorded state, and puts
    /// the result on the record. It changes no state, and so `actor`, who had it done, needs no role.
    ///
    /// # Errors
    /// [`Error`] when the store fails, the journal is broken, or an event of it has no transition.
    pub async fn rebuild(&self, actor: &Actor, key: &EntityKey) -> Result<Verdict<Rebuilt<D>>, Error> {
        if let Some(refusal) = Self::check_type(key) {
            return Ok(Self::told(Verdict::Invalid(refusal)));
        }
        for _ in 0..TRIES {
            let commits = self.commits(key).await?;
            let entity = Arc::new(Entity::<D>::fold(key.clone(), &commits)?);
            let Some(recorded) = entity.state() else {
                return Ok(Self::told(Verdict::Invalid(verdict::unknown_entity(key))));
            };
            let (state, events) = replay::<D>(key, commits.iter().map(|commit| &**commit))?;
            let state = state.unwrap_or(recorded);
            let matches = state == recorded;
            let fact = StateRebuilt { state: Text::Borrowed(state.name()), events, matches };
            let (trace, facts) = (&Trace::default(), Box::new([fact.into()]));
            let batch = Batch { at: self.now(), actor, trace, cause: None, facts };
            if self.commit(entity, batch).await?.is_some() {
                return Ok(Verdict::Allowed(Rebuilt { state, events, matches }));
            }
        }
        Err(Error::Contended(key.clone()))
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

/// The state that the events of a journal lead to by the domain's transitions alone, and how many there are. Recorded
/// states are not looked at.
///
/// # Errors
/// [`BrokenJournal`] at the first event that leads nowhere.
pub fn replay<'a, D: Domain>(
    key: &EntityKey,
    commits: impl IntoIterator<Item = &'a Commit>,
) -> Result<(Option<D::State>, u64), BrokenJournal> {
    let (mut state, mut events) = (None, 0);
    for commit in commits {
        for fact in commit.facts() {
            let Fact::EventIngested(ingested) = fact else {
                continue;
            };
            let to = D::transition(state, &ingested.event);
            let Some(to) = to else {
                let from = state.map_or("new", State::name);
                let problem = format!("`{}` leads nowhere from `{from}`", ingested.event);
                return Err(BrokenJournal::new(key.clone(), commit.number(), problem));
            };
            state = Some(to);
            events += 1;
        }
    }
    Ok((state, events))
}

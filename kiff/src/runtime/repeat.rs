//! The same wish once more: the first answer again, and nothing runs.

use std::sync::Arc;

use crate::action::Failure;
use crate::actor::Actor;
use crate::domain::{Domain, Event, State};
use crate::entity::Entity;
use crate::executor::Executable;
use crate::identifier::{EntityKey, ExecutionId, IdempotencyKey};
use crate::journal::{ActionDeduplicated, ActionFailed, BrokenJournal, Commit, Fact};
use crate::json::Json;
use crate::permission::Said;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{self, Refused};

use super::attempt::Attempt;
use super::outcome::{Executed, Failed, Outcome};
use super::{Batch, Error, PAGE, Runtime};

/// What an attempt under an idempotency key is.
pub(super) enum Wish<D: Domain> {
    /// It was not made before, or whoever makes it may not know whether it was: it is judged like any other, by what the policy has
    /// said of it where that was asked.
    New(Option<Said>),
    /// It was made before, and this was the answer, or that there is none yet.
    Repeated(Outcome<Executed<D>>),
    /// The entity moved before it was looked up, or before the answer was on the record.
    Moved,
}

/// The action that was started under a key.
struct First<'c> {
    execution: &'c ExecutionId,
    commit: &'c Commit,
    action: &'c str,
    parameters: Option<&'c Json>,
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Whether the same was asked before under the attempt's key, and what came of it.
    ///
    /// Whoever may not run the action learns nothing about keys: the attempt is then judged, and refused.
    pub(super) async fn wish(
        &self,
        entity: &Arc<Entity<D>>,
        actor: &Actor,
        attempt: &Attempt<D>,
        now: Timestamp,
    ) -> Result<Wish<D>, Error> {
        let (Some(key), Some(action)) = (&attempt.key, attempt.action()) else {
            return Ok(Wish::New(None));
        };
        if Self::governed(entity.key()).is_err() {
            return Ok(Wish::New(None));
        }
        let said = Said::of(&*self.policy, actor, &action.contract().permission, entity.key());
        if said.0 != Ok(true) {
            return Ok(Wish::New(Some(said)));
        }
        let Some(number) = self.store.keyed(entity.key(), key).await? else {
            return Ok(Wish::New(Some(said)));
        };
        if number > entity.number() {
            // Somebody else was first, unless the store leads to what is not there.
            if self.store.read(entity.key(), number.saturating_sub(1), 1).await?.is_empty() {
                let problem = format!("the key `{key}` leads to it, and it is not there");
                return Err(BrokenJournal::new(entity.key().clone(), number, problem).into());
            }
            return Ok(Wish::Moved);
        }
        let commits = self.store.read(entity.key(), number.saturating_sub(1), PAGE).await?;
        let Some(first) = commits.first().and_then(|commit| first(commit, key)) else {
            let problem = format!("it does not start an action under the key `{key}`");
            return Err(BrokenJournal::new(entity.key().clone(), number, problem).into());
        };
        if !is_same(&first, actor, attempt) {
            let refused = Refused::invalid(verdict::key_reused(key));
            let refused = self.refuse(Arc::clone(entity), actor, attempt, now, refused).await?;
            return Ok(refused.map_or(Wish::Moved, |refused| Wish::Repeated(refused.into())));
        }
        if entity.running().is_some_and(|running| running.execution == *first.execution) {
            let unended = Box::pin(self.unended(entity.key(), first.execution)).await?;
            return Ok(unended.map_or(Wish::Moved, |refused| Wish::Repeated(refused.into())));
        }
        let execution = first.execution.clone();
        let Some(outcome) = self.answer_of(entity, &execution, commits).await? else {
            let problem = format!("execution `{execution}` has neither ended nor is it under way");
            return Err(BrokenJournal::new(entity.key().clone(), number, problem).into());
        };
        let fact = ActionDeduplicated { action: attempt.name().clone(), execution, key: key.clone() };
        let facts = Box::new([fact.into()]);
        let batch = Batch { at: now, actor, trace: &attempt.trace, cause: None, facts };
        let kept = self.commit(Arc::clone(entity), batch).await?;
        Ok(kept.map_or(Wish::Moved, |_| Wish::Repeated(outcome)))
    }

    /// What is answered while a run goes on or is in doubt; none when it has ended meanwhile. It leaves no record: whoever asks
    /// again what they have asked already wants nothing new.
    async fn unended(&self, key: &EntityKey, execution: &ExecutionId) -> Result<Option<Refused>, Error> {
        // No append tells that what is remembered is over.
        let entity = self.entity(key).await?;
        let running = entity.running().filter(|running| running.execution == *execution);
        let refused = running.map(|running| Refused::blocked(verdict::in_progress(running)));
        Ok(refused.map(|refused| Self::told(self.advised(&entity, refused))))
    }

    /// How a run ended, by the commits from its start on; none when they do not say.
    async fn answer_of(
        &self,
        entity: &Entity<D>,
        execution: &ExecutionId,
        mut commits: Vec<Arc<Commit>>,
    ) -> Result<Option<Outcome<Executed<D>>>, Error> {
        loop {
            let mut found = commits.iter().enumerate();
            let found = found.find_map(|(place, commit)| Some((place, end(execution, commit)?)));
            if let Some((place, ended)) = found {
                return Ok(match ended {
                    Ended::Executed => {
                        let from_it_on = commits.get(place..).unwrap_or_default();
                        self.done(entity, execution, from_it_on).await?.map(Outcome::Executed)
                    }
                    Ended::Failed(failed) => refused(failed),
                });
            }
            let Some(last) = commits.last() else {
                return Ok(None);
            };
            commits = self.store.read(entity.key(), last.number(), PAGE).await?;
        }
    }

    /// What a run came to that ended well in the first of these commits.
    async fn done(
        &self,
        entity: &Entity<D>,
        execution: &ExecutionId,
        commits: &[Arc<Commit>],
    ) -> Result<Option<Executed<D>>, Error> {
        let Some((commit, behind)) = commits.split_first() else {
            return Ok(None);
        };
        let event = commit.facts().iter().find_map(|fact| match fact {
            Fact::EventIngested(data) => D::Event::decode(&data.event, &data.payload).and_then(Result::ok),
            _ => None,
        });
        let state = match led_to::<D>(commit) {
            Some(state) => Some(state),
            None => self.state_at(entity, commit.number(), behind).await?,
        };
        let at = commit.at();
        let executed = |state| Executed { execution: execution.clone(), event, state, at, deduplicated: true };
        Ok(state.map(executed))
    }

    /// The state that the entity was in at the commit of that number, which does not change it: the one that the next change
    /// behind it sets out from, and where there is none the state as it stands. What stands before it is not read. `behind` are
    /// those of the commits behind it that have been read.
    async fn state_at(
        &self,
        entity: &Entity<D>,
        number: u64,
        behind: &[Arc<Commit>],
    ) -> Result<Option<D::State>, Error> {
        let (mut after, mut commits) = (number, behind.to_vec());
        loop {
            if let Some(state) = commits.iter().find_map(|commit| set_out_from::<D>(commit)) {
                return Ok(Some(state));
            }
            after = commits.last().map_or(after, |last| last.number());
            if after >= entity.number() {
                return Ok(entity.state());
            }
            commits = self.store.read(entity.key(), after, PAGE).await?;
            if commits.is_empty() {
                // The store has lost some: what is appended next finds out, and without it nothing is answered.
                return Ok(entity.state());
            }
        }
    }
}

/// The state that a commit led to, where it changed it.
fn led_to<D: Domain>(commit: &Commit) -> Option<D::State> {
    commit.facts().iter().rev().find_map(|fact| match fact {
        Fact::StateChanged(data) => D::State::from_name(&data.to),
        _ => None,
    })
}

/// The state that a commit set out from, where it changed it.
fn set_out_from<D: Domain>(commit: &Commit) -> Option<D::State> {
    commit.facts().iter().find_map(|fact| match fact {
        Fact::StateChanged(data) => D::State::from_name(data.from.as_deref()?),
        _ => None,
    })
}

/// The action that a commit starts under `key`.
fn first<'c>(commit: &'c Commit, key: &IdempotencyKey) -> Option<First<'c>> {
    let (started, parameters) = commit.starts().filter(|(started, _)| started.key.as_ref() == Some(key))?;
    Some(First { execution: &started.execution, commit, action: &started.action, parameters })
}

/// Whether the attempt is by the same actor and asks for the same action with the same parameters.
fn is_same<D: Executable>(first: &First<'_>, actor: &Actor, attempt: &Attempt<D>) -> bool {
    first.commit.actor() == actor
        && first.action == attempt.name()
        && first.parameters.map(Json::canonical) == attempt.parameters().map(Json::canonical)
}

/// How a run ended.
enum Ended<'c> {
    Executed,
    Failed(&'c ActionFailed),
}

/// How a run ended, if this commit says it.
fn end<'c>(execution: &ExecutionId, commit: &'c Commit) -> Option<Ended<'c>> {
    commit.facts().iter().find_map(|fact| match fact {
        Fact::ActionExecuted(executed) if executed.execution == *execution => Some(Ended::Executed),
        Fact::ActionFailed(failed) if failed.execution.as_ref() == Some(execution) => {
            failed.is_end().then_some(Ended::Failed(failed))
        }
        _ => None,
    })
}

fn refused<D: Domain>(failed: &ActionFailed) -> Option<Outcome<Executed<D>>> {
    let failure = Failure::refused(failed.message.clone()).with_code(failed.code.clone());
    let execution = failed.execution.clone()?;
    Some(Outcome::Failed(Failed { execution, failure, deduplicated: true }))
}

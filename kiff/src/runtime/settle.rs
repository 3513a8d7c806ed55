//! Doubt: which actions have started and not ended, and settling what became of them.

use std::time::Duration;

use crate::actor::Actor;
use crate::bounds::Bounds;
use crate::domain::{Domain, Emitted, Event};
use crate::entity::{Entity, Running};
use crate::event::Trace;
use crate::executor::Executable;
use crate::identifier::{EntityKey, ExecutionId};
use crate::journal::{ActionExecuted, ActionFailed, Fact, FailedOutcome, Matter, Open, Settled};
use crate::schema::Contract;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{self, ReasonCode, Refusal, Refused, Verdict};

use super::{Batch, Error, Runtime, TRIES, live, readable};

/// An action that has started, has not ended, and does not run in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Since when, and of which entity.
    pub open: Open,
    /// The run.
    pub running: Running,
}

/// What a person says became of a run of which nobody knows how it ended, and how they know: that goes on the record.
///
/// ```
/// use kiff::{Domain, Emitted, Settlement};
///
/// fn by_the_statement<D: Domain>(found: Option<impl Emitted<D>>) -> Settlement<D> {
///     match found {
///         Some(event) => Settlement::happened(event, "it is on the bank's statement"),
///         None => Settlement::did_not_happen("it is not on the bank's statement"),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Settlement<D: Domain> {
    became: Became<D>,
    reason: String,
    trace: Trace,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub(super) enum Became<D: Domain> {
    /// It was done, with its event; none where the action emits none.
    Happened(Option<D::Event>),
    /// Nothing was done.
    DidNotHappen,
}

impl<D: Domain> Became<D> {
    /// Whether the action can become this at all.
    fn fits(&self, contract: &Contract) -> bool {
        match self {
            Self::DidNotHappen => true,
            Self::Happened(None) => contract.emits.is_empty(),
            Self::Happened(Some(event)) => contract.emits.iter().any(|emitted| *emitted == event.name()),
        }
    }
}

impl<D: Domain> Settlement<D> {
    /// It happened, and this is the event that its executor would have answered with; `()` where the action emits none.
    #[must_use]
    pub fn happened(event: impl Emitted<D>, reason: impl Into<String>) -> Self {
        Self::event(event.into_event(), reason)
    }

    /// As [`Settlement::happened`], with an event of the domain's enum.
    #[must_use]
    pub fn event(event: Option<D::Event>, reason: impl Into<String>) -> Self {
        Self { became: Became::Happened(event), reason: reason.into(), trace: Trace::default() }
    }

    /// Nothing happened: the action may be tried again.
    #[must_use]
    pub fn did_not_happen(reason: impl Into<String>) -> Self {
        Self { became: Became::DidNotHappen, reason: reason.into(), trace: Trace::default() }
    }

    /// The same as part of a larger story.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }
}

/// How far ahead a clock may be for what it says to be waited for.
pub(crate) const AHEAD: Duration = Duration::from_hours(1);

impl<D: Executable, S: Store> Runtime<D, S> {
    /// The actions of this domain that have started, have not ended, and do not run in this process now: the oldest
    /// first, behind `after`, at most `limit` of them.
    ///
    /// Where several processes share a store, what another one has started is among them once it takes longer than any
    /// executor does ([`Runtime::with_longest_run`]). An entity whose journal is broken is logged and passed over.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn in_doubt(&self, after: Option<&Open>, limit: usize) -> Result<Vec<Doubt>, Error> {
        self.in_doubt_of(None, after, limit).await
    }

    /// The same, of one tenant or of all.
    pub(crate) async fn in_doubt_of(
        &self,
        tenant: Option<&str>,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Doubt>, Error> {
        let mut doubts = Vec::new();
        let mut open = self.open(Matter::Execution, tenant, after, limit);
        while doubts.len() < limit
            && let Some(open) = open.next().await?
        {
            let running = readable(self.doubt_of(&open).await)?.flatten();
            doubts.extend(running.map(|running| Doubt { open, running }));
        }
        Ok(doubts)
    }

    /// The action of the entity that has started, has not ended, and does not run in this process now; none when
    /// nothing is in doubt.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn doubt(&self, key: &EntityKey) -> Result<Option<Running>, Error> {
        let entity = self.entity(key).await?;
        let Some(doubtful) = entity.running().filter(|running| self.is_in_doubt(&entity, running)) else {
            return Ok(None);
        };
        // It may have ended here after the journal was read, and before anybody looked what runs here.
        let now = self.entity(key).await?;
        Ok(now.running().filter(|running| running.execution == doubtful.execution).cloned())
    }

    /// What the journal says of a run that the store lists as open; none when it is not in doubt.
    pub(super) async fn doubt_of(&self, open: &Open) -> Result<Option<Running>, Error> {
        let running = self.doubt(&open.key).await?;
        Ok(running.filter(|running| running.execution.as_str() == open.id))
    }

    /// Whether a run that has not ended will not be answered any more.
    fn is_in_doubt(&self, entity: &Entity<D>, running: &Running) -> bool {
        running.unknown || !(self.runs_here(entity, running) || self.may_run_elsewhere(running).is_some())
    }

    pub(super) fn runs_here(&self, entity: &Entity<D>, running: &Running) -> bool {
        live::contains(&self.store, entity.key(), &running.execution)
    }

    /// Until when a run may be one of another process that has not ended; none when it is not.
    ///
    /// One that began far in the future, by a clock that was ahead, began nobody knows when, and is not waited for.
    pub(super) fn may_run_elsewhere(&self, running: &Running) -> Option<Timestamp> {
        let (now, until) = (self.now(), running.since.after(self.longest_run));
        let is_young = now < until && running.since < now.after(self.longest_run.max(AHEAD));
        (self.store.is_shared() && is_young && !running.unknown).then_some(until)
    }

    /// The same refusal; where a doubt is in the way, with how it ends. The gate knows no executors, and no processes.
    pub(super) fn advised(&self, entity: &Entity<D>, refused: Refused) -> Refused {
        let in_the_way = refused.refusal.code == ReasonCode::ActionInProgress;
        let Some(running) = entity.running().filter(|running| in_the_way && self.is_in_doubt(entity, running)) else {
            return refused;
        };
        let action = D::from_name(&running.action);
        let can_ask = action.is_some_and(|action| action.entry().reconcile().is_some());
        refused.remedied(verdict::way_out(&running.execution, can_ask))
    }

    /// A person's word on what became of a run of which nobody knows how it ended. It must be a human who did not ask
    /// for the run and holds the permission ([`Contract::settlement`](crate::Contract::settlement)), and they must say
    /// how they know. A word that does not count is on the record as well.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn settle(
        &self,
        actor: &Actor,
        key: &EntityKey,
        execution: &ExecutionId,
        settlement: Settlement<D>,
    ) -> Result<Verdict<D::State>, Error> {
        for _ in 0..TRIES {
            let entity = self.entity(key).await?;
            if let Err(refused) = Self::existing(&entity) {
                return Ok(Self::told(refused).into());
            }
            let (facts, answer) = match self.settled(&entity, execution, actor, &settlement) {
                Ok((facts, state)) => (facts, Ok(state)),
                Err(refused) => (vec![self.unsettled(&entity, execution, &refused)], Err(refused)),
            };
            let cause = entity.running().map(|running| running.record);
            let batch = Batch { at: self.now(), actor, trace: &settlement.trace, cause, facts: facts.into() };
            if self.commit(entity, batch).await?.is_some() {
                return Ok(answer.map_err(Self::told).into());
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// What goes on the record of a settlement that counts, and the state after it.
    fn settled(
        &self,
        entity: &Entity<D>,
        execution: &ExecutionId,
        actor: &Actor,
        settlement: &Settlement<D>,
    ) -> Result<(Vec<Fact>, D::State), Refused> {
        let (running, action) = verdict::settle(entity, execution, actor, &*self.policy)?;
        if !self.is_in_doubt(entity, running) {
            return Err(Refused::blocked(Refusal {
                code: ReasonCode::ActionInProgress,
                message: format!("execution `{execution}` still runs, here or elsewhere"),
                remedy: Some("wait for its answer".to_owned()),
            }));
        }
        if settlement.reason.trim().is_empty() {
            return Err(invalid("a settlement needs a reason".to_owned(), Some("say how you know".to_owned())));
        }
        Bounds::check("bytes in a reason", settlement.reason.len(), self.bounds.text)
            .map_err(|over| Refused::invalid(verdict::over_bound(&over)))?;
        let by = Settled::Person { reason: settlement.reason.clone() };
        if !settlement.became.fits(action.contract()) {
            return Err(unfit(action.contract()));
        }
        self.record_of(entity, running, settlement.became.clone(), by).map_err(|problem| invalid(problem, None))
    }

    /// What goes on the record when it is known what became of a run, and the state after it.
    pub(super) fn record_of(
        &self,
        entity: &Entity<D>,
        running: &Running,
        became: Became<D>,
        by: Settled,
    ) -> Result<(Vec<Fact>, D::State), String> {
        let (action, execution) = (running.action.clone(), running.execution.clone());
        let state = entity.state().ok_or_else(|| "the entity has no state".to_owned())?;
        let Became::Happened(event) = became else {
            let failed = ActionFailed {
                action,
                outcome: FailedOutcome::Refused,
                code: "did_not_happen".into(),
                message: "it did not happen".to_owned(),
                parameters: None,
                execution: Some(execution),
                settled: Some(by),
            };
            return Ok((vec![failed.into()], state));
        };
        let landing = self.landing(&execution, Some(state), event).map_err(|failure| failure.message().to_owned())?;
        let executed = ActionExecuted { action, execution, settled: Some(by) };
        let facts = std::iter::once(executed.into()).chain(landing.facts.into_iter().flatten()).collect();
        Ok((facts, landing.state))
    }

    /// What goes on the record of a settlement that does not count.
    fn unsettled(&self, entity: &Entity<D>, execution: &ExecutionId, refused: &Refused) -> Fact {
        let running = entity.running().filter(|running| running.execution == *execution);
        ActionFailed {
            action: running.map_or_else(|| "unknown".into(), |running| running.action.clone()),
            outcome: refused.outcome(),
            code: refused.refusal.code.as_str().into(),
            message: self.short(&format!("settling `{execution}`: {}", refused.refusal.message)),
            parameters: None,
            execution: None,
            settled: None,
        }
        .into()
    }
}

fn invalid(message: String, remedy: Option<String>) -> Refused {
    Refused::invalid(Refusal { code: ReasonCode::InvalidContract, message, remedy })
}

/// The settlement is by an event that the action does not make happen.
fn unfit(contract: &Contract) -> Refused {
    let emits = contract.emits.join("` or `");
    if emits.is_empty() {
        return invalid(format!("`{}` makes no event happen", contract.name), Some("settle it without one".to_owned()));
    }
    invalid(
        format!("`{}` makes `{emits}` happen, and nothing else", contract.name),
        Some(format!("settle it with `{emits}`")),
    )
}

//! Running an action: judged, started on the record, run once, and its answer on the record.

use std::fmt;
use std::sync::Arc;

use crate::action::Failure;
use crate::actor::Actor;
use crate::domain::{Domain, Event};
use crate::entity::Entity;
use crate::executor::{Executable, Execution, ExecutorReply, Ready};
use crate::identifier::{ApprovalId, EntityKey, ExecutionId, IdempotencyKey};
use crate::journal::{
    ActionExecuted, ActionFailed, ActionStarted, BrokenJournal, EventIngested, Fact, FailedOutcome, RecordId,
};
use crate::schema::{Contract, Effect, Text};
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{Judged, Permit};

use super::at_once::Answered;
use super::attempt::{Attempt, Propose};
use super::ingest::happened;
use super::outcome::{Executed, Failed, Outcome};
use super::panics::{caught, caught_at_once};
use super::repeat::Wish;
use super::{Batch, Error, Runtime, TRIES, live};

/// The code of a run whose start is on the record and that did not begin all the same.
const DID_NOT_BEGIN: &str = "did_not_begin";

/// How a run went on whose start is on the record.
enum Ended<D: Domain> {
    /// Its executor answered.
    Answered(ExecutorReply<D>),
    /// It did not begin, for this reason.
    NotBegun(Failure),
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Judges a proposal and, if everything holds, runs its executor once.
    ///
    /// That it starts is on the record before the executor runs, so that a run of which nobody knows how it ended,
    /// because this future was dropped or the process died, is *in doubt* and never forgotten. Of proposals that race
    /// on one entity, one runs. A handler whose client may hang up gives it a task of its own, as by `tokio::spawn`, so that it
    /// is not dropped with the client.
    ///
    /// # Errors
    /// [`Error::Unrecorded`] when it has started and how it ended could not be kept: the action is in doubt. Any other [`Error`]
    /// when the store fails or the journal is broken: nothing ran outside, and that it starts may be on the record all the same.
    /// Ask again under the same [idempotency key](crate::Proposal::idempotency_key).
    pub async fn execute(
        &self,
        actor: &Actor,
        key: &EntityKey,
        proposal: impl Propose<D>,
    ) -> Result<Outcome<Executed<D>>, Error> {
        self.execute_attempt(actor, key, &mut proposal.attempt(&self.bounds)).await
    }

    /// The same, where the entity has to be in `state`.
    pub(crate) async fn execute_in(
        &self,
        state: D::State,
        actor: &Actor,
        key: &EntityKey,
        proposal: impl Propose<D>,
    ) -> Result<Outcome<Executed<D>>, Error> {
        let mut attempt = proposal.attempt(&self.bounds);
        attempt.expected = Some(state);
        self.execute_attempt(actor, key, &mut attempt).await
    }

    pub(crate) async fn execute_attempt(
        &self,
        actor: &Actor,
        key: &EntityKey,
        attempt: &mut Attempt<D>,
    ) -> Result<Outcome<Executed<D>>, Error> {
        let mut overtaken: Option<Box<Answered<D>>> = None;
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            let now = self.now();
            let judged = match self.wish(&entity, actor, attempt, now).await? {
                Wish::New(None) => self.judge(&entity, actor, attempt, &*self.policy, now),
                Wish::New(Some(said)) => self.judge(&entity, actor, attempt, &said, now),
                Wish::Repeated(outcome) => return Ok(outcome),
                Wish::Moved => continue,
            };
            let permit = match judged {
                Ok(permit) => permit,
                Err(refused) => {
                    if let Some(refused) = self.refuse(entity, actor, attempt, now, refused).await? {
                        return Ok(refused.into());
                    }
                    continue;
                }
            };
            let approved = permit.approval().and_then(|approval| entity.approval(approval));
            let approved = approved.map(|approval| &approval.parameters);
            if let Some(approved) = approved.filter(|approved| Some(*approved) != attempt.parameters()) {
                // INVARIANT: what runs is what was approved, to the letter.
                attempt.rewrite(approved.clone());
                overtaken = None;
                continue;
            }
            let approval = permit.approval().cloned();
            // Where what its executor was told is no longer so, it is asked again.
            let fitting = overtaken.take().filter(|answered| answered.fits(&entity, approval.as_ref()));
            let became = if let Some(answered) = fitting {
                self.keep_at_once(entity, *answered, now).await?
            } else {
                let run = self.run(&entity, actor, attempt, approval.as_ref(), permit.action())?;
                let permit = permit.for_run(approval.as_ref());
                match run.contract.effect {
                    Effect::None => self.run_at_once(entity, run, permit, attempt).await?,
                    Effect::Outside => self.run_outside(entity, now, &run, permit, attempt).await?,
                }
            };
            match became {
                Tried::Ended(outcome) => return Ok(outcome),
                Tried::Moved => {}
                Tried::Overtaken(answered) => overtaken = Some(answered),
            }
        }
        Err(Error::Contended(key.clone()))
    }

    fn run(
        &self,
        entity: &Entity<D>,
        actor: &Actor,
        attempt: &Attempt<D>,
        approval: Option<&ApprovalId>,
        contract: &'static Contract,
    ) -> Result<Run<D>, Error> {
        let execution = Execution {
            id: self.next_identifier("execution")?,
            entity: entity.key().clone(),
            actor: actor.clone(),
            approval: approval.cloned(),
            trace: attempt.trace.clone(),
        };
        Ok(Run { from: entity.state(), execution, contract, key: attempt.key.clone() })
    }

    /// Runs an action that may touch the outside: its start is kept before, its answer after.
    async fn run_outside(
        &self,
        entity: Arc<Entity<D>>,
        judged_at: Timestamp,
        run: &Run<D>,
        permit: Permit<'_, Judged<D>>,
        attempt: &mut Attempt<D>,
    ) -> Result<Tried<D>, Error> {
        // Before its start is on the record: behind it, whatever does not run is in doubt.
        let Some(ready) = attempt.take_ready() else {
            return Ok(Tried::Moved);
        };
        let mut facts = self.opening(attempt, 1)?;
        facts.push(run.started().into());
        let running = live::enter(&self.store, &run.execution.entity, &run.execution.id);
        let batch = run.batch(judged_at, None, facts.into());
        let Some(started) = self.commit(entity, batch).await? else {
            attempt.put_back(ready);
            return Ok(Tried::Moved);
        };
        let ended = match self.missed(&started, run, judged_at) {
            Some(missed) => Ended::NotBegun(missed),
            None => Ended::Answered(self.answer(ready, permit, &run.execution).await),
        };
        let kept = self.finish(started, run, ended).await;
        drop(running);
        kept.map(Tried::Ended)
            .map_err(|cause| Error::Unrecorded { execution: run.execution.id.clone(), cause: Box::new(cause) })
    }

    /// Why a run whose start is on the record must not begin any more: to keep a record may take long, and what held when it was
    /// judged may be over.
    fn missed(&self, started: &Entity<D>, run: &Run<D>, judged_at: Timestamp) -> Option<Failure> {
        let approval = run.execution.approval.as_ref().and_then(|approval| started.approval(approval));
        if approval.is_none() && !self.store.is_shared() {
            return None;
        }
        let now = self.now();
        let why = if let Some(expired) = approval.filter(|approval| approval.has_expired(started.present(now))) {
            format!("approval `{}` had expired by then", expired.id)
        } else if self.store.is_shared() && now >= judged_at.after(self.longest_run) {
            "another process may have settled by then what became of it".to_owned()
        } else {
            return None;
        };
        let message = format!("it did not begin, because the store took long to keep that it starts: {why}");
        Some(Failure::refused(message).with_code(DID_NOT_BEGIN))
    }

    /// Runs the executor; whatever it does, there is an answer.
    pub(super) async fn answer(
        &self,
        ready: Box<dyn Ready<D>>,
        permit: Permit<'_, Judged<D>>,
        execution: &Execution,
    ) -> ExecutorReply<D> {
        let Some(answer) = ready.run(permit, &self.services, execution) else {
            return Err(Failure::refused("the permit is for another action"));
        };
        match caught(answer, "the executor", &execution.id).await {
            Ok(answer) => answer,
            Err(panicked) => Err(Failure::unknown(panicked.to_string())),
        }
    }

    /// Keeps how a run ended. Other records may have come in between, so this goes on until it is kept: the
    /// effect has happened and must not be lost.
    async fn finish(
        &self,
        started: Arc<Entity<D>>,
        run: &Run<D>,
        ended: Ended<D>,
    ) -> Result<Outcome<Executed<D>>, Error> {
        let has_begun = matches!(ended, Ended::Answered(_));
        let answer = match ended {
            Ended::Answered(answer) => answer,
            Ended::NotBegun(missed) => Err(missed),
        };
        let (facts, mut outcome) = self.answered(run, answer);
        let cause = started.running().map(|running| running.record);
        let (mut entity, mut facts) = (started, facts.into_boxed_slice());
        loop {
            let under_way = entity.running().is_some_and(|running| running.execution == run.execution.id);
            let is_late = matches!(&*facts, [Fact::ActionFailed(failed)] if failed.outcome == FailedOutcome::Late);
            if !under_way && !is_late {
                (facts, outcome) = self.too_late(run, &outcome, has_begun);
            }
            let batch = run.batch(self.now(), cause, facts);
            match self.try_commit(entity, batch).await? {
                Ok(kept) => return Ok(outcome.map(|ran| run.executed(ran, kept.at()))),
                Err(again) => facts = again,
            }
            entity = self.entity(&run.execution.entity).await?;
            if entity.state().is_none() {
                let problem = "the store has lost it: an action has started there that has ended now".to_owned();
                return Err(BrokenJournal::new(run.execution.entity.clone(), 1, problem).into());
            }
        }
    }

    /// What goes on the record of an answer, and what the caller is told.
    pub(super) fn answered(&self, run: &Run<D>, answer: ExecutorReply<D>) -> (Vec<Fact>, Outcome<Ran<D>>) {
        let landed = answer.and_then(|event| self.landing(&run.execution.id, run.from, event));
        match landed {
            Ok(Landing { event, state, facts }) => {
                let executed = ActionExecuted {
                    action: run.contract.name.clone(),
                    execution: run.execution.id.clone(),
                    settled: None,
                };
                let mut recorded = Vec::with_capacity(3);
                recorded.push(executed.into());
                recorded.extend(facts.into_iter().flatten());
                (recorded, Outcome::Executed(Ran { event, state }))
            }
            Err(failure) => {
                // INVARIANT: where nothing outside was touched, there is nothing to be in doubt about.
                let failure = match run.contract.effect {
                    Effect::None => failure.into_refused(),
                    Effect::Outside => failure,
                };
                let outcome = if failure.is_unknown() { FailedOutcome::Unknown } else { FailedOutcome::Refused };
                let failed = ActionFailed {
                    action: run.contract.name.clone(),
                    outcome,
                    code: self.short(failure.code()).into(),
                    message: self.short(failure.message()),
                    parameters: None,
                    execution: Some(run.execution.id.clone()),
                    settled: None,
                };
                let execution = run.execution.id.clone();
                (vec![failed.into()], Outcome::Failed(Failed { execution, failure, deduplicated: false }))
            }
        }
    }

    /// Where the executor's event leads, and what goes on the record of it.
    pub(super) fn landing(
        &self,
        execution: &ExecutionId,
        from: Option<D::State>,
        event: Option<D::Event>,
    ) -> Result<Landing<D>, Failure> {
        let Some(from) = from else {
            return Err(Failure::unknown("the entity has no state"));
        };
        let Some(event) = event else {
            return Ok(Landing { event: None, state: from, facts: None });
        };
        let name = event.name();
        let Some(state) = D::transition(Some(from), name) else {
            return Err(Failure::unknown(format!("the executor answered `{name}`, which leads nowhere from here")));
        };
        let unrecorded =
            |why: &dyn fmt::Display| Failure::unknown(format!("the executor's `{name}` cannot be recorded: {why}"));
        let payload = match caught_at_once(|| event.encode(&self.bounds), "writing the event", execution) {
            Ok(encoded) => encoded.map_err(|error| unrecorded(&error))?,
            Err(panicked) => return Err(unrecorded(&panicked)),
        };
        let ingested =
            EventIngested { event: Text::Borrowed(name), payload, id: None, source: None, occurred_at: None };
        let facts = happened::<D>(Some(from), ingested, state);
        Ok(Landing { event: Some(event), state, facts: Some(facts) })
    }

    /// What goes on the record of an answer that came too late: it changes nothing and is not forgotten.
    fn too_late(&self, run: &Run<D>, answer: &Outcome<Ran<D>>, has_begun: bool) -> (Box<[Fact]>, Outcome<Ran<D>>) {
        let said = match answer {
            Outcome::Failed(failed) => failed.failure.message().to_owned(),
            other => format!("it was {}", other.outcome()),
        };
        let late = if has_begun {
            "its executor answered when it was no longer under way: "
        } else {
            "it is no longer under way: "
        };
        let message = self.short(&format!("{late}{said}"));
        let failed = ActionFailed {
            action: run.contract.name.clone(),
            outcome: FailedOutcome::Late,
            code: Text::Borrowed(Failure::TOO_LATE),
            message: message.clone(),
            parameters: None,
            execution: Some(run.execution.id.clone()),
            settled: None,
        };
        let failure =
            if has_begun { Failure::late(message) } else { Failure::refused(message).with_code(DID_NOT_BEGIN) };
        let outcome = Outcome::Failed(Failed { execution: run.execution.id.clone(), failure, deduplicated: false });
        (Box::new([failed.into()]), outcome)
    }

    /// A text that must be recorded in any case, cut to the bound.
    pub(super) fn short(&self, text: &str) -> String {
        const CUT: &str = "…";
        if text.len() <= self.bounds.text {
            return text.to_owned();
        }
        let mut end = self.bounds.text.saturating_sub(CUT.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.get(..end).unwrap_or_default().to_owned() + CUT
    }
}

/// What became of one try.
pub(super) enum Tried<D: Domain> {
    /// It is on the record how it ended.
    Ended(Outcome<Executed<D>>),
    /// The entity moved, and nothing ran.
    Moved,
    /// It ran and touched nothing outside, and another record came before its own.
    Overtaken(Box<Answered<D>>),
}

/// One run of an executor.
pub(super) struct Run<D: Domain> {
    /// The state of the entity as it was judged.
    pub(super) from: Option<D::State>,
    pub(super) execution: Execution,
    contract: &'static Contract,
    key: Option<IdempotencyKey>,
}

impl<D: Domain> Run<D> {
    pub(super) fn batch(&self, at: Timestamp, cause: Option<RecordId>, facts: Box<[Fact]>) -> Batch<'_> {
        Batch { at, actor: &self.execution.actor, trace: &self.execution.trace, cause, facts }
    }

    pub(super) fn started(&self) -> ActionStarted {
        ActionStarted {
            action: self.contract.name.clone(),
            execution: self.execution.id.clone(),
            approval: self.execution.approval.clone(),
            key: self.key.clone(),
        }
    }

    /// What it did, once that is on the record.
    pub(super) fn executed(&self, ran: Ran<D>, at: Timestamp) -> Executed<D> {
        let Ran { event, state } = ran;
        Executed { execution: self.execution.id.clone(), event, state, at, deduplicated: false }
    }
}

/// What a run did that ended well.
pub(super) struct Ran<D: Domain> {
    event: Option<D::Event>,
    state: D::State,
}

/// Where an executor's event leads.
pub(super) struct Landing<D: Domain> {
    event: Option<D::Event>,
    pub(super) state: D::State,
    /// What goes on the record of it; none where there is no event.
    pub(super) facts: Option<[Fact; 2]>,
}

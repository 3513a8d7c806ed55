//! Running an action that touches nothing outside: its start and its answer are one batch.

use std::mem;
use std::sync::Arc;

use crate::domain::Domain;
use crate::entity::Entity;
use crate::executor::Executable;
use crate::identifier::ApprovalId;
use crate::journal::Fact;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{Judged, Permit};

use super::attempt::Attempt;
use super::execute::{Ran, Run, Tried};
use super::outcome::Outcome;
use super::{Error, Runtime};

/// What an executor answered that touches nothing outside, on its way into the journal.
pub(super) struct Answered<D: Domain> {
    run: Run<D>,
    facts: Box<[Fact]>,
    outcome: Outcome<Ran<D>>,
}

impl<D: Domain> Answered<D> {
    /// Whether its executor would be told the same on this entity under this approval.
    pub(super) fn fits(&self, entity: &Entity<D>, approval: Option<&ApprovalId>) -> bool {
        self.run.from == entity.state() && self.run.execution.approval.as_ref() == approval
    }
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Runs it once. Where another record comes before its own, it is judged again, and its answer holds as long as it would be
    /// told the same.
    pub(super) async fn run_at_once(
        &self,
        entity: Arc<Entity<D>>,
        run: Run<D>,
        permit: Permit<'_, Judged<D>>,
        attempt: &mut Attempt<D>,
    ) -> Result<Tried<D>, Error> {
        let Some(ready) = attempt.take_ready() else {
            return Ok(Tried::Moved);
        };
        let answer = self.answer(ready, permit, &run.execution).await;
        let (answered, outcome) = self.answered(&run, answer);
        let mut facts = self.opening(attempt, 1 + answered.len())?;
        facts.push(run.started().into());
        facts.extend(answered);
        let answered = Answered { run, facts: facts.into(), outcome };
        // It starts and ends now, and an approval that has expired meanwhile lets nothing start.
        let (now, execution) = (self.now(), &answered.run.execution);
        let is_approved = execution.approval.is_some();
        if is_approved && self.judge(&entity, &execution.actor, attempt, &*self.policy, now).is_err() {
            return Ok(Tried::Overtaken(Box::new(answered)));
        }
        self.keep_at_once(entity, answered, now).await
    }

    /// Keeps what was answered, on the entity as it was judged at `now`.
    pub(super) async fn keep_at_once(
        &self,
        entity: Arc<Entity<D>>,
        mut answered: Answered<D>,
        now: Timestamp,
    ) -> Result<Tried<D>, Error> {
        let facts = mem::take(&mut answered.facts);
        let batch = answered.run.batch(now, None, facts);
        let kept = self.try_commit(entity, batch).await?;
        match kept {
            Ok(kept) => {
                let Answered { run, outcome, .. } = answered;
                Ok(Tried::Ended(outcome.map(|ran| run.executed(ran, kept.at()))))
            }
            Err(facts) => Ok(Tried::Overtaken(Box::new(Answered { facts, ..answered }))),
        }
    }
}

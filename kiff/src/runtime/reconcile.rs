//! Asking the outside world what became of an action in doubt, through its reconcile fn.

use crate::action::Failure;
use crate::actor::Actor;
use crate::domain::Domain;
use crate::entity::{Entity, Running};
use crate::executor::{Executable, Execution, Reconciled};
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Matter, Settled};
use crate::json::Json;
use crate::store::Store;
use crate::time::Timestamp;

use super::panics::caught;
use super::settle::Became;
use super::{Batch, Error, PAGE, Runtime};

/// What asking the outside world about an action in doubt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it may still not be known what happened"]
#[non_exhaustive]
pub enum Inquiry<D: Domain> {
    /// It is known now, and on the record.
    Settled {
        /// The run.
        running: Running,
        /// What the entity is now.
        state: D::State,
    },
    /// It is still not known.
    StillUnknown {
        /// The run.
        running: Running,
        /// Why not, in a sentence.
        why: String,
    },
    /// The action has no reconcile fn: a person has to settle it.
    NobodyToAsk(Running),
    /// It still runs in this process, since [`Running::since`]: its executor will answer, and until then there is nothing to ask.
    StillRuns(Running),
    /// Another process may still be at it, for all that anybody knows here: ask again then.
    MayStillRun {
        /// The run.
        running: Running,
        /// When it is in doubt unless it has ended before.
        until: Timestamp,
    },
    /// Nothing is in doubt, or no longer.
    NothingInDoubt,
}

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Asks the action's `#[reconcile]` fn what became of the entity's run of which nobody knows how it ended, and puts
    /// on the record what it found.
    ///
    /// `actor` is who had it asked, a system or the person at the desk, and stands on the record. They need no role: nothing
    /// that they say counts, and what the fn answers is the same whoever asks. Whether they may make a program ask is for the
    /// program, as it is for the HTTP face, which lets only those ask who see the entity.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn reconcile(&self, actor: &Actor, key: &EntityKey) -> Result<Inquiry<D>, Error> {
        let running = loop {
            if let Some(running) = self.doubt(key).await? {
                break running;
            }
            if let Some(inquiry) = self.under_way(key).await? {
                return Ok(inquiry);
            }
        };
        let ask = D::from_name(&running.action).and_then(|action| action.entry().reconcile());
        let Some(ask) = ask else {
            return Ok(Inquiry::NobodyToAsk(running));
        };
        let commits = self.store.read(key, running.record.commit.saturating_sub(1), 1).await?;
        let Some((execution, parameters)) = commits.first().and_then(|start| run_of(start, &running)) else {
            let why = "the record of its start has no parameters".to_owned();
            return Ok(Inquiry::StillUnknown { running, why });
        };
        let asked = (ask.ask)(&parameters, &self.services, &execution);
        let found = caught(asked, "the reconcile fn", &execution.id).await;
        let found = found.unwrap_or_else(|panicked| Err(Failure::unknown(panicked.to_string())));
        let became = match found {
            Ok(Reconciled::Happened(event)) => Became::Happened(event),
            Ok(Reconciled::DidNotHappen) => Became::DidNotHappen,
            Ok(Reconciled::Unknown) => {
                let why = "the outside world does not know".to_owned();
                return Ok(Inquiry::StillUnknown { running, why });
            }
            Err(failure) => return Ok(Inquiry::StillUnknown { running, why: failure.message().to_owned() }),
        };
        self.keep(actor, key, running, &execution, &became).await
    }

    /// What is to be said of an entity of which nothing is in doubt; none where it is in doubt since somebody looked.
    async fn under_way(&self, key: &EntityKey) -> Result<Option<Inquiry<D>>, Error> {
        let entity = self.entity(key).await?;
        let Some(running) = entity.running() else {
            return Ok(Some(Inquiry::NothingInDoubt));
        };
        if !running.unknown && self.runs_here(&entity, running) {
            return Ok(Some(Inquiry::StillRuns(running.clone())));
        }
        let until = self.may_run_elsewhere(running);
        Ok(until.map(|until| Inquiry::MayStillRun { running: running.clone(), until }))
    }

    /// Asks about every action in doubt of this domain that has a reconcile fn: what to do first after a restart. Over a store
    /// that is [shared](Store::is_shared), what this process has left behind a moment ago may run in another one for all that
    /// anybody knows: it is [named](Inquiry::MayStillRun), and asked about when this is called again later. Where a journal is
    /// broken, the answer is what is wrong with it, and the others are asked about all the same. `actor` needs no role, as for
    /// [`Runtime::reconcile`].
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn recover(&self, actor: &Actor) -> Result<Vec<(EntityKey, Result<Inquiry<D>, BrokenJournal>)>, Error> {
        let mut recovered = Vec::new();
        // What others start meanwhile is theirs.
        let mut open = self.open(Matter::Execution, None, None, PAGE);
        while let Some(open) = open.next().await? {
            match self.reconcile(actor, &open.key).await {
                Ok(Inquiry::NothingInDoubt | Inquiry::StillRuns(_)) => {}
                Ok(inquiry) => recovered.push((open.key, Ok(inquiry))),
                Err(Error::Journal(broken)) => recovered.push((open.key, Err(broken))),
                Err(error) => return Err(error),
            }
        }
        Ok(recovered)
    }

    /// Keeps what was found. Other records may come in between; when somebody settles the run meanwhile, that word stands.
    async fn keep(
        &self,
        actor: &Actor,
        key: &EntityKey,
        running: Running,
        execution: &Execution,
        became: &Became<D>,
    ) -> Result<Inquiry<D>, Error> {
        loop {
            let entity = self.entity(key).await?;
            if !is_under_way(&entity, &running) {
                return Ok(Inquiry::NothingInDoubt);
            }
            let (facts, state) = match self.record_of(&entity, &running, became.clone(), Settled::Reconcile) {
                Ok(record) => record,
                Err(why) => return Ok(Inquiry::StillUnknown { running, why }),
            };
            let cause = Some(running.record);
            let batch = Batch { at: self.now(), actor, trace: execution.trace(), cause, facts: facts.into() };
            if self.commit(entity, batch).await?.is_some() {
                return Ok(Inquiry::Settled { running, state });
            }
        }
    }
}

fn is_under_way<D: Domain>(entity: &Entity<D>, running: &Running) -> bool {
    entity.running().is_some_and(|now| now.execution == running.execution)
}

/// What the executor was told, and its parameters, by the record of its start.
fn run_of(start: &Commit, running: &Running) -> Option<(Execution, Json)> {
    let (started, parameters) = start.starts()?;
    let execution = Execution {
        id: running.execution.clone(),
        entity: start.key().clone(),
        actor: running.by.clone(),
        approval: started.approval.clone(),
        trace: start.trace().cloned().unwrap_or_default(),
    };
    Some((execution, parameters?.clone()))
}

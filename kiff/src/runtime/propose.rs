//! Proposals before anything runs: put on the record, tried dry, or checked with a record.

use std::pin::Pin;
use std::sync::Arc;

use crate::actor::Actor;
use crate::approval::{Approval, Binding};
#[cfg(feature = "mcp")]
use crate::decision::Call;
use crate::decision::Decision;
use crate::domain::State;
use crate::entity::Entity;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::journal::{ActionFailed, ActionValidated, ApprovalRequired, DecisionProposed, Fact};
use crate::permission::Policy;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{self, Case, Judged, Permit, ReasonCode, Refused, Verdict};

use super::attempt::{Asked, Attempt, Propose};
use super::{Batch, Error, Runtime, TRIES, announce};

/// A refusal on its way into the journal.
type RefusedLater<'a> = Pin<Box<dyn Future<Output = Result<Option<Refused>, Error>> + Send + 'a>>;

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Puts a proposal and its reasons on the record, without asking whether it may run.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn record(
        &self,
        actor: &Actor,
        key: &EntityKey,
        proposal: impl Propose<D>,
    ) -> Result<Verdict<Decision>, Error> {
        self.record_attempt(actor, key, &proposal.attempt(&self.bounds)).await
    }

    async fn record_attempt(
        &self,
        actor: &Actor,
        key: &EntityKey,
        attempt: &Attempt<D>,
    ) -> Result<Verdict<Decision>, Error> {
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            if let Err(refused) = Self::check_attempt(&entity, attempt) {
                return Ok(Self::told(refused).into());
            }
            let decision = self.decision(attempt)?;
            let id = decision.id.clone();
            let batch =
                Batch { at: self.now(), actor, trace: &attempt.trace, cause: None, facts: Box::new([decision.into()]) };
            if self.commit(entity, batch).await?.is_some() {
                return Ok(Verdict::Allowed(Decision { id, action: attempt.name().to_string() }));
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// Whether a proposal may run now. It is a dry run: nothing is written, and the answer promises nothing.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn evaluate(&self, actor: &Actor, key: &EntityKey, proposal: impl Propose<D>) -> Result<Verdict, Error> {
        self.evaluate_attempt(actor, key, &proposal.attempt(&self.bounds)).await
    }

    /// The parameters of a call as they go on the record; none when they could not be read.
    #[cfg(feature = "mcp")]
    pub(crate) fn recorded_parameters(&self, call: &Call) -> Option<crate::json::Json> {
        Propose::<D>::attempt(call.clone(), &self.bounds).parameters().cloned()
    }

    pub(crate) async fn evaluate_attempt(
        &self,
        actor: &Actor,
        key: &EntityKey,
        attempt: &Attempt<D>,
    ) -> Result<Verdict, Error> {
        let entity = self.entity(key).await?;
        Ok(self.judge(&entity, actor, attempt, &*self.policy, self.now()).map(drop).into())
    }

    /// Whether a proposal may run now, with the answer on the record.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn validate(&self, actor: &Actor, key: &EntityKey, proposal: impl Propose<D>) -> Result<Verdict, Error> {
        self.validate_attempt(actor, key, &proposal.attempt(&self.bounds)).await
    }

    pub(crate) async fn validate_attempt(
        &self,
        actor: &Actor,
        key: &EntityKey,
        attempt: &Attempt<D>,
    ) -> Result<Verdict, Error> {
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            let now = self.now();
            let judged = self.judge(&entity, actor, attempt, &*self.policy, now).map(drop);
            let recorded = match judged {
                Ok(()) => {
                    let facts = self.opening(attempt, 0)?;
                    let batch = Batch { at: now, actor, trace: &attempt.trace, cause: None, facts: facts.into() };
                    self.commit(entity, batch).await?.map(|_| Verdict::Allowed(()))
                }
                Err(refused) => self.refuse(entity, actor, attempt, now, refused).await?.map(Verdict::from),
            };
            if let Some(verdict) = recorded {
                return Ok(verdict);
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// Judges an attempt on an entity as it stands, at `now`.
    pub(super) fn judge<'j>(
        &self,
        entity: &'j Entity<D>,
        actor: &Actor,
        attempt: &Attempt<D>,
        policy: &dyn Policy,
        now: Timestamp,
    ) -> Result<Permit<'j, Judged<D>>, Refused> {
        let case = self.case(entity, actor, attempt, policy, now)?;
        verdict::decide(entity, &case).map_err(|refused| self.advised(entity, refused))
    }

    /// What the gate looks at, or what is wrong with an attempt before it is looked at.
    pub(super) fn case<'a>(
        &'a self,
        entity: &'a Entity<D>,
        actor: &'a Actor,
        attempt: &'a Attempt<D>,
        policy: &'a dyn Policy,
        now: Timestamp,
    ) -> Result<Case<'a, D>, Refused> {
        Self::check_attempt(entity, attempt)?;
        let (action, parameters) = match &attempt.asked {
            Asked::Unknown { name, .. } => {
                return Err(Refused::invalid(verdict::unknown_action(D::schema(), name)));
            }
            Asked::Faulty { action, fault, .. } => (*action, Err(fault)),
            Asked::Read { action, .. } => (*action, Ok(())),
        };
        if let (Some(expected), Some(state)) = (attempt.expected, entity.state())
            && expected != state
        {
            return Err(Refused::blocked(verdict::moved_on(action.contract(), expected.name(), state.name())));
        }
        // Where nobody has asked for a sign-off and none is named, there is nothing to compare it with.
        let is_asked_for = attempt.approval.is_some() || entity.approvals().next().is_some();
        let binding = if is_asked_for { self.binding(entity, attempt) } else { None };
        Ok(Case { action, parameters, binding, approval: attempt.approval.as_ref(), actor, policy, now })
    }

    /// What an approval of an attempt would be bound to; none where its contract asks for none.
    ///
    /// The same parameters with the same evidence under the same contract are bound to the same: where they were asked for
    /// in the same words, nothing is hashed again.
    pub(super) fn binding<'a>(&self, entity: &'a Entity<D>, attempt: &'a Attempt<D>) -> Option<&'a Binding> {
        let fingerprint = self.fingerprint(attempt.action()?);
        let is_same = |asked: &&Approval| {
            asked.binding.contract == fingerprint
                && asked.action == *attempt.name()
                && Some(&asked.parameters) == attempt.parameters()
                && asked.reasons.evidence == attempt.reasons.evidence
        };
        let asked = entity.approvals().find(is_same).map(|asked| &asked.binding);
        asked.or_else(|| attempt.binding(entity.key(), fingerprint))
    }

    /// Refuses what is wrong with an attempt whatever the rules of the domain say.
    fn check_attempt(entity: &Entity<D>, attempt: &Attempt<D>) -> Result<(), Refused> {
        Self::existing(entity)?;
        attempt.within.map_err(|over| Refused::invalid(verdict::over_bound(&over)))
    }

    fn decision(&self, attempt: &Attempt<D>) -> Result<DecisionProposed, Error> {
        Ok(DecisionProposed {
            id: self.next_identifier("decision")?,
            action: attempt.name().clone(),
            parameters: attempt.parameters().cloned(),
            reasons: attempt.reasons.clone(),
        })
    }

    /// The first facts of a proposal that may run, with room for so many that follow: the decision, where there are reasons to
    /// keep, and that it is valid.
    pub(super) fn opening(&self, attempt: &Attempt<D>, following: usize) -> Result<Vec<Fact>, Error> {
        let has_reasons = !attempt.reasons.is_empty();
        let own = usize::from(has_reasons) + usize::from(attempt.parameters().is_some());
        let mut facts = Vec::with_capacity(own + following);
        if has_reasons {
            facts.push(self.decision(attempt)?.into());
        }
        if let Some(parameters) = attempt.parameters().cloned() {
            facts.push(ActionValidated { action: attempt.name().clone(), parameters }.into());
        }
        Ok(facts)
    }

    /// Puts a refusal on the record; none when the entity has moved, so that it has to be judged again.
    ///
    /// There is no record of what was proposed for an entity that does not exist: it has no journal.
    ///
    /// It is boxed, so that a proposal that is not refused has no room to carry for it.
    pub(super) fn refuse<'a>(
        &'a self,
        entity: Arc<Entity<D>>,
        actor: &'a Actor,
        attempt: &'a Attempt<D>,
        now: Timestamp,
        refused: Refused,
    ) -> RefusedLater<'a> {
        Box::pin(async move {
            if entity.state().is_none() {
                return Ok(Some(Self::told(refused)));
            }
            let fact = refusal_fact(&refused, self.short(&refused.refusal.message), attempt);
            let facts: Box<[Fact]> = if attempt.reasons.is_empty() {
                Box::new([fact])
            } else {
                Box::new([self.decision(attempt)?.into(), fact])
            };
            let batch = Batch { at: now, actor, trace: &attempt.trace, cause: None, facts };
            Ok(self.commit(entity, batch).await?.map(|_| Self::told(refused)))
        })
    }

    /// Announces a refusal on its way to the caller.
    pub(super) fn told(refused: Refused) -> Refused {
        announce::refusal(&D::schema().domain, &refused.refusal);
        refused
    }
}

fn refusal_fact<D: Executable>(refused: &Refused, message: String, attempt: &Attempt<D>) -> Fact {
    let code = refused.refusal.code;
    let held = attempt.parameters().cloned().filter(|_| code == ReasonCode::ApprovalRequired);
    if let Some(parameters) = held {
        return ApprovalRequired {
            action: attempt.name().clone(),
            parameters,
            approval: attempt.approval.clone(),
            message,
        }
        .into();
    }
    ActionFailed {
        action: attempt.name().clone(),
        outcome: refused.outcome(),
        code: code.as_str().into(),
        message,
        parameters: attempt.parameters().cloned(),
        execution: None,
        settled: None,
    }
    .into()
}

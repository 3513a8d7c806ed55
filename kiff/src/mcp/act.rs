//! A call of an action's tool: judged, run where that is allowed, and held where a human has to see it first.

use std::sync::Arc;

use crate::decision::{Call, Proposal};
use crate::identifier::EntityKey;
use crate::runtime::Outcome;
use crate::schema::Contract;
use crate::served::Served;

use super::answer::{Answer, broken};
use super::arguments::Arguments;
use super::catalogue::{Governing, Names};
use super::handler::{Handler, Told};

/// One call of an action's tool.
pub(super) struct Asked<'a> {
    pub(super) served: &'a Arc<dyn Served>,
    pub(super) contract: &'static Contract,
    pub(super) names: &'a Names,
    pub(super) key: &'a EntityKey,
    pub(super) proposal: Proposal<Call>,
}

impl Asked<'_> {
    pub(super) fn action(&self) -> &'static str {
        &self.contract.name
    }
}

impl Handler {
    pub(super) async fn act(&self, action: &str, governing: &Governing, mut arguments: Arguments) -> Told {
        let names = &*governing.names;
        let Some((served, contract)) = self.domains.get(governing.domain).and_then(|served| {
            let contract = served.schema().action(action)?;
            Some((served, contract))
        }) else {
            return Err(super::arguments::invalid(format!("there is no action `{action}`")));
        };
        let agent = self.agent();
        let key = arguments.entity(&names.entity_id, &served.schema().entity_type, &agent.tenant)?;
        let proposal = arguments.proposal(action, names, agent.trace.clone())?;
        self.check_access(&**served, &key)?;
        let asked = Asked { served, contract, names, key: &key, proposal };
        let outcome = match self.execute(&asked).await {
            Ok(outcome) => outcome,
            Err(told) => return Ok(told),
        };
        let (word, action) = (outcome.outcome(), asked.action());
        Ok(match outcome {
            Outcome::Executed(done) => Answer::executed(action, &key, &done).told(),
            Outcome::Failed(failed) => {
                let state = self.state(&**served, &key).await;
                Answer::failed(action, &key, &failed).in_state(state).told()
            }
            Outcome::ApprovalRequired(refusal) => match self.hold(&asked, refusal).await {
                Ok(told) => told,
                Err(error) => broken(&error),
            },
            Outcome::Blocked(refusal) | Outcome::Invalid(refusal) => {
                let state = self.state(&**served, &key).await;
                Answer::refused(word, action, &key, refusal).in_state(state).told()
            }
        })
    }

    /// Runs it on a task of its own: the client may leave, what has started is finished and recorded all the same.
    async fn execute(&self, asked: &Asked<'_>) -> Result<Outcome<crate::served::Done>, rmcp::model::CallToolResult> {
        let (served, actor, key) = (Arc::clone(asked.served), self.agent().actor.clone(), asked.key.clone());
        let (proposal, unfinished) = (asked.proposal.clone(), self.unfinished().start().await);
        let work = tokio::spawn(async move {
            let outcome = served.execute(&actor, &key, proposal).await;
            drop(unfinished);
            outcome
        });
        match work.await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(broken(&error)),
            Err(error) => Err(broken(&error)),
        }
    }

    /// What the entity is, for an answer that has more to say than that.
    pub(super) async fn state(&self, served: &dyn Served, key: &EntityKey) -> Option<&'static str> {
        served.standing(key).await.ok().and_then(|standing| standing.state)
    }
}

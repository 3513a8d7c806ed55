//! A call of an action's tool: judged, run where that is allowed, and held where a human has to see it first.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use tokio::time::{Instant, sleep_until};

use crate::decision::{Call, Proposal};
use crate::identifier::EntityKey;
use crate::runtime::Outcome;
use crate::schema::Contract;
use crate::served::{Done, Served};

use super::answer::{Answer, broken};
use super::arguments::Arguments;
use super::catalogue::{Governing, Names};
use super::handler::{Handler, Told};
use super::progress::Progress;

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
    pub(super) async fn act(
        &self,
        action: &str,
        governing: &Governing,
        mut arguments: Arguments,
        context: &RequestContext<RoleServer>,
    ) -> Told {
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
        let outcome = match self.execute(&asked, context).await {
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

    /// Runs it on a task of its own: the client may leave or have waited for long enough, what has started is finished and recorded
    /// all the same.
    async fn execute(
        &self,
        asked: &Asked<'_>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Outcome<Done>, CallToolResult> {
        let mut progress = Progress::of(context);
        let until = progress.since + self.patience();
        let (served, actor, key) = (Arc::clone(asked.served), self.agent().actor.clone(), asked.key.clone());
        let (proposal, unfinished) = (asked.proposal.clone(), self.unfinished().start().await);
        let mut work = tokio::spawn(async move {
            let outcome = served.execute(&actor, &key, proposal).await;
            drop(unfinished);
            outcome
        });
        loop {
            tokio::select! {
                biased;
                done = &mut work => return match done {
                    Ok(Ok(outcome)) => Ok(outcome),
                    Ok(Err(error)) => Err(broken(&error)),
                    Err(error) => Err(broken(&error)),
                },
                () = sleep_until(until.min(progress.next)) => {}
            }
            if Instant::now() >= until {
                // Its time is over: nothing is read any more, because the store may be what takes long.
                return Err(Answer::unended(asked.action(), asked.key).told());
            }
            progress.tell("the action goes on", None).await;
        }
    }

    /// What the entity is, for an answer that has more to say than that.
    pub(super) async fn state(&self, served: &dyn Served, key: &EntityKey) -> Option<&'static str> {
        served.standing(key).await.ok().and_then(|standing| standing.state)
    }
}

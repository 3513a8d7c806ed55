//! The routes of an action: what may run, whether it may, asking for a sign-off, and running it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::actor::{Actor, ActorKind};
use crate::decision::{Call, Proposal};
use crate::identifier::{EntityKey, ExecutionId};
use crate::json::Json;
use crate::runtime::Outcome;
use crate::schema::{ApprovalRule, Contract};
use crate::served::{Done, Served};
use crate::time::Timestamp;
use crate::verdict::{Refusal, Verdict};

use super::Shared;
use super::approval::ApprovalView;
use super::doubt::RunView;
use super::envelope::{Listed, Under};
use super::problem::{About, Problem, answer};
use super::request::{ActionBody, Body, Caller, Named, Page, Said, acting, entity_key};

/// An action as a client is told of it.
#[derive(Debug, Serialize)]
struct ActionView {
    name: &'static str,
    allowed_states: &'static [crate::schema::Text],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_parameters: Vec<&'static str>,
    required_permissions: [&'static str; 1],
    risk: &'static str,
    approval_requirement: &'static str,
    description: &'static str,
}

impl ActionView {
    fn of(contract: &'static Contract) -> Self {
        let required = contract.parameters.iter().filter(|parameter| !parameter.optional);
        Self {
            name: &contract.name,
            allowed_states: &contract.allowed_in,
            required_parameters: required.map(|parameter| parameter.name.as_ref()).collect(),
            required_permissions: [&contract.permission.name],
            risk: contract.risk.as_str(),
            approval_requirement: match contract.approval {
                ApprovalRule::By(_) => "required",
                ApprovalRule::None | ApprovalRule::Waived { .. } => "none",
            },
            description: &contract.documentation,
        }
    }
}

/// What an entity's state allows.
#[derive(Serialize)]
struct Allowed {
    #[serde(flatten)]
    actions: Listed<ActionView, &'static str>,
    /// What has started and not ended: until it has, nothing of it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_progress: Option<RunView>,
}

/// `GET /entities/{id}/allowed-actions`
pub(super) async fn allowed(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let entity_type = shared.governed(page.entity_type.as_deref())?;
    let (served, key) = shared.locate(&caller, &id, entity_type).await?;
    let contracts = served.allowed_actions(&key).await?.ok_or_else(|| unknown(&key))?;
    let after = page.after.as_deref().unwrap_or_default();
    let mut left = contracts.into_iter().filter(|contract| contract.name.as_ref() > after).map(ActionView::of);
    let actions: Vec<_> = left.by_ref().take(page.limit()).collect();
    let next = left.next().and_then(|_| actions.last().map(|last| last.name));
    let actions = Listed { name: "actions", items: actions, next, undecided: false };
    let in_progress = served.standing(&key).await?.running.map(RunView::from);
    Ok(answer(StatusCode::OK, &Allowed { actions, in_progress }))
}

pub(super) fn unknown(key: &EntityKey) -> Problem {
    Problem::not_found(format!("there is no entity `{key}`"))
}

/// Everything that is needed beside a proposal to hand it to its domain.
struct Asked<'a> {
    served: Arc<dyn Served>,
    key: EntityKey,
    actor: Actor,
    action: &'a str,
}

impl<'a> Asked<'a> {
    async fn new(
        shared: &Shared,
        caller: &Caller,
        (id, action): &'a (String, String),
        body: Box<ActionBody>,
    ) -> Result<(Self, Proposal<Call>), Problem> {
        let about = About { id, action: Some(action), state: None };
        let actor = acting(&caller.principal, body.actor.as_ref(), ActorKind::Agent, &about)?;
        let entity_type = body.entity_type.as_deref().filter(|entity_type| !entity_type.is_empty());
        let entity_type = shared.governed(entity_type)?;
        let (served, key) = match shared.governing(action, entity_type) {
            Some(served) => {
                let key = entity_key(&caller.principal, &served.schema().entity_type, id)?;
                caller.check_access(&**served, &actor, &key)?;
                (Arc::clone(served), key)
            }
            // In a box, because it is rare and would make everything larger that waits.
            None => Box::pin(shared.find(caller, &actor, id, entity_type)).await?,
        };
        let idempotency_key = body.key(caller)?;
        let mut proposal = body.proposal(action, caller)?;
        if let Some(key) = idempotency_key {
            proposal = proposal.idempotency_key(key);
        }
        Ok((Self { served, key, actor, action }, proposal))
    }

    /// A refusal as the client is told of it, with what the entity is.
    async fn refused(&self, outcome: &'static str, refusal: Refusal) -> Problem {
        let state = self.served.standing(&self.key).await.ok().and_then(|standing| standing.state);
        Problem::refused(outcome, refusal, &About::action(&self.key, self.action).in_state(state))
    }

    async fn verdict<P>(&self, verdict: Verdict<P>) -> Result<P, Problem> {
        match verdict.decided() {
            Ok(allowed) => Ok(allowed),
            Err((outcome, refusal)) => Err(Box::pin(self.refused(outcome, refusal)).await),
        }
    }
}

/// That an action may run.
#[derive(Debug, Serialize)]
struct Fits<'a> {
    action: &'a str,
    outcome: &'static str,
    valid: bool,
}

impl<'a> Fits<'a> {
    const fn of(asked: &Asked<'a>) -> Self {
        Self { action: asked.action, outcome: "allowed", valid: true }
    }
}

/// `POST /entities/{id}/actions/{action}/validate`
pub(super) async fn validate(
    State(shared): State<Shared>,
    caller: Caller,
    Named(path): Named<(String, String)>,
    Body(body): Body<Box<ActionBody>>,
) -> Result<Response, Problem> {
    let (asked, proposal) = Asked::new(&shared, &caller, &path, body).await?;
    let verdict = asked.served.validate(&asked.actor, &asked.key, proposal).await?;
    asked.verdict(verdict).await?;
    Ok(answer(StatusCode::OK, &Fits::of(&asked)))
}

/// `POST /entities/{id}/actions/{action}/evaluate`: as `validate`, and leaves no record.
pub(super) async fn evaluate(
    State(shared): State<Shared>,
    caller: Caller,
    Named(path): Named<(String, String)>,
    Body(body): Body<Box<ActionBody>>,
) -> Result<Response, Problem> {
    let (asked, proposal) = Asked::new(&shared, &caller, &path, body).await?;
    let verdict = asked.served.evaluate(&asked.actor, &asked.key, proposal).await?;
    asked.verdict(verdict).await?;
    Ok(answer(StatusCode::OK, &Fits::of(&asked)))
}

/// `POST /entities/{id}/actions/{action}/approvals`
pub(super) async fn request_approval(
    State(shared): State<Shared>,
    caller: Caller,
    Named(path): Named<(String, String)>,
    Body(body): Body<Box<ActionBody>>,
) -> Result<Response, Problem> {
    if body.approval_id.as_deref().unwrap_or_default().is_empty() {
        return Err(Problem::bad_request("approval id is required"));
    }
    let (asked, proposal) = Asked::new(&shared, &caller, &path, body).await?;
    let verdict = asked.served.request_approval(&asked.actor, &asked.key, proposal).await?;
    let approval = asked.verdict(verdict).await?;
    Ok(answer(StatusCode::CREATED, &Under("approval", ApprovalView::of(&asked.key, &approval, &*asked.served))))
}

/// That an action has run.
#[derive(Debug, Serialize)]
struct Ran<'a> {
    outcome: &'static str,
    result: ResultView<'a>,
}

/// What an execution came to.
#[derive(Debug, Serialize)]
struct ResultView<'a> {
    action_name: &'a str,
    entity_id: &'a str,
    status: &'static str,
    executed: bool,
    execution_id: &'a ExecutionId,
    current_state: &'static str,
    follow_up_events: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Json>,
    /// Whether it was done earlier, under the same idempotency key, and nothing was done now.
    deduplicated: bool,
    executed_at: Timestamp,
}

/// `POST /entities/{id}/actions/{action}/execute`
pub(super) async fn execute(
    State(shared): State<Shared>,
    caller: Caller,
    Named(path): Named<(String, String)>,
    Body(body): Body<Box<ActionBody>>,
) -> Result<Response, Problem> {
    let (asked, proposal) = Asked::new(&shared, &caller, &path, body).await?;
    let (served, actor, key) = (Arc::clone(&asked.served), asked.actor.clone(), asked.key.clone());
    // The client may leave; what has started is finished and recorded all the same.
    let work = async move { served.execute(&actor, &key, proposal).await };
    let outcome = caller.working.finish(work).await;
    let outcome = outcome.map_err(|error| Problem::broken_about(&error, &About::action(&asked.key, asked.action)))?;
    let name = outcome.outcome();
    let done = match outcome {
        Outcome::Executed(done) => done,
        Outcome::Failed(failed) => {
            let state = asked.served.standing(&asked.key).await?.state;
            return Err(Problem::failed(failed, &About::action(&asked.key, asked.action).in_state(state)));
        }
        Outcome::ApprovalRequired(refusal) | Outcome::Blocked(refusal) | Outcome::Invalid(refusal) => {
            return Err(asked.refused(name, refusal).await);
        }
    };
    Ok(answer(StatusCode::OK, &Ran { outcome: "allowed", result: asked.result(&done) }))
}

impl<'a> Asked<'a> {
    fn result(&'a self, done: &'a Done) -> ResultView<'a> {
        ResultView {
            action_name: self.action,
            entity_id: self.key.id(),
            status: "executed",
            executed: true,
            execution_id: &done.execution,
            current_state: done.state,
            follow_up_events: done.event.iter().map(|(name, _)| *name).collect(),
            output: done.event.as_ref().and_then(|(_, says)| says.as_ref()),
            deduplicated: done.deduplicated,
            executed_at: done.at,
        }
    }
}

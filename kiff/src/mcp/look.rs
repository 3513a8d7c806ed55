//! Looking: what is allowed, what would become of an action, and what was.

use serde::Serialize;
use serde_json::json;

use crate::entity::Running;
use crate::identifier::{ApprovalId, ExecutionId};
use crate::journal::RecordId;
use crate::schema::{ApprovalRule, Contract, Text};
use crate::served::{Records, Room, records};
use crate::time::Timestamp;
use crate::verdict::{Refusal, no_such_action};

use super::answer::{Answer, broken, told};
use super::arguments::{Arguments, invalid};
use super::handler::{Handler, Told};

/// The most records that one answer has.
pub(super) const MOST_RECORDS: u64 = 500;

/// As many records as an answer has unless it is said how many: what a model reads costs.
const RECORDS: u64 = 100;

/// How many bytes of records an answer has, which says them twice: as structured content and as text.
const ROOM: usize = 256 * 1024;

/// An action as an agent is told that it is allowed.
#[derive(Serialize)]
struct Allowed<'a> {
    name: &'a str,
    description: &'a str,
    risk: &'static str,
    /// Whether this agent may run it.
    permitted: bool,
    needs_approval: bool,
    required_parameters: Vec<&'a Text>,
}

impl<'a> Allowed<'a> {
    fn of(contract: &'a Contract, description: &'a str, permitted: bool) -> Self {
        let required = contract.parameters.iter().filter(|parameter| !parameter.optional);
        Self {
            name: &contract.name,
            description,
            risk: contract.risk.as_str(),
            permitted,
            needs_approval: matches!(contract.approval, ApprovalRule::By(_)),
            required_parameters: required.map(|parameter| &parameter.name).collect(),
        }
    }
}

/// The action that has started and not ended.
#[derive(Serialize)]
struct Run<'a> {
    action: &'a str,
    execution_id: &'a ExecutionId,
    since: Timestamp,
    /// Whether the executor itself has said that it does not know.
    unknown: bool,
}

impl<'a> Run<'a> {
    fn of(running: &'a Running) -> Self {
        Self {
            action: &running.action,
            execution_id: &running.execution,
            since: running.since,
            unknown: running.unknown,
        }
    }
}

impl Handler {
    pub(super) async fn allowed_actions(&self, mut arguments: Arguments) -> Told {
        let (served, key) = self.locate(&mut arguments)?;
        arguments.end()?;
        let (standing, allowed) = match (served.standing(&key).await, served.allowed_actions(&key).await) {
            (Ok(standing), Ok(allowed)) => (standing, allowed),
            (Err(error), _) | (_, Err(error)) => return Ok(broken(&error)),
        };
        let Some(allowed) = allowed else {
            return Err(unknown(&key));
        };
        let actions = allowed.into_iter().map(|contract| {
            let permitted = served.may(&self.agent().actor, &key, &contract.permission);
            // Where nobody can tell, it may not.
            Allowed::of(contract, self.catalogue.description(&contract.name), permitted.unwrap_or(false))
        });
        let actions: Vec<_> = actions.collect();
        let answer = json!({
            "entity_id": key.id(),
            "current_state": standing.state,
            "in_progress": standing.running.as_ref().map(Run::of),
            "actions": actions,
        });
        Ok(told(&answer, false))
    }

    pub(super) async fn evaluate(&self, mut arguments: Arguments) -> Told {
        let action = arguments.required("action")?;
        let governing = self.catalogue.governing(&action);
        let found = governing.and_then(|governing| Some((self.domains.get(governing.domain)?, &*governing.names)));
        let Some((served, names)) = found else {
            return Err(no_such_action(&action, self.catalogue.actions()));
        };
        let agent = self.agent();
        let key = arguments.entity("entity_id", &served.schema().entity_type, &agent.tenant)?;
        let mut call = arguments.arguments("parameters")?;
        let approval = arguments.identifier::<ApprovalId>("approval_id")?;
        arguments.end()?;
        self.check_access(&**served, &key)?;
        if call.text(&names.entity_id)?.is_some_and(|entity| entity != key.id()) {
            return Err(invalid(format!(
                "`{}` among the `parameters` is not `{}`: leave it out",
                names.entity_id,
                key.id()
            )));
        }
        let mut proposal = call.proposal(&action, names, agent.trace.clone())?;
        if let Some(approval) = approval {
            proposal = proposal.approval(approval);
        }
        let verdict = match served.evaluate(&agent.actor, &key, proposal).await {
            Ok(verdict) => verdict,
            Err(error) => return Ok(broken(&error)),
        };
        let state = self.state(&**served, &key).await;
        let answer = match verdict.decided() {
            Ok(()) => Answer::new("allowed", &action, &key),
            Err((outcome, refusal)) => Answer::refused(outcome, &action, &key, refusal),
        };
        // That it would be refused is what was asked, and no error.
        Ok(told(&answer.in_state(state), false))
    }

    pub(super) async fn timeline(&self, mut arguments: Arguments) -> Told {
        let (served, key) = self.locate(&mut arguments)?;
        let after = arguments.text("after")?.map(|after| after.parse::<RecordId>());
        let after = after.transpose().map_err(|error| invalid(format!("`after`: {error}")))?;
        let after = after.unwrap_or(RecordId { commit: 0, place: 0 });
        let limit = arguments.whole("limit", MOST_RECORDS)?.unwrap_or(RECORDS).max(1);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        arguments.end()?;
        let Records { lines, next } = match records(&**served, &key, after, Room { records: limit, bytes: ROOM }).await
        {
            Ok(records) => records,
            Err(error) => return Ok(broken(&error)),
        };
        if lines.is_empty() && after.commit == 0 {
            return Err(unknown(&key));
        }
        let state = self.state(&**served, &key).await;
        let answer = json!({ "entity_id": key.id(), "current_state": state, "records": lines, "next": next });
        Ok(told(&answer, false))
    }
}

fn unknown(key: &crate::identifier::EntityKey) -> Refusal {
    crate::verdict::unknown_entity(key)
}

//! What a client is told, as structured content.

use rmcp::model::CallToolResult;
use serde::Serialize;
use serde_json::{Value, json};

use crate::approval::Approval;
use crate::identifier::{ActorId, ApprovalId, EntityKey, ExecutionId};
use crate::json::Json;
use crate::runtime::{Error, Failed};
use crate::schema::{ApprovalRule, Contract, Role};
use crate::served::{Done, Served};
use crate::time::Timestamp;
use crate::verdict::{ReasonCode, Refusal};

/// What became of an action, or would.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    outcome: &'static str,
    action: &'a str,
    entity_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<ExecutionId>,
    /// Whether it ran earlier, under the same key, and nothing ran now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deduplicated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<NextStep>,
}

/// What an event says.
#[derive(Debug, Serialize)]
struct EventView<'a> {
    name: &'static str,
    payload: Option<&'a Json>,
}

/// The call that leads on.
#[derive(Debug, Serialize)]
pub(super) struct NextStep {
    pub(super) tool: String,
    pub(super) arguments: Value,
}

impl<'a> Answer<'a> {
    /// An answer that says no more than this.
    pub(super) fn new(outcome: &'static str, action: &'a str, key: &'a EntityKey) -> Self {
        Self {
            outcome,
            action,
            entity_id: key.id(),
            current_state: None,
            event: None,
            execution_id: None,
            deduplicated: false,
            reason: None,
            message: None,
            remedy: None,
            approval: None,
            next_step: None,
        }
    }

    pub(super) fn executed(action: &'a str, key: &'a EntityKey, done: &'a Done) -> Self {
        let event = done.event.as_ref().map(|(name, says)| EventView { name, payload: says.as_ref() });
        Self {
            current_state: Some(done.state),
            event,
            execution_id: Some(done.execution.clone()),
            deduplicated: done.deduplicated,
            ..Self::new("executed", action, key)
        }
    }

    /// An executor ran and did not answer with its event.
    pub(super) fn failed(action: &'a str, key: &'a EntityKey, failed: &Failed) -> Self {
        let remedy = if failed.is_in_doubt() {
            "it may have happened: do not try again; a person has to settle it first"
        } else if failed.failure.is_unknown() {
            "a person has settled meanwhile what became of it: look at the entity before you do anything else"
        } else {
            "nothing happened: it may be tried again, under another `idempotency_key` if it had one"
        };
        Self {
            execution_id: Some(failed.execution.clone()),
            deduplicated: failed.deduplicated,
            reason: Some(failed.failure.code().to_owned()),
            message: Some(failed.failure.message().to_owned()),
            remedy: Some(remedy.to_owned()),
            ..Self::new("failed", action, key)
        }
    }

    /// It goes on for longer than its client is let wait.
    pub(super) fn unended(action: &'a str, key: &'a EntityKey) -> Self {
        let remedy = "do not call it again: `allowed_actions` says by `in_progress` whether it still runs, and `timeline` how it ended";
        Self {
            reason: Some(ReasonCode::ActionInProgress.as_str().to_owned()),
            message: Some("it goes on for longer than you are let wait; how it ends is not known yet".to_owned()),
            remedy: Some(remedy.to_owned()),
            ..Self::new("failed", action, key)
        }
    }

    pub(super) fn refused(outcome: &'static str, action: &'a str, key: &'a EntityKey, refusal: Refusal) -> Self {
        Self {
            reason: Some(refusal.code.as_str().to_owned()),
            message: Some(refusal.message),
            remedy: refusal.remedy,
            ..Self::new(outcome, action, key)
        }
    }

    pub(super) const fn in_state(mut self, state: Option<&'static str>) -> Self {
        self.current_state = state;
        self
    }

    /// The same answer with the sign-off that is awaited, or was given or denied.
    pub(super) fn awaiting(mut self, approval: ApprovalView<'a>) -> Self {
        self.approval = Some(approval);
        self
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn next_step(mut self, next: NextStep) -> Self {
        self.next_step = Some(next);
        self
    }

    pub(super) fn told(&self) -> CallToolResult {
        let is_error = match self.outcome {
            "executed" | "allowed" => false,
            // Where nobody has been asked, nothing comes of it by itself.
            "approval_required" => self.next_step.is_none(),
            _ => true,
        };
        told(self, is_error)
    }
}

/// A sign-off as an agent is told of it.
#[derive(Debug, Serialize)]
pub(super) struct ApprovalView<'a> {
    id: &'a ApprovalId,
    status: &'static str,
    /// Whether it waits, or is granted, under a contract that is no more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    contract_changed: bool,
    approvers: Vec<Approver<'a>>,
    requested_by: &'a ActorId,
    requested_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_by: Option<&'a ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review_reason: Option<&'a str>,
}

/// A role whose holders may approve.
#[derive(Debug, Serialize)]
struct Approver<'a> {
    role: &'a str,
    kind: &'static str,
}

impl<'a> ApprovalView<'a> {
    pub(super) fn of(approval: &'a Approval, contract: Option<&'a Contract>, served: &dyn Served) -> Self {
        let signature = approval.status.signature();
        let roles: &[Role] = match contract.map(|contract| &contract.approval) {
            Some(ApprovalRule::By(permission)) => &permission.roles,
            _ => &[],
        };
        Self {
            id: &approval.id,
            status: approval.status_at(served.now()),
            contract_changed: served.is_outdated(approval),
            approvers: roles.iter().map(|role| Approver { role: &role.name, kind: role.kind.as_str() }).collect(),
            requested_by: approval.requested_by.id(),
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            reviewed_by: signature.map(|signature| signature.by.id()),
            reviewed_at: signature.map(|signature| signature.at),
            review_reason: signature.and_then(|signature| signature.reason.as_deref()),
        }
    }
}

/// An answer as the protocol carries it.
pub(super) fn told<T: Serialize + ?Sized>(answer: &T, is_error: bool) -> CallToolResult {
    match serde_json::to_value(answer) {
        Ok(value) if is_error => CallToolResult::structured_error(value),
        Ok(value) => CallToolResult::structured(value),
        Err(error) => broken(&error),
    }
}

/// The answer to a call that is none.
pub(super) fn refused(refusal: &Refusal) -> CallToolResult {
    let Refusal { code, message, remedy } = refusal;
    let outcome = if matches!(code, ReasonCode::PermissionDenied | ReasonCode::Error) { "blocked" } else { "invalid" };
    let mut value = json!({ "outcome": outcome, "reason": code.as_str(), "message": message });
    if let (Some(remedy), Value::Object(members)) = (remedy, &mut value) {
        members.insert("remedy".to_owned(), remedy.as_str().into());
    }
    CallToolResult::structured_error(value)
}

/// The answer to a wait for which there is no place.
pub(super) fn crowded(most: usize) -> CallToolResult {
    let message = format!("no more than {most} waits and streams at a time");
    let remedy = "let one of them end first";
    CallToolResult::structured_error(
        json!({ "outcome": "blocked", "reason": "too_many_waits", "message": message, "remedy": remedy }),
    )
}

/// Something broke. What, is in the log; that an action may have happened all the same, the agent must know.
pub(super) fn broken(error: &(dyn std::error::Error + 'static)) -> CallToolResult {
    tracing::error!(target: "kiff::mcp", %error, "a call could not be answered");
    let (message, remedy) = match error.downcast_ref::<Error>() {
        Some(Error::Unrecorded { execution, .. }) => (
            format!("execution `{execution}` has started, and how it ended could not be recorded"),
            "it may have happened: do not try again; a person has to settle it first",
        ),
        _ => {
            ("something broke on the server; its log says what".to_owned(), "look at the timeline before you try again")
        }
    };
    CallToolResult::structured_error(
        json!({ "outcome": "failed", "reason": "error", "message": message, "remedy": remedy }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Failure;
    use crate::store::StoreError;

    #[test]
    fn whoever_is_late_is_not_told_that_somebody_has_to_settle_what_is_settled() {
        let key = EntityKey::new("Order", "ord-1").unwrap();
        let remedy = |failure: Failure| {
            let failed = Failed { execution: "run-1".parse().unwrap(), failure, deduplicated: false };
            Answer::failed("MARK_PAID", &key, &failed).remedy.unwrap()
        };
        assert!(remedy(Failure::unknown("the bank did not say")).contains("a person has to settle it first"));
        assert!(remedy(Failure::late("the bank did not say".to_owned())).contains("a person has settled meanwhile"));
    }

    #[test]
    fn what_has_started_and_has_no_end_on_the_record_is_not_to_be_tried_again() {
        let cause = Box::new(Error::Store(StoreError::new("the disk of db-3 is full")));
        let error = Error::Unrecorded { execution: "run-1".parse().unwrap(), cause };
        let told = broken(&error).structured_content.unwrap();
        assert_eq!(told["message"], "execution `run-1` has started, and how it ended could not be recorded");
        assert_eq!(told["remedy"], "it may have happened: do not try again; a person has to settle it first");
    }
}

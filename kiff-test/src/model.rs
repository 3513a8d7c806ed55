//! A plain model of a domain: what its schema alone says must come of each step. It shares no code with the gate.

use std::fmt;
use std::time::Duration;

use kiff::{
    Actor, ActorKind, ApprovalId, ApprovalRule, Contract, ExecutionId, Permission, ReasonCode, Schema, Text, Timestamp,
};
use serde_json::Value;

use crate::histories::{Answer, Draft, Word};

/// What must come of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Allowed,
    Held,
    Blocked(ReasonCode),
    Invalid(ReasonCode),
}

/// A request for a sign-off, as the model knows it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: ApprovalId,
    pub(crate) action: Text,
    /// The parameters as the reviewer sees them.
    pub(crate) shown: String,
    pub(crate) by: Actor,
    pub(crate) expires_at: Timestamp,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Granted,
    Denied,
    Spent,
    Withdrawn,
}

/// An action that has started and of which nobody knows how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    pub(crate) action: Text,
    pub(crate) execution: ExecutionId,
    pub(crate) by: Actor,
}

/// What an entity is, by the schema and by what was answered so far.
pub(crate) struct Model {
    pub(crate) schema: &'static Schema,
    pub(crate) able: fn(&Permission) -> Vec<Actor>,
    pub(crate) state: Option<Text>,
    pub(crate) doubt: Option<Doubt>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) now: Timestamp,
}

/// How long an approval holds.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);

impl Model {
    /// Where an event leads.
    pub(crate) fn transition(&self, event: &str) -> Option<Text> {
        let mut transitions = self.schema.transitions.iter();
        let leads = transitions.find(|leads| leads.event == event && leads.from == self.state);
        leads.map(|leads| leads.to.clone())
    }

    fn may(&self, actor: &Actor, permission: &Permission) -> bool {
        (self.able)(permission).contains(actor)
    }

    pub(crate) fn report(&self, by: &Actor, event: &str, payload: &Draft) -> Expected {
        let Some(event) = self.schema.event(event) else {
            return Expected::Invalid(ReasonCode::UnknownAction);
        };
        if self.doubt.is_some() {
            return Expected::Blocked(ReasonCode::ActionInProgress);
        }
        if self.transition(&event.name).is_none() {
            return Expected::Blocked(ReasonCode::StateNotAllowed);
        }
        if let Some(fault) = payload.fault {
            return Expected::Invalid(fault);
        }
        if self.may(by, &event.report) { Expected::Allowed } else { Expected::Blocked(ReasonCode::PermissionDenied) }
    }

    /// What must come of a proposal; `named` is the approval that it names.
    pub(crate) fn propose(&self, by: &Actor, action: &str, parameters: &Draft, named: Option<&ApprovalId>) -> Expected {
        let Some(state) = &self.state else {
            return Expected::Invalid(ReasonCode::UnknownEntity);
        };
        let Some(contract) = self.schema.action(action) else {
            return Expected::Invalid(ReasonCode::UnknownAction);
        };
        if self.doubt.is_some() {
            return Expected::Blocked(ReasonCode::ActionInProgress);
        }
        if !contract.allowed_in.contains(state) {
            return Expected::Blocked(ReasonCode::StateNotAllowed);
        }
        if let Some(fault) = parameters.fault {
            return Expected::Invalid(fault);
        }
        if !self.may(by, &contract.permission) {
            return Expected::Blocked(ReasonCode::PermissionDenied);
        }
        let signed = match contract.approval {
            ApprovalRule::None | ApprovalRule::Waived { .. } => true,
            ApprovalRule::By(_) => {
                let mut covering = self.asked.iter().filter(|asked| self.covers(asked, contract, &parameters.text));
                covering.any(|asked| named.is_none_or(|named| *named == asked.id))
            }
            // Whatever a later kiff asks for, nobody has given it here.
            _ => false,
        };
        if signed { Expected::Allowed } else { Expected::Held }
    }

    /// Whether a request was granted and is for exactly this.
    pub(crate) fn covers(&self, asked: &Asked, contract: &Contract, parameters: &str) -> bool {
        asked.status == Status::Granted
            && self.now < asked.expires_at
            && asked.action == contract.name
            && same(contract, &asked.shown, parameters)
    }

    /// The request that waits for its review and is for exactly this.
    pub(crate) fn waiting(&self, action: &str, parameters: &str) -> Option<&Asked> {
        let contract = self.schema.action(action)?;
        self.asked.iter().find(|asked| {
            asked.status == Status::Pending
                && self.now < asked.expires_at
                && asked.action == action
                && same(contract, &asked.shown, parameters)
        })
    }

    pub(crate) fn ask(&self, by: &Actor, action: &str, parameters: &Draft) -> Expected {
        match self.propose(by, action, parameters, None) {
            Expected::Held => Expected::Allowed,
            Expected::Allowed => Expected::Invalid(ReasonCode::ApprovalPolicyError),
            refused => refused,
        }
    }

    pub(crate) fn review(&self, by: &Actor, asked: &Asked, answer: Answer) -> Expected {
        let due = if answer == Answer::Withdraw { Status::Granted } else { Status::Pending };
        if asked.status != due || asked.expires_at <= self.now {
            return Expected::Invalid(ReasonCode::ApprovalPolicyError);
        }
        let rule = self.schema.action(&asked.action).map(|contract| &contract.approval);
        let may = match rule {
            Some(ApprovalRule::By(permission)) => self.may(by, permission),
            _ => false,
        };
        if by.kind() == ActorKind::Human && by.id() != asked.by.id() && may {
            Expected::Allowed
        } else {
            Expected::Blocked(ReasonCode::PermissionDenied)
        }
    }

    /// What must come of a word on what became of the run in doubt.
    pub(crate) fn settle(&self, by: &Actor, word: &Word) -> Expected {
        let doubtful = self.doubt.as_ref().and_then(|doubt| Some((doubt, self.schema.action(&doubt.action)?)));
        let Some((doubt, contract)) = doubtful else {
            return Expected::Invalid(ReasonCode::UnknownEntity);
        };
        let may = self.may(by, &contract.settlement(self.schema));
        if by.kind() != ActorKind::Human || by.id() == doubt.by.id() || !may {
            return Expected::Blocked(ReasonCode::PermissionDenied);
        }
        let fits = match word {
            Word::DidNotHappen => true,
            Word::HappenedWithoutEvent => contract.emits.is_empty(),
            Word::Happened { event, .. } => {
                contract.emits.iter().any(|emitted| emitted == event) && self.transition(event).is_some()
            }
        };
        if fits { Expected::Allowed } else { Expected::Invalid(ReasonCode::InvalidContract) }
    }

    /// The request that was made `pick` before the last.
    pub(crate) fn picked(&self, pick: usize) -> Option<&Asked> {
        self.asked.iter().rev().nth(pick)
    }

    /// Notes an answer to a request.
    pub(crate) fn answered(&mut self, id: &ApprovalId, answer: Answer) {
        let status = match answer {
            Answer::Grant => Status::Granted,
            Answer::Deny => Status::Denied,
            Answer::Withdraw => Status::Withdrawn,
        };
        self.set(id, status);
    }

    /// Notes that a request is spent.
    pub(crate) fn spend(&mut self, id: &ApprovalId) {
        self.set(id, Status::Spent);
    }

    fn set(&mut self, id: &ApprovalId, status: Status) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.id == *id) {
            asked.status = status;
        }
    }
}

/// Whether two texts are the same parameters; one that is left out is `null`.
fn same(contract: &Contract, one: &str, other: &str) -> bool {
    let read = |text: &str| -> Option<Vec<Value>> {
        let members: Value = serde_json::from_str(text).ok()?;
        let parameters = contract.parameters.iter();
        Some(parameters.map(|parameter| members.get(&*parameter.name).cloned().unwrap_or_default()).collect())
    };
    read(one).is_some_and(|one| Some(one) == read(other))
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::Held => f.write_str("approval_required"),
            Self::Blocked(code) => write!(f, "blocked: {code}"),
            Self::Invalid(code) => write!(f, "invalid: {code}"),
        }
    }
}

//! What a client sends along with a call, taken apart.

use std::str::FromStr;

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::decision::{Call, Proposal};
use crate::event::Trace;
use crate::identifier::{ApprovalId, EntityKey, IdempotencyKey, check_address};
use crate::verdict::{ReasonCode, Refusal};

use super::catalogue::Names;

/// The arguments of one call, each taken out as it is read.
#[derive(Debug)]
pub(super) struct Arguments(JsonObject);

impl Arguments {
    pub(super) fn new(arguments: Option<JsonObject>) -> Self {
        Self(arguments.unwrap_or_default())
    }

    /// A text that may be left out; an empty one counts as left out, because some agents fill every argument.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(invalid(format!("`{name}` must be a text"))),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal {
            code: ReasonCode::MissingParameter,
            message: format!("`{name}` is missing"),
            remedy: Some(format!("add `{name}`")),
        })
    }

    /// An identifier that may be left out.
    pub(super) fn identifier<T>(&mut self, name: &str) -> Result<Option<T>, Refusal>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let parsed = self.text(name)?.map(|text| text.parse());
        parsed.transpose().map_err(|error| invalid(format!("`{name}`: {error}")))
    }

    /// A whole number that may be left out.
    pub(super) fn whole(&mut self, name: &str, most: u64) -> Result<Option<u64>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_u64().filter(|number| *number <= most);
                let message = || format!("`{name}` must be a whole number from 0 to {most}");
                number.map(Some).ok_or_else(|| invalid(message()))
            }
        }
    }

    /// The entity that is meant.
    pub(super) fn entity(&mut self, name: &str, entity_type: &str, tenant: &str) -> Result<EntityKey, Refusal> {
        let id = self.required(name)?;
        let key = check_address(&id).and_then(|()| EntityKey::new(entity_type, &id));
        let key = key.and_then(|key| key.in_tenant(tenant));
        key.map_err(|error| invalid(format!("`{name}`: {error}")))
    }

    /// The arguments of another call, which may be left out.
    pub(super) fn arguments(&mut self, name: &str) -> Result<Self, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(Self::new(None)),
            Some(Value::Object(members)) => Ok(Self(members)),
            Some(_) => Err(invalid(format!("`{name}` must be an object"))),
        }
    }

    /// The wish that a call of an action's tool is; what is left are the parameters, which the gate looks at.
    pub(super) fn proposal(mut self, action: &str, names: &Names, trace: Trace) -> Result<Proposal<Call>, Refusal> {
        let rationale = self.text(&names.rationale)?;
        let approval = self.identifier::<ApprovalId>(&names.approval_id)?;
        let key = self.identifier::<IdempotencyKey>(&names.idempotency_key)?;
        let parameters = Value::Object(self.0).to_string();
        let mut proposal = Proposal::new(Call::new(action, parameters)).trace(trace);
        if let Some(rationale) = rationale {
            proposal = proposal.because(rationale);
        }
        if let Some(approval) = approval {
            proposal = proposal.approval(approval);
        }
        if let Some(key) = key {
            proposal = proposal.idempotency_key(key);
        }
        Ok(proposal)
    }

    /// Refuses what nobody has asked for.
    pub(super) fn end(self) -> Result<(), Refusal> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(format!("there is no argument `{}`", crate::json::visible(&name)))),
        }
    }
}

pub(super) const fn invalid(message: String) -> Refusal {
    Refusal { code: ReasonCode::InvalidParameter, message, remedy: None }
}

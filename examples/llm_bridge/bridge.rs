//! The bridge: a model's tool calls become governed actions, and what became of them goes back as the model expects it.

use kiff::{
    Actor, Bounds, Domain, EntityKey, Error, Event, Outcome, Proposal, ReasonCode, Refusal, Runtime, State, Verdict,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::Refund;
use crate::tool_call::{self, Fault, Format, ToolCall};

/// What a model is told of one call. The words of `outcome` never change.
#[derive(Debug, Serialize)]
pub struct Told {
    /// `executed`, `approval_required`, `permission_denied`, `state_not_allowed`, `missing_parameter`, `blocked` or
    /// `unknown_tool`.
    pub outcome: &'static str,
    /// The reason as a code, where there is more to say than the outcome does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened or why not, in a sentence.
    pub message: String,
    /// What would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The sign-off that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
}

/// A runtime, and the agent whose model calls.
pub struct Bridge<'r> {
    runtime: &'r Runtime<Refund>,
    agent: Actor,
}

impl<'r> Bridge<'r> {
    /// A bridge for one agent.
    #[must_use]
    pub const fn new(runtime: &'r Runtime<Refund>, agent: Actor) -> Self {
        Self { runtime, agent }
    }

    /// Answers one message of a model: none when it calls no tool, and otherwise the messages to append to the
    /// conversation.
    ///
    /// # Errors
    /// [`Error`] when something broke. A refusal is an answer.
    pub async fn answer(&self, message: &str) -> Result<Vec<Value>, Error> {
        let Ok(calls) = tool_call::read(message, self.runtime.bounds()) else {
            return Ok(Vec::new());
        };
        let mut told = Vec::new();
        for call in calls {
            let outcome = self.call(&call).await?;
            told.push((call, outcome));
        }
        Ok(written(&told))
    }

    /// What became of one call.
    async fn call(&self, call: &ToolCall) -> Result<Told, Error> {
        let request = call.request(self.runtime.bounds());
        let (order, asked) = match request.and_then(|asked| Ok((order(&asked.order)?, asked.call))) {
            Ok(understood) => understood,
            Err(fault) => return Ok(Told::of_fault(&fault)),
        };
        let proposal = match &call.rationale {
            Some(rationale) => Proposal::new(asked).because(rationale),
            None => Proposal::new(asked),
        };
        let outcome = self.runtime.execute(&self.agent, &order, proposal.clone()).await?;
        let held = matches!(outcome, Outcome::ApprovalRequired(_));
        let mut told = Told::of_outcome(outcome);
        if held && let Verdict::Allowed(asked) = self.runtime.request_approval(&self.agent, &order, proposal).await? {
            told.approval_id = Some(asked.id.to_string());
        }
        Ok(told)
    }
}

fn order(id: &str) -> Result<EntityKey, Fault> {
    Refund::entity(id).map_err(Fault::Order)
}

impl Told {
    fn of_outcome(outcome: Outcome<kiff::Executed<Refund>>) -> Self {
        match outcome {
            Outcome::Executed(done) => {
                let event = done.event.as_ref().map_or("nothing", Event::name);
                let message = format!("{event} happened; the order is {} now", done.state.name());
                Self { outcome: "executed", reason: None, message, remedy: None, approval_id: None }
            }
            Outcome::Failed(failed) => Self {
                outcome: "blocked",
                reason: Some(failed.failure.code().to_owned()),
                message: failed.failure.message().to_owned(),
                remedy: failed.failure.is_unknown().then(|| "it may have happened: do not try again".to_owned()),
                approval_id: None,
            },
            Outcome::ApprovalRequired(refusal) => Self::of_refusal("approval_required", refusal),
            Outcome::Blocked(refusal) | Outcome::Invalid(refusal) => {
                let outcome = match refusal.code {
                    ReasonCode::PermissionDenied => "permission_denied",
                    ReasonCode::StateNotAllowed => "state_not_allowed",
                    ReasonCode::MissingParameter => "missing_parameter",
                    ReasonCode::UnknownAction => "unknown_tool",
                    _ => "blocked",
                };
                Self::of_refusal(outcome, refusal)
            }
        }
    }

    fn of_refusal(outcome: &'static str, refusal: Refusal) -> Self {
        let reason = (outcome == "blocked").then(|| refusal.code.as_str().to_owned());
        Self { outcome, reason, message: refusal.message, remedy: refusal.remedy, approval_id: None }
    }

    fn of_fault(fault: &Fault) -> Self {
        let outcome = if matches!(fault, Fault::NoOrder) { "missing_parameter" } else { "blocked" };
        Self {
            outcome,
            reason: (outcome == "blocked").then(|| fault.code().to_owned()),
            message: fault.to_string(),
            remedy: Some(fault.remedy().to_owned()),
            approval_id: None,
        }
    }
}

/// The answers in the form that each model's own API takes. Anthropic's wants all of them in one message, the others one
/// message each.
fn written(told: &[(ToolCall, Told)]) -> Vec<Value> {
    let content = |told: &Told| json!(told).to_string();
    let mut results = Vec::new();
    let mut messages = Vec::new();
    for (call, told) in told {
        match call.format {
            Format::OpenAiChat => {
                messages.push(json!({ "role": "tool", "tool_call_id": call.id, "content": content(told) }));
            }
            Format::OpenAiResponses => {
                messages.push(json!({ "type": "function_call_output", "call_id": call.id, "output": content(told) }));
            }
            Format::Anthropic => {
                let is_error = !matches!(told.outcome, "executed" | "approval_required");
                results.push(json!({
                    "type": "tool_result", "tool_use_id": call.id, "content": content(told), "is_error": is_error
                }));
            }
            Format::Mcp => messages.push(json!({ "jsonrpc": "2.0", "id": call.id, "result": {
                "content": [{ "type": "text", "text": content(told) }], "structuredContent": told
            } })),
        }
    }
    if !results.is_empty() {
        messages.push(json!({ "role": "user", "content": results }));
    }
    messages
}

/// The bounds of a model's message: what a line of the conversation may hold.
#[must_use]
pub const fn bounds() -> Bounds {
    Bounds { payload: 256 * 1024, ..Bounds::DEFAULT }
}

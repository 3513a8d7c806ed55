//! An action that a human has to sign off: asking for it once, and saying how to go on.

use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};

use crate::approval::Approval;
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::runtime::Error;
use crate::schema::Contract;
use crate::served::{Served, Standing};
use crate::verdict::Refusal;

use super::act::Asked;
use super::answer::{Answer, ApprovalView, NextStep};
use super::catalogue::{Names, Own, object};
use super::handler::Handler;

impl Handler {
    /// Asks for the sign-off, unless the call names one or a human's last word on this very wish was no, and tells what is
    /// awaited.
    pub(super) async fn hold(&self, asked: &Asked<'_>, refusal: Refusal) -> Result<CallToolResult, Error> {
        let standing = asked.served.standing(asked.key).await?;
        let held = Answer::refused("approval_required", asked.action(), asked.key, refusal).in_state(standing.state);
        if asked.proposal.named_approval().is_some() || denied(asked, &standing).is_some() {
            return Ok(self.answered(asked, &standing, held));
        }
        let (actor, wish) = (&self.agent().actor, asked.proposal.key.as_ref());
        let verdict = asked.served.request_approval(actor, asked.key, asked.proposal.clone()).await?;
        Ok(match verdict.decided() {
            Ok(approval) => {
                let view = ApprovalView::of(&approval, Some(asked.contract), &**asked.served);
                held.awaiting(view)
                    .remedy("a human has been asked: wait for the decision, and then make the call that it leads to")
                    .next_step(self.wait_for(&asked.served.schema().entity_type, asked.key, &approval, wish))
                    .told()
            }
            Err((outcome, refusal)) => {
                Answer::refused(outcome, asked.action(), asked.key, refusal).in_state(standing.state).told()
            }
        })
    }

    /// What is told about an approval that the call names or that was denied; no other is asked for.
    fn answered(&self, asked: &Asked<'_>, standing: &Standing, held: Answer<'_>) -> CallToolResult {
        let named = asked.proposal.named_approval();
        let known = named.and_then(|named| standing.approvals.iter().find(|approval| approval.id == *named));
        let Some(approval) = known.or_else(|| denied(asked, standing)) else {
            return held.remedy(format!("call again without `{}` to ask for one", asked.names.approval_id)).told();
        };
        let view = ApprovalView::of(approval, Some(asked.contract), &**asked.served);
        let held = held.awaiting(view);
        let (own, is_named) = (asked.names, named.is_some());
        match approval.status_at(asked.served.now()) {
            "pending" if is_of_wish(asked)(approval) && !asked.served.is_outdated(approval) => {
                let (entity_type, wish) = (&asked.served.schema().entity_type, asked.proposal.key.as_ref());
                held.next_step(self.wait_for(entity_type, asked.key, approval, wish)).told()
            }
            "denied" | "withdrawn" if !is_named => {
                let remedy =
                    format!("a human has said no: ask again only with something new, said in `{}`", own.rationale);
                held.remedy(remedy).told()
            }
            "denied" | "withdrawn" => held.remedy("a human has said no: do something else, or ask a person").told(),
            "spent" => {
                let remedy = format!(
                    "it has already run under this approval: `timeline` says what came of it. Without `{}` it would be another one",
                    own.approval_id
                );
                held.remedy(remedy).told()
            }
            _ => {
                let remedy = format!("call again without `{}` to ask for a sign-off of exactly this", own.approval_id);
                held.remedy(remedy).told()
            }
        }
    }

    /// The call that waits for the decision about a wish that may have a name.
    pub(super) fn wait_for(
        &self,
        entity_type: &str,
        key: &EntityKey,
        approval: &Approval,
        wish: Option<&IdempotencyKey>,
    ) -> NextStep {
        let mut arguments = object(json!({ "entity_id": key.id(), "approval_id": approval.id }));
        if self.domains.len() > 1 {
            arguments.insert("entity_type".to_owned(), entity_type.into());
        }
        if let Some(wish) = wish {
            arguments.insert("idempotency_key".to_owned(), wish.as_str().into());
        }
        NextStep { tool: Own::WaitForDecision.name().to_owned(), arguments: arguments.into() }
    }
}

/// The last answer to this very wish, where it was a no and the agent says nothing new.
fn denied<'s>(asked: &Asked<'_>, standing: &'s Standing) -> Option<&'s Approval> {
    let is_same = is_of_wish(asked);
    let last =
        standing.approvals.iter().filter(|approval| is_same(approval)).max_by_key(|approval| approval.requested_at)?;
    let reasons = asked.proposal.reasons();
    let says_nothing_new = reasons.rationale.is_none() || reasons.rationale == last.reasons.rationale;
    (last.status.is_no() && says_nothing_new).then_some(last)
}

/// Whether an approval is of the very action and parameters of the call.
fn is_of_wish(asked: &Asked<'_>) -> impl Fn(&Approval) -> bool {
    // As the approval has them: what was left out may be written there.
    let wish = asked.served.recorded_parameters(asked.proposal.action()).map(|parameters| parameters.canonical());
    move |approval| {
        approval.action == asked.contract.name
            && wish.as_ref().is_some_and(|wish| approval.parameters.canonical() == *wish)
    }
}

/// The call that does what was granted: exactly that, and once, however often it is made. A wish without a name has that of its
/// approval, which is for one run.
pub(super) fn act(
    contract: &Contract,
    names: &Names,
    key: &EntityKey,
    approval: &Approval,
    wish: Option<&IdempotencyKey>,
) -> NextStep {
    let mut arguments = Map::new();
    arguments.insert(names.entity_id.clone(), key.id().into());
    if let Ok(Value::Object(parameters)) = approval.parameters.decode() {
        arguments.extend(parameters);
    }
    arguments.insert(names.approval_id.clone(), approval.id.as_str().into());
    let wish = wish.map_or(approval.id.as_str(), IdempotencyKey::as_str);
    arguments.insert(names.idempotency_key.clone(), wish.into());
    NextStep { tool: contract.name.to_string(), arguments: arguments.into() }
}

/// The contract of an approval's action, as its domain has it today.
pub(super) fn contract(served: &dyn Served, approval: &Approval) -> Option<&'static Contract> {
    served.schema().action(&approval.action)
}

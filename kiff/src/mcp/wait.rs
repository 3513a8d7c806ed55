//! Waiting for a human's decision, without a part in it.

use std::pin::pin;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::service::RequestContext;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::approval::Approval;
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::served::Served;
use crate::verdict::{ReasonCode, Refusal};

use super::answer::{ApprovalView, NextStep, broken, crowded, told};
use super::arguments::Arguments;
use super::handler::{Handler, Told};
use super::hold;
use super::progress::Progress;

/// How many seconds a client can wait in one call.
pub(super) const LONGEST: u64 = 600;

/// How many seconds a client waits unless it says how long: many give up after a minute.
const SECONDS: u64 = 45;

/// How often the journal is looked at: first often, then less.
const FIRST: Duration = Duration::from_millis(50);
const LAST: Duration = Duration::from_secs(1);

/// What has become of a request for approval.
#[derive(Serialize)]
struct Decision<'a> {
    status: &'static str,
    entity_id: &'a str,
    action: &'a str,
    approval: ApprovalView<'a>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<NextStep>,
}

impl Handler {
    pub(super) async fn wait_for_decision(
        &self,
        mut arguments: Arguments,
        context: &RequestContext<RoleServer>,
    ) -> Told {
        let (served, key) = self.locate(&mut arguments)?;
        let approval = arguments.required("approval_id")?;
        let seconds = arguments.whole("timeout_seconds", LONGEST)?.unwrap_or(SECONDS);
        let wish = arguments.identifier::<IdempotencyKey>("idempotency_key")?;
        arguments.end()?;
        let mut seat = None;
        let mut closing = pin!(self.closing());
        let mut progress = Progress::of(context);
        let (mut until, mut pause) = (progress.since + Duration::from_secs(seconds).min(self.patience()), FIRST);
        loop {
            let standing = match served.standing(&key).await {
                Ok(standing) => standing,
                Err(error) => return Ok(broken(&error)),
            };
            let Some(found) = standing.approvals.iter().find(|known| known.id.as_str() == approval) else {
                return Err(unknown(&key, &approval));
            };
            let now = Instant::now();
            let is_over = found.status_at(served.now()) != "pending" || served.is_outdated(found);
            if is_over || now >= until || context.ct.is_cancelled() {
                return Ok(told(&self.decision(&**served, &key, found, wish.as_ref()), false));
            }
            progress.tell("waiting for a human's decision", Some(seconds)).await;
            if seat.is_none() {
                seat = match self.seat() {
                    Ok(taken) => Some(taken),
                    Err(most) => return Ok(crowded(most)),
                };
            }
            tokio::select! {
                () = sleep(pause.min(until - now)) => {}
                () = context.ct.cancelled() => {}
                // A server that stops does not wait for people.
                () = &mut closing => until = now,
            }
            pause = (pause * 3 / 2).min(LAST);
        }
    }

    fn decision<'a>(
        &self,
        served: &dyn Served,
        key: &'a EntityKey,
        approval: &'a Approval,
        wish: Option<&IdempotencyKey>,
    ) -> Decision<'a> {
        let (contract, status) = (hold::contract(served, approval), approval.status_at(served.now()));
        let names = self.catalogue.governing(&approval.action).map(|governing| &*governing.names);
        let (message, next_step) = match status {
            _ if served.is_outdated(approval) => {
                let argument = names.map_or("approval_id", |names| &names.approval_id);
                (
                    format!(
                        "its contract has changed since it was asked for: call the action again without `{argument}`"
                    ),
                    None,
                )
            }
            "granted" => (
                "it is granted: call the action with exactly these arguments, once".to_owned(),
                contract.zip(names).map(|(contract, names)| hold::act(contract, names, key, approval, wish)),
            ),
            "pending" => (
                "nobody has decided yet: wait again, or do something else meanwhile".to_owned(),
                Some(self.wait_for(&served.schema().entity_type, key, approval, wish)),
            ),
            "denied" => ("a human has said no: do something else, or ask a person".to_owned(), None),
            "withdrawn" => ("a human has taken the yes back: do something else, or ask a person".to_owned(), None),
            "spent" => ("the action has already run under it".to_owned(), None),
            _ => ("it has expired unused: call the action again to ask anew".to_owned(), None),
        };
        let approval = ApprovalView::of(approval, contract, served);
        Decision {
            status,
            entity_id: key.id(),
            action: contract.map_or("", |own| &own.name),
            approval,
            message,
            next_step,
        }
    }
}

fn unknown(key: &EntityKey, approval: &str) -> Refusal {
    let approval = crate::json::visible(approval);
    Refusal {
        code: ReasonCode::UnknownEntity,
        message: format!("there is no approval `{approval}` of `{}`", key.id()),
        remedy: Some("call the action without an approval to ask for one".to_owned()),
    }
}

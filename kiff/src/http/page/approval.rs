//! One request for a sign-off: everything that the human must see, and the two answers.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::actor::{Actor, ActorKind};
use crate::approval::{Approval, ApprovalStatus, Review, Signature};
use crate::decision::Rationale;
use crate::identifier::{ApprovalId, EntityKey};
use crate::json::visible;
use crate::permission::PolicyError;
use crate::schema::{ApprovalRule, Contract};
use crate::served::{Served, Standing};
use crate::time::Timestamp;
use crate::verdict::any_human;

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::{Caller, Named};
use super::form;
use super::frame::{self, Place, encoded, pretty};
use super::parameter;
use super::prospect::Prospect;
use super::session::Signed;
use super::sorry::Sorry;
use super::timeline::Filter;

/// The way to a request's page.
pub(super) fn approval_path(key: &EntityKey, approval: &ApprovalId) -> String {
    let (entity_type, id) = (encoded(key.entity_type()), encoded(key.id()));
    format!("/admin/approvals/{entity_type}/{id}/{}", encoded(approval.as_str()))
}

/// Whether `actor` is somebody whose answer would count, as far as can be said before.
pub(super) fn may_answer(
    served: &dyn Served,
    actor: &Actor,
    key: &EntityKey,
    approval: &Approval,
) -> Result<bool, PolicyError> {
    let schema = served.schema();
    let rule = schema.action(&approval.action).map(|contract| &contract.approval);
    let humans;
    let permission = match (rule, &approval.status) {
        (Some(ApprovalRule::By(permission)), _) => permission,
        // Where nobody approves it any more, all that is left is a no.
        (_, ApprovalStatus::Pending | ApprovalStatus::Granted(_)) => {
            humans = any_human(schema);
            &humans
        }
        _ => return Ok(false),
    };
    let is_another_human = actor.kind() == ActorKind::Human && actor.id() != approval.requested_by.id();
    Ok(is_another_human && served.may(actor, key, permission)?)
}

/// Which request.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    entity_type: String,
    id: String,
    approval: String,
}

/// `GET /admin/approvals/{entity_type}/{id}/{approval}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Named(which): Named<Which>,
) -> Result<Response, Sorry> {
    card(&shared, &signed, &caller, &which, StatusCode::OK, None).await
}

/// An answer.
#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    csrf: String,
    answer: String,
    #[serde(default, deserialize_with = "form::text")]
    reason: String,
}

/// `POST /admin/approvals/{entity_type}/{id}/{approval}`.
pub(super) async fn answer(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Named(which): Named<Which>,
    Form(answered): Form<Answered>,
) -> Result<Response, Sorry> {
    let refused = |status, problem: &str| {
        let refused = Some((problem.to_owned(), answered.reason.as_str()));
        card(&shared, &signed, &caller, &which, status, refused)
    };
    if !signed.sent(&answered.csrf) {
        return refused(StatusCode::FORBIDDEN, "This form is not of your session: send it again.").await;
    }
    let review = match answered.answer.as_str() {
        "grant" => Review::grant(),
        "deny" => Review::deny(),
        "withdraw" => Review::withdraw(),
        _ => return refused(StatusCode::BAD_REQUEST, "Say yes or no.").await,
    };
    if answered.reason.trim().is_empty() {
        return refused(StatusCode::BAD_REQUEST, "Say why: your reason goes on the record.").await;
    }
    let (served, key) = shared.locate(&caller, &which.id, Some(&which.entity_type)).await?;
    let id = ApprovalId::new(&which.approval).map_err(|_| Problem::not_found("there is no such approval"))?;
    let review = review.because(answered.reason.trim()).trace(caller.trace.clone());
    let verdict = served.review(signed.actor(), &key, &id, review).await?;
    match verdict.refusal() {
        None => Ok(Redirect::to(&approval_path(&key, &id)).into_response()),
        Some(refusal) => refused(StatusCode::CONFLICT, &refusal.message).await,
    }
}

async fn card(
    shared: &Shared,
    signed: &Signed,
    caller: &Caller,
    which: &Which,
    status: StatusCode,
    refused: Option<(String, &str)>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(caller, &which.id, Some(&which.entity_type)).await?;
    let standing = served.standing(&key).await?;
    let found = standing.approvals.iter().find(|approval| approval.id.as_str() == which.approval);
    let Some(approval) = found else {
        return Err(
            Problem::not_found("there is no such approval, or it was closed long ago: look at the timeline").into()
        );
    };
    let part = Filter::default().part(&*served, &key, standing.number).await?;
    let contract = served.schema().action(&approval.action);
    let now = served.now();
    let open = waits(approval, now);
    let prospect =
        if open || holds(approval, now) { Some(Prospect::of(&*served, &key, approval).await?) } else { None };
    let may = prospect.is_some().then(|| may_answer(&*served, signed.actor(), &key, approval));
    let main = html! {
        @if let Some((problem, _)) = &refused { (frame::refused(problem)) }
        (status_line(approval, now))
        (next_step(approval, contract, prospect.as_ref(), now))
        section.card aria-labelledby="what" {
            h2 #what { "What is asked for" }
            (facts(approval, contract, &key, &standing, now))
            (parameter::table(&approval.parameters, contract))
            @if let Some(prospect) = prospect.as_ref().filter(|_| open) {
                (prospect.promised(contract, served.schema(), standing.state))
            }
        }
        (claim(&approval.reasons))
        @match &may {
            Some(Ok(true)) => {
                (form(signed, &key, approval, prospect.as_ref(), refused.as_ref().map_or("", |(_, reason)| *reason)))
            }
            Some(Err(_)) => p.notice.warn { "Whether you may answer this could not be decided: try again later." }
            Some(Ok(false)) if open => p.notice {
                @if served.is_recorded() {
                    "It cannot be answered here: only the journal is open. It is answered where its domain is."
                } @else {
                    "You cannot answer this: somebody who holds the permission and did not ask for it has to."
                }
            }
            _ => {}
        }
        h2 { "What happened to " (frame::name(key.id())) " so far" }
        (Filter::default().shown(&part, false))
    };
    let not_sent = if refused.is_some() { "Not sent: " } else { "" };
    let title = format!("{not_sent}{} on {}", visible(&approval.action), frame::named(&key));
    Ok(frame::page_with(status, signed, Place::Elsewhere, &title, &main))
}

/// Whether it can still be answered.
fn waits(approval: &Approval, now: Timestamp) -> bool {
    matches!(approval.status, ApprovalStatus::Pending) && !approval.has_expired(now)
}

/// Whether something can still run by it.
fn holds(approval: &Approval, now: Timestamp) -> bool {
    matches!(approval.status, ApprovalStatus::Granted(_)) && !approval.has_expired(now)
}

/// What comes after a yes.
fn next_step(approval: &Approval, contract: Option<&Contract>, prospect: Option<&Prospect>, now: Timestamp) -> Markup {
    html! {
        @if matches!(approval.status, ApprovalStatus::Granted(_)) {
            @if let Some(prospect) = prospect { (prospect.granted(contract, approval, now)) } @else {
                p.notice { "It was not used while it held: the grant ended " (frame::until(approval.expires_at, now)) "." }
            }
        }
    }
}

fn status_line(approval: &Approval, now: Timestamp) -> Markup {
    html! {
        @match &approval.status {
            ApprovalStatus::Pending if !approval.has_expired(now) => p { span.badge.warn { "waits for an answer" } }
            ApprovalStatus::Pending => p { span.badge.bad { "expired" } " " (frame::ago(approval.expires_at, now)) }
            ApprovalStatus::Granted(by) => (signed_off("good", "granted", by, now)),
            ApprovalStatus::Denied(by) => (signed_off("bad", "denied", by, now)),
            ApprovalStatus::Spent(execution) => p {
                span.badge.good { "granted and used" } " by execution " code { (visible(execution.as_str())) }
            }
            ApprovalStatus::Withdrawn(by) => (signed_off("bad", "withdrawn", by, now)),
        }
    }
}

/// What somebody said, who, when, and why.
fn signed_off(colour: &str, word: &str, by: &Signature, now: Timestamp) -> Markup {
    html! {
        p {
            span.badge.(colour) { (word) } " by " (frame::who(&by.by)) ", " (frame::ago(by.at, now))
            @if let Some(reason) = &by.reason { ": " q { (frame::lines(reason)) } }
        }
    }
}

fn facts(
    approval: &Approval,
    contract: Option<&Contract>,
    key: &EntityKey,
    standing: &Standing,
    now: Timestamp,
) -> Markup {
    html! {
        dl {
            dt { "Action" }
            dd {
                strong { (visible(&approval.action)) } " "
                @if let Some(contract) = contract {
                    (frame::risk(contract.risk))
                    @if !contract.documentation.is_empty() { br; (frame::prose(&contract.documentation)) }
                }
            }
            dt { "On" } dd { (frame::entity_link(key)) ", now " strong { (standing.state.unwrap_or("new")) } }
            dt { "Asked by" } dd { (frame::who(&approval.requested_by)) ", " (frame::ago(approval.requested_at, now)) }
            @if waits(approval, now) { dt { "Expires" } dd { (frame::until(approval.expires_at, now)) } }
        }
    }
}

/// What the requester says for itself.
fn claim(reasons: &Rationale) -> Markup {
    html! {
        @if !reasons.is_empty() {
            section.card.claim aria-labelledby="claim" {
                h2 #claim { "What the requester says" }
                p.quiet { "This is its claim. Nobody has checked it." }
                @if let Some(rationale) = &reasons.rationale {
                    p.value { (frame::lines(rationale)) }
                }
                @if let Some(confidence) = reasons.confidence {
                    p { "It says that it is " (format!("{:.1}", f64::from(confidence) * 100.0)) " % sure." }
                }
                @for evidence in &reasons.evidence {
                    p { "Evidence from " strong { (frame::name(&evidence.source)) } }
                    pre { (pretty(evidence.content.as_str())) }
                }
            }
        }
    }
}

/// The answers that count now, with the reason that was sent in vain.
fn form(signed: &Signed, key: &EntityKey, approval: &Approval, prospect: Option<&Prospect>, reason: &str) -> Markup {
    html! {
        form.card method="post" action=(approval_path(key, &approval.id)) {
            (signed.csrf_field())
            label for="reason" { "Your reason" }
            textarea #reason name="reason" required maxlength="2000" aria-describedby="on-record" { (reason) }
            p #on-record .quiet { "It goes on the record, with your name." }
            div.choices {
                @if matches!(approval.status, ApprovalStatus::Pending) {
                    @if !matches!(prospect, Some(Prospect::Outdated)) {
                        button type="submit" name="answer" value="grant" { "Grant: exactly this, once" }
                    }
                    button.no type="submit" name="answer" value="deny" { "Deny" }
                } @else {
                    button.no type="submit" name="answer" value="withdraw" { "Withdraw the grant" }
                }
            }
        }
    }
}

//! The routes of approvals: those of an entity, and a human's answer to one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, ActorKind};
use crate::approval::{Approval, Review};
use crate::decision::Rationale;
use crate::identifier::{ActorId, ApprovalId, EntityKey};
use crate::journal::{Cursor, Query};
use crate::json::Json;
use crate::runtime::Pending;
use crate::served::Served;
use crate::time::Timestamp;

use super::Shared;
use super::cursor;
use super::envelope::{Listed, Under, fitting};
use super::open::Part;
use super::problem::{About, Problem, answer};
use super::request::{Body, Caller, Named, NamedActor, Page, Said, Sort, acting, approval_id, entity_key};

/// An approval as a client is told of it.
#[derive(Debug, Serialize)]
pub(super) struct ApprovalView<'a> {
    id: &'a ApprovalId,
    entity_id: &'a str,
    entity_type: &'a str,
    action_name: &'a str,
    parameters: &'a Json,
    requested_by: &'a ActorId,
    status: &'static str,
    /// Whether it waits, or is granted, under a contract that is no more: nothing can come of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    contract_changed: bool,
    /// Why it was asked for; once it is reviewed, why the answer is what it is, where its reviewer said so. What one of them
    /// wrote never stands for the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Rationale::is_empty")]
    claims: &'a Rationale,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_by: Option<&'a ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_at: Option<Timestamp>,
}

impl<'a> ApprovalView<'a> {
    pub(super) fn of(key: &'a EntityKey, approval: &'a Approval, served: &dyn Served) -> Self {
        let signature = approval.status.signature();
        let reason = match signature {
            Some(signature) => signature.reason.as_deref(),
            None => approval.reasons.rationale.as_deref(),
        };
        Self {
            id: &approval.id,
            entity_id: key.id(),
            entity_type: key.entity_type(),
            action_name: &approval.action,
            parameters: &approval.parameters,
            requested_by: approval.requested_by.id(),
            status: approval.status_at(served.now()),
            contract_changed: served.is_outdated(approval),
            reason,
            claims: &approval.reasons,
            created_at: approval.requested_at,
            expires_at: approval.expires_at,
            reviewed_by: signature.map(|signature| signature.by.id()),
            reviewed_at: signature.map(|signature| signature.at),
        }
    }
}

/// A page of approvals, and behind which the next one begins.
const fn listed(items: Vec<ApprovalView<'_>>, next: Option<String>) -> Listed<ApprovalView<'_>, String> {
    Listed { name: "approvals", items, next, undecided: false }
}

/// `GET /entities/{id}/approvals`: in the order in which they were asked for, which stays when one of them is answered.
pub(super) async fn of_entity(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let after = page.after.as_deref().map(cursor::read_approval).transpose()?;
    let entity_type = shared.governed(page.entity_type.as_deref())?;
    let (served, key) = match shared.locate(&caller, &id, entity_type).await {
        Err(problem) if problem.is_not_found() => return Ok(answer(StatusCode::OK, &listed(Vec::new(), None))),
        found => found?,
    };
    let mut approvals = served.standing(&key).await?.approvals;
    approvals.sort_by(|one, other| place(one).cmp(&place(other)));
    let is_seen = |approval: &Approval| after.as_ref().is_some_and(|(at, id)| place(approval) <= (*at, id.as_str()));
    let left = approvals.get(approvals.partition_point(is_seen)..).unwrap_or_default();
    let fitting = fitting(left.iter().take(page.limit()).map(Approval::size), Page::ROOM);
    let shown = left.iter().take(fitting);
    let next = shown.clone().next_back().map(cursor::of_approval).filter(|_| fitting < left.len());
    let approvals = shown.map(|approval| ApprovalView::of(&key, approval, &*served)).collect();
    Ok(answer(StatusCode::OK, &listed(approvals, next)))
}

/// Where an approval stands among those of its entity.
fn place(approval: &Approval) -> (Timestamp, &str) {
    (approval.requested_at, approval.id.as_str())
}

/// `GET /entities/{id}/approvals/{approval}`: what has become of one, for whoever waits for it.
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: Caller,
    Named((id, approval)): Named<(String, String)>,
    Said(sort): Said<Sort>,
) -> Result<Response, Problem> {
    let wanted = approval_id("approval id", &approval)?;
    let (served, key) = shared.locate(&caller, &id, shared.governed(sort.entity_type.as_deref())?).await?;
    let approvals = served.standing(&key).await?.approvals;
    let found = approvals.iter().find(|approval| approval.id == wanted).ok_or_else(|| {
        Problem::not_found(format!(
            "`{id}` has no approval `{wanted}`, or it was closed long ago: look at the timeline"
        ))
    })?;
    Ok(answer(StatusCode::OK, &Under("approval", ApprovalView::of(&key, found, &*served))))
}

/// `GET /approvals`: what waits for a review, the oldest first.
pub(super) async fn pending(
    State(shared): State<Shared>,
    caller: Caller,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let after = page.after.as_deref().map(cursor::read).transpose()?;
    let part: Part<Pending> = shared.open(&caller, page.open(after.as_ref()), |_, _| true).await?;
    let next = part.next.as_ref().map(cursor::of_open);
    let items = part.items.iter();
    let approvals =
        items.map(|(served, found)| ApprovalView::of(&found.open.key, &found.approval, &**served)).collect();
    Ok(answer(StatusCode::OK, &Listed { undecided: part.undecided, ..listed(approvals, next) }))
}

/// What the routes of a review take, and nothing else: whoever writes `raeson` must not believe that it is on the record. The entity is
/// named only where several have an approval of that number.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReviewBody {
    actor: Option<NamedActor>,
    reason: Option<String>,
    entity_type: Option<String>,
    entity_id: Option<String>,
}

/// `POST /approvals/{id}/grant`
pub(super) async fn grant(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Body(body): Body<ReviewBody>,
) -> Result<Response, Problem> {
    review(&shared, &caller, &id, body, Review::grant()).await
}

/// `POST /approvals/{id}/deny`
pub(super) async fn deny(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Body(body): Body<ReviewBody>,
) -> Result<Response, Problem> {
    review(&shared, &caller, &id, body, Review::deny()).await
}

/// `POST /approvals/{id}/withdraw`
pub(super) async fn withdraw(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Body(body): Body<ReviewBody>,
) -> Result<Response, Problem> {
    review(&shared, &caller, &id, body, Review::withdraw()).await
}

async fn review(
    shared: &Shared,
    caller: &Caller,
    id: &str,
    body: ReviewBody,
    mut review: Review,
) -> Result<Response, Problem> {
    let id = approval_id("approval id", id)?;
    let actor = acting(&caller.principal, body.actor.as_ref(), ActorKind::Human, &About::NOTHING)?;
    let (served, key) = find(shared, caller, &actor, &id, &body).await?;
    review = review.trace(caller.trace.clone());
    if let Some(reason) = body.reason.filter(|reason| !reason.is_empty()) {
        review = review.because(reason);
    }
    let verdict = served.review(&actor, &key, &id, review).await?;
    let refused = |(outcome, refusal)| Problem::refused(outcome, refusal, &About::entity(&key));
    let approval = verdict.decided().map_err(refused)?;
    Ok(answer(StatusCode::OK, &Under("approval", ApprovalView::of(&key, &approval, &*served))))
}

/// The entity of which this approval was asked for; one that the actor may not see is not there.
async fn find(
    shared: &Shared,
    caller: &Caller,
    actor: &Actor,
    id: &ApprovalId,
    body: &ReviewBody,
) -> Result<(Arc<dyn Served>, EntityKey), Problem> {
    /// An approval's number is unique for an entity, and nearly always everywhere.
    const MOST: usize = 64;
    let mut found = Vec::new();
    for served in shared.domains(shared.governed(body.entity_type.as_deref())?) {
        let mut query = Query::default()
            .tenant(caller.principal.tenant())
            .entity_type(served.schema().entity_type.as_ref())
            .approval(id.clone());
        if let Some(id) = &body.entity_id {
            query = query.entity(entity_key(&caller.principal, &served.schema().entity_type, id)?);
        }
        for (_, commit) in shared.looked_up(caller, served, query, Cursor::FIRST, MOST).await? {
            let key = commit.key();
            if caller.may_read(&**served, actor, key)? {
                found.push((Arc::clone(served), key.clone()));
            }
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(found), true) => Ok(found),
        (None, _) => Err(Problem::not_found(format!("there is no approval `{id}`"))),
        (Some(_), false) => Err(Problem::bad_request(format!(
            "several entities have an approval `{id}`: say which is meant by `entity_type` and `entity_id`"
        ))),
    }
}

//! The inbox: what waits for a human, the oldest first.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use crate::json::visible;
use crate::runtime::Pending;
use crate::served::Served;

use super::super::Shared;
use super::super::open::{Part, READING_ON, Wanted};
use super::super::problem::Problem;
use super::super::request::Caller;
use super::super::{cursor, entity};
use super::approval::{approval_path, may_answer};
use super::frame::{self, Place, encoded};
use super::parameter;
use super::session::Signed;
use super::sorry::Sorry;

/// How many requests are shown at once.
const SHOWN: usize = 50;

/// What is said where what waits for the person, if anything does, was not come to.
const BEHIND_OTHERS: &str =
    "Nothing that waits for you was found so far: many older requests stand before, which others have to answer.";

/// Which part of the inbox.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// What waits for the person, behind this place.
    after: Option<String>,
    /// What waits for others, behind this place.
    others: Option<String>,
}

/// `GET /admin`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Sorry> {
    // A further part of one list is a page of its own.
    let mine = match asked.others {
        None => Some(part(&shared, &signed, &caller, asked.after.as_deref(), true).await?),
        Some(_) => None,
    };
    let others = match asked.after {
        None => Some(part(&shared, &signed, &caller, asked.others.as_deref(), false).await?),
        Some(_) => None,
    };
    // Where only journals are, nobody answers anything: who comes wants to see what there is.
    let is_recorded = shared.domains(None).all(|served| served.is_recorded());
    let onward = |part: &Part<Pending>, list: &str, words: &str| {
        frame::onward(part.next.as_ref().map(|next| format!("/admin?{list}={}", cursor::of_open(next))), words)
    };
    let unsure = others
        .iter()
        .flat_map(|part| &part.items)
        .any(|(served, pending)| may_answer(&**served, signed.actor(), &pending.open.key, &pending.approval).is_err());
    let undecided = [&mine, &others].into_iter().flatten().any(|part| part.undecided);
    let main = html! {
        (frame::undecided(undecided))
        @if is_recorded {
            (on_record(&shared, &caller).await?)
        } @else if let Some(part) = &mine {
            @if part.items.is_empty() && part.next.is_none() {
                @if !unsure { p { "Nothing waits for you." } }
            } @else {
                (list(&part.items, "What waits for you", BEHIND_OTHERS))
            }
            (onward(part, "after", "More that waits for you"))
        }
        @if let Some(part) = &others {
            @if !part.items.is_empty() || part.next.is_some() {
                h2 { "Waits for others" }
                p.quiet {
                    @if part.items.iter().all(|(served, _)| served.is_recorded()) {
                        "Only the journal is open here: these are answered where its domain is."
                    } @else if unsure {
                        "Whether you may answer some of these could not be decided: try again later. The others somebody else has to answer."
                    } @else {
                        "Somebody else has to answer these: you asked for them, or do not hold the permission."
                    }
                }
                (list(&part.items, "What waits for others", "Nothing was found so far."))
            }
            (onward(part, "others", "More that waits for others"))
        }
    };
    let title = if is_recorded { "What is on record" } else { "Inbox" };
    Ok(frame::page(&signed, Place::Inbox, title, &main))
}

/// The first entities of each sort, and the way to the others.
async fn on_record(shared: &Shared, caller: &Caller) -> Result<Markup, Problem> {
    let mut sorts = Vec::new();
    for served in shared.domains(None) {
        // Over journals alone there is no policy: nothing is hidden, and nothing undecided.
        let listed = entity::listed(shared, served, caller, None, SHOWN).await?;
        sorts.push((&*served.schema().entity_type, listed));
    }
    Ok(html! {
        p {
            "Only journals are open here: everything can be seen, and nothing changed. "
            a href="/admin/search" { "Search them" } " by entity, actor, trace or kind of record."
        }
        @if sorts.is_empty() { p { "There is no entity in them." } }
        @for (entity_type, listed) in &sorts {
            h2 { (visible(entity_type)) }
            @if listed.found.is_empty() { p { "There is none that you may see." } } @else {
                ul { @for key in &listed.found { li { (frame::entity_link(key)) } } }
            }
            @if listed.next().is_some() { p { a href={ "/admin/search?entity_type=" (encoded(entity_type)) } { "All of this sort" } } }
        }
    })
}

/// What the person may answer, or what somebody else has to.
async fn part(
    shared: &Shared,
    signed: &Signed,
    caller: &Caller,
    after: Option<&str>,
    is_mine: bool,
) -> Result<Part<Pending>, Problem> {
    let after = after.map(cursor::read).transpose()?;
    // Nobody waits for what waits for others.
    let patience = if is_mine { READING_ON } else { Duration::ZERO };
    let wanted = Wanted { entity_type: None, after: after.as_ref(), limit: SHOWN, room: usize::MAX, patience };
    let fits = |served: &dyn Served, pending: &Pending| {
        may_answer(served, signed.actor(), &pending.open.key, &pending.approval).unwrap_or(false) == is_mine
    };
    shared.open(caller, wanted, fits).await
}

fn list(waiting: &[(Arc<dyn Served>, Pending)], caption: &str, otherwise: &str) -> Markup {
    html! {
        @if waiting.is_empty() { p { (otherwise) } } @else {
            ul.requests aria-label=(caption) { @for (served, pending) in waiting { (request(&**served, pending)) } }
        }
    }
}

fn request(served: &dyn Served, pending: &Pending) -> Markup {
    let Pending { open, approval } = pending;
    let now = served.now();
    let contract = served.schema().action(&approval.action);
    html! {
        li.card {
            p {
                a href=(approval_path(&open.key, &approval.id)) { strong { (visible(&approval.action)) } }
                " on " (frame::entity_link(&open.key)) " "
                @if let Some(contract) = contract { (frame::risk(contract.risk)) }
                @if !served.is_current(approval) { " " span.badge.bad { "its contract has changed" } }
            }
            (parameter::short(&approval.parameters, contract))
            p.quiet {
                (frame::who(&approval.requested_by)) " asked " (frame::ago(approval.requested_at, now))
                ", expires " (frame::until(approval.expires_at, now))
            }
        }
    }
}

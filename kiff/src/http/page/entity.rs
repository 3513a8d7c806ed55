//! One entity: where it stands and how it got there, what it allows, every record, and whether they hold together.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use crate::approval::Approval;
use crate::identifier::EntityKey;
use crate::journal::{Commit, Cursor, Query as Changes};
use crate::json::visible;
use crate::schema::{ApprovalRule, Contract, Schema};
use crate::served::{Served, Standing};
use crate::time::Timestamp;
use crate::timeline::{Phase, Timeline};

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::{Caller, Named};
use super::approval::approval_path;
use super::doubt::doubt_path;
use super::frame::{self, Place};
use super::session::Signed;
use super::sorry::Sorry;
use super::timeline::{Filter, receipt_path};

/// How many of its last changes of state a page shows.
const PATH: usize = 30;

/// How many commits are read at once to check a chain.
const PAGE: usize = 64;

/// Which entity.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    entity_type: String,
    id: String,
}

/// What of it to show beside where it stands.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    verify: Option<String>,
}

/// `GET /admin/entities/{id}`: the way to the page of the one entity that has this id.
pub(super) async fn find(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Sorry> {
    let (_, key) = shared.locate(&caller, &id, None).await?;
    Ok(Redirect::to(&frame::entity_path(&key)).into_response())
}

/// `GET /admin/entities/{entity_type}/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Named(which): Named<Which>,
    Query(asked): Query<Asked>,
    Query(filter): Query<Filter>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(&caller, &which.id, Some(&which.entity_type)).await?;
    let standing = served.standing(&key).await?;
    let Some(state) = standing.state else {
        return Err(Problem::not_found(format!("there is no entity `{}`", visible(key.id()))).into());
    };
    let changes = changes(&shared, &caller, &served, &key).await?;
    let lifecycle = Timeline::new(key.clone(), changes.clone()).lifecycle();
    let part = filter.found(&shared, &caller, &served, &key, standing.number).await?;
    let now = served.now();
    let main = html! {
        p { "It is " strong { (state) } "." }
        @if let Some(running) = &standing.running {
            p.notice.warn {
                (visible(&running.action)) " has started and not ended. "
                a href=(doubt_path(&key)) { "See whether it is in doubt" }
            }
        }
        section aria-labelledby="where" {
            h2 #where { "Where it stands" }
            @if served.is_recorded() {
                p.quiet {
                    "Its domain is not here, and with it the diagram and what the state allows. This is the path that its journal tells:"
                }
            } @else {
                div.card.diagram.scroll { (diagram(served.diagram(), state, &lifecycle)) }
            }
            (path(&lifecycle, now))
        }
        (waiting(&key, &standing, now))
        @if !served.is_recorded() { (actions(served.schema(), state)) }
        h2 #proof { "Proof" }
        (chain(&*served, &key, asked.verify.is_some()).await)
        @if !shared.logs.is_empty() { (receipts(changes.last().zip(lifecycle.last()), standing.number, &key)) }
        h2 #timeline { "Timeline" }
        (filter.form())
        (filter.shown(&part, !shared.logs.is_empty()))
    };
    Ok(frame::page(&signed, Place::Elsewhere, &frame::named(&key), &main))
}

/// The last commits that changed the entity's state, in order.
async fn changes(
    shared: &Shared,
    caller: &Caller,
    served: &Arc<dyn Served>,
    key: &EntityKey,
) -> Result<Vec<Arc<Commit>>, Problem> {
    let changes = Changes::default().entity(key.clone()).kind("state_changed");
    let last = shared.looked_up(caller, served, changes, Cursor::LAST, PATH).await?;
    Ok(last.into_iter().rev().map(|(_, commit)| commit).collect())
}

/// The diagram, with where the entity stands and has been.
pub(super) fn diagram(svg: &str, state: &str, lifecycle: &[Phase]) -> Markup {
    let been: HashSet<&str> =
        lifecycle.iter().map(|phase| phase.state.as_ref()).filter(|been| *been != state).collect();
    let mark = |svg: String, state: &str, class: &str| {
        let group = format!("<g data-state=\"{state}\"");
        svg.replace(&group, &format!("{group} class=\"{class}\""))
    };
    let marked = been.into_iter().fold(mark(plain(svg), state, "here"), |svg, state| mark(svg, state, "been"));
    // INVARIANT: the diagram is written by `domain!`, which escapes every name in it.
    PreEscaped(marked)
}

/// The diagram without a style of its own, which the pages' policy does not allow.
pub(super) fn plain(svg: &str) -> String {
    match svg.split_once(" style=\"").and_then(|(head, rest)| Some((head, rest.split_once('"')?.1))) {
        Some((head, tail)) => format!("{head}{tail}"),
        None => svg.to_owned(),
    }
}

fn path(lifecycle: &[Phase], now: Timestamp) -> Markup {
    html! {
        div.scroll {
            table.stack aria-label="The states that it went through" {
                thead { tr { th { "State" } th { "Entered by" } th { "When" } } }
                tbody {
                    @for phase in lifecycle {
                        tr {
                            td { strong { (phase.state) } }
                            td data-label="entered by" { code { (phase.entered_by) } }
                            td data-label="when" { (frame::ago(phase.entered_at, now)) }
                        }
                    }
                }
            }
        }
    }
}

/// The approvals of which something can still come.
fn waiting(key: &EntityKey, standing: &Standing, now: Timestamp) -> Markup {
    let is_open = |approval: &&Approval| approval.status.is_open() && !approval.has_expired(now);
    let open: Vec<_> = standing.approvals.iter().filter(is_open).collect();
    html! {
        @if !open.is_empty() {
            h2 { "Approvals" }
            ul {
                @for approval in open {
                    li {
                        a href=(approval_path(key, &approval.id)) { (visible(&approval.action)) }
                        ", " (approval.status_at(now)) ", asked by " (frame::who(&approval.requested_by))
                        ", expires " (frame::until(approval.expires_at, now))
                    }
                }
            }
        }
    }
}

/// What the state allows, and why it does not allow the rest.
fn actions(schema: &Schema, state: &str) -> Markup {
    let allowed = |contract: &&Contract| contract.allowed_in.iter().any(|allowed| *allowed == state);
    let (allowed, others): (Vec<_>, Vec<_>) = schema.actions.iter().partition(allowed);
    html! {
        h2 { "Actions" }
        @if allowed.is_empty() { p { "Nothing can be done with it in this state." } } @else {
            ul {
                @for contract in allowed {
                    li {
                        strong { (contract.name) } " " (frame::risk(contract.risk)) ", by " (contract.permission.holders())
                        @match &contract.approval {
                            ApprovalRule::None => {},
                            ApprovalRule::By(permission) => { ", signed off by " (permission.holders()) },
                            ApprovalRule::Waived { reason } => { ", signed off by nobody: " q { (reason) } },
                        }
                    }
                }
            }
        }
        @if !others.is_empty() {
            details {
                summary { "Not allowed now: " (others.len()) }
                ul {
                    @for contract in others {
                        li {
                            strong { (contract.name) } ": not allowed in " (state) ", only in "
                            (contract.allowed_in.join(", "))
                        }
                    }
                }
            }
        }
    }
}

/// Whether the whole chain holds, when it is asked for.
async fn chain(served: &dyn Served, key: &EntityKey, wanted: bool) -> Markup {
    if !wanted {
        return html! { p { a href="?verify=yes#proof" { "Check the whole chain of its records" } } };
    }
    let (mut number, mut head) = (0, Commit::GENESIS);
    loop {
        let page = match served.read(key, number, PAGE).await {
            Ok(page) => page,
            Err(error) => return broken(&error.to_string()),
        };
        let ended = page.len() < PAGE;
        for commit in page {
            if commit.number() != number + 1 || commit.previous() != head {
                return broken(&format!("commit {} does not follow on commit {number}", commit.number()));
            }
            if let Err(error) = commit.verify() {
                return broken(&error.to_string());
            }
            (number, head) = (commit.number(), commit.hash());
        }
        if ended {
            return html! {
                p.notice.good {
                    "Every one of its " (number) " commits follows on the one before and is as it was written. The last one's hash is "
                    code { (head) } "."
                }
            };
        }
    }
}

fn broken(problem: &str) -> Markup {
    html! { p.notice.bad role="alert" { "Its journal is not what was written: " (visible(problem)) } }
}

/// The way to a proof for somebody who sees neither this page nor the store.
fn receipts(entered: Option<(&Arc<Commit>, &Phase)>, last: u64, key: &EntityKey) -> Markup {
    let is_last = entered.is_some_and(|(commit, _)| commit.number() >= last);
    html! {
        ul {
            @if let Some((commit, phase)) = entered {
                li {
                    a href=(receipt_path(commit)) { "Download the receipt of commit " (commit.number()) }
                    ", which proves that it became " strong { (phase.state) }
                }
            }
            @if !is_last {
                li {
                    a href={ (frame::entity_path(key)) "/receipt?commit=" (last) } { "Download the receipt of its last commit" }
                    ", which changed no state"
                }
            }
        }
        p { "Each record has the receipt of its own commit among its details." }
        p.quiet {
            "A receipt proves to whoever has the log's public key that the commit is on the record, with "
            code { "kiff receipt verify" } "."
        }
    }
}

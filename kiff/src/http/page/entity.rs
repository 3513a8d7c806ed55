//! One entity: where it stands and how it got there, what it allows, every record, and whether they hold together.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use crate::identifier::EntityKey;
use crate::journal::{Commit, Fact};
use crate::json::visible;
use crate::schema::{ApprovalRule, Contract, Schema};
use crate::served::{Served, Standing};
use crate::timeline::{Phase, Timeline};

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::{Caller, Named};
use super::approval::approval_path;
use super::doubt::doubt_path;
use super::frame::{self, Place, pretty};
use super::now;
use super::session::Signed;
use super::sorry::Sorry;

/// How many commits are looked at for one page; a journal that is longer shows its last ones.
pub(super) const MOST_COMMITS: usize = 1_000;

/// Which entity.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    entity_type: String,
    id: String,
}

/// Which records of a timeline to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
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
    Query(filter): Query<Filter>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(&caller, &which.id, Some(&which.entity_type)).await?;
    let standing = served.standing(&key).await?;
    let Some(state) = standing.state else {
        return Err(Problem::not_found(format!("there is no entity `{}`", visible(key.id()))).into());
    };
    let skipped = standing.number.saturating_sub(MOST_COMMITS as u64);
    let commits = served.read(&key, skipped, MOST_COMMITS).await?;
    let lifecycle = Timeline::new(key.clone(), commits.clone()).lifecycle();
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
            div.card.diagram.scroll { (diagram(served.diagram(), state, &lifecycle)) }
            (path(&lifecycle))
        }
        (waiting(&key, &standing))
        (actions(served.schema(), state))
        h2 #proof { "Proof" }
        (chain(&*served, &key, filter.verify.is_some()).await)
        @if !shared.logs.is_empty() { (receipts(&commits)) }
        h2 #timeline { "Timeline" }
        @if skipped > 0 { p.quiet { "The first " (skipped) " commits are not shown." } }
        (filters(&commits, &filter))
        (timeline(&commits, &filter, !shared.logs.is_empty()))
    };
    let title = format!("{}/{}", key.entity_type(), key.id());
    Ok(frame::page(&signed, Place::Elsewhere, &visible(&title), &main))
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

fn path(lifecycle: &[Phase]) -> Markup {
    let now = now();
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

fn waiting(key: &EntityKey, standing: &Standing) -> Markup {
    let now = now();
    let open: Vec<_> = standing.approvals.iter().filter(|approval| approval.status.is_open()).collect();
    html! {
        @if !open.is_empty() {
            h2 { "Approvals" }
            ul {
                @for approval in open {
                    li {
                        a href=(approval_path(key, &approval.id)) { (visible(&approval.action)) }
                        ", " (approval.status.as_str()) ", asked by " (frame::who(&approval.requested_by))
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
                        @if let ApprovalRule::By(permission) = &contract.approval { ", signed off by " (permission.holders()) }
                    }
                }
            }
        }
        @if !others.is_empty() {
            details {
                summary { "Not now: " (others.len()) }
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
        let page = match served.read(key, number, MOST_COMMITS).await {
            Ok(page) => page,
            Err(error) => return broken(&error.to_string()),
        };
        let ended = page.len() < MOST_COMMITS;
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
fn receipts(commits: &[Arc<Commit>]) -> Markup {
    html! {
        @if let Some(last) = commits.last() {
            p {
                a href=(receipt_path(last)) download { "Download the receipt of its last commit" }
                ". Each record has that of its own commit among its details."
            }
            p.quiet {
                "A receipt proves to whoever has the log's public key that the commit is on the record, with "
                code { "kiff receipt verify" } "."
            }
        }
    }
}

fn receipt_path(commit: &Commit) -> String {
    format!("{}/receipt?commit={}", frame::entity_path(commit.key()), commit.number())
}

fn filters(commits: &[Arc<Commit>], filter: &Filter) -> Markup {
    let facts = commits.iter().flat_map(|commit| commit.facts());
    let mut kinds: Vec<_> = facts.map(Fact::kind).collect();
    let mut actors: Vec<_> = commits.iter().map(|commit| commit.actor().id().as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    actors.sort_unstable();
    actors.dedup();
    html! {
        form.filters method="get" action="#timeline" {
            div { label for="kind" { "Kind" } (choice("kind", &kinds, &filter.kind)) }
            div { label for="actor" { "Actor" } (choice("actor", &actors, &filter.actor)) }
            div { button type="submit" { "Show" } }
        }
    }
}

fn choice(name: &str, values: &[&str], chosen: &str) -> Markup {
    html! {
        select id=(name) name=(name) {
            option value="" { "all" }
            @for value in values { option value=(value) selected[*value == chosen] { (visible(value)) } }
        }
    }
}

/// The records that a filter leaves, each with its details.
pub(super) fn timeline(commits: &[Arc<Commit>], filter: &Filter, receipts: bool) -> Markup {
    let Some(first) = commits.first() else {
        return html! { p { "Nothing." } };
    };
    let timeline = Timeline::new(first.key().clone(), commits.to_vec());
    let wanted = |kind: &str, actor: &str| {
        (filter.kind.is_empty() || filter.kind == kind) && (filter.actor.is_empty() || filter.actor == actor)
    };
    html! {
        div.scroll {
            table.stack aria-label="Timeline" {
                thead { tr { th { "Record" } th { "When" } th { "Who" } th { "What" } } }
                tbody {
                    @for line in timeline.lines() {
                        @let (record, commit) = (line.record(), line.record().commit());
                        @if wanted(record.fact().kind(), commit.actor().id().as_str()) {
                            tr {
                                td.number { (record.id()) }
                                td { time datetime=(commit.at()) { (commit.at()) } }
                                td data-label="by" { (frame::who(commit.actor())) }
                                td {
                                    details {
                                        summary { code { (record.fact().kind()) } " " (line.message()) }
                                        pre { (details(&line)) }
                                        @if receipts {
                                            p { a href=(receipt_path(commit)) download { "Receipt of commit " (commit.number()) } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn details(line: &crate::timeline::Line<'_>) -> String {
    serde_json::to_string(line).map_or_else(|error| error.to_string(), |json| pretty(&json))
}

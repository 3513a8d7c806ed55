//! Searching by entity, actor, trace and kind: the newest first.

use axum::extract::{Query as Asked, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::identifier::{ActorId, TraceId};
use crate::journal::{Cursor, Fact, Query};
use crate::json::visible;

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::Caller;
use super::frame::{self, Place, encoded};
use super::session::Signed;
use super::sorry::Sorry;

/// How many commits are shown at once.
const SHOWN: usize = 50;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    entity_type: String,
    entity: String,
    actor: String,
    trace: String,
    kind: String,
    before: Option<u64>,
}

/// `GET /admin/search`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Sorry> {
    let only_entity = wanted.actor.is_empty() && wanted.trace.is_empty() && wanted.kind.is_empty();
    if !wanted.entity.is_empty() && only_entity {
        let entity_type = (!wanted.entity_type.is_empty()).then_some(&*wanted.entity_type);
        return match shared.locate(&caller, wanted.entity.trim(), entity_type).await {
            Ok((_, key)) => Ok(Redirect::to(&frame::entity_path(&key)).into_response()),
            Err(problem) if problem.is_not_found() => {
                let main = html! { (form(&shared, &wanted)) p.notice { "There is no such entity." } };
                Ok(frame::page(&signed, Place::Search, "Search", &main))
            }
            Err(problem) => Err(problem.into()),
        };
    }
    let found = if only_entity { None } else { Some(found(&shared, &signed, &caller, &wanted).await?) };
    let main = html! {
        (form(&shared, &wanted))
        @if let Some(found) = found { (found) }
    };
    Ok(frame::page(&signed, Place::Search, "Search", &main))
}

fn form(shared: &Shared, wanted: &Wanted) -> Markup {
    html! {
        form.card method="get" action="/admin/search" {
            div.filters {
                div {
                    label for="entity_type" { "Sort of entity" }
                    select #entity_type name="entity_type" {
                        option value="" { "any" }
                        @for served in shared.domains(None) {
                            @let name = &served.schema().entity_type;
                            option value=(name) selected[*name == wanted.entity_type] { (name) }
                        }
                    }
                }
                div { label for="entity" { "Entity" } input #entity type="text" name="entity" value=(wanted.entity); }
                div { label for="actor" { "Actor" } input #actor type="text" name="actor" value=(wanted.actor); }
                div { label for="trace" { "Trace" } input #trace type="text" name="trace" value=(wanted.trace); }
                div {
                    label for="kind" { "Kind of record" }
                    select #kind name="kind" {
                        option value="" { "any" }
                        @for kind in Fact::KINDS { option value=(kind) selected[*kind == wanted.kind] { (kind) } }
                    }
                }
            }
            div.choices { button type="submit" { "Search" } }
        }
    }
}

async fn found(shared: &Shared, signed: &Signed, caller: &Caller, wanted: &Wanted) -> Result<Markup, Sorry> {
    let before = wanted.before.unwrap_or(u64::MAX);
    let entity_type = (!wanted.entity_type.is_empty()).then_some(&*wanted.entity_type);
    let (mut rows, mut looked_to) = (Vec::new(), 0);
    for served in shared.domains(entity_type) {
        let mut query =
            Query::default().tenant(caller.principal.tenant()).entity_type(served.schema().entity_type.clone());
        if !wanted.entity.is_empty() {
            query = query.entity(shared.locate(caller, wanted.entity.trim(), entity_type).await?.1);
        }
        query.actor = given(&wanted.actor, ActorId::new)?;
        query.trace = given(&wanted.trace, TraceId::new)?;
        query.kind = Fact::KINDS.iter().find(|kind| **kind == wanted.kind).map(|kind| (*kind).into());
        let page = served.search(&query, Cursor::Before(before), SHOWN).await?;
        if let Some((last, _)) = page.last().filter(|_| page.len() == SHOWN) {
            looked_to = looked_to.max(*last);
        }
        for (position, commit) in page {
            if caller.may_read(&**served, signed.actor(), commit.key())? {
                rows.push((position, commit));
            }
        }
    }
    rows.sort_by(|(one, _), (other, _)| other.cmp(one));
    rows.dedup_by_key(|(position, commit)| (*position, commit.hash()));
    // What is older than the place to which every domain was looked at comes on the next page.
    rows.retain(|(position, _)| *position >= looked_to);
    if let Some((position, _)) = rows.get(SHOWN - 1) {
        looked_to = *position;
    }
    rows.truncate(SHOWN);
    let next = (looked_to > 1).then(|| older(wanted, looked_to));
    Ok(html! {
        @if rows.is_empty() { p { @if next.is_some() { "Nothing was found so far." } @else { "Nothing was found." } } } @else {
            div.scroll {
                table.stack aria-label="Found" {
                    thead { tr { th { "When" } th { "Of" } th { "Who" } th { "Records" } } }
                    tbody {
                        @for (_, commit) in &rows {
                            tr {
                                td { time datetime=(commit.at()) { (commit.at()) } }
                                td data-label="of" { (frame::entity_link(commit.key())) }
                                td data-label="by" { (frame::who(commit.actor())) }
                                td { @for record in commit.records() { code { (record.fact().kind()) } " " } }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(next) = next { p { a href=(next) rel="next" { "Older" } } }
    })
}

/// An identifier that somebody typed; none when nothing was.
fn given<T, E: std::fmt::Display>(text: &str, new: impl FnOnce(String) -> Result<T, E>) -> Result<Option<T>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    new(text.to_owned()).map(Some).map_err(|error| Problem::bad_request(visible(&error.to_string())))
}

fn older(wanted: &Wanted, position: u64) -> String {
    format!(
        "/admin/search?entity_type={}&entity={}&actor={}&trace={}&kind={}&before={position}",
        encoded(&wanted.entity_type),
        encoded(&wanted.entity),
        encoded(&wanted.actor),
        encoded(&wanted.trace),
        encoded(&wanted.kind)
    )
}

//! Searching by entity, actor, trace and kind, the newest first, and the entities of a sort.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::extract::{Query as Asked, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::identifier::{ActorId, TraceId};
use crate::journal::{Commit, Query};
use crate::json::visible;
use crate::served::Served;

use super::super::Shared;
use super::super::kind::Kind;
use super::super::problem::Problem;
use super::super::request::{Caller, Sight, entity_key};
use super::super::search::Walked;
use super::super::{cursor, entity};
use super::frame::{self, Place, encoded};
use super::session::Signed;
use super::sorry::Sorry;

/// How many commits or entities are shown at once.
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
    /// Where to go on: before these positions of the stores, or behind this entity.
    next: Option<String>,
}

/// `GET /admin/search`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Sorry> {
    let entity_type = shared.governed((!wanted.entity_type.is_empty()).then_some(&*wanted.entity_type))?;
    let is_about_records = !(wanted.actor.is_empty() && wanted.trace.is_empty() && wanted.kind.is_empty());
    let found = if is_about_records {
        Some(found(&shared, &caller, &wanted).await?)
    } else if !wanted.entity.is_empty() {
        match shared.locate(&caller, wanted.entity.trim(), entity_type).await {
            Ok((_, key)) => return Ok(Redirect::to(&frame::entity_path(&key)).into_response()),
            Err(problem) if problem.is_not_found() => Some(html! { p.notice { "There is no such entity." } }),
            Err(problem) => return Err(problem.into()),
        }
    } else if let Some(served) = entity_type.and_then(|wanted| shared.domains(Some(wanted)).next()) {
        Some(entities(&shared, served, &caller, &wanted).await?)
    } else {
        None
    };
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
                            option value=(name) selected[*name == wanted.entity_type] { (visible(name)) }
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
                        @for kind in Kind::names() { option value=(kind) selected[kind == wanted.kind] { (kind) } }
                    }
                }
            }
            div.choices { button type="submit" { "Search" } }
        }
    }
}

/// The entities of one sort, in the order of their ids.
async fn entities(
    shared: &Shared,
    served: &Arc<dyn Served>,
    caller: &Caller,
    wanted: &Wanted,
) -> Result<Markup, Problem> {
    let listed = entity::listed(shared, served, caller, wanted.next.as_deref(), SHOWN).await?;
    Ok(html! {
        (frame::undecided(listed.undecided))
        @if listed.is_late() {
            (frame::nothing_in_time(&served.schema().entity_type))
        } @else if listed.found.is_empty() {
            p { "There is none." }
        } @else {
            ul aria-label="Entities" { @for key in &listed.found { li { (frame::entity_link(key)) } } }
        }
        (frame::onward(listed.next().map(|last| onward(wanted, last.id())), "More"))
    })
}

/// What one domain has of what is looked for, the newest first.
struct Column<'a> {
    entity_type: &'a str,
    /// What may be seen and has not been shown.
    commits: VecDeque<(u64, Arc<Commit>)>,
    /// Before which position the next page looks: that of the last one that was shown, if one was.
    before: u64,
    /// Whether there is nothing behind these.
    is_at_end: bool,
    /// Whether something was left out of which nobody can say whether the caller may see it.
    undecided: bool,
}

impl Column<'_> {
    /// Where the next page begins; none where everything was shown.
    fn next(&self) -> Option<u64> {
        (!self.is_at_end || !self.commits.is_empty()).then_some(self.before)
    }

    /// Whether it is not known what comes next in it.
    fn is_late(&self) -> bool {
        !self.is_at_end && self.commits.is_empty()
    }
}

async fn found(shared: &Shared, caller: &Caller, wanted: &Wanted) -> Result<Markup, Problem> {
    let places = wanted.next.as_deref().map(cursor::read_places).transpose()?;
    let entity_type = (!wanted.entity_type.is_empty()).then_some(&*wanted.entity_type);
    let mut columns = Vec::new();
    for served in shared.domains(entity_type) {
        let before = match &places {
            None => u64::MAX,
            // Where nothing is said of a domain, it is at its end.
            Some(places) => places.get(&*served.schema().entity_type).copied().unwrap_or(0),
        };
        columns.push(column(shared, served, caller, wanted, before).await?);
    }
    let undecided = columns.iter().any(|column| column.undecided);
    // What was found in others is not held back by those in which nothing was.
    let (late, mut columns): (Vec<_>, Vec<_>) = columns.into_iter().partition(Column::is_late);
    let rows = newest(&mut columns);
    let next: BTreeMap<&str, u64> =
        columns.iter().chain(&late).filter_map(|column| Some((column.entity_type, column.next()?))).collect();
    // Where nothing is shown, it would lead to the same page.
    let next = (!rows.is_empty() && !next.is_empty()).then(|| onward(wanted, &cursor::places(&next)));
    Ok(html! {
        (frame::undecided(undecided))
        @for column in &late { (frame::nothing_in_time(column.entity_type)) }
        @if rows.is_empty() { @if late.is_empty() { p { "Nothing was found." } } } @else {
            div.scroll {
                table.stack aria-label="Found" {
                    thead { tr { th { "When (UTC)" } th { "Of" } th { "Who" } th { "Records" } } }
                    tbody {
                        @for commit in &rows {
                            tr {
                                td data-label="when" { (frame::at(commit.at())) }
                                td data-label="of" { (frame::entity_link(commit.key())) }
                                td.who data-label="by" { (frame::who(commit.actor())) }
                                td { @for record in commit.records() { code { (record.fact().kind()) } " " } }
                            }
                        }
                    }
                }
            }
        }
        (frame::onward(next, "Older"))
    })
}

async fn column<'a>(
    shared: &Shared,
    served: &'a Arc<dyn Served>,
    caller: &Caller,
    wanted: &Wanted,
    before: u64,
) -> Result<Column<'a>, Problem> {
    let entity_type: &str = &served.schema().entity_type;
    let mut query = Query::default().tenant(caller.principal.tenant()).entity_type(entity_type.to_owned());
    query.actor = given(&wanted.actor, ActorId::new)?;
    query.trace = given(&wanted.trace, TraceId::new)?;
    query.kind = given(&wanted.kind, Kind::try_from)?.map(|kind: Kind| kind.as_str().into());
    if !wanted.entity.is_empty() {
        let key = entity_key(&caller.principal, entity_type, wanted.entity.trim())?;
        let sight = caller.sight(&**served, &key);
        if sight != Sight::Shown {
            // How long a search for it took would tell that there is something.
            let undecided = sight == Sight::Undecided;
            return Ok(Column { entity_type, commits: VecDeque::new(), before, is_at_end: true, undecided });
        }
        query = query.entity(key);
    }
    let Walked { found, is_at_end, undecided } = shared.commits(caller, served, query, before, SHOWN).await?;
    Ok(Column { entity_type, commits: found.into(), before, is_at_end, undecided })
}

/// The newest of all columns, each in its own order. What comes behind a column's end that may go on is left for the next page.
fn newest(columns: &mut [Column<'_>]) -> Vec<Arc<Commit>> {
    let mut rows = Vec::new();
    while rows.len() < SHOWN && !columns.iter().any(Column::is_late) {
        let front = |column: &&mut Column<'_>| column.commits.front().map(|(_, commit)| commit.at());
        let Some(column) = columns.iter_mut().max_by_key(front) else { break };
        let Some((position, commit)) = column.commits.pop_front() else { break };
        column.before = position;
        rows.push(commit);
    }
    rows
}

/// What somebody typed; none when nothing was.
fn given<T, E: std::fmt::Display>(text: &str, new: impl FnOnce(String) -> Result<T, E>) -> Result<Option<T>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    new(text.to_owned()).map(Some).map_err(|error| Problem::bad_request(visible(&error.to_string())))
}

/// The way to the next page of the same search.
fn onward(wanted: &Wanted, next: &str) -> String {
    format!(
        "/admin/search?entity_type={}&entity={}&actor={}&trace={}&kind={}&next={}",
        encoded(&wanted.entity_type),
        encoded(&wanted.entity),
        encoded(&wanted.actor),
        encoded(&wanted.trace),
        encoded(&wanted.kind),
        encoded(next)
    )
}

//! The routes of entities: which there are, what one is, and what was.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::entity::Running;
use crate::identifier::EntityKey;
use crate::journal::RecordId;
use crate::served::{Records, Room, Served, records};

use super::Shared;
use super::action::unknown;
use super::envelope::{Listed, Under};
use super::problem::{Problem, answer};
use super::request::{Caller, Named, Page, Said, Sort, identifier};
use super::search::Walked;

#[derive(Debug, Serialize)]
struct EntityView<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    entity_type: &'a str,
    domain: &'a str,
    state: &'static str,
    commits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<&'a Running>,
    /// Whether what runs will not be answered any more, so that somebody has to find out what became of it.
    in_doubt: bool,
}

/// `GET /entities/{id}`
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(sort): Said<Sort>,
) -> Result<Response, Problem> {
    let entity_type = shared.governed(sort.entity_type.as_deref())?;
    let (served, key) = shared.locate(&caller, &id, entity_type).await?;
    let standing = served.standing(&key).await?;
    let entity = EntityView {
        id: key.id(),
        entity_type: key.entity_type(),
        domain: &served.schema().domain,
        state: standing.state.ok_or_else(|| unknown(&key))?,
        commits: standing.number,
        running: standing.running.as_ref(),
        in_doubt: served.doubt(&key).await?.is_some(),
    };
    Ok(answer(StatusCode::OK, &Under("entity", entity)))
}

/// An entity as a list tells of it.
#[derive(Debug, Serialize)]
struct EntityName<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    entity_type: &'a str,
}

impl<'a> EntityName<'a> {
    fn of(key: &'a EntityKey) -> Self {
        Self { id: key.id(), entity_type: key.entity_type() }
    }
}

/// `GET /entities`: those of one domain, in the order of their ids.
pub(super) async fn all(
    State(shared): State<Shared>,
    caller: Caller,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let mut domains = shared.domains(page.entity_type.as_deref());
    let (Some(served), None) = (domains.next(), domains.next()) else {
        return Err(shared.which_domain(page.entity_type.as_deref()));
    };
    let listed = listed(&shared, served, &caller, page.after.as_deref(), page.limit()).await?;
    if listed.is_late() {
        return Err(Problem::nothing_in_time());
    }
    let items = listed.found.iter().map(EntityName::of).collect();
    let next = listed.next().map(EntityKey::id);
    Ok(answer(StatusCode::OK, &Listed { name: "entities", items, next, undecided: listed.undecided }))
}

/// The entities of a domain that the caller may see, in the order of their ids, behind one of these.
pub(super) async fn listed(
    shared: &Shared,
    served: &Arc<dyn Served>,
    caller: &Caller,
    after: Option<&str>,
    most: usize,
) -> Result<Walked<EntityKey>, Problem> {
    // Any identifier, so that a list goes on behind whatever is in the journals.
    let first = EntityKey::new(&served.schema().entity_type, after.unwrap_or("\u{20}"));
    let first = first.and_then(|first| first.in_tenant(caller.principal.tenant()));
    let first = first.map_err(|error| Problem::bad_request(error.to_string()))?;
    shared.entities(caller, served, first, most).await
}

/// `GET /entities/{id}/timeline`
pub(super) async fn timeline(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let after = match page.after.as_deref() {
        Some(after) => identifier("after", after)?,
        None => RecordId { commit: 0, place: 0 },
    };
    let entity_type = shared.governed(page.entity_type.as_deref())?;
    let (served, key) = shared.locate(&caller, &id, entity_type).await?;
    let room = Room { records: page.limit(), bytes: Page::ROOM };
    let Records { lines, next } = records(&*served, &key, after, room).await?;
    if lines.is_empty() && served.standing(&key).await?.number == 0 {
        return Err(unknown(&key));
    }
    Ok(answer(StatusCode::OK, &Listed { name: "timeline", items: lines, next, undecided: false }))
}

//! The download of a receipt, from the page of its entity.

use axum::extract::{Query, State};
use axum::response::Response;

use super::super::Shared;
use super::super::receipt::Wanted;
use super::super::request::{Caller, Named};
use super::sorry::Sorry;

/// `GET /admin/entities/{entity_type}/{id}/receipt`.
pub(super) async fn download(
    State(shared): State<Shared>,
    caller: Caller,
    Named((entity_type, id)): Named<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(&caller, &id, Some(&entity_type)).await?;
    Ok(shared.receipt(&caller, &served, &key, &wanted).await?)
}

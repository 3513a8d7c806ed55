//! The pages for people: what waits for them, what an entity is and was, and what is in doubt.

use axum::Router;
use axum::extract::{DefaultBodyLimit, NestedPath, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{Route, any, get, post};

use super::Shared;
use super::around::{around, onwards};
use super::guard;
use super::problem::Problem;

mod approval;
mod assets;
mod domain;
mod door;
mod doubt;
mod entity;
mod form;
mod frame;
mod inbox;
mod live;
mod parameter;
mod prospect;
#[cfg(feature = "proof")]
mod receipt;
mod search;
mod sender;
mod session;
mod sorry;
mod timeline;
mod way_back;

pub(super) use session::Sessions;

/// The routes of the pages, behind all that stands before a route.
pub(super) fn routes(shared: &Shared) -> Router<Shared> {
    let inside = Router::new()
        .route("/admin", get(inbox::show))
        .route("/admin/approvals/{entity_type}/{id}/{approval}", get(approval::show).post(approval::answer))
        .route("/admin/entities/{id}", get(entity::find))
        .route("/admin/entities/{entity_type}/{id}", get(entity::show))
        .route("/admin/domains", get(domain::list))
        .route("/admin/domains/{domain}", get(domain::show))
        .route("/admin/doubt", get(doubt::list))
        .route("/admin/doubt/{entity_type}/{id}", get(doubt::show).post(doubt::settle))
        .route("/admin/search", get(search::show))
        .route("/admin/live", get(live::changes))
        .route("/admin/sign-out", post(session::sign_out))
        .route("/admin/", get(async || Redirect::to("/admin")))
        .route("/admin/{*path}", any(sorry::no_page));
    #[cfg(feature = "proof")]
    let inside = inside.route("/admin/entities/{entity_type}/{id}/receipt", get(receipt::download));
    let inside = inside.route_layer(around(shared, session::required));
    Router::new()
        .route("/admin/sign-in", get(door::show).post(door::sign_in))
        .route("/admin/page.css", get(assets::style))
        .route("/admin/page.js", get(assets::script))
        .route("/admin/icon.svg", get(assets::icon))
        .merge(inside)
        .method_not_allowed_fallback(guard::no_method)
        .layer(DefaultBodyLimit::max(shared.limits.body))
        .layer(around(shared, unnested))
        .layer(around(shared, guard::answered))
        .layer(around(shared, policy))
}

/// Shows no page below another path: every link and form leads to `/admin`, which is somebody else's then, and a key that is typed in
/// would be sent there.
async fn unnested(_: Shared, request: Request, route: Route) -> Response {
    let Some(path) = request.extensions().get::<NestedPath>() else {
        return onwards(route, request).await;
    };
    let path = path.as_str();
    tracing::error!(target: "kiff::http", path, "the pages cannot be nested: make the router a fallback");
    let problem =
        format!("the pages stand at `/admin` and cannot be nested below `{path}`: make the router a fallback");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
}

/// What a browser may do with a page: show it in our style, run our script, send its forms to us. Whatever goes wrong is told on one.
async fn policy(_: Shared, request: Request, route: Route) -> Response {
    let is_nested = request.extensions().get::<NestedPath>().is_some();
    let response = onwards(route, request).await;
    if is_nested {
        return response;
    }
    let mut response = sorry::told(response).await;
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    // Where a page refers to nothing at all, the `Origin` of its own forms says nothing either.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

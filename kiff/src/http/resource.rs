//! Where a client that has no token yet learns which authorization server gives one out: the metadata of RFC 9728.

use std::fmt;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{self, Route};
use serde_json::{Value, json};

use crate::json::visible;

use super::Shared;
use super::around::onwards;
use super::guarded::Unguarded;
use super::problem::{Problem, answer};

/// Where the metadata stands, by the standard.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What is told of the place where agents come in.
#[derive(Debug)]
pub(super) struct Resource {
    metadata: Value,
    /// What is told to whoever shows nothing good: where the metadata stands.
    challenge: HeaderValue,
}

impl Resource {
    pub(super) fn new(resource: &str, servers: &[String]) -> Result<Self, ResourceError> {
        for address in servers.iter().map(String::as_str).chain([resource]) {
            check(address)?;
        }
        let Some(base) = resource.strip_suffix("/mcp") else {
            return Err(ResourceError(format!("`{resource}` is not where agents come in: that ends with `/mcp`")));
        };
        if servers.is_empty() {
            let error = "no authorization server is named: name the one whose tokens are good here";
            return Err(ResourceError(error.to_owned()));
        }
        let challenge = HeaderValue::from_str(&format!("Bearer resource_metadata=\"{base}{WELL_KNOWN}/mcp\""));
        let metadata = json!({
            "resource": resource,
            "authorization_servers": servers,
            "bearer_methods_supported": ["header"],
        });
        Ok(Self { metadata, challenge: challenge.map_err(|_| no_address(resource))? })
    }
}

/// Refuses what is no whole address of the web.
fn check(address: &str) -> Result<(), ResourceError> {
    let is_whole = |uri: Uri| {
        matches!(uri.scheme_str(), Some("https" | "http")) && uri.authority().is_some() && uri.query().is_none()
    };
    let is_plain = !address.contains(['#', '"', '\\']);
    if is_plain && address.parse::<Uri>().is_ok_and(is_whole) { Ok(()) } else { Err(no_address(address)) }
}

fn no_address(address: &str) -> ResourceError {
    ResourceError(format!("`{}` is no whole address: write it as `https://orders.example/mcp`", visible(address)))
}

/// The routes of the metadata, where there is some.
pub(super) fn routes(shared: &Shared) -> Router<Shared> {
    let routes = Router::new();
    if shared.resource.is_none() {
        return routes;
    }
    routes
        .route(WELL_KNOWN, routing::get(Unguarded(metadata)))
        .route(&format!("{WELL_KNOWN}/mcp"), routing::get(Unguarded(metadata)))
}

async fn metadata(State(shared): State<Shared>) -> Result<Response, Problem> {
    let resource = shared.resource.as_ref().ok_or_else(|| Problem::not_found("route not found"))?;
    Ok(answer(StatusCode::OK, &resource.metadata))
}

/// Says to whoever shows nothing good where the metadata stands.
pub(super) async fn challenging(shared: Shared, request: Request, route: Route) -> Response {
    let mut response = onwards(route, request).await;
    if let (StatusCode::UNAUTHORIZED, Some(resource)) = (response.status(), &shared.resource) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, resource.challenge.clone());
    }
    response
}

/// A resource cannot be told of.
#[derive(Clone, PartialEq, Eq)]
pub struct ResourceError(String);

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::debug::debug_as_message!(ResourceError);

impl std::error::Error for ResourceError {}

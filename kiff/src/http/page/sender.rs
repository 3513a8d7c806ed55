//! Whoever sends a request to the pages, as the log tells of them when they are refused.

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;

use crate::identifier::TraceId;

use super::super::request;

/// Where a request comes from, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    peer: Option<SocketAddr>,
    method: Method,
    path: Box<str>,
    trace_id: Option<TraceId>,
}

impl Sender {
    /// Whoever sends this one.
    pub(super) fn of(request: &Parts) -> Self {
        Self {
            peer: request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer),
            method: request.method.clone(),
            path: request.uri.path().into(),
            trace_id: request::trace(&request.headers).trace_id,
        }
    }

    /// Where the request comes from.
    pub(super) const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Says that they were refused, and counts it, as the guard does for a route of the API.
    pub(super) fn refused(&self, why: &dyn Display) {
        tracing::warn!(
            target: "kiff::http",
            peer = self.peer.map(tracing::field::display),
            method = %request::logged(self.method.as_str()),
            path = request::logged(&self.path),
            trace_id = self.trace_id.as_ref().map(tracing::field::display),
            error = %request::logged(&why.to_string()),
            "somebody was refused at the pages",
        );
        metrics::counter!("kiff_http_unauthenticated_total").increment(1);
    }
}

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

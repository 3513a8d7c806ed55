//! Handlers behind the guard: whoever asks one is somebody who does not ask too often, and is answered in time.

use std::future::Future;
use std::pin::Pin;

use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{self, MethodRouter};

use super::Shared;
use super::guard::{admitted, in_time};

/// What answers `GET` to whoever is let in.
pub(super) fn get<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    routing::get(Guarded(handler))
}

/// What answers `POST` to whoever is let in.
pub(super) fn post<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    routing::post(Guarded(handler))
}

/// What answers every method to whoever is let in.
#[cfg(feature = "mcp")]
pub(super) fn any<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    routing::any(Guarded(handler))
}

/// A handler behind the guard. Layers would do the same, and box and copy the handler and what it is asked for each of them.
#[derive(Clone)]
struct Guarded<H>(H);

impl<T, H: Handler<T, Shared>> Handler<T, Shared> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Shared) -> Self::Future {
        let path = request.extensions().get::<MatchedPath>().cloned();
        let (mut parts, body) = request.into_parts();
        let asked = shared.clone();
        Box::pin(in_time(shared, path, async move {
            match admitted(&asked, &parts).await {
                Ok(principal) => {
                    parts.extensions.insert(principal);
                    self.0.call(Request::from_parts(parts, body), asked).await
                }
                Err(refused) => refused,
            }
        }))
    }
}

/// A handler for whoever asks, answered for as the others are.
#[derive(Clone)]
pub(super) struct Unguarded<H>(pub(super) H);

impl<T, H: Handler<T, Shared>> Handler<T, Shared> for Unguarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Shared) -> Self::Future {
        let path = request.extensions().get::<MatchedPath>().cloned();
        let asked = shared.clone();
        Box::pin(in_time(shared, path, async move { self.0.call(request, asked).await }))
    }
}

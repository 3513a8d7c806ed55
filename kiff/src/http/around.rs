//! A function around routes: what stands before them and after them.

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use axum::routing::Route;
use futures_util::FutureExt;
use futures_util::future::Map;
use tower_layer::Layer;
use tower_service::Service;

use super::Shared;

/// Puts an async function around routes. It is given what every route sees, the request, and the route to hand it on to.
///
/// `axum::middleware::from_fn` does the same, and boxes the route a second time and twice copies what it boxed: a tenth of what a request costs
/// here, for each function.
pub(super) fn around<F>(shared: &Shared, function: F) -> Around<F> {
    Around { shared: shared.clone(), function }
}

#[derive(Clone)]
pub(super) struct Around<F> {
    shared: Shared,
    function: F,
}

impl<F: Clone> Layer<Route> for Around<F> {
    type Service = Surrounded<F>;

    fn layer(&self, route: Route) -> Surrounded<F> {
        Surrounded { around: self.clone(), route }
    }
}

/// A route with a function around it.
#[derive(Clone)]
pub(super) struct Surrounded<F> {
    around: Around<F>,
    route: Route,
}

impl<F, A> Service<Request> for Surrounded<F>
where
    F: Fn(Shared, Request, Route) -> A,
    A: Future<Output = Response> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Map<A, fn(Response) -> Result<Response, Infallible>>;

    /// A route is always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        (self.around.function)(self.around.shared.clone(), request, self.route.clone()).map(Ok)
    }
}

/// What a route answers.
pub(super) async fn onwards(mut route: Route, request: Request) -> Response {
    let Ok(response) = route.call(request).await;
    response
}

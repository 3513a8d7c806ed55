//! What stands before every route: who asks, how often, for how long, and what every answer says beside.

use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures_util::FutureExt;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;

use crate::runtime::Error;
use crate::served::Served;

use super::Shared;
use super::around::onwards;
use super::headers;
use super::identity::{Credentials, Principal, Unauthenticated};
use super::limits::Limits;
use super::origin::is_foreign;
use super::problem::{About, Problem};
use super::request;

/// Where the work of a request is known to the server, so that what has started is finished before it stops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Working(Option<Arc<Server>>);

/// What a server that stops waits for, and by which it says that it does.
#[derive(Debug, Clone)]
pub(super) struct Server {
    #[expect(dead_code, reason = "it is there to be let go of")]
    pub(super) held: mpsc::Sender<()>,
    pub(super) closing: watch::Receiver<bool>,
}

impl Working {
    /// The work of a connection's requests.
    pub(super) fn of(server: &Server) -> Self {
        Self(Some(Arc::new(server.clone())))
    }

    /// Does a piece of work to its end, also when nobody waits for it any more.
    pub(crate) fn finish<W>(&self, work: W) -> impl Future<Output = W::Output>
    where
        W: Future<Output: Send> + Send + 'static,
    {
        let held = self.0.clone();
        ToItsEnd::new(async move {
            let done = work.await;
            drop(held);
            done
        })
    }

    /// Whether the server is told to stop.
    pub(super) fn is_closing(&self) -> bool {
        self.0.as_ref().is_some_and(|server| *server.closing.borrow())
    }

    /// Waits until the server is told to stop.
    pub(crate) async fn closing(&self) {
        let Some(server) = &self.0 else {
            return std::future::pending().await;
        };
        let mut closing = server.closing.clone();
        // A server that is gone closes as well.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}

/// A piece of work that goes on by itself when whoever waits for it lets go of it half done.
struct ToItsEnd<W: Future<Output: Send> + Send + 'static>(Option<Pin<Box<W>>>);

impl<W: Future<Output: Send> + Send + 'static> ToItsEnd<W> {
    fn new(work: W) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<W: Future<Output: Send> + Send + 'static> Future for ToItsEnd<W> {
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        // Work that panics is not put back, so that nobody goes on with it.
        let Some(mut work) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<W: Future<Output: Send> + Send + 'static> Drop for ToItsEnd<W> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

/// How often each principal may ask.
pub(super) struct Rates {
    limiter: RateLimiter<Principal, HashMapStateStore<Principal>, DefaultClock>,
    asked: AtomicUsize,
}

/// After how many requests those are forgotten who have been quiet.
const FORGET_EVERY: usize = 4096;

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        let quota = Quota::per_second(limits.rate).allow_burst(limits.burst);
        Self { limiter: RateLimiter::hashmap(quota), asked: AtomicUsize::new(0) }
    }

    fn check(&self, principal: &Principal) -> Result<(), TooOften> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let Err(early) = self.limiter.check_key(principal) else {
            return Ok(());
        };
        let seconds = early.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        Err(TooOften { seconds })
    }
}

/// After so many seconds it may be tried again.
pub(super) struct TooOften {
    seconds: u64,
}

impl IntoResponse for TooOften {
    fn into_response(self) -> Response {
        let problem = Problem::too_many("too many requests: slow down");
        ([(header::RETRY_AFTER, HeaderValue::from(self.seconds))], problem).into_response()
    }
}

/// Refuses whoever asks too often.
pub(super) fn within_rate(shared: &Shared, principal: &Principal) -> Result<(), TooOften> {
    shared.rates.check(principal)
}

/// Who sends such a request, where it is somebody who does not ask too often; the answer to whoever else does.
pub(super) async fn admitted(shared: &Shared, request: &Parts) -> Result<Principal, Response> {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let principal = match shared.authenticators.who(&request.headers, peer).await {
        Ok(principal) => principal,
        Err(error) => return Err(unauthenticated(request, peer, &error)),
    };
    if is_lured(request, peer) {
        return Err(lured(request, peer));
    }
    match shared.rates.check(&principal) {
        Ok(()) => Ok(principal),
        Err(too_often) => Err(too_often.into_response()),
    }
}

fn unauthenticated(request: &Parts, peer: Option<SocketAddr>, error: &Unauthenticated) -> Response {
    if error.is_undecided() {
        return Problem::unrecognized(error).into_response();
    }
    tell_refused(request, peer, "nobody knows who sent it", error);
    Problem::unauthenticated().into_response()
}

/// Whether a page of another origin may have it sent in the name of whoever looks at that page. What shows them there, as a cookie
/// does or a proxy that knows them, a browser sends along whatever page asks; a bearer token it does not. A proxy may put one there,
/// and so the page has to say besides what no form can, and what a browser sends only where that page is let.
fn is_lured(request: &Parts, peer: Option<SocketAddr>) -> bool {
    let credentials = Credentials::new(&request.headers, peer);
    let is_let = credentials.bearer().is_some() && says_json(credentials);
    !request.method.is_safe() && !is_let && is_foreign(credentials)
}

/// Whether it says that its body is JSON.
fn says_json(credentials: Credentials<'_>) -> bool {
    let said = credentials.header("content-type").unwrap_or_default();
    said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case("application/json"))
}

fn lured(request: &Parts, peer: Option<SocketAddr>) -> Response {
    tell_refused(
        request,
        peer,
        "a page of another origin sent it",
        &"it has no bearer token, or is not said to be JSON",
    );
    let error = "a page of another origin has sent this: send it with a bearer token and as `application/json`, or from a page of \
                 this origin";
    Problem::forbidden(&About::NOTHING, error).into_response()
}

/// Says that a request was refused because of who sent it, and counts it.
fn tell_refused(request: &Parts, peer: Option<SocketAddr>, why: &str, error: &dyn Display) {
    let trace = request::trace(&request.headers);
    let error = request::logged(&error.to_string());
    tracing::warn!(
        target: "kiff::http",
        peer = peer.map(tracing::field::display),
        method = %request::logged(request.method.as_str()),
        path = request::logged(request.uri.path()),
        trace_id = trace.trace_id.as_ref().map(tracing::field::display),
        %error,
        "a request was refused: {why}",
    );
    metrics::counter!("kiff_http_unauthenticated_total").increment(1);
}

/// Answers for a route.
pub(super) fn answered(shared: Shared, request: Request, route: Route) -> impl Future<Output = Response> {
    let path = request.extensions().get::<MatchedPath>().cloned();
    in_time(shared, path, onwards(route, request))
}

/// Answers in time whatever happens, counts, and says to browsers what they may do with an answer: nothing.
///
/// It is no async function: that would keep the answer that is on its way twice.
pub(super) fn in_time(
    shared: Shared,
    path: Option<MatchedPath>,
    answer: impl Future<Output = Response>,
) -> impl Future<Output = Response> {
    let since = Instant::now();
    let answer = AssertUnwindSafe(timeout(shared.limits.request_time, answer)).catch_unwind();
    answer.map(move |answer| {
        let path = path.as_ref().map_or("none", MatchedPath::as_str);
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => too_slow().into_response(),
            Err(_) => {
                tracing::error!(target: "kiff::http", route = path, "a request panicked");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "something broke on the server; its log says what")
                    .into_response()
            }
        };
        shared.answers.count(path, response.status(), since.elapsed());
        headers::complete(response.headers_mut());
        response
    })
}

fn too_slow() -> Problem {
    let message = "no answer in time; an action that has started goes on: look at the entity before you ask again";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, message)
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthy() -> &'static str {
    "ok\n"
}

/// When it was asked last who answers, and who did not.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Result<(), &'static str>)>>);

/// `GET /readyz`: the stores answer and take what is written, and it can be told who asks.
pub(super) async fn ready(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    /// How long an answer is given again. Whoever asks is not known, and may ask as often as they like.
    const HOLDS: Duration = Duration::from_secs(1);
    // Held while the stores are asked, so that they are asked by one at a time.
    let mut last = shared.readiness.0.lock().await;
    let found = match *last {
        Some((asked, found)) if asked.elapsed() < HOLDS => found,
        _ => {
            let found = all_answer(&shared).await;
            *last = Some((Instant::now(), found));
            found
        }
    };
    drop(last);
    let not_ready = |why: &'static str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    found.map_err(not_ready)?;
    if shared.domains(None).any(|served| takes_nothing(&**served)) {
        return Err(not_ready("a store does not take what is written"));
    }
    Ok("ready\n")
}

/// Whether the store of a domain has failed to take a commit a moment ago, and has taken none since.
fn takes_nothing(served: &dyn Served) -> bool {
    /// Nothing is sent to a server that is not ready, by which it could learn that all is well again: so it is tried again.
    const TOLD: Duration = Duration::from_secs(30);
    served.failed_append().is_some_and(|failed| served.now() < failed.after(TOLD))
}

async fn all_answer(shared: &Shared) -> Result<(), &'static str> {
    in_a_moment(stores_answer(shared), "a store does not answer").await?;
    in_a_moment(shared.authenticators.ready(), "nobody can tell who asks").await
}

/// Waits for an answer no longer than whoever spreads requests can wait: a store may take half a minute to say that it is away.
async fn in_a_moment<E: Display>(
    answer: impl Future<Output = Result<(), E>>,
    otherwise: &'static str,
) -> Result<(), &'static str> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let answered = match timeout(PATIENCE, answer).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err("there is no answer in time".to_owned()),
    };
    answered.map_err(|error| {
        tracing::error!(target: "kiff::http", %error, "{otherwise}");
        otherwise
    })
}

async fn stores_answer(shared: &Shared) -> Result<(), Error> {
    for served in shared.domains(None) {
        served.entities(None, 1).await?;
    }
    Ok(())
}

/// The answer to a path that is no route.
pub(super) async fn no_route() -> Problem {
    Problem::not_found("route not found")
}

/// The answer to a method that a route does not have.
pub(super) async fn no_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the route has no such method")
}

//! Who asks, for kiff's own routes and for those of a program beside them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::HeaderMap;

use super::identity::{AnyAuthenticate, Authenticate, Credentials, Principal, Unauthenticated};

/// Those who tell who sends a request, in order, for routes of a program's own.
///
/// It is had from [`Api::authenticators`](super::Api::authenticators); the default knows nobody. Such a route can keep it in its state:
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::Router;
/// use axum::extract::{ConnectInfo, State};
/// use axum::http::{HeaderMap, StatusCode};
/// use axum::routing::get;
/// use kiff::http::{Api, Authenticators, Keys};
///
/// /// `GET /me`: who asks, as kiff's own routes know them.
/// async fn me(
///     State(authenticators): State<Authenticators>,
///     ConnectInfo(peer): ConnectInfo<SocketAddr>,
///     headers: HeaderMap,
/// ) -> Result<String, StatusCode> {
///     let who = authenticators.who(&headers, Some(peer)).await;
///     let who = who.map_err(|error| {
///         if error.is_undecided() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNAUTHORIZED }
///     })?;
///     Ok(who.actor().id().to_string())
/// }
///
/// let api = Api::new().authenticate(Keys::in_memory());
/// let own: Router = Router::new().route("/me", get(me)).with_state(api.authenticators());
/// let app: Router = own.fallback_service(api.router());
/// ```
#[derive(Clone, Default)]
pub struct Authenticators(Arc<Vec<Arc<dyn AnyAuthenticate>>>);

impl Authenticators {
    pub(super) fn push(&mut self, authenticator: impl Authenticate) {
        Arc::make_mut(&mut self.0).push(Arc::new(authenticator));
    }

    /// Who sends such headers, from `peer`: as with kiff's own routes, the first of them that knows what is shown tells, and the others
    /// are not asked.
    ///
    /// Whether a page of another origin has sent it is not looked at: a route that changes something, for whoever shows a cookie, has to
    /// see to that by itself. Nor is it counted how often somebody asks.
    ///
    /// # Errors
    /// [`Unauthenticated`] when what is shown is not good, when nobody knows it, or when nobody can tell; with a sentence that is for the
    /// log and not for the client.
    pub async fn who(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> Result<Principal, Unauthenticated> {
        let credentials = Credentials::new(headers, peer);
        for authenticator in &*self.0 {
            if let Some(principal) = authenticator.ask(credentials).await? {
                return Ok(principal);
            }
        }
        Err(Unauthenticated::new("it shows no credentials that anybody here knows"))
    }

    /// Whether each of them can tell at the moment.
    pub(super) async fn ready(&self) -> Result<(), Unauthenticated> {
        for authenticator in &*self.0 {
            authenticator.ask_ready().await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Authenticators {
    /// Nothing of them: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticators").finish_non_exhaustive()
    }
}

//! Links that lead people to the pages who are known already: to the server's own output, or to a program's own session.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::identity::Principal;
use super::page::Sessions;

/// Makes links that sign somebody in at the pages: for the first person at a new server, who has no key yet, and for people whom
/// a program knows by a session of its own.
///
/// It is had from [`Api::sign_in_links`](super::Api::sign_in_links), and a route of the program's own can keep it in its state:
///
/// ```
/// use axum::Router;
/// use axum::extract::State;
/// use axum::http::{HeaderMap, StatusCode};
/// use axum::response::Redirect;
/// use axum::routing::get;
/// use kiff::Actor;
/// use kiff::http::{Api, Principal, SignInLinks};
///
/// /// `GET /reviews`: leads whoever is signed in here to the pages.
/// async fn reviews(State(links): State<SignInLinks>, headers: HeaderMap) -> Result<Redirect, StatusCode> {
///     let person = signed_in(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
///     let link = links.link(Principal::new(person)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
///     Ok(Redirect::to(&link))
/// }
///
/// /// Whose session it is, as the program knows.
/// fn signed_in(headers: &HeaderMap) -> Option<Actor> {
///     let session = headers.get("cookie")?.to_str().ok()?;
///     if session == "session=of-nora" { Actor::human("nora").ok() } else { None }
/// }
///
/// let api = Api::new();
/// let own: Router = Router::new().route("/reviews", get(reviews)).with_state(api.sign_in_links());
/// let app: Router = api.router().merge(own);
/// ```
#[derive(Clone)]
pub struct SignInLinks(Arc<Sessions>);

impl SignInLinks {
    pub(super) const fn new(sessions: Arc<Sessions>) -> Self {
        Self(sessions)
    }

    /// A path below the face's root that signs `principal` in at the pages, once, within the hour.
    ///
    /// Opening it uses nothing up; the button on its page does. Behind the session there is no key to revoke: what its person may
    /// do, the policy says at every step.
    ///
    /// # Errors
    /// [`io::Error`] when the system gives no random bits.
    pub fn link(&self, principal: Principal) -> io::Result<String> {
        self.0.link(principal).map_err(io::Error::from)
    }
}

impl fmt::Debug for SignInLinks {
    /// Nothing of the sessions: they have secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInLinks").finish_non_exhaustive()
    }
}

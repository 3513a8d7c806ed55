//! Who looks at the pages: sessions, which a person opens with a key or with a link that works once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::Route;
use maud::{Markup, html};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::actor::Actor;
use crate::digest::Digest;

use super::super::Shared;
use super::super::around::onwards;
use super::super::guard;
use super::super::identity::{Principal, Unauthenticated};
use super::super::problem::Problem;
use super::door;
use super::sender::Sender;
use super::sorry::Sorry;

/// How long a session lasts.
pub(super) const LASTS: Duration = Duration::from_hours(8);

/// How long a link waits to be used.
const LINK_LASTS: Duration = Duration::from_hours(1);

/// How many sessions there can be at once; the one that ends first gives way.
const MOST: usize = 10_000;

/// How many of them one person can have, so that nobody takes away those of others.
const MOST_OF_ONE: usize = 16;

/// The name of the cookie, where it does not say its port.
const COOKIE: &str = "kiff_session";

/// The sessions of this process. Only digests of their secrets are kept. What a person signed in with stays in memory while
/// the session lasts, because it is asked at each step whether it is still good.
#[derive(Debug, Default)]
pub(in crate::http) struct Sessions {
    open: Mutex<HashMap<Digest, Session>>,
    links: Mutex<HashMap<Digest, Session>>,
}

#[derive(Debug, Clone)]
struct Session {
    principal: Principal,
    by: By,
    csrf: String,
    ends: Instant,
}

/// What somebody has signed in with.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// A link, which was good once.
    Link,
    /// A key or a token, as the header in which a program would show it.
    Bearer(HeaderValue),
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    principal: Principal,
    csrf: String,
    sender: Sender,
}

impl Signed {
    /// Who it is.
    pub(super) fn actor(&self) -> &Actor {
        self.principal.actor()
    }

    /// The field by which a form shows that it comes from a page of this session.
    pub(super) fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }

    /// Whether a form comes from a page of this session.
    pub(super) fn sent(&self, csrf: &str) -> bool {
        let is_sent: bool = self.csrf.as_bytes().ct_eq(csrf.as_bytes()).into();
        if !is_sent {
            self.sender.refused(&format_args!("a form is not of the session of `{}`", self.actor().id()));
        }
        is_sent
    }
}

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Redirect> {
        // INVARIANT: `required` puts it there; a route that it does not guard has nobody signed in.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Redirect::to("/admin/sign-in"))
    }
}

impl Sessions {
    /// A path that signs `principal` in, once.
    pub(in crate::http) fn link(&self, principal: Principal) -> Result<String, getrandom::Error> {
        let secret = secret()?;
        let ends = Instant::now() + LINK_LASTS;
        keep(&self.links, &secret, Session { principal, by: By::Link, csrf: String::new(), ends });
        Ok(format!("/admin/sign-in?link={secret}"))
    }

    /// Opens a session: the secret that its cookie holds.
    pub(super) fn start(&self, principal: Principal, by: By) -> Result<String, getrandom::Error> {
        let (secret, csrf) = (secret()?, secret()?);
        keep(&self.open, &secret, Session { principal, by, csrf, ends: Instant::now() + LASTS });
        Ok(secret)
    }

    fn find(&self, secret: &str) -> Option<Session> {
        lock(&self.open).get(&digest(secret)).filter(|session| Instant::now() < session.ends).cloned()
    }

    fn end(&self, secret: &str) {
        lock(&self.open).remove(&digest(secret));
    }

    /// Whom a link is for; it is used up when `take` says so.
    pub(super) fn linked(&self, secret: &str, take: bool) -> Option<Principal> {
        let mut links = lock(&self.links);
        let session = if take { links.remove(&digest(secret)) } else { links.get(&digest(secret)).cloned() };
        session.filter(|session| Instant::now() < session.ends).map(|session| session.principal)
    }
}

fn lock(sessions: &Mutex<HashMap<Digest, Session>>) -> MutexGuard<'_, HashMap<Digest, Session>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(sessions: &Mutex<HashMap<Digest, Session>>, secret: &str, session: Session) {
    let mut sessions = lock(sessions);
    let now = Instant::now();
    sessions.retain(|_, session| now < session.ends);
    make_room(&mut sessions, MOST_OF_ONE, |open| open.principal == session.principal);
    make_room(&mut sessions, MOST, |_| true);
    sessions.insert(digest(secret), session);
}

/// Leaves room for one more of such sessions: the one that ends first gives way.
fn make_room(sessions: &mut HashMap<Digest, Session>, most: usize, such: impl Fn(&Session) -> bool) {
    let such = sessions.iter().filter(|(_, session)| such(session));
    if such.clone().count() >= most
        && let Some(first) = such.min_by_key(|(_, session)| session.ends).map(|(digest, _)| *digest)
    {
        sessions.remove(&first);
    }
}

fn digest(secret: &str) -> Digest {
    Digest::of(&[b"kiff/session", secret.as_bytes()])
}

/// 256 random bits, as text.
fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Digest::from_bytes(bytes).to_string())
}

/// The name of the cookie. A browser keeps one set of cookies for all ports of a machine, and on one's own there may be several
/// servers, of which none may take away what another one has set.
fn cookie_name(headers: &HeaderMap) -> String {
    let port = behind_here(headers).and_then(|rest| rest.strip_prefix(':'));
    match port.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(port) => format!("{COOKIE}_{port}"),
        None => COOKIE.to_owned(),
    }
}

/// The secret in a request's cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let wanted = cookie_name(headers);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, secret)| secret)
}

/// Lets in whoever is signed in, and sends others to the door.
pub(super) async fn required(shared: Shared, request: Request, route: Route) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = signed(&shared, &parts.headers, Sender::of(&parts)).await;
    let signed = match found {
        Ok(Some(signed)) => signed,
        Ok(None) => return door::turned_away(parts, body).await,
        Err(problem) => return Sorry::from(problem).into_response(),
    };
    if let Err(refused) = guard::within_rate(&shared, &signed.principal) {
        return refused.into_response();
    }
    parts.extensions.insert(signed.principal.clone());
    parts.extensions.insert(signed);
    onwards(route, Request::from_parts(parts, body)).await
}

/// Whose session it is. A key that was revoked, or a token that is over, ends the session that it opened; one of which nobody can
/// tell at the moment opens nothing, and ends nothing either.
async fn signed(shared: &Shared, headers: &HeaderMap, sender: Sender) -> Result<Option<Signed>, Problem> {
    let Some(secret) = cookie(headers).map(str::to_owned) else { return Ok(None) };
    let Some(Session { principal, by, csrf, .. }) = shared.sessions.find(&secret) else { return Ok(None) };
    if let By::Bearer(bearer) = by {
        match whose(shared, bearer, sender.peer()).await {
            Ok(still) if still == principal => {}
            Err(error) if error.is_undecided() => return Err(Problem::unrecognized(&error)),
            _ => {
                shared.sessions.end(&secret);
                return Ok(None);
            }
        }
    }
    Ok(Some(Signed { principal, csrf, sender }))
}

/// A form that is sent to sign out.
#[derive(Debug, Deserialize)]
pub(super) struct Leaving {
    csrf: String,
}

/// `POST /admin/sign-out`: ends the session.
pub(super) async fn sign_out(
    State(shared): State<Shared>,
    signed: Signed,
    headers: HeaderMap,
    Form(leaving): Form<Leaving>,
) -> Response {
    if !signed.sent(&leaving.csrf) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(secret) = cookie(&headers) {
        shared.sessions.end(secret);
    }
    with_cookie(Redirect::to("/admin/sign-in").into_response(), &headers, "", Duration::ZERO)
}

/// Whose key or token it is: whoever they would be with it over the API.
pub(super) async fn whose(
    shared: &Shared,
    bearer: HeaderValue,
    peer: Option<SocketAddr>,
) -> Result<Principal, Unauthenticated> {
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    shared.authenticators.who(&headers, peer).await
}

/// Whether a browser asks on the server's own machine.
pub(super) fn is_here(headers: &HeaderMap) -> bool {
    behind_here(headers).is_some()
}

/// What stands in the `Host` behind the name of the server's own machine: a port, or nothing. None where it is another name.
fn behind_here(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let mut rests = ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(|name| host.strip_prefix(name));
    rests.find(|rest| rest.is_empty() || rest.starts_with(':'))
}

pub(super) fn with_cookie(mut response: Response, headers: &HeaderMap, secret: &str, lasts: Duration) -> Response {
    // A browser keeps and sends a secure cookie over TLS alone, which there is none of on one's own machine.
    let secure = if is_here(headers) { "" } else { "; Secure" };
    let (name, lasts) = (cookie_name(headers), lasts.as_secs());
    let cookie = format!("{name}={secret}; Path=/admin; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_on_a_machine_has_a_cookie_of_its_own() {
        for (host, name) in [
            ("localhost:8080", "kiff_session_8080"),
            ("127.0.0.1:8081", "kiff_session_8081"),
            ("[::1]:8080", "kiff_session_8080"),
            ("localhost", "kiff_session"),
            ("localhost:", "kiff_session"),
            ("localhost:80;a=b", "kiff_session"),
            ("shop.example:8080", "kiff_session"),
            ("localhost.example:8080", "kiff_session"),
        ] {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            assert_eq!(cookie_name(&headers), name, "{host}");
            let answer = with_cookie(StatusCode::OK.into_response(), &headers, "secret", LASTS);
            let given = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            assert!(given.starts_with(&format!("{name}=secret; ")), "{host}: {given}");
            let sent = format!("kiff_session_9=other; {name}=secret");
            headers.insert(header::COOKIE, HeaderValue::from_str(&sent).unwrap());
            assert_eq!(cookie(&headers), Some("secret"), "{host}");
        }
    }

    #[test]
    fn p4_a_session_and_a_link_that_are_over_sign_nobody_in() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        for (ends, is_good) in [(now + LASTS, true), (now, false)] {
            let principal = Principal::new(Actor::human("nora").unwrap());
            let session = Session { principal, by: By::Link, csrf: String::new(), ends };
            keep(&sessions.open, "secret", session.clone());
            assert_eq!(sessions.find("secret").is_some(), is_good);
            keep(&sessions.links, "secret", session);
            for take in [false, true] {
                assert_eq!(sessions.linked("secret", take).is_some(), is_good);
            }
        }
    }
}

//! Who looks at the pages: sessions, which a person opens with a key or with a link that works once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::Route;
use maud::{Markup, html};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::actor::{Actor, ActorKind};
use crate::digest::Digest;
use crate::json::visible;

use super::super::Shared;
use super::super::around::onwards;
use super::super::guard::{self, identify};
use super::super::identity::{Credentials, Principal, Unauthenticated};
use super::super::origin::is_foreign;
use super::super::problem::Problem;
use super::frame;
use super::sender::Sender;
use super::sorry::Sorry;

/// How long a session lasts.
const LASTS: Duration = Duration::from_hours(8);

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
enum By {
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
    fn start(&self, principal: Principal, by: By) -> Result<String, getrandom::Error> {
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
    fn linked(&self, secret: &str, take: bool) -> Option<Principal> {
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
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let wanted = cookie_name(headers);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, secret)| secret)
}

/// Lets in whoever is signed in, and sends others to the door.
pub(super) async fn required(shared: Shared, request: Request, route: Route) -> Response {
    let (mut parts, body) = request.into_parts();
    let signed = match signed(&shared, &parts.headers, Sender::of(&parts)).await {
        Ok(Some(signed)) => signed,
        Ok(None) => return Redirect::to("/admin/sign-in").into_response(),
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

/// What the door is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    link: Option<String>,
    /// There for whoever has just signed in.
    r#in: Option<String>,
}

/// `GET /admin/sign-in`: the door.
pub(super) async fn door(State(shared): State<Shared>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    if asked.r#in.is_some() {
        // Whether the cookie is good is asked inside.
        return match cookie(&headers) {
            Some(_) => Redirect::to("/admin").into_response(),
            None => frame::outside(StatusCode::FORBIDDEN, "Sign in", &by_key(Some(why_no_cookie(&headers)))),
        };
    }
    match asked.link {
        None => frame::outside(StatusCode::OK, "Sign in", &by_key(None)),
        Some(link) => match shared.sessions.linked(&link, false) {
            Some(principal) => frame::outside(StatusCode::OK, "Sign in", &by_link(&link, principal.actor())),
            None => frame::outside(
                StatusCode::FORBIDDEN,
                "Sign in",
                &by_key(Some("This link has been used, or is too old.")),
            ),
        },
    }
}

/// What somebody shows at the door.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    key: String,
    #[serde(default)]
    link: String,
}

/// `POST /admin/sign-in`: opens a session for a person.
pub(super) async fn sign_in(
    State(shared): State<Shared>,
    sender: Sender,
    headers: HeaderMap,
    Form(shown): Form<Shown>,
) -> Response {
    if is_foreign(Credentials::new(&headers, sender.peer())) {
        sender.refused(&"the form was sent by another site");
        return frame::outside(StatusCode::FORBIDDEN, "Sign in", &by_key(Some("This form was sent by another site.")));
    }
    let opened = if shown.link.is_empty() {
        by_shown_key(&shared, &shown.key, sender.peer()).await
    } else {
        let linked = shared.sessions.linked(&shown.link, true).map(|principal| (principal, By::Link));
        linked.ok_or_else(|| Unauthenticated::new("its link has been used, or is too old"))
    };
    let (principal, by) = match opened {
        Ok(opened) => opened,
        Err(error) if error.is_undecided() => return Sorry::from(Problem::unrecognized(&error)).into_response(),
        Err(error) => {
            sender.refused(&error);
            let problem = by_key(Some("This key or token is not good, or this link has been used."));
            return frame::outside(StatusCode::FORBIDDEN, "Sign in", &problem);
        }
    };
    let actor = principal.actor();
    if actor.kind() != ActorKind::Human {
        let problem = format!("`{}` is of kind {}: these pages are for people", actor.id(), actor.kind());
        sender.refused(&problem);
        return frame::outside(StatusCode::FORBIDDEN, "Sign in", &by_key(Some(&format!("{}.", visible(&problem)))));
    }
    match shared.sessions.start(principal, by) {
        Ok(secret) => with_cookie(Redirect::to("/admin/sign-in?in").into_response(), &headers, &secret, LASTS),
        Err(error) => {
            tracing::error!(target: "kiff::http", %error, "the system gives no random bits");
            frame::outside(StatusCode::SERVICE_UNAVAILABLE, "Sign in", &by_key(Some("Nobody can sign in now.")))
        }
    }
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

/// Who it is who shows a key, and what is kept of it.
async fn by_shown_key(
    shared: &Shared,
    key: &str,
    peer: Option<SocketAddr>,
) -> Result<(Principal, By), Unauthenticated> {
    let bearer = HeaderValue::from_str(&format!("Bearer {}", key.trim()));
    let mut bearer = bearer.map_err(|_| Unauthenticated::new("what it shows as a key is no plain text"))?;
    bearer.set_sensitive(true);
    Ok((whose(shared, bearer.clone(), peer).await?, By::Bearer(bearer)))
}

/// Whose key or token it is: whoever they would be with it over the API.
async fn whose(shared: &Shared, bearer: HeaderValue, peer: Option<SocketAddr>) -> Result<Principal, Unauthenticated> {
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    identify(shared, &headers, peer).await
}

/// Whether a browser asks on the server's own machine.
fn is_here(headers: &HeaderMap) -> bool {
    behind_here(headers).is_some()
}

/// What stands in the `Host` behind the name of the server's own machine: a port, or nothing. None where it is another name.
fn behind_here(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let mut rests = ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(|name| host.strip_prefix(name));
    rests.find(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// What is told to whoever has signed in and comes without a cookie.
fn why_no_cookie(headers: &HeaderMap) -> &'static str {
    if is_here(headers) {
        "Your browser kept no cookie, and so you are not signed in: let it keep those of this server. If you came by a link, ask for \
         another one."
    } else {
        "Your browser kept no cookie, and so you are not signed in. Over plain HTTP it keeps this one on localhost alone: the server needs \
         a proxy that ends TLS in front of it. If you came by a link, ask for another one."
    }
}

fn with_cookie(mut response: Response, headers: &HeaderMap, secret: &str, lasts: Duration) -> Response {
    // A browser keeps and sends a secure cookie over TLS alone, which there is none of on one's own machine.
    let secure = if is_here(headers) { "" } else { "; Secure" };
    let (name, lasts) = (cookie_name(headers), lasts.as_secs());
    let cookie = format!("{name}={secret}; Path=/admin; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn by_key(problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem { p.notice.bad role="alert" { (problem) } }
        form.card method="post" action="/admin/sign-in" {
            label for="key" { "Key or token" }
            input #key type="password" name="key" required autocomplete="current-password" autofocus;
            p.quiet {
                "An API key that was made for you as a person, or a token by which this server knows you. You stay signed in for eight \
                 hours, unless it ends before."
            }
            div.choices { button type="submit" { "Sign in" } }
        }
    }
}

fn by_link(link: &str, actor: &Actor) -> Markup {
    html! {
        form.card method="post" action="/admin/sign-in" {
            p { "This link signs you in once, as " strong { (visible(actor.id().as_str())) } "." }
            input type="hidden" name="link" value=(link);
            div.choices { button type="submit" { "Sign in" } }
        }
    }
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

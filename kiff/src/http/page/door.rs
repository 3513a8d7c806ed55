//! The door of the pages: where people sign in, and what is answered to whoever has to.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{Form, FromRequest, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::actor::{Actor, ActorKind};
use crate::json::visible;

use super::super::Shared;
use super::super::identity::{Credentials, Principal, Unauthenticated};
use super::super::origin::is_foreign;
use super::super::problem::Problem;
use super::frame;
use super::sender::Sender;
use super::session::{By, LASTS, cookie, is_here, whose, with_cookie};
use super::sorry::Sorry;
use super::timeline::beginning;
use super::way_back::WayBack;

/// How many bytes of what was typed are shown again. No field for a reason takes more.
const SHOWN: usize = 16 * 1024;

/// The way to the door, and on from there.
fn door_path(back: Option<&WayBack>) -> String {
    back.map_or_else(|| "/admin/sign-in".to_owned(), |back| format!("/admin/sign-in?to={}", back.encoded()))
}

/// What somebody has typed into a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    payload: String,
    reason: String,
}

/// Answers whoever is not signed in: with the way to the door or, where they have sent something, with what they typed, which is
/// nowhere else.
pub(super) async fn turned_away(asked: Parts, body: Body) -> Response {
    let back = WayBack::to(&asked.uri);
    // Whoever wants to sign out is where they want to be.
    if asked.method.is_safe() || asked.uri.path() == "/admin/sign-out" {
        return Redirect::to(&door_path(back.as_ref())).into_response();
    }
    let is_own = !is_foreign(Credentials::new(&asked.headers, Sender::of(&asked).peer()));
    let typed = Form::<Typed>::from_request(Request::from_parts(asked, body), &()).await;
    // What another site has sent, nobody typed here.
    let Form(Typed { payload, reason }) = typed.ok().filter(|_| is_own).unwrap_or_default();
    let fields = [("payload", "What the event says", payload), ("reason", "Your reason", reason)];
    let main = html! {
        p.notice.bad role="alert" { "You are no longer signed in: what you sent did not count." }
        @for (id, name, typed) in fields.iter().filter(|(.., typed)| !typed.trim().is_empty()) {
            label for=(id) { (name) ", to be copied before you sign in" }
            textarea id=(id) readonly { (beginning(typed, SHOWN)) }
        }
        p { a href=(door_path(back.as_ref())) { "Sign in" } }
    };
    frame::outside(StatusCode::FORBIDDEN, "Signed out", &main)
}

/// What the door is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    link: Option<String>,
    /// There for whoever has just signed in.
    r#in: Option<String>,
    /// Where they go on.
    to: Option<String>,
}

/// `GET /admin/sign-in`: the door.
pub(super) async fn show(State(shared): State<Shared>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let back = asked.to.as_deref().and_then(WayBack::new);
    let back = back.as_ref();
    if asked.r#in.is_some() {
        // Whether the cookie is good is asked inside.
        return match cookie(&headers) {
            Some(_) => Redirect::to(back.map_or("/admin", WayBack::path)).into_response(),
            None => frame::outside(StatusCode::FORBIDDEN, "Sign in", &by_key(Some(why_no_cookie(&headers)), back)),
        };
    }
    match asked.link {
        None => frame::outside(StatusCode::OK, "Sign in", &by_key(None, back)),
        Some(link) => match shared.sessions.linked(&link, false) {
            Some(principal) => frame::outside(StatusCode::OK, "Sign in", &by_link(&link, principal.actor(), back)),
            None => frame::outside(
                StatusCode::FORBIDDEN,
                "Sign in",
                &by_key(Some("This link has been used, or is too old."), back),
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
    #[serde(default)]
    to: String,
}

/// `POST /admin/sign-in`: opens a session for a person.
pub(super) async fn sign_in(
    State(shared): State<Shared>,
    sender: Sender,
    headers: HeaderMap,
    Form(shown): Form<Shown>,
) -> Response {
    let back = WayBack::new(&shown.to);
    let refused = |why: &str| frame::outside(StatusCode::FORBIDDEN, "Sign in", &by_key(Some(why), back.as_ref()));
    if is_foreign(Credentials::new(&headers, sender.peer())) {
        sender.refused(&"the form was sent by another site");
        return refused("This form was sent by another site.");
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
            return refused("This key or token is not good, or this link has been used.");
        }
    };
    let actor = principal.actor();
    if actor.kind() != ActorKind::Human {
        let problem = format!("`{}` is of kind {}: these pages are for people", actor.id(), actor.kind());
        sender.refused(&problem);
        return refused(&format!("{}.", visible(&problem)));
    }
    match shared.sessions.start(principal, by) {
        Ok(secret) => {
            let onward = back.as_ref().map(|back| format!("&to={}", back.encoded())).unwrap_or_default();
            let inside = Redirect::to(&format!("/admin/sign-in?in{onward}")).into_response();
            with_cookie(inside, &headers, &secret, LASTS)
        }
        Err(error) => {
            tracing::error!(target: "kiff::http", %error, "the system gives no random bits");
            let problem = by_key(Some("Nobody can sign in now."), back.as_ref());
            frame::outside(StatusCode::SERVICE_UNAVAILABLE, "Sign in", &problem)
        }
    }
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

fn by_key(problem: Option<&str>, back: Option<&WayBack>) -> Markup {
    html! {
        @if let Some(problem) = problem { p #problem .notice.bad role="alert" { (problem) } }
        form.card method="post" action="/admin/sign-in" {
            (onward(back))
            label for="key" { "Key or token" }
            // An alert that stands there from the start is often not read out, and the field is where one begins.
            input #key type="password" name="key" required autocomplete="current-password" autofocus
                aria-describedby=[problem.map(|_| "problem")] aria-invalid=[problem.map(|_| "true")];
            p.quiet {
                "An API key that was made for you as a person, or a token by which this server knows you. You stay signed in for eight \
                 hours, unless it ends before."
            }
            div.choices { button type="submit" { "Sign in" } }
        }
    }
}

fn by_link(link: &str, actor: &Actor, back: Option<&WayBack>) -> Markup {
    html! {
        form.card method="post" action="/admin/sign-in" {
            p { "This link signs you in once, as " strong { (visible(actor.id().as_str())) } "." }
            input type="hidden" name="link" value=(link);
            (onward(back))
            div.choices { button type="submit" { "Sign in" } }
        }
    }
}

/// The field that says where they go on.
fn onward(back: Option<&WayBack>) -> Markup {
    html! { @if let Some(back) = back { input type="hidden" name="to" value=(back.path()); } }
}

//! The door of the pages: where it stands, and whom it sends away.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Redirect;
use axum::routing::get;
use kiff::http::{Api, Limits, NewKey, Principal, SignInLinks};
use kiff::{MemoryStore, Runtime};
use tower_service::Service;

use super::page::{Browser, between, post};
use super::server::{Answer, Client, Server};
use crate::observed::{Counted, Heard};
use crate::shop::{self, people};

/// What a router answers.
fn asked(router: &mut Router, path: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = router.call(Request::get(path).body(Body::empty()).unwrap());
    runtime.block_on(async {
        let answer = answer.await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    })
}

#[test]
fn pages_that_are_nested_say_so_instead_of_sending_a_key_elsewhere() {
    let shop = Arc::new(Runtime::<shop::Refund>::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let mut outer = Router::new().nest("/kiff", Api::new().domain(shop).router());
    let mut get = |path: &str| asked(&mut outer, path);
    for path in ["/kiff/admin/sign-in", "/kiff/admin/sign-in?link=0", "/kiff/admin", "/kiff/admin/page.js"] {
        let (status, body) = get(path);
        assert_eq!(status, 500, "{path}: {body}");
        assert!(body.contains("cannot be nested below `/kiff`: make the router a fallback"), "{body}");
    }
    assert_eq!(get("/kiff/healthz").0, 200);
}

#[test]
fn routes_of_ones_own_stand_before_those_of_the_face() {
    let shop = Arc::new(Runtime::<shop::Refund>::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let mut own = Router::new()
        .route("/healthz", get(|| async { "mine" }))
        .route("/orders/{id}", get(|state: State<&'static str>| async move { state.0 }))
        .with_state("my state")
        .fallback_service(Api::new().domain(shop).router());
    let mut get = |path: &str| asked(&mut own, path);
    assert_eq!(get("/healthz"), (200, "mine".to_owned()));
    assert_eq!(get("/orders/1"), (200, "my state".to_owned()));
    assert_eq!(get("/admin/sign-in").0, 200);
    assert_eq!(get("/entities").0, 401);
    let (status, body) = get("/nowhere");
    assert_eq!((status, body.contains("route not found")), (404, true), "{body}");
}

#[test]
fn whoever_keeps_no_cookie_is_told_so_and_why() {
    let server = Server::open();
    let (_, key) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let signed = post(&server.stranger(), "/admin/sign-in", &format!("key={key}"));
    let (inside, cookie) = (&signed.headers["location"], signed.headers["set-cookie"].split(';').next().unwrap());
    // One that only another server knows was kept as well.
    let (name, _) = cookie.split_once('=').unwrap();
    for cookie in [cookie, &format!("{name}=0")] {
        let kept = server.stranger().header(&format!("cookie: {cookie}")).get(inside);
        assert_eq!((kept.status, &*kept.headers["location"]), (303, "/admin"));
    }

    let lost_at = |host: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("GET {inside} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).unwrap();
        let lost = Answer::read(&mut BufReader::new(stream));
        assert!(lost.body.contains("Your browser kept no cookie"), "{host}: {}", lost.body);
        assert_eq!(lost.status, 403);
        lost.body
    };
    assert!(lost_at("shop.example:8080").contains("Over plain HTTP"));
    assert!(!lost_at("localhost:8080").contains("Over plain HTTP"), "it is no secure one there");
}

#[test]
fn whoever_had_to_sign_in_first_comes_to_the_page_that_they_wanted() {
    let server = Server::open();
    let (_, key) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let stranger = server.stranger();
    let signed_in = |to: &str| {
        let signed = post(&stranger, "/admin/sign-in", &format!("key={key}&to={to}"));
        let cookie = signed.headers["set-cookie"].split(';').next().unwrap();
        let inside = stranger.clone().header(&format!("cookie: {cookie}")).get(&signed.headers["location"]);
        assert_eq!(inside.status, 303, "{}", inside.body);
        inside.headers["location"].clone()
    };
    for wanted in ["/admin/approvals/Order/ord%201/app-1", "/admin/search?actor=agent-7&entity=ord-1"] {
        let door = stranger.get(wanted);
        let (path, to) = door.headers["location"].split_once("?to=").unwrap();
        assert_eq!((door.status, path), (303, "/admin/sign-in"));
        let field = format!("name=\"to\" value=\"{}\"", wanted.replace('&', "&amp;"));
        // Also behind a key that was not good.
        let again = post(&stranger, path, &format!("key=kiff_nothing&to={to}"));
        for form in [stranger.get(&door.headers["location"]), again] {
            assert!(form.body.contains(&field), "{}", form.body);
        }
        assert_eq!(signed_in(to), wanted);
    }
    for lure in ["%2F%2Fevil.example", "%2F%5Cevil", "https%3A%2F%2Fevil.example%2Fadmin%2F", "%2Fadmin%2F..%2Fevil"] {
        assert!(!stranger.get(&format!("/admin/sign-in?to={lure}")).body.contains("evil"), "{lure}");
        assert_eq!(signed_in(lure), "/admin", "{lure}");
    }
}

#[test]
fn what_another_site_has_sent_is_not_shown_to_whoever_is_not_signed_in() {
    let server = Server::open();
    let told = |client: &Client| post(client, "/admin/doubt/Order/ord-1", "payload=%7B%7D&reason=call+this+number");
    for (client, is_shown) in [
        (server.stranger(), true),
        (server.stranger().header("sec-fetch-site: same-origin"), true),
        (server.stranger().header("sec-fetch-site: cross-site"), false),
    ] {
        let told = told(&client);
        assert_eq!((told.status, told.body.contains("call this number")), (403, is_shown), "{}", told.body);
        assert!(told.body.contains("You are no longer signed in"), "{}", told.body);
    }
    // Whoever wants to sign out is signed out.
    let left = post(&server.stranger(), "/admin/sign-out", "csrf=0");
    assert_eq!((left.status, &*left.headers["location"]), (303, "/admin/sign-in"));
}

#[test]
fn who_is_signed_in_at_two_servers_on_one_machine_stays_so_at_both() {
    let servers = [Server::open(), Server::open()];
    // As a browser has them, which keeps one cookie of a name for all ports of a machine.
    let mut kept = BTreeMap::new();
    for server in &servers {
        let (_, key) = server.keys.create(NewKey::new(people().nora)).unwrap();
        let signed = post(&server.stranger(), "/admin/sign-in", &format!("key={key}"));
        let (name, secret) = signed.headers["set-cookie"].split(';').next().unwrap().split_once('=').unwrap();
        kept.insert(name.to_owned(), secret.to_owned());
    }
    let kept: Vec<_> = kept.iter().map(|(name, secret)| format!("{name}={secret}")).collect();
    let browsers = servers.each_ref().map(|server| server.stranger().header(&format!("cookie: {}", kept.join("; "))));
    for browser in &browsers {
        assert_eq!(browser.get("/admin").status, 200, "{kept:?}");
    }
    // Whoever signs out at one of them takes away the cookie of that one.
    let page = browsers[0].get("/admin").body;
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let left = post(&browsers[0], "/admin/sign-out", &format!("csrf={csrf}"));
    let name = format!("kiff_session_{}=;", servers[0].address.port());
    assert!(left.headers["set-cookie"].starts_with(&name), "{left:?}");
    assert_eq!(browsers.map(|browser| browser.get("/admin").status), [303, 200]);
}

#[test]
fn whoever_was_refused_at_the_pages_is_in_the_log_and_counted() {
    let (heard, counted) = (Heard::everything(), Counted::default());
    let recorder = counted.clone();
    let server = Server::with(Limits::DEFAULT, move |api| {
        // For the server's own thread, as long as that lives.
        Box::leak(Box::new(metrics::set_default_local_recorder(Box::leak(Box::new(recorder)))));
        api
    });
    let key = |actor| server.keys.create(NewKey::new(actor)).unwrap().1;
    let (agent, nora) = (key(people().agent), Browser::of(&server, &people().nora));
    let sign_in = |form: &str| ("/admin/sign-in", server.stranger(), form.to_owned());
    let forged = |path| (path, nora.client.clone(), "csrf=0&answer=grant&execution=x&became=ask".to_owned());
    let lured = server.stranger().header("sec-fetch-site: cross-site");
    let cases = [
        (sign_in("key=kiff_x_y"), "there is no such key"),
        (sign_in("key=%00"), "is no plain text"),
        (sign_in("link=0"), "its link has been used, or is too old"),
        (sign_in(&format!("key={agent}")), "`agent-7` is of kind agent"),
        (("/admin/sign-in", lured, format!("key={agent}")), "another site"),
        (forged("/admin/sign-out"), "`nora`"),
        (forged("/admin/approvals/Order/ord-1/app-1"), "`nora`"),
        (forged("/admin/doubt/Order/ord-1"), "`nora`"),
    ];
    let many = cases.len() as u64;
    for (number, ((path, client, form), why)) in cases.into_iter().enumerate() {
        let trace = format!("d00f{number:028x}");
        let answer = post(&client.header(&format!("traceparent: 00-{trace}-00f067aa0ba902b7-01")), path, &form);
        let events = heard.with("trace_id", &trace);
        let [event] = &events[..] else { panic!("{path} {form}: {} {events:?}", answer.status) };
        assert!(event["error"].contains(why), "{event:?}");
        assert_eq!((&*event["method"], &*event["path"]), ("POST", path));
        assert!(event["peer"].starts_with("127.0.0.1:"), "{event:?}");
        assert!(!format!("{event:?}").contains(&agent), "{event:?}");
    }
    assert_eq!(counted.of("kiff_http_unauthenticated_total{}"), many);
}

/// `GET /reviews`: a route of a program that knows by itself who asks.
async fn reviews(State(links): State<SignInLinks>) -> Redirect {
    Redirect::to(&links.link(Principal::new(people().nora)).unwrap())
}

#[test]
fn whom_a_program_knows_by_a_session_of_its_own_it_leads_to_the_pages() {
    let shop = Arc::new(Runtime::<shop::Refund>::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let api = Api::new().domain(shop);
    let own: Router = Router::new().route("/reviews", get(reviews)).with_state(api.sign_in_links());
    let mut both: Router = api.router().merge(own);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut ask = |request: Request| {
        runtime.block_on(async {
            let (parts, body) = both.call(request).await.unwrap().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            (parts.status.as_u16(), header("location"), header("set-cookie"), String::from_utf8(body.to_vec()).unwrap())
        })
    };
    let looked_at = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let (status, link, ..) = ask(looked_at("/reviews"));
    let link = link.unwrap();
    assert_eq!(status, 303);
    let (status, _, _, door) = ask(looked_at(&link));
    assert_eq!((status, door.contains("as <strong>nora</strong>")), (200, true), "{door}");
    let form = format!("link={}", link.split_once("link=").unwrap().1);
    let pressed = || {
        let request = Request::post("/admin/sign-in").header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(form.clone())).unwrap()
    };
    let (status, _, cookie, _) = ask(pressed());
    assert_eq!((status, cookie.unwrap().starts_with("kiff_session=")), (303, true));
    assert_eq!(ask(pressed()).0, 403, "it works once");
}

#[test]
fn the_door_asks_for_what_any_authenticator_may_know() {
    let door = Server::open().stranger().get("/admin/sign-in").body;
    assert!(door.contains("or a token by which this server knows you"), "{door}");
}

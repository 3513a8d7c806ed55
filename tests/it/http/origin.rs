//! A page of another origin: it does nothing in the name of whoever looks at it.

use kiff::http::{Authenticate, Credentials, Limits, Principal, Unauthenticated};
use serde_json::json;

use super::server::{Client, Server};
use crate::observed::Heard;
use crate::shop::people;

/// Knows Nora by a cookie, which her browser shows whatever page has it ask.
struct Cookie;

impl Authenticate for Cookie {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        Ok((credentials.header("cookie") == Some("user=nora")).then(|| Principal::new(people().nora)))
    }
}

/// A shop that knows her so, and an order whose refund waits for her.
fn waiting() -> (Server, Client) {
    let server = Server::with(Limits::DEFAULT, |api| api.authenticate(Cookie));
    let everybody = server.everybody();
    everybody.paid("ord-1");
    asked(&everybody.agent, "app-1", 1);
    let nora = server.stranger().header("cookie: user=nora");
    (server, nora)
}

fn asked(agent: &Client, approval: &str, amount: usize) {
    let body = json!({ "approval_id": approval, "parameters": { "amount": amount, "reason": "x" } });
    agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", &body.to_string()).expect(201);
}

/// What a browser says of a page of another origin that has it ask.
const FOREIGN: [&str; 5] = [
    "origin: https://evil.example",
    "origin: http://localhost:3000",
    "origin: null",
    "sec-fetch-site: cross-site",
    "sec-fetch-site: same-site",
];

#[test]
fn p4_a_page_of_another_origin_grants_nothing_in_the_name_of_who_looks_at_it() {
    let (server, nora) = waiting();
    let timeline = || nora.get("/entities/ord-1/timeline").expect(200);
    let before = timeline();
    for said in FOREIGN {
        // As a form sends it, for which a browser asks nobody whether it may.
        let form = nora.clone().header("content-type: text/plain").header(said);
        let refused = form.post("/approvals/app-1/grant", r#"{"reason": "="}"#).expect(403);
        assert_eq!((&refused["outcome"], &refused["reason"]), (&json!("blocked"), &json!("permission_denied")));
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains("a page of another origin") && error.contains("with a bearer token"), "{said}: {error}");
        // What it may look at it cannot read, and changes nothing by looking.
        form.get("/entities/ord-1").expect(200);
    }
    assert_eq!(timeline(), before);

    let own = format!("origin: http://{}", server.address);
    let good: [&[&str]; 5] = [
        &[],
        &[own.as_str()],
        &["sec-fetch-site: same-origin"],
        &["sec-fetch-site: none"],
        // A proxy in front has put another `Host` there.
        &["sec-fetch-site: same-origin", "origin: https://shop.example"],
    ];
    let agent = server.client(&people().agent);
    for (number, said) in good.into_iter().enumerate() {
        let approval = format!("good-{number}");
        // Of something else each time: what is granted already needs no other sign-off.
        asked(&agent, &approval, 100 + number);
        let browser = said.iter().fold(nora.clone(), |client, line| client.header(line));
        browser.post(&format!("/approvals/{approval}/grant"), "{}").expect(200);
    }
    // What no browser shows by itself is sent on purpose, unless a proxy has put it there: a form says of no body that it is JSON.
    let elsewhere = server.client(&people().nora).header(FOREIGN[0]);
    for form in ["content-type: text/plain", "content-type: application/x-www-form-urlencoded", "accept: */*"] {
        elsewhere.clone().header(form).post("/approvals/app-1/grant", "").expect(403);
    }
    let json = elsewhere.header("content-type: application/json; charset=utf-8");
    json.post("/approvals/app-1/grant", "{}").expect(200);
}

#[test]
fn p4_no_route_that_changes_something_is_open_to_a_page_of_another_origin() {
    let (_server, nora) = waiting();
    let lured = nora.clone().header(FOREIGN[3]);
    let described = nora.get("/openapi.json").expect(200);
    let changing = described["paths"].as_object().unwrap().iter().filter(|(_, methods)| methods.get("post").is_some());
    let paths = changing.map(|(path, _)| path.replace(['{', '}'], "")).chain(["/mcp".to_owned()]);
    let paths: Vec<String> = paths.collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        let refused = lured.post(&path, "{}").expect(403);
        assert!(refused["error"].as_str().unwrap().contains("a page of another origin"), "{path}: {refused}");
    }
    assert_eq!(lured.send("DELETE", "/mcp", None).status, 403);
}

#[test]
fn what_a_page_of_another_origin_has_sent_is_in_the_log() {
    let heard = Heard::everything();
    let (_server, nora) = waiting();
    let trace = "feed0000000000000000000000000001";
    let traced = nora.header(&format!("traceparent: 00-{trace}-00f067aa0ba902b7-01"));
    traced.header(FOREIGN[0]).post("/approvals/app-1/grant", "{}").expect(403);
    let events = heard.with("trace_id", trace);
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&*event["method"], &*event["path"]), ("POST", "/approvals/app-1/grant"));
    assert!(event["message"].contains("a page of another origin sent it"), "{event:?}");
}

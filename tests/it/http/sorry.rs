//! The pages when something is wrong: whatever it is, a person reads it on a page that leads on.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use kiff::http::{Authenticate, Credentials, Limits, Principal, Unauthenticated};
use kiff::{MemoryStore, Policy, PolicyError, Question, RolePolicy, Runtime};

use super::page::{Browser, post};
use super::server::{Answer, Server};
use crate::shop::{self, Desk, people};

/// It falls over when it is asked of the cursed order.
struct Cursed(RolePolicy);

impl Policy for Cursed {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        assert_ne!(question.entity.id(), "cursed", "the directory fell over");
        self.0.holds(question)
    }
}

/// It never says who somebody is.
struct Stuck;

impl Authenticate for Stuck {
    async fn authenticate(&self, _: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        std::future::pending().await
    }
}

#[track_caller]
fn check(answer: &Answer, status: u16, told: &str) {
    let Answer { status: said, headers, body } = answer;
    assert_eq!(*said, status, "{body}");
    assert!(headers["content-type"].starts_with("text/html"), "{headers:?}");
    assert!(headers["content-security-policy"].contains("style-src 'self'"), "{headers:?}");
    assert!(body.contains("href=\"/admin\"") && body.contains(told), "{told}: {body}");
}

#[test]
fn whatever_is_wrong_is_told_on_a_page_with_a_way_back() {
    let shop = Runtime::new(MemoryStore::new(), Cursed(shop::policy()), Desk::default());
    let limits = Limits { body: 1024, ..Limits::DEFAULT };
    let server = Server::of(Arc::new(shop), limits, |api| api);
    server.everybody().place("ord-1");
    let nora = Browser::of(&server, &people().nora);
    for (path, status, told) in [
        (
            "/admin/entities/Order/ord-1?before=soon",
            400,
            "not sent as a page here sends it: Failed to deserialize query",
        ),
        ("/admin/entities/Order/%FF", 400, "Invalid UTF-8"),
        ("/admin/entities/Order/cursed", 500, "something broke on the server"),
        ("/admin/sign-out", 405, "the route has no such method"),
    ] {
        check(&nora.client.get(path), status, told);
    }
    let doubt = "/admin/doubt/Order/ord-1";
    check(&nora.send(doubt, "reason=lost"), 422, "missing field `execution`");
    check(&nora.send(doubt, &format!("reason={}", "x".repeat(2_000))), 413, "not sent as a page here sends it");
    check(
        &nora.client.clone().header("content-type: text/plain").post(doubt, "reason=lost"),
        415,
        "Form requests must",
    );
    check(&post(&nora.client, "/admin/sign-out", "csrf=0"), 403, "This was refused.");
    check(&nora.client.post("/admin", ""), 405, "the route has no such method");
    // What is no error is left as it is.
    assert!(nora.client.get("/admin/page.css").headers["content-type"].starts_with("text/css"));
}

#[test]
fn a_page_that_is_asked_for_too_often_or_takes_too_long_says_so_on_one() {
    let few = NonZeroU32::new(2).unwrap();
    let limits = Limits { rate: NonZeroU32::MIN, burst: few, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let nora = Browser::of(&server, &people().nora);
    let answers: Vec<_> = (0..6).map(|_| nora.client.get("/admin")).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    check(refused, 429, "too many requests: slow down");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);

    let limits = Limits { request_time: Duration::from_millis(100), ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api.authenticate(Stuck));
    check(&post(&server.stranger(), "/admin/sign-in", "key=slow"), 504, "no answer in time");
}

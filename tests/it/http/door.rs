//! The door of the pages: where it stands, and whom it sends away.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use kiff::http::{Api, NewKey};
use kiff::{MemoryStore, Runtime};
use tower_service::Service;

use super::page::post;
use super::server::{Answer, Server};
use crate::shop::{self, people};

#[test]
fn pages_that_are_nested_say_so_instead_of_sending_a_key_elsewhere() {
    let shop = Arc::new(Runtime::<shop::Refund>::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let mut outer = axum::Router::new().nest("/kiff", Api::new().domain(shop).router());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut get = |path: &str| {
        let answer = outer.call(Request::get(path).body(Body::empty()).unwrap());
        runtime.block_on(async {
            let answer = answer.await.unwrap();
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
    };
    for path in ["/kiff/admin/sign-in", "/kiff/admin/sign-in?link=0", "/kiff/admin", "/kiff/admin/page.js"] {
        let (status, body) = get(path);
        assert_eq!(status, 500, "{path}: {body}");
        assert!(body.contains("cannot be nested below `/kiff`: merge the router"), "{body}");
    }
    assert_eq!(get("/kiff/healthz").0, 200);
}

#[test]
fn whoever_keeps_no_cookie_is_told_so_and_why() {
    let server = Server::open();
    let (_, key) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let signed = post(&server.stranger(), "/admin/sign-in", &format!("key={key}"));
    let (inside, cookie) = (&signed.headers["location"], signed.headers["set-cookie"].split(';').next().unwrap());
    // One that only another server knows was kept as well.
    for cookie in [cookie, "kiff_session=0"] {
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

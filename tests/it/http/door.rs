//! The door of the pages: where it stands, and whom it sends away.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use kiff::http::Api;
use kiff::{MemoryStore, Runtime};
use tower_service::Service;

use crate::shop;

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

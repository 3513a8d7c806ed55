//! What a request costs inside the server, as far as it can be counted: allocations.

use std::sync::Arc;

use allocation_counter::measure;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use kiff::Runtime;
use kiff::http::{Api, Keys, NewKey};
use pollster::block_on;
use tower_service::Service;

use crate::alone::alone;
use crate::shop::{self, open, people};

/// How many allocations an answer takes, the request itself aside; the fewest, because now and then a table grows.
fn fewest(router: &Router, token: &str, path: &str) -> u64 {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let requests = (0..50).map(|_| {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        request.body(Body::from(r#"{"parameters": {"payment_id": "pay-1"}}"#)).unwrap()
    });
    let counts = requests.map(|request| {
        let mut router = router.clone();
        let counted = measure(|| {
            tokio.block_on(async {
                let answer = router.call(request).await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK);
                to_bytes(answer.into_body(), 1024).await.unwrap();
            });
        });
        counted.count_total
    });
    counts.min().unwrap()
}

#[test]
fn an_answer_allocates_no_more_than_it_did() {
    alone("http::cost::an_answer_allocates_no_more_than_it_did", count_an_answer);
}

fn count_an_answer() {
    let shop: Arc<Runtime<_>> = Arc::new(open());
    let key = shop::order("ord-1");
    let placed = shop::OrderPlaced { total: kiff::Cents(99_900) };
    assert!(block_on(shop.ingest(&people().shop, &key, placed)).unwrap().is_allowed());
    let keys = Keys::in_memory();
    let (_, token) = keys.create(NewKey::new(people().agent)).unwrap();
    let router = Api::new().domain(shop).authenticate(keys).router();
    let evaluate = fewest(&router, &token, "/entities/ord-1/actions/MARK_PAID/evaluate");
    let validate = fewest(&router, &token, "/entities/ord-1/actions/MARK_PAID/validate");
    // The figures of docs/performance.md; whoever takes one away may lower them.
    assert!(evaluate <= 36, "{evaluate} allocations for a dry run");
    assert!(validate <= 40, "{validate} allocations for a check on the record");
}

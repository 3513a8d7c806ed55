//! Routes of a program's own, beside those of kiff: who asks there, and for whose entities.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use kiff::http::{
    Api, Authenticate, Authenticators, Credentials, Keys, Limits, NewKey, Principal, Unauthenticated, serve,
};
use kiff::{Actor, MemoryStore, Runtime};
use pollster::block_on;
use tokio::net::TcpListener;

use super::server::{Client, on_its_own_thread};
use crate::shop::{self, Desk, Refund, people};

/// Knows whoever is connected from this machine and says so.
struct Neighbours;

impl Authenticate for Neighbours {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        let is_near = credentials.peer().is_some_and(|peer| peer.is_loopback());
        Ok((credentials.has("x-near") && is_near).then(|| Principal::new(Actor::human("omar").unwrap())))
    }
}

/// Who asks, and for which order.
async fn label(
    State(authenticators): State<Authenticators>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<String, StatusCode> {
    let who = authenticators.who(&headers, Some(peer)).await.map_err(|error| {
        if error.is_undecided() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNAUTHORIZED }
    })?;
    let order = who.entity::<Refund>(&id).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(format!("{} {order}", who.actor().id()))
}

#[test]
fn p4_a_route_of_ones_own_knows_who_asks_as_those_of_kiff_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let keys = Keys::open(&path).unwrap();
    let (key, agent) = keys.create(NewKey::new(people().agent).in_tenant("acme")).unwrap();
    let shop = Arc::new(Runtime::<Refund, _>::new(MemoryStore::new(), shop::policy(), Desk::default()));
    let (listening, address) = std::sync::mpsc::channel();
    let thread = on_its_own_thread(move || async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Api::new().domain(shop).authenticate(keys).authenticate(Neighbours);
        let own = Router::new().route("/labels/{id}", get(label)).with_state(api.authenticators());
        let (close, closed) = tokio::sync::oneshot::channel::<()>();
        listening.send((listener.local_addr().unwrap(), close)).unwrap();
        let closed = async { drop(closed.await) };
        serve(listener, own.fallback_service(api.router()), Limits::DEFAULT, closed).await.unwrap();
    });
    let (address, close) = address.recv().unwrap();
    let stranger = Client::at(address);
    let asked = |client: &Client, id: &str| {
        let own = client.get(&format!("/labels/{id}"));
        let of_kiff = client.get(&format!("/entities/{id}")).status;
        assert_eq!(own.status == 401, of_kiff == 401, "{id}");
        (own.status, own.body)
    };
    let agent = stranger.clone().header(&format!("authorization: Bearer {agent}"));
    // An order of its tenant, and of no other.
    assert_eq!(asked(&agent, "ord-1"), (200, "agent-7 acme:Order/ord-1".to_owned()));
    assert_eq!(asked(&agent, "%2E").0, 400);
    let near = stranger.clone().header("x-near: yes");
    assert_eq!(asked(&near, "ord-1"), (200, "omar Order/ord-1".to_owned()));
    assert_eq!(asked(&stranger, "ord-1").0, 401);
    // What is shown and not good is not made up for by something else.
    Keys::open(&path).unwrap().revoke(&key.id).unwrap().unwrap();
    assert_eq!(asked(&agent.clone().header("x-near: yes"), "ord-1").0, 401);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(asked(&agent, "ord-1").0, 503);
    drop(close);
    thread.join().unwrap();
}

#[test]
fn p4_authenticators_of_no_face_know_nobody() {
    assert!(block_on(Authenticators::default().who(&HeaderMap::new(), None)).is_err());
}

//! Who asks: keys, whom a body may name, and who sees what.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use kiff::http::{
    Api, Authenticate, Credentials, Keys, KeysError, Limits, NewKey, Principal, TrustBody, Unauthenticated,
};
use kiff::{Actor, ActorId, ActorKind, MemoryStore, Runtime, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;

use super::page::Browser;
use super::server::{Client, Server, on_its_own_thread};
use crate::observed::Heard;
use crate::shop::{self, people};
use crate::wait::until;

const PAY: &str = "/entities/ord-1/actions/MARK_PAID/validate";
const BODY: &str = r#"{"parameters": {"payment_id": "pay-1"}}"#;

#[test]
fn whoever_shows_no_good_key_is_nobody() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let (key, token) = server.keys.create(NewKey::new(people().agent)).unwrap();
    let wrong = format!("{}x", &token[..token.len() - 1]);
    let other = token.replace(&key.id, "0000000000000000");
    for token in ["", "kiff_", "kiff_x", "another", &wrong, &other, &token.to_uppercase()] {
        let answer = server.bearing(token).post(PAY, BODY);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert!(answer.expect(401)["error"].is_string());
    }
    for path in ["/entities/ord-1/timeline", "/entities", "/approvals", "/events", "/domains", "/tools/mcp.json"] {
        server.stranger().get(path).expect(401);
    }
    server.stranger().post(PAY, "{").expect(401);
    let described = everybody.nora.get("/openapi.json").expect(200);
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|_| path != "/healthz" && path != "/readyz") {
            let (method, path) = (method.to_uppercase(), path.replace(['{', '}'], ""));
            assert_eq!(server.stranger().send(&method, &path, None).status, 401, "{method} {path}");
        }
    }
    assert_eq!(server.stranger().get("/healthz").status, 200);
    assert_eq!(server.stranger().get("/readyz").status, 200);

    server.bearing(&token).post(PAY, BODY).expect(200);
    server.keys.revoke(&key.id).unwrap().unwrap();
    server.bearing(&token).post(PAY, BODY).expect(401);
    let soon = NewKey::new(people().agent).expires_at(Timestamp::from_microseconds(1));
    let (_, expired) = server.keys.create(soon).unwrap();
    server.bearing(&expired).post(PAY, BODY).expect(401);
}

/// Believes whoever says that they are Nora.
struct Credulous;

impl Authenticate for Credulous {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        Ok(credentials.has("x-nora").then(|| Principal::new(people().nora)))
    }
}

#[test]
fn p4_whoever_shows_what_is_not_good_is_not_asked_for_something_else() {
    let server = Server::with(Limits::DEFAULT, |api| api.authenticate(Credulous));
    server.everybody().place("ord-1");
    let (key, token) = server.keys.create(NewKey::new(people().agent)).unwrap();
    let also = |client: Client| client.header("x-nora: yes").get("/entities/ord-1").status;
    assert_eq!(also(server.stranger()), 200);
    server.keys.revoke(&key.id).unwrap().unwrap();
    assert_eq!(also(server.bearing(&token)), 401);
}

#[test]
fn a_member_that_an_action_does_not_have_is_told_and_not_passed_over() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    for (member, value) in [("params", "{}"), ("approvalId", "\"app-1\""), ("idempotencyKey", "\"k\"")] {
        let body = format!(r#"{{"parameters": {{"payment_id": "pay-1"}}, "{member}": {value}}}"#);
        let told = everybody.agent.post("/entities/ord-1/actions/MARK_PAID/execute", &body).expect(400).to_string();
        assert!(told.contains(&format!("unknown field `{member}`")), "{told}");
    }
    let settle = "/entities/ord-1/executions/run-1/settle";
    for (path, body, member) in [
        ("/approvals/app-1/grant", r#"{"raeson": "the photo"}"#, "raeson"),
        ("/approvals/app-1/deny", r#"{"entity": "ord-1"}"#, "entity"),
        ("/approvals/app-1/withdraw", r#"{"comment": "no"}"#, "comment"),
        (settle, r#"{"happened": false, "reason": "no", "because": "no"}"#, "because"),
        (settle, r#"{"happened": true, "event": {"type": "ORDER_PAID", "data": {}}, "reason": "yes"}"#, "data"),
    ] {
        let told = everybody.nora.post(path, body).expect(400).to_string();
        assert!(told.contains(&format!("unknown field `{member}`")), "{path}: {told}");
    }
    let body =
        r#"{"type": "ORDER_PLACED", "entity_id": "ord-2", "entity_type": "Order", "payload": {"total": 5}, "note": 1}"#;
    let told =
        everybody.shop.post("/events/raw", &body.replace("\"note\": 1", "\"actor\": {\"id\": \"shop\"}")).expect(400);
    assert_eq!(told["error"], "an event names its actor by `actor_id`, and its kind by `actor_type`");
    everybody.shop.post("/events/raw", body).expect(201);
    assert!(server.shop.services().done().is_empty());
}

#[test]
fn p4_nobody_is_another_by_saying_so() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let refund = "/entities/ord-1/actions/REFUND_ORDER/approvals";
    let body = r#"{"approval_id": "app-1", "parameters": {"amount": 1, "reason": "x"}, "actor": {"id": "agent-7"}}"#;
    let answer = everybody.nora.post(refund, body).expect(403);
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("blocked"), &json!("permission_denied")));
    everybody.agent.post(refund, body).expect(201);

    let grant = r#"{"actor": {"id": "nora", "type": "human"}}"#;
    assert_eq!(everybody.agent.post("/approvals/app-1/grant", grant).expect(403)["reason"], "permission_denied");
    assert_eq!(everybody.agent.post("/approvals/app-1/grant", "{}").expect(403)["reason"], "permission_denied");
    let as_human = r#"{"actor": {"id": "agent-7", "type": "human"}}"#;
    everybody.agent.post("/approvals/app-1/grant", as_human).expect(403);
    let note = r#"{"parameters": {"text": "x"}, "actor": {"id": "agent-7", "type": "human"}}"#;
    everybody.agent.post("/entities/ord-1/actions/ADD_NOTE/execute", note).expect(403);
    let alien = r#"{"actor": {"id": "nora", "type": "alien"}}"#;
    let told = everybody.nora.post("/approvals/app-1/grant", alien).expect(400);
    let kinds = "write one of `human`, `agent`, `service`, `system`, `external`";
    assert_eq!(told["error"], format!("`actor.type`: no kind of actor: {kinds}"));
    everybody.nora.post("/approvals/app-1/grant", grant).expect(200);
}

#[test]
fn a_service_that_may_acts_for_others_and_nobody_else_ever_does() {
    let server = Server::open();
    server.everybody().paid("ord-1");
    let portal = Actor::new(ActorId::new("portal").unwrap(), ActorKind::Service);
    let portal = server.bearing(&server.keys.create(NewKey::new(portal).acting_for_others()).unwrap().1);
    let partner = Actor::new(ActorId::new("partner").unwrap(), ActorKind::External);
    let people = people();
    let body = r#"{"approval_id": "app-1", "parameters": {"amount": 1, "reason": "x"}, "actor": {"id": "agent-7"}}"#;
    portal.post("/entities/ord-1/actions/REFUND_ORDER/approvals", body).expect(201);
    let grant = r#"{"actor": {"id": "nora"}}"#;
    for other in [people.agent, people.auditor, partner] {
        server.client(&other).post("/approvals/app-1/grant", grant).expect(403);
        // Nor is anything made for them that says otherwise.
        assert!(!Principal::new(other.clone()).acting_for_others().acts_for_others(), "{other}");
        let refused = server.keys.create(NewKey::new(other.clone()).acting_for_others());
        assert!(matches!(refused, Err(KeysError::ActsForOthers(kind)) if kind == other.kind()), "{refused:?}");
    }
    let granted = portal.post("/approvals/app-1/grant", grant).expect(200);
    assert_eq!(granted["approval"]["reviewed_by"], "nora");
    // Itself it holds no role.
    portal.get("/entities/ord-1/timeline").expect(403);
    // A service whose key does not say so acts for nobody.
    let shop = server.client(&Actor::new(ActorId::new("portal").unwrap(), ActorKind::Service));
    let body = body.replace("app-1", "app-2");
    shop.post("/entities/ord-1/actions/REFUND_ORDER/approvals", &body).expect(403);
}

#[test]
fn who_holds_no_role_sees_nothing_not_even_what_there_is() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let asked = r#"{"approval_id": "app-1", "parameters": {"amount": 1, "reason": "x"}}"#;
    everybody.agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", asked).expect(201);
    let mallory = server.client(&Actor::human("mallory").unwrap());
    // Of the name that has a role, and of another kind.
    let impostor = server.client(&Actor::agent("nora").unwrap());
    for client in [&mallory, &impostor] {
        for path in ["", "/timeline", "/allowed-actions", "/approvals"] {
            let known = client.get(&format!("/entities/ord-1{path}")).expect(403);
            let unknown = client.get(&format!("/entities/ord-2{path}")).expect(403);
            assert_eq!(known.to_string().replace("ord-1", "ord-2"), unknown.to_string());
            assert_eq!((&known["reason"], &known["current_state"]), (&json!("permission_denied"), &json!(null)));
        }
        client.post(PAY, BODY).expect(403);
        let placed = |id: &str| {
            let body =
                json!({ "type": "ORDER_PLACED", "entity_id": id, "entity_type": "Order", "payload": { "total": 5 } });
            client.post("/events/raw", &body.to_string()).expect(403).to_string()
        };
        assert_eq!(placed("ord-1").replace("ord-1", "ord-2"), placed("ord-2"));
        assert_eq!(client.get("/entities").expect(200), json!({ "entities": [] }));
        assert_eq!(client.get("/approvals").expect(200), json!({ "approvals": [] }));
        client.post("/approvals/app-1/grant", "{}").expect(404);
    }
    // Nor can they write into the journal of what they may not see.
    let timeline = everybody.nora.get("/entities/ord-1/timeline").expect(200).to_string();
    assert!(timeline.contains("approval_recorded") && !timeline.contains("approval_review_rejected"), "{timeline}");
    assert_eq!(server.shop.services().done().len(), 1);
}

#[test]
fn each_tenant_has_entities_of_its_own() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let of_acme = |actor| server.bearing(&server.keys.create(NewKey::new(actor).in_tenant("acme")).unwrap().1);
    let (shop, agent, nora) = (of_acme(people().shop), of_acme(people().agent), of_acme(people().nora));
    agent.get("/entities/ord-1").expect(404);
    let placed = r#"{"type": "ORDER_PLACED", "entity_id": "ord-1", "entity_type": "Order", "payload": {"total": 5}}"#;
    shop.post("/events/raw", placed).expect(201);
    assert_eq!(agent.get("/entities/ord-1").expect(200)["entity"]["state"], "CREATED");
    assert_eq!(everybody.agent.get("/entities/ord-1").expect(200)["entity"]["state"], "PAID");
    let asked = r#"{"approval_id": "app-1", "parameters": {"amount": 1, "reason": "x"}}"#;
    everybody.agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", asked).expect(201);
    assert_eq!(nora.get("/approvals").expect(200), json!({ "approvals": [] }));
    nora.post("/approvals/app-1/grant", "{}").expect(404);
    assert!(server.keys.create(NewKey::new(people().nora).in_tenant("ac\u{202e}me")).is_err());
    assert_eq!(nora.get("/entities").expect(200), json!({ "entities": [{ "id": "ord-1", "type": "Order" }] }));
}

#[test]
fn a_file_of_keys_is_private_and_seen_by_other_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (one, other) = (Keys::open(&path).unwrap(), Keys::open(&path).unwrap());
    let (key, token) = one.create(NewKey::new(people().agent).note("the night shift")).unwrap();
    assert_eq!(other.list().unwrap(), vec![key.clone()]);
    let text = std::fs::read_to_string(&path).unwrap();
    // A secret may hold a `_` itself.
    let secret = token.splitn(3, '_').nth(2).unwrap();
    assert!(!text.contains(secret) && text.contains("the night shift"));
    other.revoke(&key.id).unwrap().unwrap();
    assert!(one.list().unwrap()[0].revoked_at.is_some());
    assert_eq!(one.revoke("nobody").unwrap(), None);

    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for open in [0o640, 0o620, 0o604, 0o602] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
        assert!(Keys::open(&path).unwrap_err().to_string().contains("chmod 600"), "{open:o}");
        assert!(one.list().is_err(), "{open:o}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, "{}").unwrap();
    assert!(one.list().unwrap_err().to_string().contains("no file of keys"));
    std::fs::write(&path, r#"{"kiff_keys": 2, "keys": {}}"#).unwrap();
    assert!(one.list().unwrap_err().to_string().contains("version 2 is not known"));
}

#[test]
fn a_key_is_listed_without_its_digest_and_kept_with_it() {
    let kept = r#""00000000000000a7": {
      "id": "00000000000000a7",
      "actor": {
        "id": "nora",
        "kind": "human"
      },
      "tenant": "default",
      "acts_for_others": false,
      "note": "",
      "created_at": "2026-11-23T10:00:00.000000Z",
      "expires_at": null,
      "revoked_at": null,
      "digest": "4d3ca91539c8f61e47b25979c33c5d25c0537a9e84b6c2f069cc29cddcf2ef0f"
    }"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, format!("{{\n  \"kiff_keys\": 1,\n  \"keys\": {{\n    {kept}\n  }}\n}}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let keys = Keys::open(&path).unwrap();
    let told = json!([{
        "id": "00000000000000a7",
        "actor": { "id": "nora", "kind": "human" },
        "tenant": "default",
        "acts_for_others": false,
        "note": "",
        "created_at": "2026-11-23T10:00:00.000000Z",
        "expires_at": null,
        "revoked_at": null,
    }]);
    assert_eq!(serde_json::to_value(keys.list().unwrap()).unwrap(), told);
    keys.create(NewKey::new(people().agent)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(kept), "{text}");

    let shop = Arc::new(Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let server = Server::known_by(keys, shop, Limits::DEFAULT, |api| api);
    server.bearing("kiff_00000000000000a7_a-secret-of-a-test").get("/entities").expect(200);
    server.bearing("kiff_00000000000000a7_another").get("/entities").expect(401);
}

#[test]
fn what_somebody_has_put_beside_a_file_of_keys_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let beside = |name: &str| folder.path().join(name);
    let (path, victim) = (beside("keys.json"), beside("victim"));
    std::fs::write(&victim, "of somebody else").unwrap();
    let keys = Keys::open(&path).unwrap();
    symlink(&victim, beside("keys.json.new")).unwrap();
    keys.create(NewKey::new(people().agent)).unwrap();
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
    std::fs::remove_file(beside("keys.json.lock")).unwrap();
    symlink(&victim, beside("keys.json.lock")).unwrap();
    let refused = keys.create(NewKey::new(people().agent)).unwrap_err().to_string();
    assert!(refused.contains("keys.json.lock") && refused.contains("remove it"), "{refused}");
    assert_eq!(keys.list().unwrap().len(), 1);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "of somebody else");
}

#[test]
fn keys_that_are_made_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let keys = Keys::open(&path).unwrap();
                (0..10).for_each(|_| drop(keys.create(NewKey::new(people().agent)).unwrap()));
            });
        }
    });
    assert_eq!(Keys::open(&path).unwrap().list().unwrap().len(), 40);
}

#[test]
fn a_demonstration_believes_bodies_from_this_machine_alone() {
    let (listening, address) = std::sync::mpsc::channel();
    let server = Server::open();
    let shop = Arc::clone(&server.shop);
    let thread = on_its_own_thread(move || async move {
        let open = TcpListener::bind("0.0.0.0:0").await.unwrap();
        assert!(TrustBody::on(&open).unwrap_err().to_string().contains("listen on 127.0.0.1"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let router = Api::new().domain(shop).authenticate(TrustBody::on(&listener).unwrap()).router();
        let (close, closed) = tokio::sync::oneshot::channel::<()>();
        listening.send((listener.local_addr().unwrap(), close)).unwrap();
        let closed = async { drop(closed.await) };
        kiff::http::serve(listener, router, Limits::DEFAULT, closed).await.unwrap();
    });
    let (address, close) = address.recv().unwrap();
    server.everybody().place("ord-1");
    let mut client = server.stranger();
    client.address = address;
    assert_eq!(client.post(PAY, BODY).expect(400), json!({ "error": "actor id is required" }));
    let named = r#"{"parameters": {"payment_id": "pay-1"}, "actor": {"id": "agent-7"}}"#;
    client.post(PAY, named).expect(200);
    client.get("/entities/ord-1/timeline").expect(200);
    for header in [
        "x-forwarded-for: 192.0.2.1",
        "forwarded: for=192.0.2.1",
        "via: 1.1 proxy.example",
        "x-forwarded-host: shop.example",
        "x-forwarded-proto: https",
        "X-Forwarded-Port: 443",
        "x-real-ip: 192.0.2.1",
        "origin: https://elsewhere.example",
        "origin: null",
        "origin: http://localhost:3000",
        "sec-fetch-site: same-site",
        "host: elsewhere.example",
    ] {
        client.clone().header(header).post(PAY, named).expect(401);
    }
    // Nothing that a browser says makes up for an origin that is another one.
    let unclear = client.clone().header("sec-fetch-site: same-origin").header("origin: http://localhost:3000");
    unclear.post(PAY, named).expect(401);
    client.header(&format!("origin: http://{address}")).post(PAY, named).expect(200);
    drop(close);
    thread.join().unwrap();
}

/// A server whose keys stand in a file, and Nora, who is signed in at the pages with one of them.
fn of_a_file(path: &Path) -> (Server, Client, Browser) {
    let keys = Keys::open(path).unwrap();
    let (_, nora) = keys.create(NewKey::new(people().nora)).unwrap();
    let shop = Arc::new(Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
    let server = Server::known_by(keys, shop, Limits::DEFAULT, |api| api);
    let client = server.bearing(&nora);
    let Ok(browser) = Browser::at(&server.stranger(), &format!("key={nora}")) else { panic!("she is let in") };
    (server, client, browser)
}

/// Something that is done to a file.
type Change<'a> = &'a dyn Fn();

#[test]
fn p9_a_file_of_keys_that_cannot_be_read_is_no_fault_of_who_shows_one() {
    let heard = Heard::everything();
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (folder.path().join("keys.json"), folder.path().join("away.json"));
    let (server, client, browser) = of_a_file(&path);
    let whole = std::fs::read(&path).unwrap();
    let open = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let spoil: [(Change<'_>, Change<'_>, &str); 3] = [
        (&|| open(0o640), &|| open(0o600), "chmod 600"),
        (
            &|| std::fs::write(&path, &whole[..whole.len() / 2]).unwrap(),
            &|| std::fs::write(&path, &whole).unwrap(),
            "no file of keys",
        ),
        (&|| std::fs::rename(&path, &away).unwrap(), &|| std::fs::rename(&away, &path).unwrap(), "it is gone"),
    ];
    for (spoil, mend, why) in spoil {
        assert_eq!((client.get("/entities").status, server.stranger().get("/readyz").status), (200, 200), "{why}");
        spoil();
        let told = client.get("/entities").expect(503);
        assert_eq!(told["error"], "nobody can tell at the moment whether the credentials are good");
        assert_eq!(browser.client.get("/admin").status, 503);
        let Err(door) = Browser::at(&server.stranger(), "key=kiff_0_0") else { panic!("nobody is let in") };
        assert_eq!(door.status, 503);
        until(|| server.stranger().get("/readyz").status != 200);
        server.stranger().get("/readyz").expect(503);
        let told = heard.with("message", "nobody can tell who sends a request");
        let is_of_it = |error: &String| error.contains(path.to_str().unwrap()) && error.contains(why);
        assert!(told.iter().any(|event| is_of_it(&event["error"])), "{why}: {told:?}");
        mend();
        assert_eq!(browser.client.get("/admin").status, 200, "{why}: the session outlasts it");
        until(|| server.stranger().get("/readyz").status != 503);
    }
}

#[test]
fn p9_a_key_that_was_revoked_is_not_good_again_while_the_file_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (_server, client, browser) = of_a_file(&path);
    let elsewhere = Keys::open(&path).unwrap();
    let key = elsewhere.list().unwrap().remove(0);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(client.get("/entities").status, 503);
    // Nor is a file begun anew past the keys that were in it.
    assert!(elsewhere.create(NewKey::new(people().agent)).unwrap_err().to_string().contains("put it back"));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(elsewhere.revoke(&key.id).is_err());
    assert_eq!((client.get("/entities").status, browser.client.get("/admin").status), (503, 503));
}

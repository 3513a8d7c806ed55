//! What the face says of itself: `OpenAPI`, tools and domains.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kiff::ActorKind;
use kiff::http::{Tokens, TokensError};
use serde_json::{Value, json};

use super::server::Server;
use crate::observed::Heard;
use crate::shop::people;
use crate::wait::until;

#[test]
fn the_openapi_document_has_each_action_with_its_own_parameters() {
    let server = Server::open();
    let agent = server.client(&people().agent);
    let document = agent.get("/openapi.json").expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let execute = &document["paths"]["/entities/{id}/actions/REFUND_ORDER/execute"]["post"];
    let body = &execute["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["parameters"]["required"], json!(["amount", "reason"]));
    assert_eq!(body["properties"]["parameters"]["properties"]["amount"]["maximum"], 1_000_000);
    for status in ["200", "400", "401", "403", "404", "409", "422"] {
        assert!(execute["responses"][status].is_object(), "{status}");
    }
    // Whatever is referred to is there.
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn a_body_is_required_where_something_in_it_is() {
    let server = Server::open();
    let document = server.client(&people().agent).get("/openapi.json").expect(200);
    for (path, expected) in [
        ("REFUND_ORDER/execute", json!(["parameters"])),
        ("REFUND_ORDER/approvals", json!(["parameters", "approval_id"])),
        ("EXPORT_ORDER/execute", json!([])),
        ("EXPORT_ORDER/approvals", json!(["approval_id"])),
    ] {
        let body = &document["paths"][format!("/entities/{{id}}/actions/{path}")]["post"]["requestBody"];
        assert_eq!(body["content"]["application/json"]["schema"]["required"], expected, "{path}");
        assert_eq!(body["required"], expected != json!([]), "{path}");
    }
    assert_eq!(document["components"]["requestBodies"]["Review"]["required"], false);
}

#[test]
fn each_operation_says_of_itself_what_it_answers_when_it_is_not_done() {
    let server = Server::open();
    let document = server.client(&people().agent).get("/openapi.json").expect(200);
    let answers = |pointer: &str| {
        let responses = document.pointer(&format!("/paths/{pointer}/responses")).unwrap().as_object().unwrap();
        responses.keys().cloned().collect::<Vec<_>>()
    };
    let execute = answers("~1entities~1{id}~1actions~1REFUND_ORDER~1execute/post");
    assert_eq!(execute, ["200", "400", "401", "403", "404", "409", "413", "422", "429", "500", "503", "504"]);
    assert_eq!(answers("~1events/get"), ["200", "400", "401", "429", "503", "504"]);
    assert_eq!(answers("~1readyz/get"), ["200", "503", "504"]);
    assert_eq!(answers("~1healthz/get"), ["200"]);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(get) = operations.get("get") else { continue };
        assert!(get.get("problems").is_none(), "{path}");
        for of_a_body in ["413", "422"] {
            assert!(get["responses"].get(of_a_body).is_none(), "{path} has no body");
        }
    }
}

pub(super) fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match member {
            Value::String(target) if name == "$ref" => references.push(target.clone()),
            _ => collect(member, references),
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn the_tools_and_the_domains_are_those_of_the_block() {
    let server = Server::open();
    let agent = server.client(&people().agent);
    let tools = agent.get("/tools/anthropic.json?entity=order_id").expect(200);
    assert_eq!(tools[1]["name"], "REFUND_ORDER");
    assert_eq!(tools[1]["input_schema"]["required"], json!(["order_id", "amount", "reason"]));
    assert_eq!(agent.get("/tools/openai.json").expect(200)[0]["type"], "function");
    let flat = agent.get("/tools/openai-responses.json").expect(200);
    assert_eq!((&flat[0]["type"], &flat[1]["name"]), (&json!("function"), &json!("REFUND_ORDER")));
    assert!(agent.get("/tools/mcp.json").expect(200)[0]["inputSchema"].is_object());
    agent.get("/tools/mcp.json?entity=amount").expect(400);
    assert_eq!(agent.get("/domains").expect(200)["domains"][0]["entity_type"], "Order");
}

#[test]
fn what_a_tool_takes_stands_in_the_order_of_the_signature() {
    let server = Server::open();
    let text = server.client(&people().agent).get("/tools/anthropic.json?entity=order_id").body;
    let (_, refund) = text.split_once("REFUND_ORDER").unwrap();
    let places = ["\"order_id\":{", "\"amount\":{", "\"reason\":{"].map(|name| refund.find(name).unwrap());
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn the_property_for_the_entity_has_a_name_that_agents_accept() {
    let server = Server::open();
    let agent = server.client(&people().agent);
    for name in ["", "order%20id", "gr%C3%B6%C3%9Fe", &"x".repeat(65)] {
        let told = agent.get(&format!("/tools/anthropic.json?entity={name}")).expect(400);
        let error = told["error"].as_str().unwrap();
        assert!(error.ends_with("give it a name of 1 to 64 letters (a to z), digits, `_`, `.` and `-`"), "{error}");
    }
}

/// A key to sign with, and the file that says how its signatures are checked.
struct Issuer {
    key: EncodingKey,
    public: Value,
}

impl Issuer {
    fn new(kid: &str, private: &str, public: &str) -> Self {
        let private = base64::engine::general_purpose::STANDARD.decode(private).unwrap();
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": public });
        Self { key: EncodingKey::from_ed_der(&private), public }
    }

    fn token(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.key).unwrap()
    }
}

/// Writes the keys of an issuer, which all may read.
fn publish(path: &Path, keys: &Value) {
    std::fs::write(path, keys.to_string()).unwrap();
    open_to(path, 0o644);
}

fn open_to(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A key pair that was made for this test and protects nothing.
const ONE: (&str, &str) =
    ("MC4CAQAwBQYDK2VwBCIEINLiHyQgFcqMtQTnTlEyNp/j6sno//OL2yf3PeNYyTUd", "ojCHtRrOUkE_d9OiLhjOEcmEF2sdAA4A3oZUe3Wx7zg");

/// Another one.
const OTHER: (&str, &str) =
    ("MC4CAQAwBQYDK2VwBCIEIIWs5OAbFs7U9lWaLHseUAAjxnbOHLqXZDOAuO/prLbH", "Kfh4-NDuzcvLt9O7HluwJBsbB-vcAwkDzjAIcXdcgME");

/// Seconds since 1970, so many from now.
fn from_now(seconds: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

#[test]
fn a_token_is_held_to_its_issuer_its_audience_its_time_and_its_key() {
    let one = Issuer::new("one", ONE.0, ONE.1);
    let other = Issuer::new("other", OTHER.0, OTHER.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    publish(&path, &json!({ "keys": [one.public] }));
    let tokens = Tokens::new("https://login.example", "kiff", &path).unwrap();
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
    server.everybody().place("ord-1");
    let claims = json!({
        "sub": "nora", "iss": "https://login.example", "aud": "kiff", "exp": from_now(60), "kiff_kind": "human",
    });
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let status = |token: &str| server.bearing(token).get("/entities/ord-1").status;
    assert_eq!(status(&one.token("one", &claims)), 200);
    // The clocks differ a little.
    assert_eq!(status(&one.token("one", &changed("exp", from_now(-10).into()))), 200);
    for (name, value) in [
        ("exp", from_now(-3600).into()),
        ("exp", Value::Null),
        ("nbf", from_now(3600).into()),
        ("iss", "https://elsewhere.example".into()),
        ("aud", "another".into()),
        ("kiff_kind", "alien".into()),
        ("kiff_kind", Value::Null),
        ("sub", "".into()),
    ] {
        assert_eq!(status(&one.token("one", &changed(name, value.clone()))), 401, "{name} {value}");
    }
    for name in ["exp", "iss", "aud", "sub", "kiff_kind"] {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(status(&one.token("one", &claims)), 401, "without {name}");
    }
    // Nobody passes for a human by a token that was given to an agent.
    assert_eq!(status(&one.token("one", &changed("kiff_kind", "agent".into()))), 403);
    let token = one.token("one", &claims);
    let (head, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(status(&format!("{head}.{}", "A".repeat(signature.len()))), 401);
    assert_eq!(status(&format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap())), 401);
    assert_eq!(status(&other.token("one", &claims)), 401);

    // The issuer changes its keys, by another file that is as old as the one before.
    assert_eq!(status(&other.token("other", &claims)), 401);
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    let next = folder.path().join("next.json");
    publish(&next, &json!({ "keys": [other.public] }));
    std::fs::File::options().write(true).open(&next).unwrap().set_modified(before).unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert_eq!(status(&other.token("other", &claims)), 200);
    assert_eq!(status(&one.token("one", &claims)), 401);
    // Where the file is gone, that is not the fault of whoever shows a token.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(status(&other.token("other", &claims)), 503);
    until(|| server.stranger().get("/readyz").status != 200);
    assert_eq!(server.stranger().get("/readyz").expect(503)["error"], "nobody can tell who asks");
}

#[test]
fn keys_of_an_issuer_that_cannot_be_read_are_told_apart_from_what_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let open = || Tokens::new("https://login.example", "kiff", &path).unwrap_err();
    let missing = open();
    assert!(matches!(missing, TokensError::File(..)), "{missing:?}");
    assert!(!missing.to_string().contains("no set of keys"), "{missing}");
    publish(&path, &json!({ "key": [] }));
    let other = open();
    assert!(matches!(other, TokensError::Shape(..)), "{other:?}");
    assert!(other.to_string().contains("no set of keys"), "{other}");
}

#[test]
fn a_token_is_checked_with_the_key_that_it_names_and_that_is_a_public_one() {
    let (one, other) = (Issuer::new("one", ONE.0, ONE.1), Issuer::new("other", OTHER.0, OTHER.1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    // Whoever can check a signature with a shared secret can make one.
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode("a secret that many know");
    let shared = json!({ "kty": "oct", "alg": "HS256", "kid": "shared", "k": secret });
    publish(&path, &json!({ "keys": [one.public, other.public, shared] }));
    let tokens = Tokens::new("https://login.example", "kiff", &path).unwrap().tenant_claim("org");
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
    server.everybody().place("ord-1");
    let mut claims = json!({
        "sub": "nora", "iss": "https://login.example", "aud": "kiff", "exp": from_now(60), "kiff_kind": "human",
        "org": "default",
    });
    let status = |token: &str| server.bearing(token).get("/entities/ord-1").status;
    assert_eq!(status(&one.token("one", &claims)), 200);
    assert_eq!(status(&one.token("nowhere", &claims)), 401);
    let unnamed = encode(&Header::new(Algorithm::EdDSA), &claims, &one.key).unwrap();
    assert_eq!(status(&unnamed), 401, "it says of none of several keys that it is the one");
    let header = Header { kid: Some("shared".to_owned()), ..Header::new(Algorithm::HS256) };
    let forged = encode(&header, &claims, &EncodingKey::from_secret(b"a secret that many know")).unwrap();
    assert_eq!(status(&forged), 401);
    claims["org"] = "acme".into();
    assert_eq!(status(&one.token("one", &claims)), 404, "the order is another tenant's");
    claims.as_object_mut().unwrap().remove("org");
    assert_eq!(status(&one.token("one", &claims)), 401, "it says of no tenant that it is its own");
}

#[test]
fn p4_the_issuer_of_actors_of_one_kind_vouches_for_no_other() {
    let heard = Heard::everything();
    let one = Issuer::new("one", ONE.0, ONE.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    publish(&path, &json!({ "keys": [one.public] }));
    let tokens = Tokens::new("https://agents.example", "kiff", &path).unwrap();
    let tokens = tokens.kind(ActorKind::Agent).kind_claim("sort");
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
    server.everybody().place("ord-1");
    let mut claims = json!({
        "sub": "agent-7", "iss": "https://agents.example", "aud": "kiff", "exp": from_now(60), "kiff_kind": "human",
    });
    let status = |claims: &Value| server.bearing(&one.token("one", claims)).get("/entities/ord-1").status;
    assert_eq!(status(&claims), 200, "it is another claim that says the kind");
    claims["sort"] = "agent".into();
    assert_eq!(status(&claims), 200);
    // An approver, if the issuer could make one.
    for (sub, sort) in [("nora", "human"), ("nora", "alien"), ("agent-7", "service"), ("agent-7", "human")] {
        claims["sub"] = sub.into();
        claims["sort"] = sort.into();
        assert_eq!(status(&claims), 401, "{sub} {sort}");
    }
    let told = heard.with("message", "a request was refused: nobody knows who sent it");
    let why = "`sort` says `human`, and all tokens of this issuer are of the kind `agent`";
    assert!(told.iter().any(|event| event["error"] == why), "{told:?}");
}

#[test]
fn p4_a_prefix_tells_the_actors_of_an_issuer_from_all_others() {
    let one = Issuer::new("one", ONE.0, ONE.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    publish(&path, &json!({ "keys": [one.public] }));
    let tokens = |prefix: &str| Tokens::new("https://login.example", "kiff", &path).unwrap().prefix(prefix);
    let claims = |sub: &str| {
        let exp = from_now(60);
        json!({ "sub": sub, "iss": "https://login.example", "aud": "kiff", "exp": exp, "kiff_kind": "human" })
    };
    for (prefix, sub, expected) in [("", "nora", 200), ("no", "ra", 200), ("guest:", "nora", 403), ("nora", "", 401)] {
        let tokens = tokens(prefix);
        let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
        server.everybody().place("ord-1");
        let client = server.bearing(&one.token("one", &claims(sub)));
        assert_eq!(client.get("/entities/ord-1").status, expected, "{prefix}{sub}");
    }
}

#[test]
fn whom_nobody_knows_writes_no_line_into_the_log() {
    let heard = Heard::everything();
    let one = Issuer::new("one", ONE.0, ONE.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    publish(&path, &json!({ "keys": [one.public] }));
    let tokens = Tokens::new("https://login.example", "kiff", &path).unwrap();
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
    let line = "x\n2026-11-23T10:00:00Z ERROR kiff::log: the log could not be advanced";
    let header = json!({ "alg": format!("{line}{}", "x".repeat(10_000)) }).to_string();
    let token = format!("{}.e30.x", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header));
    let asked = format!("/entities/forged-{}", "x".repeat(10_000));
    assert_eq!(server.bearing(&token).get(&asked).status, 401);
    let told = heard.with("message", "a request was refused: nobody knows who sent it");
    let event = told.iter().find(|event| event["path"].starts_with("/entities/forged-")).unwrap();
    for name in ["path", "error"] {
        assert!(!event[name].contains('\n') && event[name].chars().count() < 300, "{name}: {}", event[name]);
    }
    assert!(event["error"].contains(r"x\u{a}2026-11-23"), "{}", event["error"]);
}

#[test]
fn p4_each_of_two_issuers_vouches_for_its_own_tokens_alone() {
    let (one, other) = (Issuer::new("one", ONE.0, ONE.1), Issuer::new("other", OTHER.0, OTHER.1));
    let folder = tempfile::tempdir().unwrap();
    let tokens = |name: &str, issuer: &Issuer| {
        let path = folder.path().join(name);
        publish(&path, &json!({ "keys": [issuer.public] }));
        Tokens::new(format!("https://{name}.example"), "kiff", &path).unwrap()
    };
    let (first, second) = (tokens("one", &one), tokens("other", &other));
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(first).authenticate(second));
    server.everybody().place("ord-1");
    let claims = |issuer: &str| {
        let issuer = format!("https://{issuer}.example");
        json!({ "sub": "nora", "iss": issuer, "aud": "kiff", "exp": from_now(60), "kiff_kind": "human" })
    };
    let status = |token: &str| server.bearing(token).get("/entities/ord-1").status;
    assert_eq!(status(&one.token("one", &claims("one"))), 200);
    assert_eq!(status(&other.token("other", &claims("other"))), 200);
    // What one signs in the name of the other is worth nothing to either.
    for kid in ["one", "other"] {
        assert_eq!(status(&one.token(kid, &claims("other"))), 401, "{kid}");
        assert_eq!(status(&other.token(kid, &claims("one"))), 401, "{kid}");
    }
    assert_eq!(status(&one.token("one", &claims("third"))), 401);
}

#[test]
fn p4_keys_of_an_issuer_that_others_can_write_count_for_nobody() {
    let one = Issuer::new("one", ONE.0, ONE.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    publish(&path, &json!({ "keys": [one.public] }));
    let open = || Tokens::new("https://login.example", "kiff", &path);
    for mode in [0o666, 0o664, 0o646] {
        open_to(&path, mode);
        let refused = open().unwrap_err();
        assert!(matches!(refused, TokensError::Open(_, found) if found == mode), "{refused:?}");
        assert!(refused.to_string().contains("chmod go-w"), "{refused}");
    }
    open_to(&path, 0o644);
    let tokens = open().unwrap();
    let server = Server::with(kiff::http::Limits::DEFAULT, |api| api.authenticate(tokens));
    server.everybody().place("ord-1");
    let claims = json!({
        "sub": "nora", "iss": "https://login.example", "aud": "kiff", "exp": from_now(60), "kiff_kind": "human",
    });
    let status = || server.bearing(&one.token("one", &claims)).get("/entities/ord-1").status;
    assert_eq!(status(), 200);
    open_to(&path, 0o666);
    assert_eq!(status(), 503);
    open_to(&path, 0o644);
    assert_eq!(status(), 200);
}

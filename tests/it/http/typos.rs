//! What is written wrong is told, and not answered by silence.

use serde_json::json;

use super::page::Browser;
use super::server::{Client, Server};
use super::stream::Events;
use crate::shop::people;

#[test]
fn a_sort_of_entity_that_no_domain_governs_is_told() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let nora = &everybody.nora;
    let told = "no domain here governs `Ordr`: say by `entity_type` which of `Order` is meant";
    for path in [
        "/entities",
        "/entities/ord-1",
        "/entities/ord-1/timeline",
        "/entities/ord-1/receipt",
        "/entities/ord-1/allowed-actions",
        "/entities/ord-1/approvals",
        "/approvals",
        "/doubts",
        "/events",
        "/tools/openai.json",
        "/mcp",
    ] {
        assert_eq!(nora.get(&format!("{path}?entity_type=Ordr")).expect(400)["error"], told, "{path}");
    }
    for (path, body) in [
        (
            "/events/raw",
            r#"{"type": "ORDER_PLACED", "entity_id": "ord-1", "entity_type": "Ordr", "payload": {"total": 1}}"#,
        ),
        ("/entities/ord-1/reconcile?entity_type=Ordr", ""),
        ("/entities/ord-1/actions/MARK_PAID/evaluate", r#"{"entity_type": "Ordr"}"#),
        ("/entities/ord-1/executions/run-1/settle", r#"{"entity_type": "Ordr", "happened": false, "reason": "no"}"#),
        ("/approvals/app-1/grant", r#"{"entity_type": "Ordr"}"#),
    ] {
        assert_eq!(nora.post(path, body).expect(400)["error"], told, "{path}");
    }
}

#[test]
fn an_entity_that_is_not_there_is_not_one_to_which_nothing_has_happened() {
    let server = Server::open();
    let nora = server.everybody().nora;
    server.everybody().place("ord-1");
    let mallory = server.client(&kiff::Actor::human("mallory").unwrap());
    for (method, route, missing) in [
        ("GET", "", 404),
        ("GET", "/timeline", 404),
        ("GET", "/allowed-actions", 404),
        ("POST", "/reconcile", 404),
        // As clients of other implementations expect it.
        ("GET", "/approvals", 200),
    ] {
        let body = (method == "POST").then_some("");
        let status = |client: &Client, id: &str| client.send(method, &format!("/entities/{id}{route}"), body).status;
        assert_eq!((status(&nora, "ord-1"), status(&nora, "ord-9")), (200, missing), "{route}");
        // Whoever may not see it does not learn whether it is there.
        assert_eq!((status(&mallory, "ord-1"), status(&mallory, "ord-9")), (403, 403), "{route}");
    }
}

#[test]
fn what_is_said_in_a_query_where_the_body_is_heard_is_told() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    for path in [
        "/entities/ord-1/actions/MARK_PAID/execute",
        "/entities/ord-1/actions/MARK_PAID/approvals",
        "/entities/ord-1/executions/run-1/settle",
        "/approvals/app-1/withdraw",
        "/events/raw",
    ] {
        let told = everybody.agent.post(&format!("{path}?entity_type=Order"), "{}").expect(400);
        assert!(told["error"].as_str().unwrap().contains("say in the body"), "{path}: {told}");
    }
    assert!(server.shop.services().done().is_empty());
}

#[test]
fn a_kind_of_record_that_there_is_not_is_told() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let refused = everybody.nora.get("/events?kind=state_chnged").expect(400);
    let told = refused["error"].as_str().unwrap();
    for part in ["no record is of the kind `state_chnged`: write one of", "`state_changed`", "`unknown`"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    // As a record is told of that only a later version knows.
    drop(Events::open(&everybody.nora, "/events?kind=unknown"));
    assert_eq!(Events::open(&everybody.nora, "/events?after=0&kind=state_changed").next().1, "state_changed");
}

#[test]
fn a_parameter_of_the_query_that_a_route_does_not_have_is_told() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    for (path, name) in [
        ("/entities?status=PAID", "status"),
        ("/entities/ord-1?limit=1", "limit"),
        ("/entities/ord-1/timeline?kind=state_changed", "kind"),
        ("/entities/ord-1/receipt?number=1", "number"),
        ("/entities/ord-1/allowed-actions?risk=low", "risk"),
        ("/entities/ord-1/approvals?status=granted", "status"),
        ("/approvals?status=granted", "status"),
        ("/doubts?unknown=true", "unknown"),
        ("/events?entity=ord-1", "entity"),
        ("/tools/openai.json?entitytype=Order", "entitytype"),
        ("/mcp?entity=Order", "entity"),
    ] {
        let refused = everybody.nora.get(path).expect(400);
        let told = refused["error"].as_str().unwrap();
        assert!(told.contains(&format!("unknown field `{name}`, expected")), "{path}: {told}");
    }
    let refused = everybody.nora.get("/approvals?a%E2%80%AEb=c").expect(400);
    assert!(refused["error"].as_str().unwrap().contains(r"unknown field `a\u{202e}b`"), "{refused}");
    // The pages take what they do not know for nothing.
    assert_eq!(server.stranger().get("/admin/sign-in?theme=dark").status, 200);
}

#[test]
fn a_page_that_is_to_show_what_there_is_not_does_not_show_all() {
    let server = Server::open();
    server.everybody().place("ord-1");
    let nora = Browser::of(&server, &people().nora);
    for (path, told) in [
        ("/admin/search?kind=state_chnged", "no record is of the kind `state_chnged`"),
        ("/admin/search?kind=state_chnged&entity=ord-1", "no record is of the kind `state_chnged`"),
        ("/admin/entities/Order/ord-1?kind=state_chnged", "no record is of the kind `state_chnged`"),
        ("/admin/search?entity_type=Ordr", "no domain here governs `Ordr`"),
        ("/admin/search?entity_type=Ordr&actor=shop", "no domain here governs `Ordr`"),
    ] {
        let refused = nora.client.get(path);
        assert_eq!((refused.status, refused.body.contains(told)), (400, true), "{path}: {}", refused.body);
    }
    assert!(nora.get("/admin/search?kind=state_changed").contains("Order/ord-1"));
    assert!(nora.get("/admin/search?kind=unknown").contains("Nothing was found."));
}

#[test]
fn whoever_spells_a_name_in_another_way_is_told_how_it_is_spelt() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    for (name, remedy) in [
        ("mark_paid", "did you mean `MARK_PAID`?"),
        ("MARK_PAYD", "did you mean `MARK_PAID`?"),
        ("FLY", "the actions are `MARK_PAID`, `REFUND_ORDER`, `ADD_NOTE`, `EXPORT_ORDER`"),
    ] {
        for what in ["evaluate", "validate", "execute"] {
            let refused = everybody.agent.post(&format!("/entities/ord-1/actions/{name}/{what}"), "{}").expect(404);
            let expected = json!({ "error": format!("`refund` has no action `{name}`"), "remedy": remedy });
            assert_eq!(refused, expected, "{what}");
        }
    }
    let event = json!({ "type": "order_placed", "entity_id": "ord-2", "entity_type": "Order", "payload": {} });
    let refused = everybody.shop.post("/events/raw", &event.to_string()).expect(400);
    assert_eq!(refused["remedy"], "did you mean `ORDER_PLACED`?");
}

#[test]
fn all_that_is_wrong_with_parameters_is_told_at_once() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let body = r#"{"parameters": {"paid_with": "pay-1", "payment_id": 7}}"#;
    for what in ["evaluate", "validate", "execute"] {
        let refused = everybody.agent.post(&format!("/entities/ord-1/actions/MARK_PAID/{what}"), body).expect(400);
        assert_eq!(refused["reason"], "invalid_parameter", "{what}");
        let told = refused["error"].as_str().unwrap();
        assert!(
            told.starts_with("there is no parameter `paid_with`; the parameter `payment_id` is invalid: "),
            "{told}"
        );
    }
}

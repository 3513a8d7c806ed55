//! Bodies: what is no JSON is refused, and one in which nothing has to be said may be left out.

use serde_json::json;

use super::server::Server;

#[test]
fn bodies_that_are_no_json_are_refused() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for body in
        [" ", "{", "[]", "no", "{\"a\": 1, \"a\": 2}", &deep, "{\"parameters\": {\"amount\": 9007199254740993}}"]
    {
        for what in ["validate", "execute", "approvals"] {
            let path = format!("/entities/ord-1/actions/MARK_PAID/{what}");
            assert_eq!(everybody.agent.post(&path, body).expect(400)["error"], "invalid json body", "{body}");
        }
    }
    everybody.agent.post("/approvals/app-1/grant", "{").expect(400);
}

#[test]
fn a_body_in_which_nothing_has_to_be_said_may_be_left_out() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let export = |what: &str| format!("/entities/ord-1/actions/EXPORT_ORDER/{what}");
    for what in ["evaluate", "validate", "execute"] {
        everybody.auditor.post(&export(what), "").expect(200);
    }
    everybody.auditor.send("POST", &export("execute"), None).expect(200);
    for (approval, amount, answer) in [("app-1", 1, "grant"), ("app-2", 2, "deny")] {
        let wish = json!({ "approval_id": approval, "parameters": { "amount": amount, "reason": "x" } }).to_string();
        everybody.agent.post("/entities/ord-1/actions/REFUND_ORDER/approvals", &wish).expect(201);
        everybody.nora.post(&format!("/approvals/{approval}/{answer}"), "").expect(200);
    }
    everybody.nora.post("/approvals/app-1/withdraw", "").expect(200);
}

#[test]
fn an_empty_body_is_told_what_it_has_to_say() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let refund =
        |what: &str| everybody.agent.post(&format!("/entities/ord-1/actions/REFUND_ORDER/{what}"), "").expect(400);
    assert_eq!(refund("execute")["reason"], "missing_parameter");
    assert_eq!(refund("approvals")["error"], "approval id is required");
    let event = everybody.shop.post("/events/raw", "").expect(400);
    assert!(event["error"].as_str().unwrap().starts_with("not an event: missing field"), "{event}");
    let settled = everybody.auditor.post("/entities/ord-1/executions/run-1/settle", "").expect(400);
    assert!(settled["detail"].as_str().unwrap().contains("missing field `happened`"), "{settled}");
}

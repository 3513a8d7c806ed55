//! Descriptors that are read well and were once written as domains that do not compile, or whose tests fail.

use std::path::Path;

use serde_json::{Value, json};

use super::descriptor::Descriptor;
use super::draft::Draft;
use super::files;
use super::rendered::Rendered;
use crate::failure::Failure;

/// What is written of a descriptor.
struct Written {
    block: String,
    /// The tests of it.
    tests: String,
    /// What is told of it.
    decisions: String,
}

/// Reads a descriptor of a domain `refund`, of these parts, or of the plain ones where there is none.
fn read(parts: &Value) -> Result<Descriptor, Failure> {
    let mut descriptor = json!({
        "domain": "refund",
        "entity": "Order",
        "events": ["ORDER_PLACED", "ORDER_PAID"],
        "states": ["PLACED", "PAID"],
        "transitions": [
            {"on": "ORDER_PLACED", "to": "PLACED"},
            {"on": "ORDER_PAID", "from": "PLACED", "to": "PAID"},
        ],
    });
    for (key, part) in parts.as_object().unwrap() {
        descriptor[key] = part.clone();
    }
    Descriptor::read(Path::new("refund.json"), &descriptor.to_string())
}

/// Writes its domain.
#[track_caller]
fn written(parts: &Value) -> Written {
    let descriptor = read(parts).unwrap();
    let mut draft = Draft::new(&descriptor);
    draft.mend_flow(&descriptor.roles);
    draft.assign_duties(&descriptor);
    let rendered = Rendered::new(&descriptor.domain, &descriptor.entity, &draft);
    let (block, tests) = (rendered.block(), rendered.tests("refund"));
    Written { block, tests, decisions: files::decisions(&draft.findings) }
}

/// An action that this follows on.
fn action(name: &str, state: &str, event: &str) -> Value {
    json!({"name": name, "allowed_states": [state], "follow_up_events": [event]})
}

/// An action that pays, with what is said of it.
fn pay(parts: &Value) -> Value {
    let mut action = action("PAY", "PLACED", "ORDER_PAID");
    for (key, part) in parts.as_object().unwrap() {
        action[key] = part.clone();
    }
    action
}

#[test]
fn nothing_is_promised_of_a_role_that_another_can_stand_in_for() {
    let pay = |roles: &Value| {
        let action = pay(&json!({"required_permissions": ["orders.pay"]}));
        written(&json!({"actions": [action], "roles": roles})).block
    };
    let both = pay(&json!({"agent": ["orders.pay"], "manager": ["orders.pay"]}));
    assert!(both.contains("by: Agent | Manager"), "{both}");
    assert!(!both.contains("never"), "{both}");
    let one = pay(&json!({"manager": ["orders.pay"]}));
    assert!(one.contains("never { Paid without Manager; }"), "{one}");
}

#[test]
fn a_permission_that_runs_one_action_does_nothing_else() {
    let approve_pay = |domain: &str, permissions: &Value| {
        written(&json!({
            "domain": domain,
            "actions": [
                pay(&json!({"required_permissions": ["orders.pay"], "approval": "required"})),
                {"name": "APPROVE_PAY", "allowed_states": ["PLACED"], "required_permissions": permissions},
            ],
            "roles": {"agent": ["orders.pay", "orders.check", "refund.approve_pay"], "operator": []},
        }))
    };
    for permissions in [json!(["refund.approve_pay"]), json!([]), json!(["orders.pay", "orders.check"])] {
        let Written { block, decisions, .. } = approve_pay("refund", &permissions);
        let line = "ApprovePay { risk: low, by: Agent, emits: none, permission: \"refund.run_approve_pay\" };";
        assert!(block.contains(line), "{block}");
        let told =
            "- `duplicate_name`: the permission `refund.approve_pay` would both run `APPROVE_PAY` and approve `PAY`.\n";
        let written = "  Written: what runs `APPROVE_PAY` is called `refund.run_approve_pay`.\n";
        assert!(decisions.contains(&[told, written].concat()), "{decisions}");
    }
    let Written { block, .. } = approve_pay("refund-desk", &json!([]));
    assert!(block.contains("permission: \"refund-desk.run_approve_pay\""), "{block}");
}

#[test]
fn a_permission_that_runs_two_actions_is_written_at_both() {
    let close = |permission: &str| {
        let close = json!({"name": "CLOSE", "allowed_states": ["PLACED"], "required_permissions": [permission]});
        written(&json!({"actions": [pay(&json!({})), close], "roles": {"agent": ["pay", "refund.pay"]}}))
    };
    let Written { block, decisions, .. } = close("refund.pay");
    assert_eq!(block.matches("permission: \"refund.pay\"").count(), 2, "{block}");
    assert!(!decisions.contains("`refund.pay`"), "{decisions}");
    let Written { block, decisions, .. } = close("pay");
    assert!(!block.contains("permission: "), "{block}");
    let told = "- `duplicate_name`: the permissions `pay` and `refund.pay` would be settled by one of one name.\n";
    assert!(decisions.contains(told), "{decisions}");
}

#[test]
fn a_permission_runs_no_two_actions_that_different_roles_settle() {
    let close = json!({"name": "CLOSE", "allowed_states": ["PLACED"], "required_permissions": ["orders.pay"]});
    let Written { block, decisions, .. } = written(&json!({
        "actions": [pay(&json!({"required_permissions": ["orders.pay"], "approval": "required"})), close],
        "roles": {"agent": ["orders.pay"], "manager": ["orders.pay"], "operator": []},
    }));
    assert_eq!(block.matches("permission: \"orders.pay\"").count(), 1, "{block}");
    let told =
        "- `duplicate_name`: the permission `orders.pay` would run `PAY` and `CLOSE`, which different roles settle.\n";
    let written = "  Written: what runs `CLOSE` is called `refund.close`.\n";
    assert!(decisions.contains(&[told, written].concat()), "{decisions}");
}

#[test]
fn a_permission_may_not_settle_or_report_either() {
    let run = |name: &str| json!({"name": name, "allowed_states": ["PLACED"]});
    let Written { block, decisions, .. } =
        written(&json!({"actions": [pay(&json!({})), run("SETTLE_PAY"), run("REPORT_ORDER_PLACED")]}));
    assert!(block.contains("permission: \"refund.run_settle_pay\""), "{block}");
    assert!(block.contains("permission: \"refund.run_report_order_placed\""), "{block}");
    assert!(decisions.contains("would both run `SETTLE_PAY` and settle `PAY`.\n"), "{decisions}");
    assert!(decisions.contains("would both run `REPORT_ORDER_PLACED` and report `ORDER_PLACED`.\n"), "{decisions}");
}

#[test]
fn a_test_begins_with_a_way_that_somebody_can_take() {
    let Written { tests, .. } = written(&json!({
        "events": ["ORDER_PLACED", "ORDER_HELD", "ORDER_SENT", "ORDER_CLOSED"],
        "states": ["PLACED", "HELD", "SENT", "CLOSED"],
        "transitions": [
            {"on": "ORDER_PLACED", "to": "PLACED"},
            {"on": "ORDER_SENT", "from": "PLACED", "to": "SENT"},
            {"on": "ORDER_HELD", "from": "PLACED", "to": "HELD"},
            {"on": "ORDER_SENT", "from": "HELD", "to": "SENT"},
            {"on": "ORDER_CLOSED", "from": "SENT", "to": "CLOSED"},
        ],
        "actions": [
            action("SEND", "HELD", "ORDER_SENT"),
            action("HOLD", "PLACED", "ORDER_HELD"),
            action("CLOSE", "SENT", "ORDER_CLOSED"),
        ],
    }));
    assert!(
        tests.contains(".event(OrderPlaced).event(OrderHeld).event(OrderSent).when(RefundRole::Agent, Close)"),
        "{tests}"
    );
}

#[test]
fn a_test_of_the_replay_says_what_came_of_the_step() {
    let roles = json!({"agent": ["orders.pay"], "operator": ["orders.approve"]});
    for approval in ["never", "required"] {
        let action = pay(&json!({"required_permissions": ["orders.pay"], "approval": approval}));
        let Written { tests, .. } = written(&json!({"actions": [action], "roles": roles}));
        assert!(tests.contains(".then().failed(\"executor_unwritten\").replays();"), "{tests}");
        assert!(!tests.contains(".then().replays()"), "{tests}");
    }
}

#[test]
fn whoever_holds_a_permission_to_approve_approves_and_nobody_else() {
    let refund = |roles: &Value| {
        let action = pay(&json!({"required_permissions": ["orders.pay"], "approval": "required"}));
        written(&json!({"actions": [action], "roles": roles}))
    };
    let one = refund(&json!({"agent": ["orders.pay"], "auditor": ["orders.read"], "operator": ["orders.approve"]}));
    assert!(one.block.contains("approval: Operator,"), "{}", one.block);
    assert!(one.decisions.contains("- `role_without_duty`: the role `auditor` may do nothing.\n"), "{}", one.decisions);
    assert!(one.decisions.contains("Assumed: `operator`, by a permission to approve.\n"), "{}", one.decisions);
    let both = refund(&json!({"agent": ["orders.pay"], "auditor": ["orders.read"], "operator": ["orders.look"]}));
    assert!(both.block.contains("approval: Auditor | Operator,"), "{}", both.block);
    let told = "- who approves.\n  Assumed: `auditor` and `operator`, as all who run nothing: none of them ";
    assert!(both.decisions.contains(told), "{}", both.decisions);
    let none = refund(&json!({"agent": ["orders.pay"], "operator": ["orders.read"], "service": ["orders.approve"]}));
    assert!(none.block.contains("approval: OperatorRole,"), "{}", none.block);
    assert!(!none.decisions.contains("- who approves."), "{}", none.decisions);
}

#[test]
fn an_action_has_no_more_parameters_than_an_executor_takes() {
    let with = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("part_{number}")).collect();
        read(&json!({"actions": [pay(&json!({"required_parameters": names}))]}))
    };
    assert!(with(64).is_ok());
    let told = with(65).unwrap_err().shown();
    assert!(told.contains("an action has at most 64 parameters, and `part_64` of `PAY` is one more"), "{told}");
    assert!(told.contains("rule: too_many"), "{told}");
}

#[test]
fn what_no_role_may_run_is_left_out() {
    let wipe = |roles: Option<&Value>| {
        let wipe = json!({"name": "WIPE", "allowed_states": ["PLACED"], "required_permissions": ["accounts.wipe"]});
        let pay = pay(&json!({"required_permissions": ["accounts.close"]}));
        let mut parts = json!({"actions": [pay, wipe]});
        if let Some(roles) = roles {
            parts["roles"] = roles.clone();
        }
        written(&parts)
    };
    let Written { block, decisions, .. } =
        wipe(Some(&json!({"agent": ["accounts.close"], "admin": ["accounts.read"]})));
    assert!(block.contains("Pay ") && !block.contains("Wipe"), "{block}");
    let told =
        "- `nobody_may`: no role holds `accounts.wipe`, which `WIPE` requires.\n  Written: the action is left out;";
    assert!(decisions.contains(told), "{decisions}");
    // Where there are no roles, whoever runs the others runs it.
    let Written { block, .. } = wipe(None);
    assert!(block.contains("Wipe { risk: low, by: Agent,"), "{block}");
}

#[test]
fn nobody_reports_what_an_action_was_to_make_happen() {
    let approved = |name: &str, state: &str, event: &str| {
        let mut action = action(name, state, event);
        action["risk"] = "high".into();
        action["approval"] = "required".into();
        action
    };
    let Written { block, decisions, .. } = written(&json!({
        "events": ["ORDER_PLACED", "ORDER_PAID", "ORDER_CLOSED", "REFUND_PAID", "GOODWILL_PAID"],
        "states": ["PLACED", "PAID", "CLOSED", "REFUNDED"],
        "transitions": [
            {"on": "ORDER_PLACED", "to": "PLACED"},
            {"on": "ORDER_PAID", "from": "PLACED", "to": "PAID"},
            {"on": "ORDER_CLOSED", "from": "PLACED", "to": "CLOSED"},
            {"on": "REFUND_PAID", "from": "PAID", "to": "REFUNDED"},
            {"on": "GOODWILL_PAID", "from": "PAID", "to": "REFUNDED"},
        ],
        "actions": [
            pay(&json!({})),
            approved("REFUND", "CLOSED", "REFUND_PAID"),
            approved("GOODWILL", "PAID", "GOODWILL_PAID"),
        ],
        "roles": {"agent": [], "operator": ["orders.approve"]},
    }));
    assert!(!block.contains("RefundPaid"), "{block}");
    assert!(block.contains("never { Refunded without Operator; }"), "{block}");
    let told = "- `event_without_source`: `REFUND_PAID` leads from `PAID` to `REFUNDED`, and no action is left that emits it.\n";
    assert!(decisions.contains(told), "{decisions}");
    // What begins an entity is another event, also where the action cannot emit its own.
    let Written { block, .. } = written(&json!({"actions": [action("OPEN", "PLACED", "ORDER_PLACED")]}));
    assert!(block.contains("OrderPlacedReported reported by System;"), "{block}");
    assert!(!block.contains("OrderPlaced ") && !block.contains("OrderPlaced:"), "{block}");
}

#[test]
fn nothing_of_a_descriptor_is_obeyed_by_a_terminal() {
    let escape = "\u{1b}[2J";
    let to_escape = json!([{"on": "ORDER_PLACED", "to": escape}]);
    for (key, part) in [("adapter", json!(escape)), ("transitions", to_escape), (escape, json!([]))] {
        let mut parts = json!({"actions": [pay(&json!({}))]});
        parts[key] = part;
        let told = read(&parts).unwrap_err().shown();
        let message = told.lines().next().unwrap();
        assert!(message.contains(r"\u{1b}[2J") && !told.contains(escape), "{told:?}");
    }
    let forged = json!({"actions": [pay(&json!({}))], "adapter": "form`.\n- `nobody_may`: forged"});
    let told = read(&forged).unwrap_err().shown();
    assert!(told.contains("cannot be a name") && told.contains("rule: malformed_name"), "{told}");
}

#[test]
fn a_fault_is_shown_where_it_stands() {
    let right = r#"{
    "domain": "refund",
    "entity": "Order",
    "events": ["ORDER_PLACED", "ORDER_PAID"],
    "states": ["PLACED", "PAID"],
    "transitions": [
        {"on": "ORDER_PLACED", "from": "", "to": "PLACED"},
        {"on": "ORDER_PAID", "from": "PLACED", "to": "PAID"}
    ],
    "actions": [{"name": "PAY", "allowed_states": ["PLACED"], "risk": "low"}],
    "roles": {"agent": ["pay"], "pay": []}
}
"#
    .replace("    ", "\t");
    let told = |from: &str, to: &str| {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "nothing to replace: {from}");
        let told = Descriptor::read(Path::new("refund.json"), &wrong).unwrap_err().shown();
        anstream::adapter::strip_str(&told).to_string()
    };
    let event = told(r#""to": "PAID""#, r#""to": "ORDER_PAID""#);
    let shown = r#"error: unknown state `ORDER_PAID`
 --> refund.json:8:48
  |
8 |   {"on": "ORDER_PAID", "from": "PLACED", "to": "ORDER_PAID"}
  |                                                ^^^^^^^^^^^^ "#;
    assert!(event.starts_with(shown), "{event}");
    let empty = told(r#""PAID"],"#, r#""PAID", ""],"#);
    assert!(empty.contains("--> refund.json:5:31\n"), "{empty}");
    let word = told(r#""low""#, r#""HUGE""#);
    assert!(word.starts_with("error: unknown risk `HUGE`\n") && word.contains("--> refund.json:10:68\n"), "{word}");
    let role = told(r#""pay": []"#, r#""2pay": []"#);
    assert!(role.contains("--> refund.json:11:30\n"), "{role}");
}

#[test]
fn what_begins_an_entity_has_a_name_that_no_other_event_has() {
    let Written { block, .. } = written(&json!({
        "events": ["ORDER_PLACED", "ORDER_PLACED_REPORTED", "ORDER_PAID"],
        "transitions": [
            {"on": "ORDER_PLACED", "to": "PLACED"},
            {"on": "ORDER_PLACED", "from": "PLACED", "to": "PLACED"},
            {"on": "ORDER_PLACED_REPORTED", "to": "PAID"},
            {"on": "ORDER_PAID", "from": "PLACED", "to": "PAID"},
        ],
        "actions": [action("PLACE", "PLACED", "ORDER_PLACED")],
    }));
    assert!(block.contains("OrderPlacedReportedReported: new "), "{block}");
    assert!(block.contains("OrderPlacedReported: "), "{block}");
    assert_eq!(block.matches("reported by System").count(), 3, "{block}");
}

#[test]
fn no_permission_has_more_letters_than_one_may_have() {
    let overlong = |letters: usize, permission: &str| {
        let pay =
            pay(&json!({"name": "P".repeat(letters), "required_permissions": [permission], "approval": "required"}));
        let roles = json!({"agent": [permission], "operator": []});
        let descriptor = read(&json!({"domain": "d".repeat(64), "actions": [pay], "roles": roles})).unwrap();
        let mut draft = Draft::new(&descriptor);
        draft.mend_flow(&descriptor.roles);
        draft.assign_duties(&descriptor);
        draft.overlong_permission(&descriptor).unwrap_or_default()
    };
    assert_eq!(overlong(55, "pay"), "");
    assert!(overlong(56, "pay").ends_with("P` would have 129 letters, and the most is 128"));
    assert!(overlong(3, &"p".repeat(64)).starts_with("the permission to settle `PPP` would have 136 letters"));
}

#[test]
fn a_domain_has_no_more_transitions_than_somebody_reads() {
    let with = |count: usize| {
        let line = json!({"on": "ORDER_PLACED", "to": "PLACED"});
        read(&json!({"transitions": vec![line; count], "actions": [pay(&json!({}))]}))
    };
    assert!(with(2_048).is_ok());
    let told = with(2_049).unwrap_err().shown();
    assert!(told.contains("a domain has at most 2048 transitions, and `ORDER_PLACED` is one more"), "{told}");
}

//! Descriptors that are read well and were once written as domains that do not compile, or whose tests fail.

use std::path::Path;

use serde_json::{Value, json};

use super::descriptor::Descriptor;
use super::draft::Draft;
use super::rendered::Rendered;

/// What is written of a descriptor.
struct Written {
    block: String,
}

/// Writes a domain `refund`, of these parts, or of the plain ones where there is none.
#[track_caller]
fn written(parts: &Value) -> Written {
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
    let descriptor = Descriptor::read(Path::new("refund.json"), &descriptor.to_string()).unwrap();
    let mut draft = Draft::new(&descriptor);
    draft.mend_flow();
    draft.assign_duties(&descriptor);
    let rendered = Rendered::new(&descriptor.domain, &descriptor.entity, &draft);
    Written { block: rendered.block() }
}

/// An action that pays, with what is said of it.
fn pay(parts: &Value) -> Value {
    let mut action = json!({"name": "PAY", "allowed_states": ["PLACED"], "follow_up_events": ["ORDER_PAID"]});
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

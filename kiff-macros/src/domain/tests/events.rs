//! Events and where they come from.

use super::{check, one, refund};

#[test]
fn unused_event() {
    one(
        "OrderPaid {",
        "«OrderHeld» reported by System; OrderPaid {",
        "unused_event",
        "no transition uses the event `OrderHeld`: add one to `transitions`, or remove the event",
    );
}

#[test]
fn an_event_without_any_transition_is_not_illegal_to_emit_as_well() {
    let source =
        refund(&[("OrderPaid {", "«OrderHeld»; OrderPaid {"), ("emits: OrderPaid", "emits: OrderPaid | OrderHeld")]);
    let message = "no transition uses the event `OrderHeld`: add one to `transitions`, or remove the event";
    check(&source, &[("unused_event", message)]);
}

#[test]
fn event_without_source() {
    let source =
        refund(&[("OrderPaid {", "«OrderHeld»; OrderPaid {"), ("=> Paid;", "=> Paid; OrderHeld: Paid => Paid;")]);
    check(
        &source,
        &[(
            "event_without_source",
            "nothing makes the event `OrderHeld` happen: add `reported by` and a role, or let an action emit it",
        )],
    );
}

#[test]
fn emitted_and_reported() {
    one(
        "{ payment_id: String };",
        "{ payment_id: String } «reported by System | Operator»;",
        "emitted_and_reported",
        "the event `OrderPaid` could also be reported, past the checks of `MarkPaid`, which emits it: \
         take `reported by` away, or declare another event for what is reported",
    );
}

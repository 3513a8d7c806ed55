//! States and transitions.

use super::{check, one, refund};

#[test]
fn no_initial_transition() {
    check(
        &refund(&[("transitions", "«transitions»"), ("new => Created", "Created => Paid")]),
        &[(
            "no_initial_transition",
            "no transition leads out of `new`: say how an entity begins, as in `OrderPlaced: new => Created;`",
        )],
    );
}

#[test]
fn what_begins_an_entity_is_reported_and_does_not_end_it() {
    let source = refund(&[
        ("Created, Paid, final Refunded", "final Refunded, Created, Paid"),
        ("transitions", "«transitions»"),
        ("new => Created", "Created => Paid"),
    ]);
    let message = "no transition leads out of `new`: say how an entity begins, as in `OrderPlaced: new => Created;`";
    check(&source, &[("no_initial_transition", message)]);
    let source = refund(&[
        (" reported by System", ""),
        (", System: system", ""),
        ("OrderPlaced {", "«OrderPlaced» {"),
        ("transitions", "«transitions»"),
        ("new => Created", "Created => Paid"),
    ]);
    check(
        &source,
        &[
            (
                "event_without_source",
                "nothing makes the event `OrderPlaced` happen: add `reported by` and a role, or let an action emit it",
            ),
            (
                "no_initial_transition",
                "no transition leads out of `new`: say how an entity begins, as in `OrderPlaced: new => Created;`, and add \
                 `reported by Operator` to `OrderPlaced`",
            ),
        ],
    );
}

#[test]
fn what_an_action_emits_begins_no_entity() {
    let block = |transitions: &str, event: &str, beginning: &str| {
        refund(&[
            (", System: system", ""),
            ("transitions", transitions),
            ("OrderPlaced { total: Cents } reported by System;", event),
            ("OrderPlaced: new => Created;", beginning),
        ])
    };
    let message = "no transition leads out of `new`: declare `OrderOpened reported by Operator;`, and let it begin an entity: \
                   `OrderOpened: new => Created;`";
    check(&block("«transitions»", "", ""), &[("no_initial_transition", message)]);
    check(&block("transitions", "OrderOpened reported by Operator;", "OrderOpened: new => Created;"), &[]);
}

#[test]
fn no_initial_transition_that_anybody_can_take() {
    let source = refund(&[
        (" reported by System", ""),
        ("OrderPlaced: new", "OrderPlaced: «new»"),
        ("emits: OrderPaid", "emits: OrderPaid | OrderPlaced"),
        (", System: system", ""),
        ("=> Paid;", "=> Paid; OrderPlaced: Created => Paid;"),
        ("never { Refunded without Operator }", ""),
    ]);
    check(
        &source,
        &[(
            "no_initial_transition",
            "nobody can begin an entity with `OrderPlaced`, as no action is allowed in `new` and it cannot be reported: \
             let an event that has `reported by` lead out of `new` instead",
        )],
    );
}

#[test]
fn a_way_out_of_new_that_nobody_can_take_is_one_fault_beside_others_that_somebody_can() {
    let source = refund(&[
        ("Created, Paid,", "Created, Held, Paid,"),
        ("OrderPaid {", "OrderImported; OrderPaid {"),
        ("=> Paid;", "=> Paid; OrderImported: «new» => Held; OrderRefunded: Held => Refunded;"),
        ("RefundOrder {", "ImportOrder { risk: low, by: Agent, emits: OrderImported }; RefundOrder {"),
    ]);
    let message = "nobody can begin an entity with `OrderImported`, as no action is allowed in `new` and it cannot be \
                   reported: let an event that has `reported by` lead out of `new` instead";
    check(&source, &[("no_initial_transition", message)]);
}

#[test]
fn two_targets() {
    one(
        "OrderPaid: Created => Paid;",
        "OrderPaid: Created => Paid; OrderPaid: Created => «Refunded»;",
        "two_targets",
        "`OrderPaid` leads from `Created` to both `Paid` and `Refunded`: an event has one target from each state, \
         so split it into two events",
    );
}

#[test]
fn two_targets_from_several_states_are_one_error() {
    let source = refund(&[
        ("OrderPaid: Created => Paid;", "OrderPaid: Created | Paid => Paid; OrderPaid: Paid | Created => «Refunded»;"),
        ("Paid => [RefundOrder]", "Paid => [RefundOrder]"),
    ]);
    check(
        &source,
        &[(
            "two_targets",
            "`OrderPaid` leads from `Paid` and `Created` to both `Paid` and `Refunded`: \
             an event has one target from each state, so split it into two events",
        )],
    );
}

#[test]
fn unreachable_state() {
    let message = "no path from `new` leads to the state `Held`: add a transition that leads to it, or remove it";
    one("Created, Paid,", "Created, «Held», Paid,", "unreachable_state", message);
    let source =
        refund(&[("Created, Paid,", "Created, «Held», Paid,"), ("=> Paid;", "=> Paid; OrderPaid: Held => Paid;")]);
    check(&source, &[("unreachable_state", message)]);
}

#[test]
fn states_that_are_only_reached_through_an_unreachable_one_are_named_with_it() {
    let source = refund(&[
        ("Created, Paid,", "Created, Paid, Sent, «Held»,"),
        ("=> Paid;", "=> Paid; OrderPaid: Held => Sent; OrderRefunded: Sent => Refunded;"),
    ]);
    check(
        &source,
        &[(
            "unreachable_state",
            "no path from `new` leads to the state `Held`: add a transition that leads to it, or remove it\n\
             (nor to `Sent`, which it leads on to)",
        )],
    );
}

#[test]
fn a_circle_that_nothing_leads_to_is_one_error() {
    let source = refund(&[
        ("Created, Paid,", "Created, Paid, «Held», Sent,"),
        ("=> Paid;", "=> Paid; OrderPaid: Held => Sent; OrderPaid: Sent => Held;"),
    ]);
    check(
        &source,
        &[(
            "unreachable_state",
            "no path from `new` leads to the state `Held`: add a transition that leads to it, or remove it\n\
             (nor to `Sent`, which it leads on to)",
        )],
    );
}

#[test]
fn dead_end() {
    one(
        "final Refunded",
        "«Refunded»",
        "dead_end",
        "the state `Refunded` has no transition that leads on: add one, or write `final Refunded` if this is where it ends",
    );
    let source = refund(&[
        ("final Refunded", "«Refunded»"),
        ("=> Refunded;", "=> Refunded; OrderRefunded: Refunded => Refunded;"),
    ]);
    check(
        &source,
        &[(
            "dead_end",
            "the state `Refunded` only leads back to itself: add a transition that leads on, or write `final Refunded` and \
             take away the transitions from it if this is where it ends",
        )],
    );
    let source = refund(&[
        ("final Refunded", "«Refunded»"),
        ("RefundOrder {", "Export { risk: low, by: Agent, emits: none }; RefundOrder {"),
        ("Paid => [RefundOrder];", "Paid => [RefundOrder]; Refunded => [Export];"),
    ]);
    check(
        &source,
        &[(
            "dead_end",
            "the state `Refunded` has no transition that leads on: add one, or write `final Refunded` and take away what it \
             allows, and with it the action `Export`, if this is where it ends",
        )],
    );
}

#[test]
fn final_state_moves() {
    one(
        "=> Refunded;",
        "=> Refunded; OrderPaid: «Refunded» => Paid;",
        "final_state_moves",
        "the state `Refunded` is final, and yet `OrderPaid` leads on from it: \
         take `Refunded` out of there, or take `final` away from it",
    );
    one(
        "Paid => [RefundOrder];",
        "Paid | «Refunded» => [RefundOrder];",
        "final_state_moves",
        "the state `Refunded` is final, and yet `RefundOrder` is allowed in it: \
         take `Refunded` out of there, or take `final` away from it",
    );
    let source = refund(&[("Created, Paid,", "Created, final Paid,"), ("Paid => Refunded", "«Paid» => Refunded")]);
    check(
        &source,
        &[(
            "final_state_moves",
            "the state `Paid` is final, and yet `OrderRefunded` leads on from it and `RefundOrder` is allowed in it: \
             take `Paid` out of there, or take `final` away from it",
        )],
    );
}

#[test]
fn barred_state_without_those_behind_it() {
    let source = refund(&[
        ("Created, Paid,", "Created, Paid, «Held», Sent,"),
        ("OrderPaid {", "OrderHeld; OrderSent reported by System; OrderPaid {"),
        (
            "=> Paid;",
            "=> Paid; OrderHeld: Created | Paid => Held; OrderHeld: Sent => Paid; OrderSent: Held => Sent; \
             OrderRefunded: Held => Refunded;",
        ),
        ("RefundOrder {", "HoldOrder { risk: low, by: Agent, emits: OrderHeld }; RefundOrder {"),
        ("Paid => [RefundOrder]", "Paid => [RefundOrder]; Sent => [HoldOrder]"),
    ]);
    let message = "nobody can bring an entity into the state `Held`: `OrderHeld` leads there from `Created`, where no action \
                   that emits it is allowed; `OrderHeld` leads there from `Paid`, where no action that emits it is allowed: \
                   allow one there, or remove the state";
    check(&source, &[("barred_state", message)]);
}

#[test]
fn barred_way_out() {
    let source = refund(&[
        ("Created, Paid,", "Created, «Paid»,"),
        ("=> Paid;", "=> Paid; OrderRefunded: Created => Refunded;"),
        ("Created => [MarkPaid]", "Created => [MarkPaid, RefundOrder]"),
        ("Paid => [RefundOrder];", ""),
    ]);
    let message = "nobody can lead an entity on from the state `Paid`: `OrderRefunded` leads on, but no action that emits it \
                   is allowed in `Paid`: allow one there, or write `final Paid` and take away the transitions from it if this \
                   is where it ends";
    check(&source, &[("barred_way_out", message)]);
    let source = refund(&[
        ("Created, Paid,", "Created, «Paid»,"),
        ("=> Paid;", "=> Paid; OrderRefunded: Created => Refunded;"),
        ("RefundOrder {", "Export { risk: low, by: Agent, emits: none }; RefundOrder {"),
        ("Created => [MarkPaid]", "Created => [MarkPaid, RefundOrder]"),
        ("Paid => [RefundOrder];", "Paid => [Export];"),
    ]);
    let message = "nobody can lead an entity on from the state `Paid`: `OrderRefunded` leads on, but no action that emits it \
                   is allowed in `Paid`: allow one there, or write `final Paid` and take away the transitions from it and \
                   what it allows, and with them the action `Export`, if this is where it ends";
    check(&source, &[("barred_way_out", message)]);
}

#[test]
fn a_state_becomes_the_last_one_as_the_advice_says() {
    let block = |states: &str, held: &str| {
        refund(&[
            ("Created, Paid,", states),
            ("OrderPaid {", "OrderHeld reported by System; OrderPaid {"),
            ("Paid => Refunded;", held),
        ])
    };
    let message = "the state `Held` only leads back to itself: add a transition that leads on, or write `final Held` and take \
                   away the transitions from it if this is where it ends";
    let source = block("Created, Paid, «Held»,", "Paid => Refunded; OrderHeld: Paid | Held => Held;");
    check(&source, &[("dead_end", message)]);
    check(&block("Created, Paid, final Held,", "Paid => Refunded; OrderHeld: Paid => Held;"), &[]);
}

#[test]
fn what_only_the_last_state_uses_goes_with_its_lines() {
    let block = |held: &str, events: &str, transitions: &str, action: &str, allowed: &str| {
        refund(&[
            ("Created, Paid,", &format!("Created, Paid, {held},")),
            ("OrderPaid {", &format!("OrderHeld reported by System; {events} OrderPaid {{")),
            ("Paid => Refunded;", &format!("Paid => Refunded; OrderHeld: Paid => Held; {transitions}")),
            ("RefundOrder {", &format!("{action} RefundOrder {{")),
            ("Paid => [RefundOrder];", &format!("Paid => [RefundOrder]; {allowed}")),
        ])
    };
    let touched = "OrderTouched: Held => Held;";
    let message = "the state `Held` only leads back to itself: add a transition that leads on, or write `final Held` and take \
                   away the transitions from it, and with them the event `OrderTouched`, if this is where it ends";
    let source = block("«Held»", "OrderTouched reported by System;", touched, "", "");
    check(&source, &[("dead_end", message)]);
    let message = "the state `Held` only leads back to itself: add a transition that leads on, or write `final Held` and take \
                   away the transitions from it and what it allows, and with them the event `OrderTouched` and the action \
                   `TouchOrder`, if this is where it ends";
    let action = "TouchOrder { risk: low, by: Agent, emits: OrderTouched };";
    let source = block("«Held»", "OrderTouched;", touched, action, "Held => [TouchOrder];");
    check(&source, &[("dead_end", message)]);
    check(&block("final Held", "", "", "", ""), &[]);
}

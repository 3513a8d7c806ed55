//! Many faults at once: each is reported, in order, and none is noise of another.

use super::{check, refund};

/// Every kind of fault that leaves the block readable.
const FAULTY: &str = "
    domain Refund governs Order;

    roles { Agent: agent, Operator: human, System: system, «Auditor»: human }

    states { Created, Paid, «Lost», «Held», final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderPaid { payment_id: String } «reported by System»;
        OrderHeld reported by Operator;
        OrderRefunded { amount: Cents };
        «OrderForgotten» reported by System;
        «OrderDropped»;
    }

    transitions {
        OrderPlaced: new => Created;
        OrderPaid: Created => Paid;
        OrderPaid: Lost => Paid;
        OrderPlaced: new => «Paid»;
        OrderHeld: Created => Held;
        OrderRefunded: Paid => Refunded;
        OrderDropped: Paid => «Refundd»;
    }

    actions {
        MarkPaid { risk: low, by: Agent, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent | Operator, emits: «OrderRefunded», approval: «Operator» | «System» };
        Export { risk: «critical», by: Agent, emits: none };
        «Nowhere» { risk: low, by: Agent, emits: none };
        «Nobody» { risk: low, emits: none };
    }

    allow {
        Created => [MarkPaid, RefundOrder, Export, Nobody];
        Paid => [RefundOrder];
        «Refunded» => [Export];
    }

    never {
        «Paid without Operator»;
        «Agent alone from Refunded to Created»;
    }
    ";

const FAULTS: [(&str, &str); 17] = [
    (
        "role_without_duty",
        "the role `Auditor` may do nothing: name it in `by`, `approval` or `reported by`, or remove it",
    ),
    (
        "unreachable_state",
        "no path from `new` leads to the state `Lost`: add a transition that leads to it, or remove it",
    ),
    (
        "dead_end",
        "the state `Held` has no transition that leads on: add one, or write `final Held` if this is where it ends",
    ),
    (
        "emitted_and_reported",
        "the event `OrderPaid` could also be reported, past the checks of `MarkPaid`, which emits it: take `reported by` away, or declare another event for what is reported",
    ),
    ("unused_event", "no transition uses the event `OrderForgotten`: add one to `transitions`, or remove the event"),
    (
        "event_without_source",
        "nothing makes the event `OrderDropped` happen: add `reported by` and a role, or let an action emit it",
    ),
    (
        "two_targets",
        "`OrderPlaced` leads from `new` to both `Created` and `Paid`: an event has one target from each state, so split it into two events",
    ),
    ("unknown_name", "unknown state `Refundd`: did you mean `Refunded`?"),
    (
        "illegal_emit",
        "the action `RefundOrder` is allowed in `Created`, from which its event `OrderRefunded` has no transition: add `OrderRefunded: Created => …;`, or take `RefundOrder` out of what `Created` allows",
    ),
    (
        "approves_own_action",
        "`Operator` may run `RefundOrder` and also approve it: take `Operator` out of `by` or out of `approval`",
    ),
    (
        "approver_not_human",
        "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; take it out",
    ),
    (
        "unapproved_risk",
        "the action `Export` has critical risk and nobody has to approve it: add `approval: Operator`, or say why not with `approval: unapproved(\"the reason\")`",
    ),
    (
        "action_allowed_nowhere",
        "no state allows the action `Nowhere`: add it to `allow`, as in `Created => [Nowhere];`, or remove the action",
    ),
    ("nobody_may", "nobody may run the action `Nobody`: say who, as in `by: Agent`"),
    (
        "final_state_moves",
        "the state `Refunded` is final, and yet `Export` is allowed in it: take `Refunded` out of there, or take `final` away from it",
    ),
    (
        "never_violated",
        "`Paid` can be reached without `Operator`:\n  new --OrderPlaced (reported by System)--> Created\n  Created --OrderPaid (MarkPaid by Agent)--> Paid\nlet `Operator` take or approve one of these steps, or remove the clause",
    ),
    (
        "never_vacuous",
        "this promises nothing, as nobody can take any path from `Refunded` to `Created`: correct its names, or remove the clause",
    ),
];

#[test]
fn seventeen_faults_of_seventeen_rules_are_seventeen_errors_in_order() {
    check(FAULTY, &FAULTS);
}

#[test]
fn typing_errors_and_broken_rules_are_reported_side_by_side() {
    let source = refund(&[
        ("Agent: agent,", "Agent: «agnt»,"),
        ("final Refunded }", "final Refunded, «Paid» }"),
        ("amount: Cents,", "amount «Cents»,"),
        ("OrderPaid: Created => Paid;", "OrderPaid: Created «->» Paid;"),
        ("OrderRefunded: Paid", "OrderRefunded: «Piad»"),
        ("MarkPaid { risk: low,", "«MarkPaid» {"),
        ("risk: high", "risk: «high»"),
        (", approval: Operator", ""),
        ("Created => [MarkPaid];", "Created => [MarkPaid, «CancelOrder»];"),
        ("Paid => [RefundOrder];", "Paid => [RefundOrder]«,»"),
    ]);
    check(
        &source,
        &[
            ("syntax", "unknown kind of actor `agnt`: did you mean `agent`?"),
            ("duplicate_name", "the state `Paid` is declared twice: remove or rename one"),
            ("syntax", "expected `:` after the field `amount`, as in `amount: Cents`, found `Cents`"),
            ("syntax", "expected `=>`, found `->`"),
            ("unknown_name", "unknown state `Piad`: did you mean `Paid`?"),
            ("syntax", "the action `MarkPaid` does not say `risk`: add it, as in `risk: low`"),
            (
                "unapproved_risk",
                "the action `RefundOrder` has high risk and nobody has to approve it: \
                 add `approval: Operator`, or say why not with `approval: unapproved(\"the reason\")`",
            ),
            ("unknown_name", "unknown action `CancelOrder`: the actions are `MarkPaid` and `RefundOrder`"),
            ("syntax", "expected `;`, found `,`"),
        ],
    );
}

#[test]
fn what_could_not_be_read_of_an_action_is_not_missed_elsewhere() {
    let source = refund(&[
        ("OrderRefunded { amount", "OrderLost; OrderRefunded { amount"),
        ("OrderRefunded: Paid => Refunded;", "OrderRefunded: Paid => Refunded; OrderLost: Paid => Refunded;"),
        ("emits: OrderRefunded,", "emits: OrderRefunded, «OrderLost»,"),
    ]);
    check(&source, &[("syntax", "expected a key such as `risk`, found `OrderLost`: put `|` between several names")]);
}

#[test]
fn a_name_that_stands_for_anything_silences_what_it_could_have_satisfied() {
    // `Shipped` could be the state that leads on to `Refunded`, and could be where `Paid` leads.
    let source = refund(&[("OrderRefunded: Paid => Refunded;", "OrderRefunded: Paid => «Shipped»;")]);
    check(&source, &[("unknown_name", "unknown state `Shipped`: the states are `Created`, `Paid` and `Refunded`")]);
    // `Clerk` could be any role that has no duty, and could be who breaks or keeps the promise.
    let source = refund(&[("approval: Operator", "approval: «Clerk»")]);
    check(&source, &[("unknown_name", "unknown role `Clerk`: the roles are `Agent`, `Operator` and `System`")]);
    // `OrderLost` could be the event that is used, emitted and allowed.
    let source = refund(&[("OrderPaid: Created", "«OrderLost»: Created")]);
    check(
        &source,
        &[("unknown_name", "unknown event `OrderLost`: the events are `OrderPlaced`, `OrderPaid` and `OrderRefunded`")],
    );
}

#[test]
fn the_same_fault_fifty_times_over_stays_exact() {
    let lines: Vec<String> = (0..50).map(|number| format!("«Lost{number}»: Created => Paid;\n")).collect();
    let source =
        refund(&[("OrderPaid: Created => Paid;", &format!("OrderPaid: Created => Paid;\n{}", lines.concat()))]);
    let messages: Vec<String> = (0..50)
        .map(|number| {
            format!("unknown event `Lost{number}`: the events are `OrderPlaced`, `OrderPaid` and `OrderRefunded`")
        })
        .collect();
    let expected: Vec<_> = messages.iter().map(|message| ("unknown_name", message.as_str())).collect();
    check(&source, &expected);
}

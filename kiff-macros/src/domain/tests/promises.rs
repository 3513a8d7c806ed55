//! The `never` clauses.

use super::{check, one, refund};

#[test]
fn never_violated_by_a_waiver() {
    let source = refund(&[
        ("approval: Operator", "approval: unapproved(\"a trial\")"),
        ("Refunded without Operator", "«Refunded without Operator»"),
    ]);
    check(
        &source,
        &[(
            "never_violated",
            "`Refunded` can be reached without `Operator`:\n  \
             new --OrderPlaced (reported by System)--> Created\n  \
             Created --OrderPaid (MarkPaid by Agent)--> Paid\n  \
             Paid --OrderRefunded (RefundOrder by Agent)--> Refunded\n\
             let `Operator` take or approve one of these steps, or remove the clause",
        )],
    );
}

#[test]
fn never_violated_by_another_approver_and_the_shortest_path_is_shown() {
    let source = refund(&[
        ("System: system", "System: system, Boss: human"),
        ("approval: Operator", "approval: Operator | Boss"),
        ("OrderPaid {", "OrderSkipped reported by System; OrderPaid {"),
        ("=> Paid;", "=> Paid; OrderSkipped: new => Paid;"),
        ("Refunded without Operator", "«Refunded without Operator»"),
    ]);
    check(
        &source,
        &[(
            "never_violated",
            "`Refunded` can be reached without `Operator`:\n  \
             new --OrderSkipped (reported by System)--> Paid\n  \
             Paid --OrderRefunded (RefundOrder by Agent, approved by Boss)--> Refunded\n\
             let `Operator` take or approve one of these steps, or remove the clause",
        )],
    );
}

#[test]
fn a_machine_is_asked_to_take_a_step_and_not_to_approve_one() {
    one(
        "Refunded without Operator",
        "«Created without Agent»",
        "never_violated",
        "`Created` can be reached without `Agent`:\n  \
         new --OrderPlaced (reported by System)--> Created\n\
         let `Agent` take one of these steps, or remove the clause",
    );
}

#[test]
fn never_alone_violated() {
    one(
        "Refunded without Operator",
        "«Agent alone from Created to Paid»",
        "never_violated",
        "`Agent` alone can lead from `Created` to `Paid`:\n  \
         Created --OrderPaid (MarkPaid by Agent)--> Paid\n\
         demand an approval on one of these steps, or remove the clause",
    );
    one(
        "Refunded without Operator",
        "«System alone from new to Created»",
        "never_violated",
        "`System` alone can lead from `new` to `Created`:\n  \
         new --OrderPlaced (reported by System)--> Created\n\
         let another role than `System` report one of these steps, or remove the clause",
    );
}

#[test]
fn promises_that_are_kept() {
    for clause in [
        "Agent alone from Paid to Refunded",
        "Agent alone from new to Created",
        "Operator alone from Paid to Refunded",
        "Paid without Agent; Created without System; Refunded without Operator",
    ] {
        check(&refund(&[("Refunded without Operator", clause)]), &[]);
    }
}

#[test]
fn never_vacuous_where_nothing_leads() {
    one(
        "Refunded without Operator",
        "«Agent alone from Refunded to Created»",
        "never_vacuous",
        "this promises nothing, as nobody can take any path from `Refunded` to `Created`: \
         correct its names, or remove the clause",
    );
}

#[test]
fn a_promise_about_a_state_that_nobody_gets_into_waits_until_somebody_does() {
    // The path to `Held` is drawn, but the action that would take it is allowed elsewhere only.
    let source = refund(&[
        ("Created, Paid,", "Created, Paid, «Held»,"),
        ("OrderPaid {", "OrderHeld; OrderPaid {"),
        ("=> Paid;", "=> Paid; OrderHeld: Created => Held; OrderHeld: Paid => Paid; OrderRefunded: Held => Refunded;"),
        ("RefundOrder {", "HoldOrder { risk: low, by: Agent, emits: OrderHeld }; RefundOrder {"),
        ("[RefundOrder]", "[RefundOrder, HoldOrder]"),
        ("Refunded without Operator", "Held without Operator; Agent alone from Held to Refunded"),
    ]);
    let message = "nobody can bring an entity into the state `Held`: `OrderHeld` leads there from `Created`, where no action \
                   that emits it is allowed: allow one there, or remove the state";
    check(&source, &[("barred_state", message)]);
}

#[test]
fn a_promise_about_an_unapproved_risk_waits_until_that_is_mended() {
    let source = refund(&[("risk: high", "risk: «high»"), (", approval: Operator", "")]);
    check(
        &source,
        &[(
            "unapproved_risk",
            "the action `RefundOrder` has high risk and nobody has to approve it: \
             add `approval: Operator`, or say why not with `approval: unapproved(\"the reason\")`",
        )],
    );
}

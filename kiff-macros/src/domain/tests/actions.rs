//! Actions: where they are allowed, what they emit, and what high risk demands.

use super::{check, one, refund};

#[test]
fn action_allowed_nowhere() {
    let source =
        refund(&[("RefundOrder {", "«CancelOrder» { risk: low, by: Agent, emits: OrderPaid }; RefundOrder {")]);
    check(
        &source,
        &[(
            "action_allowed_nowhere",
            "no state allows the action `CancelOrder`: add it to `allow`, as in `Created => [CancelOrder];`, \
             or remove the action",
        )],
    );
}

#[test]
fn the_example_of_an_action_allowed_nowhere_is_no_final_state() {
    let source = refund(&[
        ("Created, Paid, final Refunded", "final Refunded, Created, Paid"),
        ("RefundOrder {", "«Export» { risk: low, by: Agent, emits: none }; RefundOrder {"),
    ]);
    let message = "no state allows the action `Export`: add it to `allow`, as in `Created => [Export];`, \
                   or remove the action";
    check(&source, &[("action_allowed_nowhere", message)]);
}

#[test]
fn an_action_is_allowed_where_all_that_it_emits_can_happen() {
    let block = |transitions: &str, action: &str, held: &str| {
        refund(&[
            ("Created, Paid,", "Created, Paid, Held,"),
            ("OrderPaid {", "OrderHeld reported by System; OrderPaid {"),
            ("=> Paid;", transitions),
            (
                "RefundOrder {",
                &format!("{action} {{ risk: low, by: Agent, emits: OrderPaid | OrderRefunded }}; RefundOrder {{"),
            ),
            ("Paid => [RefundOrder];", &format!("Paid => [RefundOrder]; {held}")),
            ("never { Refunded without Operator }", ""),
        ])
    };
    let transitions = "=> Paid; OrderHeld: Created => Held; OrderPaid: Held => Paid; OrderRefunded: Held => Refunded;";
    let message =
        "no state allows the action `Review`: add it to `allow`, as in `Held => [Review];`, or remove the action";
    check(&block(transitions, "«Review»", "Held => [MarkPaid];"), &[("action_allowed_nowhere", message)]);
    check(&block(transitions, "Review", "Held => [MarkPaid]; Held => [Review];"), &[]);
    let transitions = "=> Paid; OrderHeld: Created => Held; OrderHeld: Held => Paid;";
    let message = "no state allows the action `Review`: add it to `allow` where all that it emits has a transition, or remove \
                   the action";
    check(&block(transitions, "«Review»", ""), &[("action_allowed_nowhere", message)]);
}

#[test]
fn the_example_of_an_action_allowed_nowhere_keeps_what_never_promises() {
    let block = |action: &str, allowed: &str| {
        refund(&[
            ("Created, Paid,", "Created, Paid, Held,"),
            ("OrderPaid {", "OrderHeld reported by System; OrderPaid {"),
            ("Paid => Refunded;", "Paid | Held => Refunded; OrderHeld: Paid => Held;"),
            ("MarkPaid {", &format!("{action}; MarkPaid {{")),
            ("Paid => [RefundOrder];", &format!("Paid | Held => [RefundOrder]; {allowed}")),
        ])
    };
    let keys = "risk: low, by: Agent, emits: OrderRefunded";
    let message = "no state allows the action `Settle`: add it to `allow` where it keeps what `never` promises, or remove the action";
    check(&block(&format!("«Settle» {{ {keys} }}"), ""), &[("action_allowed_nowhere", message)]);
    let keys = format!("{keys}, approval: Operator");
    let message =
        "no state allows the action `Settle`: add it to `allow`, as in `Paid => [Settle];`, or remove the action";
    check(&block(&format!("«Settle» {{ {keys} }}"), ""), &[("action_allowed_nowhere", message)]);
    check(&block(&format!("Settle {{ {keys} }}"), "Paid => [Settle];"), &[]);
}

#[test]
fn illegal_emit() {
    let source = refund(&[
        ("Created => [MarkPaid]", "Created => [MarkPaid, RefundOrder]"),
        ("emits: OrderRefunded", "emits: «OrderRefunded»"),
    ]);
    check(
        &source,
        &[(
            "illegal_emit",
            "the action `RefundOrder` is allowed in `Created`, from which its event `OrderRefunded` has no transition: \
             add `OrderRefunded: Created => …;`, or take `RefundOrder` out of what `Created` allows",
        )],
    );
}

#[test]
fn illegal_emit_names_every_state() {
    let source = refund(&[
        ("Created, Paid,", "Created, Held, Paid,"),
        ("OrderPaid {", "OrderHeld reported by System; OrderPaid {"),
        ("OrderPaid: Created => Paid;", "OrderPaid: Created | Held => Paid; OrderHeld: Created => Held;"),
        ("Created => [MarkPaid]", "Created | Held => [MarkPaid, RefundOrder]"),
        ("emits: OrderRefunded", "emits: «OrderRefunded» | «OrderPaid»"),
    ]);
    check(
        &source,
        &[
            (
                "illegal_emit",
                "the action `RefundOrder` is allowed in `Created` and `Held`, from which its event `OrderRefunded` \
                 has no transition: add `OrderRefunded: Created | Held => …;`, or take `RefundOrder` out of what \
                 `Created` and `Held` allow",
            ),
            (
                "illegal_emit",
                "the action `RefundOrder` is allowed in `Paid`, from which its event `OrderPaid` has no transition: \
                 add `OrderPaid: Paid => …;`, or take `RefundOrder` out of what `Paid` allows",
            ),
        ],
    );
}

#[test]
fn unapproved_risk() {
    for risk in ["high", "critical"] {
        let source = refund(&[("risk: high", &format!("risk: «{risk}»")), (", approval: Operator", "")]);
        let message = format!(
            "the action `RefundOrder` has {risk} risk and nobody has to approve it: \
             add `approval: Operator`, or say why not with `approval: unapproved(\"the reason\")`"
        );
        check(&source, &[("unapproved_risk", &message)]);
    }
}

#[test]
fn permission_without_approval() {
    one(
        "emits: OrderPaid }",
        "emits: OrderPaid, approval_permission: «\"refund.sign\"» }",
        "permission_without_approval",
        "`MarkPaid` asks for no approval: add `approval: Operator`, or take `approval_permission` away",
    );
    let source = refund(&[
        ("approval: Operator", "approval: unapproved(\"a trial\"), approval_permission: «\"refund.sign\"»"),
        ("never { Refunded without Operator }", ""),
        ("reported by System", "reported by System | Operator"),
    ]);
    let message = "`RefundOrder` asks for no approval: write `approval: Operator`, or take `approval_permission` away";
    check(&source, &[("permission_without_approval", message)]);
    check(&refund(&[("approval: Operator", "approval: Operator, approval_permission: \"refund.sign\"")]), &[]);
}

#[test]
fn a_permission_to_approve_is_no_second_fault_where_an_approval_is_due() {
    let source =
        refund(&[("risk: high", "risk: «high»"), ("approval: Operator", "approval_permission: \"refund.sign\"")]);
    let message = "the action `RefundOrder` has high risk and nobody has to approve it: \
                   add `approval: Operator`, or say why not with `approval: unapproved(\"the reason\")`";
    check(&source, &[("unapproved_risk", message)]);
}

#[test]
fn a_waiver_with_a_reason_is_no_fault() {
    let source = refund(&[
        ("approval: Operator", "approval: unapproved(\"a trial with play money\")"),
        ("never { Refunded without Operator }", ""),
        ("reported by System", "reported by System | Operator"),
    ]);
    check(&source, &[]);
}

#[test]
fn empty_reason() {
    let message = "the reason for which `RefundOrder` needs no approval is empty: say why, as in `unapproved(\"read-only export\")`";
    for reason in ["  ", "\u{200b}\u{ad}", "-"] {
        let source = refund(&[
            ("approval: Operator", &format!("approval: unapproved(«\"{reason}\"»)")),
            ("never { Refunded without Operator }", ""),
            ("reported by System", "reported by System | Operator"),
        ]);
        check(&source, &[("empty_reason", message)]);
    }
}

#[test]
fn an_action_that_emits_nothing_is_no_fault() {
    let source = refund(&[
        ("RefundOrder {", "Export { risk: medium, by: Agent, emits: none, effect: none }; RefundOrder {"),
        ("[MarkPaid]", "[MarkPaid, Export]"),
    ]);
    check(&source, &[]);
}

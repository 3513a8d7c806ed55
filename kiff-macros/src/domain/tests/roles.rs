//! Roles: who runs, who approves, and that neither is nobody.

use super::{check, one, refund};

#[test]
fn approves_own_action() {
    let source = refund(&[
        ("by: Agent, emits: OrderRefunded", "by: Agent | Operator, emits: OrderRefunded"),
        ("approval: Operator", "approval: «Operator»"),
    ]);
    check(
        &source,
        &[(
            "approves_own_action",
            "`Operator` may run `RefundOrder` and also approve it: take `Operator` out of `by` or out of `approval`",
        )],
    );
}

#[test]
fn approver_not_human() {
    one(
        "approval: Operator",
        "approval: Operator | «System»",
        "approver_not_human",
        "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; take it out",
    );
    one(
        "approval: Operator",
        "approval: «System»",
        "approver_not_human",
        "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; write `Operator` instead",
    );
}

#[test]
fn a_machine_that_approves_itself_is_one_fault() {
    one(
        "approval: Operator",
        "approval: «Agent»",
        "approver_not_human",
        "`Agent` cannot approve `RefundOrder`, as it is held by agents: only humans approve; write `Operator` instead",
    );
}

#[test]
fn role_without_duty() {
    one(
        "System: system",
        "System: system, «Auditor»: human",
        "role_without_duty",
        "the role `Auditor` may do nothing: name it in `by`, `approval` or `reported by`, or remove it",
    );
}

#[test]
fn nobody_may() {
    let source = refund(&[("MarkPaid {", "«MarkPaid» {"), ("by: Agent, emits: OrderPaid", "emits: OrderPaid")]);
    let message = "nobody may run the action `MarkPaid`: say who, as in `by: Agent`";
    check(&source, &[("nobody_may", message)]);
    one("by: Agent, emits: OrderPaid", "by: «none», emits: OrderPaid", "nobody_may", message);
    one(
        "approval: Operator",
        "approval: «none»",
        "nobody_may",
        "nobody may approve the action `RefundOrder`, so that it never runs: name a role, \
         leave `approval` out, or say why none is needed with `unapproved(\"the reason\")`",
    );
}

#[test]
fn who_is_proposed_for_an_action_does_not_approve_it() {
    let source = refund(&[
        ("Agent: agent, Operator: human,", "Operator: human, Agent: agent,"),
        ("RefundOrder {", "«RefundOrder» {"),
        ("by: Agent, emits: OrderRefunded", "emits: OrderRefunded"),
    ]);
    check(&source, &[("nobody_may", "nobody may run the action `RefundOrder`: say who, as in `by: Agent`")]);
    let source = refund(&[
        ("Agent: agent, Operator: human, System: system", "Operator: human"),
        ("reported by System", "reported by Operator"),
        ("by: Agent, emits: OrderPaid", "by: Operator, emits: OrderPaid"),
        ("RefundOrder {", "«RefundOrder» {"),
        ("by: Agent, emits: OrderRefunded", "emits: OrderRefunded"),
    ]);
    let message = "nobody may run the action `RefundOrder`: say who with `by:` and a role that does not approve it";
    check(&source, &[("nobody_may", message)]);
}

#[test]
fn who_is_proposed_for_an_approval_does_not_run_the_action() {
    let clerk = ("Operator: human", "Clerk: human, Operator: human");
    let runs = ("by: Agent, emits: OrderRefunded", "by: Agent | Clerk, emits: OrderRefunded");
    check(
        &refund(&[clerk, runs, ("approval: Operator", "approval: «System»")]),
        &[(
            "approver_not_human",
            "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; write `Operator` instead",
        )],
    );
    let source = refund(&[
        ("by: Agent, emits: OrderRefunded", "by: Agent | Operator, emits: OrderRefunded"),
        ("approval: Operator", "approval: «System»"),
        ("never { Refunded without Operator }", ""),
    ]);
    check(
        &source,
        &[(
            "approver_not_human",
            "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; \
             declare a role for them, as in `Approver: human`, and write it instead",
        )],
    );
    let source = refund(&[
        ("by: Agent, emits: OrderRefunded", "by: Agent | Operator, emits: OrderRefunded"),
        ("approval: Operator", "approval: «System»"),
        ("MarkPaid {", "Approver {"),
        ("[MarkPaid]", "[Approver]"),
        ("never { Refunded without Operator }", ""),
    ]);
    check(
        &source,
        &[(
            "approver_not_human",
            "`System` cannot approve `RefundOrder`, as it is held by the system: only humans approve; \
             declare a role for them, as in `Reviewer: human`, and write it instead",
        )],
    );
}

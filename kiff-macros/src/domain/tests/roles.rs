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

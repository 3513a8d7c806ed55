//! The action whose runs are asked about has no executor.

use kiff::{Cents, Failure, Reconciled, action, domain, reconcile};

pub struct RefundDesk;

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderPaid { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
    }

    transitions {
        OrderPlaced: new => Created;
        OrderPaid: Created => Paid;
        OrderRefunded: Paid => Refunded;
    }

    actions {
        MarkPaid { risk: low, by: Agent, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid];
        Paid => [RefundOrder];
    }

    never { Refunded without Operator }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Asks the bank.
#[reconcile(Refund::RefundOrder)]
async fn find_refund(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<Reconciled<OrderRefunded>, Failure> {
    Ok(Reconciled::Happened(OrderRefunded { amount, reason }))
}

fn main() {}

// why: What was never started needs no asking: the fault is the executor's, and is told once, in the block.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         Ok(OrderRefunded { amount, reason })
//     }

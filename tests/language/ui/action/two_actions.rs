//! One fn is to execute two actions.

use kiff::{Cents, Failure, action, domain};

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
#[action(Refund::RefundOrder)]
async fn mark_paid(payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

fn main() {}

// why: Each action has parameters and an answer of its own.
//
// right:
//     #[action(Refund::MarkPaid)]
//     async fn mark_paid(payment_id: String) -> Result<OrderPaid, Failure> {
//         Ok(OrderPaid { payment_id })
//     }
//
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         Ok(OrderRefunded { amount, reason })
//     }

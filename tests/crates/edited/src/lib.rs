//! A domain that the tests of the editor type at.

use kiff::{Cents, Failure, action, domain};

/// What executors may touch.
pub struct RefundDesk;

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states {
        /// Nobody has paid yet.
        Created,
        /// The money is there.
        Paid,
        final Refunded,
    }

    events {
        OrderPlaced { total: Cents } reported by System;
        /// The provider has the money.
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
        /// Pays the customer back.
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
async fn mark_paid(_: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Pays back.
#[action(Refund::RefundOrder)]
async fn refund_order(_: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

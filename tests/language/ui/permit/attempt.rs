//! What a proposal is made into cannot be run by hand.

use kiff::{Bounds, Cents, Failure, Propose, action, domain};

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

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

pub fn open(refund: RefundOrder) {
    let attempt = Propose::<Refund>::attempt(refund, &Bounds::DEFAULT);
    let _ = attempt.asked;
}

fn main() {}

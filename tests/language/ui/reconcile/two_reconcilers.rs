//! Two fns ask about the same action.

use kiff::{Cents, Execution, Failure, Reconciled, action, domain, reconcile};

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
async fn refund_order(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

/// Asks the bank what became of a payment of which nobody knows how it ended.
#[reconcile(Refund::RefundOrder)]
async fn find_refund(desk: &RefundDesk, execution: &Execution, amount: Cents) -> Result<Reconciled<OrderRefunded>, Failure> {
    let _ = (desk, execution);
    Ok(Reconciled::Happened(OrderRefunded { amount, reason: "found".to_owned() }))
}

mod elsewhere {
    use super::*;

    /// Asks the bank again.
    #[reconcile(Refund::RefundOrder)]
    async fn ask_again(reason: String) -> Result<Reconciled<OrderRefunded>, Failure> {
        Ok(Reconciled::Happened(OrderRefunded { amount: Cents(1), reason }))
    }
}

fn main() {}

// why: One of the two would be called, and a reader would not know which.

//! The reconcile fn takes a parameter as another type than the action has.

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

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

/// Asks the bank.
#[reconcile(Refund::RefundOrder)]
async fn find_refund(amount: u32, reason: String) -> Result<Reconciled<OrderRefunded>, Failure> {
    Ok(Reconciled::Happened(OrderRefunded { amount: Cents(amount.into()), reason }))
}

fn main() {}

// why: What was recorded is of the type that the executor took.
//
// right:
//     #[reconcile(Refund::RefundOrder)]
//     async fn find_refund(amount: Cents, reason: String) -> Result<Reconciled<OrderRefunded>, Failure> {
//         Ok(Reconciled::Happened(OrderRefunded { amount, reason }))
//     }

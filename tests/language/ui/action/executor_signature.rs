//! The executor is a plain fn with `self` and a mutable desk, and it borrows its reason.

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
async fn mark_paid(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
fn refund_order(&self, desk: &mut RefundDesk, amount: Cents, reason: &str) -> Result<OrderRefunded, Failure> {
    desk.pay();
    Ok(OrderRefunded { amount, reason: reason.to_owned() })
}

fn main() {}

// why: An executor is an async fn that borrows its services, owns its parameters and answers with its event or a failure.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         let _ = desk;
//         Ok(OrderRefunded { amount, reason })
//     }

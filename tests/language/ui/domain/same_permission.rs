//! The permissions to run two actions have one name.

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
        MarkPAID as "CAPTURE_PAYMENT" { risk: low, by: System, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid, MarkPAID];
        Paid => [RefundOrder];
    }

    never { Refunded without Operator }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Takes the payment that was reserved.
#[action(Refund::MarkPAID)]
async fn capture_payment(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

fn main() {}

// why: Who may do one thing would, by a likeness of names, be who may do another.
//
// right:
//     actions {
//         MarkPaid { risk: low, by: Agent, emits: OrderPaid };
//         CapturePayment { risk: low, by: System, emits: OrderPaid };
//         RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
//     }
//
//     allow {
//         Created => [MarkPaid, CapturePayment];
//         Paid => [RefundOrder];
//     }
//
//     #[action(Refund::CapturePayment)]
//     async fn capture_payment(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
//         Ok(OrderPaid { payment_id })
//     }

//! The executor holds a lock while it waits.

use kiff::{Cents, Failure, action, domain};

pub struct RefundDesk;

static PAID: std::sync::Mutex<u64> = std::sync::Mutex::new(0);

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
    let paid = PAID.lock();
    std::future::ready(()).await;
    drop(paid);
    Ok(OrderRefunded { amount, reason })
}

fn main() {}

// why: The runtime may go on with an executor on another thread, so that it must not hold a lock while it waits.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(_desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         if let Ok(mut paid) = PAID.lock() {
//             *paid += 1;
//         }
//         std::future::ready(()).await;
//         Ok(OrderRefunded { amount, reason })
//     }

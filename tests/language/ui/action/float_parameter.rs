//! Money in binary floats, and a reason that is none.

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
async fn refund_order(
    amount: f64,
    parts: Option<Vec<(String, f32)>>,
    #[param(float(""))] rate: f64,
    #[param(float("a share of the whole, no amount"))] share: f64,
    reason: String,
) -> Result<OrderRefunded, Failure> {
    let _ = (parts, rate, share);
    Ok(OrderRefunded { amount: Cents(amount as i64), reason })
}

fn main() {}

// why: Money that went through a binary float is wrong by a cent sooner or later: a float says why it is no money.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(
//         amount: Cents,
//         parts: Option<Vec<(String, Cents)>>,
//         #[param(float("a rate of exchange, no amount"))] rate: f64,
//         #[param(float("a share of the whole, no amount"))] share: f64,
//         reason: String,
//     ) -> Result<OrderRefunded, Failure> {
//         let _ = (parts, rate, share);
//         Ok(OrderRefunded { amount, reason })
//     }

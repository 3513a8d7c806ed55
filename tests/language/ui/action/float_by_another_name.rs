//! Four parameters are floats under other names.

use kiff::{Cents, Failure, action, domain};

pub struct RefundDesk;

/// An amount of money, or so it says.
pub type Money = f64;

/// What several things cost.
pub type Prices = Vec<f64>;

/// A name that kiff has as well.
pub mod shop {
    pub type Cents = f32;
}

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
    amount: Money,
    parts: Option<Vec<(String, Money)>>,
    prices: Prices,
    tip: shop::Cents,
    #[param(float("a share of the whole, no amount"))] share: Money,
    reason: String,
) -> Result<OrderRefunded, Failure> {
    let _ = (parts, prices, tip, share);
    Ok(OrderRefunded { amount: Cents(amount as i64), reason })
}

fn main() {}

// why: A float is one under every name. Only what the types of your own hold inside is not looked into.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(
//         amount: Cents,
//         parts: Option<Vec<(String, Cents)>>,
//         prices: Vec<Cents>,
//         tip: Cents,
//         #[param(float("a share of the whole, no amount"))] share: Money,
//         reason: String,
//     ) -> Result<OrderRefunded, Failure> {
//         let _ = (parts, prices, tip, share);
//         Ok(OrderRefunded { amount, reason })
//     }

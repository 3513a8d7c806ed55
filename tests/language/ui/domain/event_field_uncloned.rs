//! A field that serde is told how to write cannot be cloned.

use kiff::{Cents, Failure, action, domain};

pub struct RefundDesk;

/// What an order weighs.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Grams(u32);

/// What an order costs.
pub struct Sum(u64);

mod as_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Sum;

    pub fn serialize<S: Serializer>(sum: &Sum, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&sum.0)
    }

    pub fn deserialize<'read, D: Deserializer<'read>>(deserializer: D) -> Result<Sum, D::Error> {
        String::deserialize(deserializer)?.parse().map(Sum).map_err(D::Error::custom)
    }
}

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced {
            weight: Option<Grams>,
            #[serde(with = "as_text")]
            sum: Sum,
        } reported by System;
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

fn main() {}

// why: What is on its way to the journal is shown and handed on, however it is written.
//
// right:
//     /// What an order costs.
//     #[derive(Debug, Clone)]
//     pub struct Sum(u64);

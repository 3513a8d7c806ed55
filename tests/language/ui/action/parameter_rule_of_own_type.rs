//! Types of the user's own that cannot answer a rule.

use kiff::{Cents, Failure, action, domain};

pub struct RefundDesk;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Bank;

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
async fn refund_order(#[param(range(min = 1), length(min = 1), pattern("[a-z]+"))] _bank: Bank, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

fn main() {}

// why: A type of your own answers a rule when it implements the rule's trait: `Ranged`, `Measured` or `Textual`.
//
// right:
//     #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
//     pub struct Bank(String);
//
//     impl kiff::Textual for Bank {
//         fn text(&self) -> Option<&str> {
//             Some(&self.0)
//         }
//     }
//
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(#[param(pattern("[a-z]+"))] _bank: Bank, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         Ok(OrderRefunded { amount, reason })
//     }

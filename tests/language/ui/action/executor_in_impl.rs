//! The executor is a method of its services.

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

impl RefundDesk {
    /// Pays the customer back.
    #[action(Refund::RefundOrder)]
    async fn refund_order(&self, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
        self.pay(amount);
        Ok(OrderRefunded { amount, reason })
    }

    /// Calls the bank.
    pub fn pay(&self, amount: Cents) {
        println!("{amount}");
    }
}

fn main() {}

// why: A method could be called by anybody who has the services, and an executor by nobody but the gate.
//
// right:
//     impl RefundDesk {
//         /// Calls the bank.
//         pub fn pay(&self, amount: Cents) {
//             println!("{amount}");
//         }
//     }
//
//     #[action(Refund::RefundOrder)]
//     async fn pay_back(desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
//         desk.pay(amount);
//         Ok(OrderRefunded { amount, reason })
//     }

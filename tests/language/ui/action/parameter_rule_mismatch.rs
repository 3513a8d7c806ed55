//! Every rule is one that no value can keep, or that its type cannot answer.

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
    #[param(range(min = 1_000, max = 1))] amount: Cents,
    #[param(range(min = 1, max = 500))] reason: String,
    #[param(pattern("[A-Z"))] code: String,
    #[param(lenght(max = 5))] notes: Vec<String>,
    #[param(length(), length(max = 2))] tags: Vec<String>,
    #[param(range(min = 1), float("it is a ratio"))] urgent: bool,
) -> Result<OrderRefunded, Failure> {
    let _ = (code, notes, tags, urgent);
    Ok(OrderRefunded { amount, reason })
}

fn main() {}

// why: A rule that its type cannot answer checks nothing, and one that no value keeps refuses everything.
//
// right:
//     #[action(Refund::RefundOrder)]
//     async fn refund_order(
//         #[param(range(min = 1, max = 1_000))] amount: Cents,
//         #[param(length(min = 1, max = 500))] reason: String,
//         #[param(pattern("[A-Z]+"))] code: String,
//         #[param(length(max = 5))] notes: Vec<String>,
//         #[param(length(max = 2))] tags: Vec<String>,
//         urgent: bool,
//     ) -> Result<OrderRefunded, Failure> {
//         let _ = (code, notes, tags, urgent);
//         Ok(OrderRefunded { amount, reason })
//     }

// The refund domain of the design, with a spy for its bank. The examples in the documentation include this file.

use kiff::{Cents, Failure, action, domain};
use kiff_test::Spy;

/// What the executors touch.
#[derive(Debug, Default)]
pub struct RefundDesk {
    /// Moves the money.
    pub bank: Spy<Transfer>,
}

/// What the bank was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    /// To take in what was paid.
    Captured(String),
    /// To pay back.
    PaidBack(Cents),
}

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced   { total: Cents } reported by System;
        OrderPaid     { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
    }

    transitions {
        OrderPlaced:   new     => Created;
        OrderPaid:     Created => Paid;
        OrderRefunded: Paid    => Refunded;
    }

    actions {
        MarkPaid    { risk: low,  by: Agent, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid];
        Paid    => [RefundOrder];
    }

    never { Refunded without Operator }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
    desk.bank.call(Transfer::Captured(payment_id.clone()))?;
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    desk: &RefundDesk,
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    desk.bank.call(Transfer::PaidBack(amount))?;
    Ok(OrderRefunded { amount, reason })
}

//! Paid orders, and the three things that a support agent can do about a ticket.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiff::{Cents, Execution, ExecutionId, Failure, action, domain};

domain! {
    /// Orders and what a support agent gives back of them.
    pub domain Support governs Order;
    services Bank;

    roles { Agent: agent, Operator: human, Shop: system }

    states { Paid, final Refunded }

    events {
        OrderPaid     { total: Cents } reported by Shop;
        OrderRefunded { amount: Cents, reason: String };
        FeeWaived     { fee: Cents, reason: String };
    }

    transitions {
        OrderPaid:     new  => Paid;
        OrderRefunded: Paid => Refunded;
        FeeWaived:     Paid => Paid;
    }

    actions {
        /// Pays back what is small: up to 100.00.
        AutoRefund  { risk: medium, by: Agent, emits: OrderRefunded };
        /// Pays back whatever it is, once a person has agreed.
        RefundOrder { risk: high,   by: Agent, emits: OrderRefunded, approval: Operator };
        /// Lets a fee go, once a person has agreed.
        WaiveFee    { risk: medium, by: Agent, emits: FeeWaived,     approval: Operator };
    }

    allow {
        Paid => [AutoRefund, RefundOrder, WaiveFee];
    }
}

/// What an agent may pay back by itself.
pub const AUTO_REFUND_MOST: i64 = 10_000;

#[action(Support::AutoRefund)]
async fn auto_refund(
    bank: &Bank,
    execution: &Execution,
    #[param(range(min = 1, max = 10_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    bank.pay_back(execution.id(), execution.entity().id(), amount);
    Ok(OrderRefunded { amount, reason })
}

#[action(Support::RefundOrder)]
async fn refund_order(
    bank: &Bank,
    execution: &Execution,
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    bank.pay_back(execution.id(), execution.entity().id(), amount);
    Ok(OrderRefunded { amount, reason })
}

#[action(Support::WaiveFee)]
async fn waive_fee(
    #[param(range(min = 1, max = 100_000))] fee: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<FeeWaived, Failure> {
    Ok(FeeWaived { fee, reason })
}

/// A bank in this process. Its key is the execution, so that asking twice pays once.
#[derive(Debug, Default)]
pub struct Bank {
    paid_back: Mutex<BTreeMap<ExecutionId, (String, Cents)>>,
}

impl Bank {
    fn pay_back(&self, key: &ExecutionId, order: &str, amount: Cents) {
        self.ledger().insert(key.clone(), (order.to_owned(), amount));
    }

    /// What has been paid back of an order by this process.
    #[must_use]
    pub fn paid_back(&self, order: &str) -> Cents {
        Cents(self.ledger().values().filter(|(of, _)| of == order).map(|(_, amount)| amount.0).sum())
    }

    fn ledger(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, (String, Cents)>> {
        self.paid_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Orders, their payments and their refunds: who may do what, what needs a human, and the desk that pays.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiff::{Cents, Execution, ExecutionId, Failure, action, domain};

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;                       // what executors may touch: clients, credentials

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced   { total: Cents } reported by System;    // a fact from outside, and who may report it
        OrderPaid     { payment_id: String };                 // only an action can make it happen
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
async fn mark_paid(
    desk: &RefundDesk,
    execution: &Execution,
    #[param(length(min = 1, max = 64))] payment_id: String,
) -> Result<OrderPaid, Failure> {
    desk.capture(execution.id(), execution.entity().id(), &payment_id)?;
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    desk: &RefundDesk,
    execution: &Execution,
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    desk.pay_back(execution.id(), execution.entity().id(), amount)?;
    Ok(OrderRefunded { amount, reason })
}

/// A payment desk in this process, which answers as a provider on the network does.
///
/// As in a provider's sandbox, three payments are made to go wrong: `pay-declined` is never captured, what was paid as
/// `pay-no-refund` is not paid back, and of what was paid as `pay-timeout` the answer gets lost after it is paid back.
#[derive(Debug, Default)]
pub struct RefundDesk {
    ledger: Mutex<BTreeMap<ExecutionId, Posting>>,
}

/// One line of the ledger. Its key is the execution, so that asking twice with one key pays once.
#[derive(Debug, Clone)]
enum Posting {
    Captured { order: String, payment_id: String },
    PaidBack { amount: Cents },
}

impl RefundDesk {
    /// Takes the payment of an order.
    ///
    /// # Errors
    /// [`DeskError`] when the provider declines.
    pub fn capture(&self, key: &ExecutionId, order: &str, payment_id: &str) -> Result<(), DeskError> {
        if payment_id == "pay-declined" {
            return Err(DeskError::Declined);
        }
        self.post(key, Posting::Captured { order: order.to_owned(), payment_id: payment_id.to_owned() });
        Ok(())
    }

    /// Pays back what an order cost, or a part of it.
    ///
    /// # Errors
    /// [`DeskError`] when the provider declines or does not say whether it paid.
    pub fn pay_back(&self, key: &ExecutionId, order: &str, amount: Cents) -> Result<(), DeskError> {
        let payment = self.payment_of(order);
        if payment.as_deref() == Some("pay-no-refund") {
            return Err(DeskError::Declined);
        }
        self.post(key, Posting::PaidBack { amount });
        if payment.as_deref() == Some("pay-timeout") { Err(DeskError::NoAnswer) } else { Ok(()) }
    }

    /// Each amount that left the desk.
    pub fn paid_back(&self) -> Vec<Cents> {
        let ledger = self.ledger();
        let amounts = ledger.values().filter_map(|posting| match posting {
            Posting::PaidBack { amount } => Some(*amount),
            Posting::Captured { .. } => None,
        });
        amounts.collect()
    }

    fn payment_of(&self, order: &str) -> Option<String> {
        self.ledger().values().find_map(|posting| match posting {
            Posting::Captured { order: paid, payment_id } if paid == order => Some(payment_id.clone()),
            _ => None,
        })
    }

    fn post(&self, key: &ExecutionId, posting: Posting) {
        self.ledger().entry(key.clone()).or_insert(posting);
    }

    fn ledger(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Posting>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the desk did not say that it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskError {
    /// It did nothing.
    Declined,
    /// It may have done it.
    NoAnswer,
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Declined => Self::refused("the payment desk declined").with_code("payment_declined"),
            DeskError::NoAnswer => {
                Self::unknown("the payment desk did not answer in time").with_code("payment_unconfirmed")
            }
        }
    }
}

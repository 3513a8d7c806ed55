//! Orders, their payments and their refunds: who may do what, what needs a human, and the desk that pays.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiff::{Bounds, Cents, Execution, ExecutionId, Failure, Json, action, domain};

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

/// A payment desk that answers as a provider on the network does. Like one, it can outlive this process.
///
/// As in a provider's sandbox, three payments are made to go wrong: `pay-declined` is never captured, what was paid as
/// `pay-no-refund` is not paid back, and of what was paid as `pay-timeout` the answer gets lost after it is paid back.
#[derive(Debug, Default)]
pub struct RefundDesk {
    ledger: Mutex<Ledger>,
}

/// Its key is the execution, so that asking twice with one key pays once.
#[derive(Debug, Default)]
struct Ledger {
    postings: BTreeMap<ExecutionId, Posting>,
    file: Option<File>,
}

/// One line of the ledger.
#[derive(Debug, Clone)]
enum Posting {
    Captured { order: String, payment_id: String },
    PaidBack { order: String, amount: Cents },
}

impl Posting {
    /// As it stands in the ledger's file.
    fn line(&self, key: &ExecutionId) -> Option<String> {
        let (what, order, how) = match self {
            Self::Captured { order, payment_id } => ("captured", order, payment_id.clone()),
            Self::PaidBack { order, amount } => ("paid_back", order, amount.0.to_string()),
        };
        let line = Json::encode(&(key.as_str(), what, order, how), &Bounds::DEFAULT).ok()?;
        Some(format!("{line}\n"))
    }

    fn read(line: &str) -> Option<(ExecutionId, Self)> {
        let (key, what, order, how): (String, String, String, String) =
            Json::parse(line, &Bounds::DEFAULT).ok()?.decode().ok()?;
        let posting = match &*what {
            "captured" => Self::Captured { order, payment_id: how },
            "paid_back" => Self::PaidBack { order, amount: Cents(how.parse().ok()?) },
            _ => return None,
        };
        Some((key.parse().ok()?, posting))
    }
}

impl RefundDesk {
    /// A desk that keeps its ledger in a file, as a provider does that goes on when this process ends.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no ledger.
    pub fn kept_in(path: &Path) -> io::Result<Self> {
        let mut ledger = Ledger::default();
        if path.exists() {
            for line in fs::read_to_string(path)?.lines() {
                let (execution, posting) = Posting::read(line).ok_or(io::ErrorKind::InvalidData)?;
                ledger.postings.insert(execution, posting);
            }
        }
        ledger.file = Some(OpenOptions::new().append(true).create(true).open(path)?);
        Ok(Self { ledger: Mutex::new(ledger) })
    }

    /// Takes the payment of an order.
    ///
    /// # Errors
    /// [`DeskError`] when the provider declines.
    pub fn capture(&self, key: &ExecutionId, order: &str, payment_id: &str) -> Result<(), DeskError> {
        if payment_id == "pay-declined" {
            return Err(DeskError::Declined);
        }
        self.post(key, Posting::Captured { order: order.to_owned(), payment_id: payment_id.to_owned() })
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
        self.post(key, Posting::PaidBack { order: order.to_owned(), amount })?;
        if payment.as_deref() == Some("pay-timeout") { Err(DeskError::NoAnswer) } else { Ok(()) }
    }

    /// Each amount that left the desk.
    pub fn paid_back(&self) -> Vec<Cents> {
        let ledger = self.ledger();
        let amounts = ledger.postings.values().filter_map(|posting| match posting {
            Posting::PaidBack { amount, .. } => Some(*amount),
            Posting::Captured { .. } => None,
        });
        amounts.collect()
    }

    fn payment_of(&self, order: &str) -> Option<String> {
        self.ledger().postings.values().find_map(|posting| match posting {
            Posting::Captured { order: paid, payment_id } if paid == order => Some(payment_id.clone()),
            _ => None,
        })
    }

    fn post(&self, key: &ExecutionId, posting: Posting) -> Result<(), DeskError> {
        let mut ledger = self.ledger();
        if ledger.postings.contains_key(key) {
            return Ok(());
        }
        if let Some(file) = &mut ledger.file {
            let line = posting.line(key).ok_or(DeskError::Declined)?;
            file.write_all(line.as_bytes()).map_err(|_| DeskError::NoAnswer)?;
        }
        ledger.postings.insert(key.clone(), posting);
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
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

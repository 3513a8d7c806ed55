//! A user's crate with the strictest lints there are: what the macros write is held to them as well.

#![deny(missing_docs, warnings)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

use kiff::{Cents, Execution, Failure, Reconciled, action, domain, reconcile};
use serde::{Deserialize, Serialize};

domain! {
    /// Orders, their payments, their refunds and their reviews.
    pub domain Refund governs Order;
    services Desk;

    roles { Agent: agent, Operator: human, Shop: system }

    states { Created, Paid, Held, final Refunded, final Closed }

    events {
        OrderPlaced   { total: Cents, note: Option<String>, lines: Vec<Line> } reported by Shop;
        OrderPaid     { payment_id: String };
        OrderHeld;
        OrderRefunded { amount: Cents, reasons: Vec<String> };
        OrderClosed   reported by Shop;
    }

    transitions {
        OrderPlaced:   new => Created;
        OrderPaid:     Created | Held => Paid;
        OrderHeld:     Paid => Held;
        OrderRefunded: Paid => Refunded;
        OrderClosed:   Paid | Held => Closed;
    }

    actions {
        MarkPaid    { risk: low, by: Agent, emits: OrderPaid };
        Look        { risk: low, by: Agent | Operator, emits: none, effect: none };
        ReviewOrder { risk: medium, by: Operator, emits: OrderHeld | OrderRefunded };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
        Export      { risk: high, by: Agent, emits: none, approval: unapproved("a read-only export") };
    }

    allow {
        Created => [MarkPaid, Look];
        Paid    => [ReviewOrder, RefundOrder, Look, Export];
        Held    => [MarkPaid];
    }

    never { Refunded without Operator; Agent alone from Paid to Refunded }
}

/// A line of an order, as an event's field and as a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What was ordered.
    pub article: String,
}

/// What the executors touch.
#[derive(Debug, Default)]
pub struct Desk;

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(desk: &Desk, #[param(length(min = 1, max = 64))] payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(desk.pay(payment_id).await)
}

#[action(Refund::Look)]
async fn look() -> Result<(), Failure> {
    Ok(())
}

/// Holds the order, or pays back what it cost.
#[action(Refund::ReviewOrder)]
async fn review_order(
    execution: &Execution,
    desk: &Desk,
    /// What to pay back.
    #[param(range(min = 1))]
    amount: Option<Cents>,
    #[param(pattern("^[A-Z]{2}$"))] country: Option<String>,
) -> Result<ReviewOrderEvent, Failure> {
    let Some(amount) = amount else {
        return Ok(OrderHeld.into());
    };
    desk.pay(execution.id().as_str().to_owned()).await;
    Ok(OrderRefunded { amount, reasons: country.into_iter().collect() }.into())
}

/// Pays the customer back. It takes more parameters than clippy likes a fn to take.
#[action(Refund::RefundOrder)]
async fn refund_order(
    amount: Cents,
    line: Line,
    name: String,
    street: String,
    town: String,
    zip: String,
    country: String,
    #[param(length(max = 140))] purpose: Option<String>,
) -> Result<OrderRefunded, Failure> {
    let reasons = [line.article, name, street, town, zip, country].into_iter().chain(purpose).collect();
    Ok(OrderRefunded { amount, reasons })
}

/// Asks what became of it.
#[reconcile(Refund::RefundOrder)]
async fn find_refund(desk: &Desk, amount: Cents, name: String) -> Result<Reconciled<OrderRefunded>, Failure> {
    let paid = desk.pay(name).await;
    Ok(Reconciled::Happened(OrderRefunded { amount, reasons: vec![paid.payment_id] }))
}

/// Writes the order out.
#[action(Refund::Export)]
async fn export(#[param(float("a share, not money"))] share: f64) -> Result<(), Failure> {
    if share > 1.0 { Err(Failure::refused("that is more than there is")) } else { Ok(()) }
}

impl Desk {
    async fn pay(&self, payment_id: String) -> OrderPaid {
        std::future::ready(OrderPaid { payment_id }).await
    }
}

//! A crate in which kiff has another name, which the macros are told as serde's are.

#![deny(missing_docs, warnings)]

/// Far from the root of the crate.
pub mod shop {
    use serde::{Deserialize, Serialize};
    use trust::{Execution, Failure, Reconciled, action, domain, reconcile};

    /// Where baskets go.
    #[derive(Debug)]
    pub struct Shelf;

    /// Who carries a basket.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub struct Customer(String);

    domain! {
        /// What people carry around.
        pub domain Counter governs Basket;
        crate = trust;
        services Shelf;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { BasketOpened { by: Customer } reported by Shop; BasketClosed; }
        transitions { BasketOpened: new => Open; BasketClosed: Open => Closed; }
        actions { CloseBasket { risk: low, by: Agent, emits: BasketClosed }; }
        allow { Open => [CloseBasket]; }
    }

    /// Takes the basket back.
    #[action(Counter::CloseBasket, crate = trust)]
    async fn close_basket(_shelf: &Shelf, #[param(range(max = 9))] items: u8) -> Result<BasketClosed, Failure> {
        if items > 0 { Err(Failure::refused("it is not empty")) } else { Ok(BasketClosed) }
    }

    /// Looks whether it is back.
    #[reconcile(Counter::CloseBasket, crate = trust)]
    async fn is_back(execution: &Execution) -> Result<Reconciled<BasketClosed>, Failure> {
        Ok(if execution.approval().is_some() { Reconciled::Happened(BasketClosed) } else { Reconciled::Unknown })
    }
}

/// The executors of a domain in a crate that calls kiff by its own name.
pub mod elsewhere {
    use contracts::shop::{OrderHeld, OrderPaid, OrderRefunded, ReviewOrderEvent};
    use trust::{Cents, Failure, action};

    trust::executors!(contracts::shop::Refund, crate = trust);

    /// Captures the payment.
    #[action(Refund::MarkPaid, crate = trust)]
    async fn mark_paid(payment_id: String) -> Result<OrderPaid, Failure> {
        Ok(OrderPaid { payment_id })
    }

    /// Holds the order, or pays back what it cost.
    #[action(Refund::ReviewOrder, crate = trust)]
    async fn review_order(amount: Option<Cents>) -> Result<ReviewOrderEvent, Failure> {
        Ok(amount.map_or_else(|| OrderHeld.into(), |amount| OrderRefunded { amount }.into()))
    }

    /// Pays the customer back.
    #[action(Refund::RefundOrder, crate = trust)]
    async fn refund_order(amount: Cents) -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded { amount })
    }
}

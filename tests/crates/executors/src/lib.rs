//! The executors of a domain whose block is in the crate `contracts`, with services that are here.

#![deny(missing_docs, warnings)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

use contracts::shop::{OrderHeld, OrderPaid, OrderRefunded};
use kiff::{Cents, Failure, Reconciled, action, reconcile};

/// What the executors touch.
#[derive(Debug, Default)]
pub struct Desk;

kiff::executors!(contracts::shop::Refund => Desk);

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(_desk: &Desk, payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Holds the order, or pays back what it cost.
#[action(Refund::ReviewOrder)]
async fn review_order(amount: Option<Cents>) -> Result<contracts::shop::ReviewOrderEvent, Failure> {
    Ok(amount.map_or_else(|| OrderHeld.into(), |amount| OrderRefunded { amount }.into()))
}

/// Pays the customer back.
#[cfg(not(feature = "incomplete"))]
#[action(Refund::RefundOrder)]
async fn refund_order(#[param(range(min = 1))] amount: Cents) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount })
}

/// Asks what became of it.
#[cfg(not(feature = "incomplete"))]
#[reconcile(Refund::RefundOrder)]
async fn find_refund(_desk: &Desk, amount: Cents) -> Result<Reconciled<OrderRefunded>, Failure> {
    Ok(Reconciled::Happened(OrderRefunded { amount }))
}

/// A domain whose names are words of the language.
pub mod arena {
    use contracts::arena::Move;
    use kiff::{Failure, action};

    kiff::executors!(contracts::arena::Match);

    /// Makes a move.
    #[action(Match::Break)]
    async fn make() -> Result<Move, Failure> {
        Ok(Move)
    }
}

#[cfg(test)]
mod tests {
    use contracts::shop::{OrderPlaced, OrderState, RefundRole};
    use kiff::{Actor, Cents, MemoryStore, RolePolicy, Runtime};

    use super::{Desk, MarkPaid, Order, Refund, RefundOrder, refund};

    /// The loop runs here by what was declared there.
    #[test]
    fn a_domain_runs_where_its_executors_are() {
        pollster::block_on(async {
            let (agent, shop) = (Actor::agent("agent").unwrap(), Actor::system("shop").unwrap());
            let policy = RolePolicy::new()
                .assign(&agent, RefundRole::Agent)
                .assign(&shop, RefundRole::Shop);
            let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk);
            let key = <Refund as kiff::Domain>::entity("ord-1").unwrap();
            let placed = OrderPlaced { total: Cents(5), lines: Vec::new() };
            assert_eq!(runtime.ingest(&shop, &key, placed).await.unwrap().outcome(), "allowed");
            let order: Order = runtime.handle(&key).await.unwrap().unwrap();
            let order: Order<refund::Created> = order.in_state().unwrap();
            let moved = order.execute(&runtime, &agent, MarkPaid { payment_id: "pay-1".to_owned() }).await.unwrap();
            assert_eq!(moved.outcome(), "executed");
            let refund = RefundOrder { amount: Cents(5) };
            assert_eq!(runtime.execute(&agent, &key, refund).await.unwrap().outcome(), "approval_required");
            assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Paid));
        });
    }

    /// It is the same governance, whoever tells of it; what the executors take is known here alone.
    #[test]
    fn there_is_one_schema() {
        let mut here = Refund::schema().clone();
        assert_eq!(here.actions[0].parameters[0].name, "payment_id");
        for action in here.actions.to_mut() {
            action.parameters = kiff::List::Borrowed(&[]);
        }
        assert_eq!(&here, contracts::shop::Refund::schema());
    }
}

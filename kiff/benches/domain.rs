//! The domain that the benches run: the refund domain, with a desk that does nothing.

use kiff::{Actor, Cents, EntityKey, Failure, MemoryStore, RolePolicy, Runtime, action, domain};

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced   { total: Cents } reported by System;
        OrderPaid     { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
        NoteAdded     { text: String };
    }

    transitions {
        OrderPlaced:   new     => Created;
        OrderPaid:     Created => Paid;
        OrderRefunded: Paid    => Refunded;
        NoteAdded:     Paid    => Paid;
    }

    actions {
        MarkPaid    { risk: low,  by: Agent, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
        AddNote     { risk: low,  by: Agent, emits: NoteAdded, effect: none };
    }

    allow {
        Created => [MarkPaid];
        Paid    => [RefundOrder, AddNote];
    }

    never { Refunded without Operator }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(payment_id: String) -> Result<OrderPaid, Failure> {
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

/// Writes something down.
#[action(Refund::AddNote)]
async fn add_note(text: String) -> Result<NoteAdded, Failure> {
    Ok(NoteAdded { text })
}

/// Who there is.
pub(crate) struct People {
    pub(crate) agent: Actor,
    pub(crate) nora: Actor,
    pub(crate) shop: Actor,
}

/// The agent, the operator and the shop.
pub(crate) fn people() -> People {
    let known = "the names of the bench are identifiers";
    People {
        agent: Actor::agent("agent-7").expect(known),
        nora: Actor::human("nora").expect(known),
        shop: Actor::system("shop").expect(known),
    }
}

/// Who holds which role.
pub(crate) fn policy() -> RolePolicy {
    let people = people();
    RolePolicy::new()
        .assign(&people.agent, RefundRole::Agent)
        .assign(&people.nora, RefundRole::Operator)
        .assign(&people.shop, RefundRole::System)
}

/// An empty runtime in memory.
pub(crate) fn runtime() -> Runtime<Refund> {
    Runtime::new(MemoryStore::new(), policy(), ())
}

/// The key of the order of that number.
pub(crate) fn order(number: usize) -> EntityKey {
    EntityKey::new("Order", &format!("ord-{number}")).expect("a number is an identifier")
}

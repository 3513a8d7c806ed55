//! `OrderHeld` leads out of `new`, and only an action could make it happen.

use kiff::{Actor, Call, Cents, EntityKey, Error, Failure, RolePolicy, Runtime, action, domain};

pub struct RefundDesk;

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Held, Paid, final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderHeld;
        OrderReleased reported by System;
        OrderPaid { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
    }

    transitions {
        OrderPlaced: new => Created;
        OrderHeld: new => Held;
        OrderReleased: Held => Created;
        OrderPaid: Created => Paid;
        OrderRefunded: Paid => Refunded;
    }

    actions {
        MarkPaid { risk: low, by: Agent, emits: OrderPaid };
        HoldOrder { risk: low, by: Agent, emits: OrderHeld, effect: none };
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

/// Puts the order aside.
#[action(Refund::HoldOrder)]
async fn hold_order() -> Result<OrderHeld, Failure> {
    Ok(OrderHeld)
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded { amount, reason })
}

/// Takes an order from the shop to its refund.
pub async fn story(runtime: &Runtime<Refund>, key: &EntityKey, shop: &Actor, agent: &Actor) -> Result<(), Error> {
    let placed = runtime.ingest(shop, key, OrderPlaced { total: Cents(4_900) }).await?;
    let paid = runtime.execute(agent, key, Call::new("MARK_PAID", r#"{"payment_id":"pay-1"}"#)).await?;
    println!("{placed:?}, then {paid:?}");
    let Some(order) = runtime.handle(key).await? else { return Ok(()) };
    if let Ok(paid) = order.in_state::<refund::Paid>() {
        let refund = RefundOrder { amount: Cents(4_900), reason: "damaged".to_owned() };
        println!("{:?}", paid.execute(runtime, agent, refund).await?);
    }
    Ok(())
}

/// Whether nothing can happen any more.
pub fn is_over(order: &Order) -> bool {
    order.state() == OrderState::Refunded
}

/// Who may do what.
pub fn policy(agent: kiff::ActorId) -> RolePolicy {
    RolePolicy::new().assign(agent, RefundRole::Agent)
}

fn main() {}

// why: An action is allowed in states alone, so that only what is reported can begin an entity.
//
// right:
//     events {
//         OrderPlaced { total: Cents } reported by System;
//         OrderReserved reported by System;
//         OrderHeld;
//         OrderReleased reported by System;
//         OrderPaid { payment_id: String };
//         OrderRefunded { amount: Cents, reason: String };
//     }
//
//     transitions {
//         OrderPlaced: new => Created;
//         OrderReserved: new => Held;
//         OrderHeld: Created => Held;
//         OrderReleased: Held => Created;
//         OrderPaid: Created => Paid;
//         OrderRefunded: Paid => Refunded;
//     }
//
//     allow {
//         Created => [MarkPaid, HoldOrder];
//         Paid => [RefundOrder];
//     }

//! What another domain permits of an action runs no executor of this one.

use std::sync::LazyLock;

use kiff::{
    ApprovalRule, Cents, Contract, Declared, Domain, Executes, Execution, Executor, Failure, Governed, Permit, Schema,
    action, domain,
};

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;

    roles { Agent: agent, Operator: human, System: system }

    states { Paid, final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderRefunded;
    }

    transitions {
        OrderPlaced: new => Paid;
        OrderRefunded: Paid => Refunded;
    }

    actions {
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Paid => [RefundOrder];
    }

    never { Refunded without Operator }
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order() -> Result<OrderRefunded, Failure> {
    Ok(OrderRefunded {})
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unapproved;

static UNAPPROVED: LazyLock<Contract> =
    LazyLock::new(|| Contract { approval: ApprovalRule::None, ..Refund::RefundOrder.contract().clone() });

impl Domain for Unapproved {
    type State = OrderState;
    type Event = OrderEvent;
    type Services = ();

    fn schema() -> &'static Schema {
        <Refund as Domain>::schema()
    }

    fn from_name(_: &str) -> Option<Self> {
        Some(Self)
    }

    fn contract(self) -> &'static Contract {
        &UNAPPROVED
    }

    fn allowed_in(self, _: OrderState) -> bool {
        true
    }

    fn transition(_: Option<OrderState>, _: &str) -> Option<OrderState> {
        None
    }

    fn actions() -> &'static [Self] {
        &[]
    }
}

impl Declared for Unapproved {
    type Domain = Self;
    type Emits = ();
    type Name = ();
    const ACTION: Self = Self;
}

impl Governed<Unapproved> for RefundOrder {
    type Declared = Unapproved;
}

impl Executes<Unapproved, ()> for Unapproved {
    type Action = RefundOrder;

    async fn run<'a>(
        permit: Permit<'a, Self>,
        action: RefundOrder,
        services: &'a (),
        execution: &'a Execution,
    ) -> Result<(), Failure> {
        <refund::RefundOrder as Executor<Refund>>::run(permit, action, services, execution).await.map(drop)
    }
}

fn main() {}

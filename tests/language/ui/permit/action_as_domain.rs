//! An action that is made a domain of its own gets no permit that its executor takes.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use kiff::journal::{Content, StateChanged};
use kiff::{
    Actor, ApprovalRule, Case, Cents, Clock, Commit, Contract, Domain, Entity, Execution, Executor, Failure, Policy,
    PolicyError, Question, Schema, Sealed, SystemClock, Verdict, action, domain, judge,
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

impl PartialEq for refund::RefundOrder {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for refund::RefundOrder {}

impl Hash for refund::RefundOrder {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

static UNAPPROVED: LazyLock<Contract> =
    LazyLock::new(|| Contract { approval: ApprovalRule::None, ..Refund::RefundOrder.contract().clone() });

impl Domain for refund::RefundOrder {
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

struct Everybody;

impl Policy for Everybody {
    fn holds(&self, _: &Question<'_>) -> Result<bool, PolicyError> {
        Ok(true)
    }
}

pub async fn refund_unapproved(agent: &Actor, execution: &Execution) -> Option<OrderRefunded> {
    let (key, now) = (execution.entity(), SystemClock.now());
    let facts = Box::new([StateChanged { from: None, to: "PAID".into() }.into()]);
    let content = Content { at: now, actor: agent.clone(), trace: None, cause: None, fold: None, facts };
    let commit = Sealed::new(key.clone(), 1, Commit::GENESIS, content).into_commit();
    let entity = Entity::<refund::RefundOrder>::fold(key.clone(), [&commit]).ok()?;
    let (action, policy, parameters) = (refund::RefundOrder, &Everybody, Ok(()));
    let case = Case { action, parameters, binding: None, approval: None, actor: agent, policy, now };
    let Verdict::Allowed(permit) = judge(&entity, &case) else { return None };
    <refund::RefundOrder as Executor<Refund>>::run(permit, RefundOrder, &(), execution).await.ok()
}

fn main() {}

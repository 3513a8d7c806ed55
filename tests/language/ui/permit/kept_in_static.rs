//! A permit cannot be kept for later, not even by an executor written by hand.

use std::sync::Mutex;

use kiff::__private::Members;
use kiff::{
    Action, Cents, Execution, Executor, Failure, Governed, Json, Parameter, ParameterFault, Permit, action,
    domain,
};

pub struct RefundDesk;

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderPaid { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
    }

    transitions {
        OrderPlaced: new => Created;
        OrderPaid: Created => Paid;
        OrderRefunded: Paid => Refunded;
    }

    actions {
        MarkPaid { risk: low, by: Agent, emits: OrderPaid };
        PlaceHold { risk: low, by: Agent, emits: none };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid];
        Paid => [RefundOrder, PlaceHold];
    }

    never { Refunded without Operator }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
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

/// The parameters of `PlaceHold`.
#[derive(Debug, Clone)]
pub struct PlaceHold;

impl Governed<Refund> for PlaceHold {
    type Declared = refund::PlaceHold;
}

impl Action for PlaceHold {
    const PARAMETERS: &'static [Parameter] = &[];

    fn decode(_: &Json) -> Result<Self, ParameterFault> {
        Ok(Self)
    }

    fn write(&self, _: &mut Members) {}

    fn check(&self) -> Result<(), ParameterFault> {
        Ok(())
    }
}

static KEPT: Mutex<Option<Permit<'static, refund::PlaceHold>>> = Mutex::new(None);

impl Executor<Refund> for refund::PlaceHold {
    type Action = PlaceHold;

    async fn run<'a>(
        permit: Permit<'a, refund::PlaceHold>,
        _action: PlaceHold,
        _desk: &'a RefundDesk,
        _execution: &'a Execution,
    ) -> Result<(), Failure> {
        if let Ok(mut kept) = KEPT.lock() {
            *kept = Some(permit);
        }
        Ok(())
    }
}

fn main() {}

//! The three tests that every domain starts with, as the documentation shows them.

use kiff::{Cents, ReasonCode};
use kiff_test::given;

use crate::refund::{
    MarkPaid, OrderPaid, OrderPlaced, OrderRefunded, OrderState, Refund, RefundDesk, RefundOrder, RefundRole,
};

fn refund(amount: i64) -> RefundOrder {
    RefundOrder { amount: Cents(amount), reason: "damaged".into() }
}

#[test]
fn an_approved_refund_is_paid_once() {
    given::<Refund>(RefundDesk::default())
        .event(OrderPlaced { total: Cents(99_900) })
        .event(OrderPaid { payment_id: "pay-1".into() })
        .when(RefundRole::Agent, refund(4_900))
        .then()
        .approval_required()
        .approved_by(RefundRole::Operator)
        .executed(OrderRefunded { amount: Cents(4_900), reason: "damaged".into() })
        .state(OrderState::Refunded)
        .services(|desk| assert_eq!(desk.bank.count(), 1));
}

#[test]
fn nothing_is_refunded_before_it_is_paid() {
    given::<Refund>(RefundDesk::default())
        .event(OrderPlaced { total: Cents(99_900) })
        .when(RefundRole::Agent, refund(4_900))
        .then()
        .blocked(ReasonCode::StateNotAllowed)
        .state(OrderState::Created);
}

#[test]
fn the_events_alone_lead_to_the_same_state() {
    given::<Refund>(RefundDesk::default())
        .event(OrderPlaced { total: Cents(99_900) })
        .action(MarkPaid { payment_id: "pay-1".into() })
        .when(RefundRole::Agent, refund(4_900))
        .approved_by(RefundRole::Operator)
        .then()
        .state(OrderState::Refunded)
        .replays();
}

//! Given, when, then: each expectation where it holds, and where it fails the test with the timeline.

use std::time::Duration;

use kiff::{ActorKind, Call, Cents, Envelope, Json, Proposal, ReasonCode, Review};
use kiff_test::{Actors, Given, given, timeline};

use crate::refund::{
    MarkPaid, OrderEvent, OrderPaid, OrderPlaced, OrderRefunded, OrderState, Refund, RefundDesk, RefundOrder,
    RefundRole, Transfer,
};

const DAY: Duration = Duration::from_hours(24);

fn refund(amount: i64) -> RefundOrder {
    RefundOrder { amount: Cents(amount), reason: "damaged".into() }
}

fn refunded(amount: i64) -> OrderRefunded {
    OrderRefunded { amount: Cents(amount), reason: "damaged".into() }
}

fn placed() -> Given<Refund> {
    given::<Refund>(RefundDesk::default()).event(OrderPlaced { total: Cents(99_900) })
}

fn paid() -> Given<Refund> {
    placed().event(OrderPaid { payment_id: "pay-1".into() })
}

#[test]
fn a_history_of_events_runs_no_executor_and_one_of_actions_does() {
    let events: [OrderEvent; 2] =
        [OrderPlaced { total: Cents(1) }.into(), OrderPaid { payment_id: "pay-1".into() }.into()];
    given::<Refund>(RefundDesk::default())
        .entity("ord-7")
        .events(events)
        .when(RefundRole::Agent, refund(10))
        .then()
        .approval_required()
        .services(|desk| assert_eq!(desk.bank.count(), 0))
        .replays();
    let done = placed()
        .action(MarkPaid { payment_id: "pay-1".into() })
        .action(refund(10))
        .when(RefundRole::Agent, refund(10))
        .then()
        .blocked(ReasonCode::StateNotAllowed)
        .state(OrderState::Refunded)
        .allows([])
        .services(|desk| {
            assert_eq!(desk.bank.calls(), [Transfer::Captured("pay-1".into()), Transfer::PaidBack(Cents(10))]);
        });
    assert_eq!(done.key().to_string(), "Order/order-1");
}

#[test]
fn p3_an_approval_pays_what_was_approved_once_and_before_it_expires() {
    paid()
        .granted(RefundRole::Agent, refund(49), RefundRole::Operator)
        .when(RefundRole::Agent, refund(999_999))
        .then()
        .approval_required()
        .because("approval `approval-1` is for other parameters")
        .when(RefundRole::Agent, refund(49))
        .after(DAY)
        .then()
        .approval_required()
        .because("expired")
        .approved_by(RefundRole::Operator)
        .executed(refunded(49))
        .again()
        .blocked(ReasonCode::StateNotAllowed);
}

#[test]
fn a_denied_refund_stays_held_and_a_review_by_the_wrong_person_does_not_count() {
    paid()
        .when(RefundRole::Agent, refund(49))
        .denied_by(RefundRole::Operator)
        .then()
        .approval_required()
        .denied_by(RefundRole::Operator)
        .approval_required()
        .recorded(["approval_recorded", "approval_denied", "approval_required"]);
    let stranger = Actors::<Refund>::new().stranger(ActorKind::Human);
    paid()
        .when(RefundRole::Agent, refund(49))
        .reviewed_by(&stranger, Review::grant())
        .blocked(ReasonCode::PermissionDenied)
        .when(RefundRole::Agent, refund(49))
        .reviewed_by(RefundRole::Operator, Review::grant().because("seen"))
        .accepted();
}

#[test]
fn a_refund_whose_grant_was_withdrawn_is_held() {
    paid()
        .when(RefundRole::Agent, refund(49))
        .approved_by(RefundRole::Operator)
        .withdrawn_by(RefundRole::Operator)
        .then()
        .approval_required()
        .because("was withdrawn by")
        .recorded(["approval_recorded", "approval_granted", "approval_withdrawn", "approval_required"]);
}

#[test]
#[should_panic(expected = "nothing is granted: call `approved_by` before")]
fn what_was_not_granted_is_not_withdrawn() {
    let _ = paid().when(RefundRole::Agent, refund(49)).withdrawn_by(RefundRole::Operator);
}

#[test]
fn failing_executors_are_told_apart() {
    let desk = RefundDesk::default();
    let bank = desk.bank.clone();
    bank.refuse_next("declined");
    bank.lose_next("no answer");
    given::<Refund>(desk)
        .event(OrderPlaced { total: Cents(1) })
        .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
        .then()
        .failed("error")
        .because("declined")
        .state(OrderState::Created)
        .recorded(["action_validated", "action_started", "action_failed"])
        .again()
        .in_doubt()
        .again()
        .blocked(ReasonCode::ActionInProgress)
        .replays();
    assert_eq!(bank.count(), 2);

    let desk = RefundDesk::default();
    desk.bank.panic_next("boom");
    given::<Refund>(desk)
        .event(OrderPlaced { total: Cents(1) })
        .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
        .then()
        .in_doubt()
        .because("the executor panicked");
}

/// The same wish however often it is made.
#[expect(clippy::unwrap_used, reason = "this is a test")]
fn wish() -> Proposal<MarkPaid> {
    Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key("wish-1".parse().unwrap())
}

#[test]
fn p6_the_same_wish_again_is_a_repeat() {
    placed()
        .when(RefundRole::Agent, wish())
        .then()
        .executed(OrderPaid { payment_id: "pay-1".into() })
        .again()
        .repeated()
        .recorded(["action_deduplicated"])
        .services(|desk| assert_eq!(desk.bank.count(), 1));
    let desk = RefundDesk::default();
    desk.bank.refuse_next("declined");
    given::<Refund>(desk)
        .event(OrderPlaced { total: Cents(1) })
        .when(RefundRole::Agent, wish())
        .then()
        .failed("error")
        .again()
        .repeated()
        .because("declined");
}

#[test]
fn events_names_and_dry_runs_are_tested_alike() {
    let envelope = |text: &str| Envelope::new("ORDER_PAID", Json::parse(text, &kiff::Bounds::DEFAULT).unwrap());
    given::<Refund>(RefundDesk::default())
        .when_reported(RefundRole::System, OrderPlaced { total: Cents(1) })
        .accepted()
        .recorded(["event_ingested", "state_changed"]);
    given::<Refund>(RefundDesk::default())
        .when_reported(RefundRole::Agent, OrderPlaced { total: Cents(1) })
        .blocked(ReasonCode::PermissionDenied)
        .no_entity()
        .recorded([]);
    placed()
        .when_reported(RefundRole::System, envelope(r#"{"payment_id": "pay-1"}"#))
        .blocked(ReasonCode::PermissionDenied)
        .because("only an action can make it happen");
    placed()
        .when(RefundRole::Agent, Call::new("MARK_PAID", r#"{"payment_id": "pay-1"}"#))
        .then_evaluated()
        .accepted()
        .recorded([])
        .allows(["MARK_PAID"])
        .when(RefundRole::Agent, Call::new("MARK_PAID", "{}"))
        .then()
        .invalid(ReasonCode::MissingParameter);
}

#[test]
fn a_timeline_is_a_snapshot_in_a_file() {
    let outcome = placed().when(RefundRole::Agent, refund(49)).then();
    timeline!(outcome.timeline());
    timeline!("a_refund_before_the_payment", outcome.timeline());
}

#[test]
fn a_timeline_is_a_snapshot() {
    let outcome = paid().when(RefundRole::Agent, refund(49)).approved_by(RefundRole::Operator).then();
    timeline!(outcome.timeline(), @r#"
    1.1  [time-1]  event_ingested            system-1      ORDER_PLACED {"total":99900}
    1.2  [time-1]  state_changed             system-1      new -> CREATED
    2.1  [time-1]  event_ingested            agent-1       ORDER_PAID {"payment_id":"pay-1"}
    2.2  [time-1]  state_changed             agent-1       CREATED -> PAID
    3.1  [time-1]  approval_recorded         agent-1       approval-1 asks for REFUND_ORDER {"amount":49,"reason":"damaged"}, until [time-2]
    4.1  [time-1]  approval_granted          operator-1    approval-1
    5.1  [time-1]  action_validated          agent-1       REFUND_ORDER {"amount":49,"reason":"damaged"}
    5.2  [time-1]  action_started            agent-1       REFUND_ORDER as execution-1, spends approval-1
    6.1  [time-1]  action_executed           agent-1       REFUND_ORDER as execution-1
    6.2  [time-1]  event_ingested            agent-1       ORDER_REFUNDED {"amount":49,"reason":"damaged"}
    6.3  [time-1]  state_changed             agent-1       PAID -> REFUNDED
    "#);
}

mod failing {
    use super::*;

    #[test]
    #[should_panic(expected = "expected: executed with ORDER_REFUNDED {\"amount\":50,\"reason\":\"damaged\"}\n\
        but it was: executed with ORDER_REFUNDED {\"amount\":49,\"reason\":\"damaged\"}\n\n\
        `Order/order-1` is REFUNDED; its timeline:\n")]
    fn another_event() {
        paid().when(RefundRole::Agent, refund(49)).approved_by(RefundRole::Operator).then().executed(refunded(50));
    }

    #[test]
    #[should_panic(expected = "expected: blocked: permission_denied\nbut it was: blocked: state_not_allowed: \
        `REFUND_ORDER` is not allowed in state `CREATED`")]
    fn another_code() {
        placed().when(RefundRole::Agent, refund(1)).then().blocked(ReasonCode::PermissionDenied);
    }

    #[test]
    #[should_panic(expected = "expected: approval_required\nbut it was: blocked: state_not_allowed")]
    fn another_verdict() {
        placed().when(RefundRole::Agent, refund(1)).then().approval_required();
    }

    #[test]
    #[should_panic(expected = "expected: invalid: state_not_allowed\nbut it was: blocked")]
    fn blocked_is_not_invalid() {
        placed().when(RefundRole::Agent, refund(1)).then().invalid(ReasonCode::StateNotAllowed);
    }

    #[test]
    #[should_panic(
        expected = "expected: the state PAID\n\n`Order/order-1` is CREATED; its timeline:\n  1.1  2026-01-01T"
    )]
    fn another_state() {
        placed().when(RefundRole::Agent, refund(1)).then().state(OrderState::Paid);
    }

    #[test]
    #[should_panic(expected = "expected the records: [\"action_executed\"]\nbut they are: [\"action_failed\"]")]
    fn other_records() {
        placed().when(RefundRole::Agent, refund(1)).then().recorded(["action_executed"]);
    }

    #[test]
    #[should_panic(expected = "expected the actions: [\"REFUND_ORDER\"]\nbut these are allowed: [\"MARK_PAID\"]")]
    fn other_actions() {
        placed().when(RefundRole::Agent, refund(1)).then().allows(["REFUND_ORDER"]);
    }

    #[test]
    #[should_panic(expected = "expected: failed, in doubt\nbut it was: failed: error: declined")]
    fn refused_is_not_in_doubt() {
        let desk = RefundDesk::default();
        desk.bank.refuse_next("declined");
        given::<Refund>(desk)
            .event(OrderPlaced { total: Cents(1) })
            .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
            .then()
            .in_doubt();
    }

    #[test]
    #[should_panic(expected = "expected: a sentence with \"too late\"\nbut it was: blocked")]
    fn another_sentence() {
        placed().when(RefundRole::Agent, refund(1)).then().because("too late");
    }

    #[test]
    #[should_panic(expected = "expected: a sentence with \"not_allowed\"\nbut it was: blocked")]
    fn a_code_is_no_sentence() {
        placed().when(RefundRole::Agent, refund(1)).then().blocked(ReasonCode::StateNotAllowed).because("not_allowed");
    }

    #[test]
    #[should_panic(expected = "expected: a sentence with \"pay-1\"\nbut it was: executed with ORDER_PAID")]
    fn what_was_done_has_no_sentence() {
        placed().when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() }).then().because("pay-1");
    }

    #[test]
    #[should_panic(expected = "expected: executed with ORDER_PAID {\"payment_id\":\"pay-1\"}\nbut it was: \
        executed with ORDER_PAID {\"payment_id\":\"pay-1\"}; this is a repeat, and nothing ran\n")]
    fn what_ran_before_did_not_run() {
        let paid = || OrderPaid { payment_id: "pay-1".into() };
        placed().when(RefundRole::Agent, wish()).then().executed(paid()).again().executed(paid());
    }

    #[test]
    #[should_panic(expected = "expected: failed: error\nbut it was: failed: error: declined; this is a repeat")]
    fn what_failed_before_did_not_fail() {
        let desk = RefundDesk::default();
        desk.bank.refuse_next("declined");
        given::<Refund>(desk)
            .event(OrderPlaced { total: Cents(1) })
            .when(RefundRole::Agent, wish())
            .then()
            .failed("error")
            .again()
            .failed("error");
    }

    #[test]
    #[should_panic(expected = "expected: a repeat of what was executed before\nbut it was: executed with ORDER_PAID")]
    fn what_ran_is_no_repeat() {
        placed().when(RefundRole::Agent, wish()).then().repeated();
    }

    #[test]
    #[should_panic(expected = "expected: no entity")]
    fn an_entity() {
        placed().when(RefundRole::Agent, refund(1)).then().no_entity();
    }

    #[test]
    #[should_panic(expected = "the history cannot be: `ORDER_REFUNDED` leads nowhere from `CREATED`")]
    fn an_impossible_event_of_an_action() {
        let _ = placed().event(refunded(1));
    }

    #[test]
    #[should_panic(
        expected = "the history cannot be: state_not_allowed: `ORDER_PLACED` leads nowhere from state `CREATED`"
    )]
    fn an_impossible_reported_event() {
        let _ = placed().event(OrderPlaced { total: Cents(1) });
    }

    #[test]
    #[should_panic(
        expected = "the history cannot be: state_not_allowed: `REFUND_ORDER` is not allowed in state `CREATED`"
    )]
    fn an_impossible_action() {
        let _ = placed().action(refund(1));
    }

    #[test]
    #[should_panic(expected = "the history cannot be: failed: error: declined")]
    fn a_failing_action() {
        let desk = RefundDesk::default();
        desk.bank.refuse_next("declined");
        let _ = given::<Refund>(desk)
            .event(OrderPlaced { total: Cents(1) })
            .action(MarkPaid { payment_id: "pay-1".into() });
    }

    #[test]
    #[should_panic(
        expected = "`agent-2` cannot answer approval `approval-1`: permission_denied: only a human can approve"
    )]
    fn an_approval_by_an_agent() {
        let other = Actors::<Refund>::new().other_holder(RefundRole::Agent);
        paid().when(RefundRole::Agent, refund(1)).then().approved_by(other);
    }

    #[test]
    #[should_panic(
        expected = "`agent-1` cannot ask for an approval: approval_policy_error: `MARK_PAID` needs no approval"
    )]
    fn an_approval_of_what_needs_none() {
        let _ =
            placed().when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() }).approved_by(RefundRole::Operator);
    }
}

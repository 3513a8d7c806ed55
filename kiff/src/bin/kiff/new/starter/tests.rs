//! The three tests that every domain starts with: what should work, what must not, and the replay.

use kiff::{Cents, ReasonCode};
use kiff_test::given;

use @LIBRARY@::domain::{
    AnswerTicket, Desk, RefundTicket, Support, SupportRole, TicketOpened, TicketRefunded, TicketState,
};

fn opened() -> TicketOpened {
    TicketOpened { subject: "it arrived broken".into() }
}

fn refund() -> RefundTicket {
    RefundTicket { amount: Cents(4_900), reason: "it arrived broken".into() }
}

#[test]
fn a_refund_that_was_signed_off_is_paid_once() {
    given::<Support>(Desk::default())
        .event(opened())
        .when(SupportRole::Agent, refund())
        .then()
        .approval_required()
        .services(|desk| assert!(desk.paid_back().is_empty()))
        .approved_by(SupportRole::Operator)
        .executed(TicketRefunded { amount: Cents(4_900), reason: "it arrived broken".into() })
        .state(TicketState::Refunded)
        .services(|desk| assert_eq!(desk.paid_back(), [Cents(4_900)]));
}

#[test]
fn nothing_happens_to_a_ticket_that_is_refunded() {
    given::<Support>(Desk::default())
        .event(opened())
        .event(TicketRefunded { amount: Cents(4_900), reason: "it arrived broken".into() })
        .when(SupportRole::Agent, AnswerTicket { answer: "we are sorry".into() })
        .then()
        .blocked(ReasonCode::StateNotAllowed);
}

#[test]
fn the_events_alone_lead_to_the_same_state() {
    given::<Support>(Desk::default())
        .event(opened())
        .action(AnswerTicket { answer: "we are sorry".into() })
        .when(SupportRole::Agent, refund())
        .approved_by(SupportRole::Operator)
        .then()
        .state(TicketState::Refunded)
        .replays();
}

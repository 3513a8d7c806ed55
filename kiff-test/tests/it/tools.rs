//! The small tools: waiting, actors, spies, stable timelines.

use std::future::poll_fn;
use std::task::Poll;
use std::thread;

use kiff::{ActorKind, Cents, MemoryStore, Runtime, UuidIdentifiers};
use kiff_test::{Actors, Spy, block_on, given, stable};

use crate::refund::{OrderPaid, OrderPlaced, Refund, RefundDesk, RefundOrder, RefundRole};
use kiff::Domain as _;

#[test]
fn a_future_that_another_thread_wakes_is_waited_for_asleep() {
    let (mut polls, mut started) = (0, false);
    let answer = block_on(poll_fn(|context| {
        polls += 1;
        if started {
            return Poll::Ready("woken");
        }
        started = true;
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    }));
    assert_eq!((answer, polls), ("woken", 2));
}

#[test]
fn a_future_that_wakes_itself_is_asked_again() {
    let mut left = 3;
    block_on(poll_fn(|context| {
        left -= 1;
        context.waker().wake_by_ref();
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert_eq!(left, 0);
}

#[test]
fn every_role_has_two_holders_and_strangers_hold_none() {
    let actors = Actors::<Refund>::new();
    let runtime = Runtime::<Refund>::new(MemoryStore::new(), actors.policy(), RefundDesk::default());
    let order = Refund::entity("ord-1").unwrap();
    let report = |actor: &kiff::Actor| {
        let verdict = block_on(runtime.ingest(actor, &order, OrderPlaced { total: Cents(1) })).unwrap();
        verdict.is_allowed()
    };
    assert!(!report(&actors.stranger(ActorKind::System)));
    assert!(!report(&actors.holder(RefundRole::Operator)));
    assert!(report(&actors.other_holder(RefundRole::System)));
}

#[test]
fn a_timeline_of_real_identifiers_and_a_real_clock_is_stable() {
    let actors = Actors::<Refund>::new();
    let text = |()| {
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), actors.policy(), RefundDesk::default())
            .with_identifiers(UuidIdentifiers);
        let order = Refund::entity("ord-1").unwrap();
        let placed = OrderPlaced { total: Cents(1) };
        let _ = block_on(runtime.ingest(&actors.holder(RefundRole::System), &order, placed)).unwrap();
        let paid = crate::refund::MarkPaid { payment_id: "6f1c0f2e-0000-7000-8000-000000000001".into() };
        let _ = block_on(runtime.execute(&actors.holder(RefundRole::Agent), &order, paid)).unwrap();
        stable(&block_on(runtime.timeline(&order)).unwrap())
    };
    let texts = [(); 2].map(text);
    assert!(!texts[0].contains("2026"), "{}", texts[0]);
    assert!(texts[0].contains(r#"MARK_PAID {"payment_id":"6f1c0f2e-0000-7000-8000-000000000001"}"#), "{}", texts[0]);
    assert!(texts[0].contains("MARK_PAID as [uuid-1]"), "{}", texts[0]);
}

#[test]
fn what_the_domain_says_is_in_its_snapshot() {
    let text = |payment_id: &str| {
        let paid = OrderPaid { payment_id: payment_id.into() };
        let refund = RefundOrder { amount: Cents(1), reason: "damaged".into() };
        let placed = given::<Refund>(RefundDesk::default()).event(OrderPlaced { total: Cents(1) }).event(paid);
        stable(&placed.when(RefundRole::Agent, refund).approved_by(RefundRole::Operator).then().timeline())
    };
    for payment_id in ["2026-01-31T00:00:00Z", "2026-01-04T00:00:00Z", "6f1c0f2e-0000-7000-8000-000000000001"] {
        let text = text(payment_id);
        assert!(text.contains(&format!(r#"ORDER_PAID {{"payment_id":"{payment_id}"}}"#)), "{text}");
        assert!(text.contains(", until [time-2]"), "{text}");
    }
    let now = text("2026-01-01T00:00:00.000000Z");
    assert!(now.contains(r#"ORDER_PAID {"payment_id":"[time-1]"}"#), "{now}");
}

#[test]
#[should_panic(expected = "boom")]
fn a_spy_panics_when_it_is_told_to() {
    let spy = Spy::new();
    spy.panic_next("boom");
    let _ = spy.call(());
}

//! Made-up histories: a domain that obeys its schema passes, and one that does not is found out.

use std::sync::atomic::{AtomicUsize, Ordering};

use kiff::Cents;
use kiff_test::proptest::prelude::Strategy;
use kiff_test::proptest::sample::select;
use kiff_test::proptest::strategy::ValueTree;
use kiff_test::proptest::test_runner::TestRunner;
use kiff_test::{Histories, Spy, given, histories, obeys_its_schema};

use crate::metering::Metering;
use crate::refund::{Refund, RefundDesk, Transfer};
use crate::shipment::{ParcelOrdered, ParcelPacked, Shipping, Size};

fn shipping() -> Histories<Shipping> {
    let sizes = |field: &kiff_test::Field<'_>| {
        (field.type_name == "Size").then(|| select(vec!["small".into(), "large".into()]).boxed())
    };
    histories().values(sizes).counting(Spy::count)
}

#[test]
fn p1_p2_p3_the_refund_domain_obeys_its_schema() {
    let bank = Spy::new();
    let histories = histories::<Refund>().counting(|desk| desk.bank.count());
    obeys_its_schema(&histories, || RefundDesk { bank: bank.clone() });
    let paid_back = bank.calls().iter().filter(|call| matches!(call, Transfer::PaidBack(_))).count();
    assert!(paid_back > 0, "no history gets to the end");
}

#[test]
fn p1_p2_p3_a_domain_with_everything_obeys_its_schema() {
    let log = Spy::new();
    obeys_its_schema(&shipping(), || log.clone());
    for action in ["pack", "label", "send", "recall"] {
        let count = log.calls().iter().filter(|call| **call == action).count();
        assert!(count > 0, "no history gets to `{action}`");
    }
}

#[test]
fn a_domain_that_lets_through_more_than_its_schema_shows_obeys_it() {
    obeys_its_schema(&histories::<Metering>(), || ());
}

#[test]
fn p9_executors_that_fail_break_no_promise() {
    let histories = shipping().longest(20);
    obeys_its_schema(&histories, || {
        let log = Spy::new();
        log.refuse_next("closed");
        log.call("at first").expect_err("planned");
        log
    });
    let turn = AtomicUsize::new(0);
    obeys_its_schema(&histories, || {
        let log = Spy::new();
        match turn.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => log.refuse_next("closed"),
            1 => log.lose_next("no answer"),
            _ => {}
        }
        log
    });
}

/// A desk whose executors never get beyond their first line.
fn unwritten() -> RefundDesk {
    let desk = RefundDesk::default();
    (0..30).for_each(|_| desk.bank.panic_next("not yet implemented"));
    desk
}

#[test]
#[should_panic(expected = "times and always failed; last: error: the executor panicked")]
fn an_executor_that_is_not_written_yet_is_found() {
    obeys_its_schema(&histories::<Refund>(), unwritten);
}

#[test]
fn p9_an_executor_that_always_fails_breaks_no_promise_where_that_is_said() {
    let histories = histories::<Refund>().failing("MARK_PAID").failing("REFUND_ORDER");
    obeys_its_schema(&histories, unwritten);
}

#[test]
#[should_panic(expected = "the domain `refund` has no action `MARK_SOLD`")]
fn an_action_that_there_is_not_cannot_fail() {
    let _ = histories::<Refund>().failing("MARK_SOLD");
}

#[test]
#[should_panic(expected = "executors ran 2 times, but the journal shows 1")]
fn p2_a_run_that_is_not_on_the_record_is_found() {
    let histories = histories::<Refund>().counting(|desk| desk.bank.count() * 2);
    obeys_its_schema(&histories, RefundDesk::default);
}

#[test]
#[should_panic(expected = "the kit knows no values of type `Size`, which `size` of `PARCEL_ORDERED` has")]
fn a_type_that_the_kit_does_not_know_is_asked_for() {
    obeys_its_schema(&histories::<Shipping>(), Spy::new);
}

#[test]
fn histories_get_shorter_and_are_readable() {
    let mut tree = histories::<Refund>().longest(12).new_tree(&mut TestRunner::deterministic()).unwrap();
    let before = tree.current();
    assert!(before.to_string().starts_with("  1. "), "{before}");
    while tree.simplify() {}
    let after = tree.current();
    assert!(!before.is_empty() && after.is_empty(), "{after}");
    assert!(tree.complicate());
}

#[test]
#[should_panic(expected = "the history cannot be: nobody can make `PARCEL_PACKED` happen in `PACKED`")]
fn a_history_that_is_drawn_and_that_nobody_can_make_is_none() {
    let ordered = ParcelOrdered { value: Cents(1), gift: false, note: None, size: Size::Small };
    let packed = || ParcelPacked { weight: 1.0 };
    let _ = given::<Shipping>(Spy::new()).event(ordered).event(packed()).event(packed());
}

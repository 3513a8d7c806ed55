//! P5: two proposals on one entity at once are judged one after the other.

use std::sync::{Arc, Barrier};

use kiff::{Outcome, ReasonCode, Verdict};
use pollster::block_on;

use crate::shop::{AddNote, MarkPaid, Mood, OrderCancelled, OrderState, granted, open, paid, people, place, refund};

#[test]
fn p5_of_64_executions_at_once_one_runs() {
    const AT_ONCE: usize = 64;
    let (runtime, people) = (Arc::new(open()), people());
    let key = block_on(paid(&runtime, "ord-1"));
    block_on(granted(&runtime, &key, refund(49)));
    let start = Barrier::new(AT_ONCE);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    block_on(runtime.execute(&people.agent, &key, refund(49))).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Executed(_))).count(), 1);
    for refusal in outcomes.iter().filter_map(Outcome::refusal) {
        let told = [ReasonCode::ActionInProgress, ReasonCode::StateNotAllowed, ReasonCode::ApprovalRequired];
        assert!(told.contains(&refusal.code), "{refusal}");
    }
    let paid_back = runtime.services().done().into_iter().filter(|done| done.starts_with("paid back")).count();
    assert_eq!(paid_back, 1);
    let kinds = block_on(runtime.timeline(&key)).unwrap().kinds();
    // One start for the payment, one for the refund.
    assert_eq!(kinds.iter().filter(|kind| **kind == "action_started").count(), 2);
    let rebuilt = block_on(runtime.rebuild(&people.nora, &key)).unwrap();
    assert!(matches!(rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches));
}

#[test]
fn p5_actions_without_an_effect_race_and_each_is_recorded_once() {
    const THREADS: usize = 8;
    const EACH: usize = 25;
    let (runtime, people) = (Arc::new(open()), people());
    let key = block_on(place(&runtime, "ord-1"));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (runtime, people, key) = (&runtime, &people, &key);
            scope.spawn(move || {
                for note in 0..EACH {
                    let note = AddNote { text: format!("{thread}.{note}") };
                    let outcome = block_on(runtime.execute(&people.agent, key, note)).unwrap();
                    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
                }
            });
        }
    });
    let timeline = block_on(runtime.timeline(&key)).unwrap();
    let mut notes: Vec<&str> = timeline
        .records()
        .filter_map(|record| match record.fact() {
            kiff::Fact::EventIngested(ingested) if ingested.event == "NOTE_ADDED" => Some(ingested.payload.as_str()),
            _ => None,
        })
        .collect();
    notes.sort_unstable();
    notes.dedup();
    assert_eq!(notes.len(), THREADS * EACH);
}

#[test]
fn p5_while_an_action_runs_nothing_else_moves_its_entity() {
    let (runtime, people) = (open(), people());
    let key = block_on(place(&runtime, "ord-1"));
    runtime.services().be(Mood::Stuck);
    let mut stuck = Box::pin(runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".into() }));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(stuck.as_mut().poll(&mut context).is_pending());
    runtime.services().be(Mood::Willing);

    block_on(async {
        assert!(runtime.doubt(&key).await.unwrap().is_none(), "it runs here, so it is not in doubt");
        let cancelled = runtime.ingest(&people.shop, &key, OrderCancelled { reason: "late".into() }).await.unwrap();
        assert_eq!(cancelled.refusal().unwrap().code, ReasonCode::ActionInProgress);
        let again = runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-2".into() }).await.unwrap();
        assert_eq!(again.refusal().unwrap().code, ReasonCode::ActionInProgress);
        assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Created));
        let other = paid(&runtime, "ord-2").await;
        assert_eq!(runtime.entity(&other).await.unwrap().state(), Some(OrderState::Paid));
    });
    drop(stuck);
}

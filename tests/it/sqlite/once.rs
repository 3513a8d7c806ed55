//! P6 over a file: what many ask for at once under one key is done once, also when the file is opened again.

use std::sync::{Arc, Barrier};
use std::thread;

use kiff::{Executed, Outcome, Proposal, ReasonCode, Runtime};
use kiff_test::block_on;

use super::Fresh;
use crate::shop::{Desk, MarkPaid, Refund, people, place, policy};

fn pay() -> Proposal<MarkPaid> {
    Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key("wish-1".parse().unwrap())
}

#[test]
fn p6_of_many_at_once_one_reaches_the_outside_and_after_a_restart_none() {
    const AT_ONCE: usize = 16;
    let (store, people) = (Arc::new(Fresh::new()), people());
    let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
    let order = block_on(place(&runtime, "ord-1"));
    let start = Barrier::new(AT_ONCE);
    let outcomes: Vec<Outcome<Executed<Refund>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    block_on(runtime.execute(&people.agent, &order, pay())).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first = outcomes.iter().filter_map(Outcome::executed).find(|done| !done.deduplicated).unwrap();
    for outcome in &outcomes {
        let is_answered = outcome.executed().is_some_and(|done| done.execution == first.execution);
        let is_told = outcome.refusal().is_some_and(|refusal| refusal.code == ReasonCode::ActionInProgress);
        assert!(is_answered || is_told, "{outcome:?}");
    }
    assert_eq!(runtime.services().done(), ["captured pay-1"]);

    drop(runtime);
    let store = Arc::into_inner(store).unwrap().reopened();
    let reopened = Runtime::<Refund, _>::new(store, policy(), Desk::default());
    let again = block_on(reopened.execute(&people.agent, &order, pay())).unwrap();
    assert!(again.executed().is_some_and(|done| done.deduplicated && done.execution == first.execution), "{again:?}");
    assert!(reopened.services().done().is_empty());
}

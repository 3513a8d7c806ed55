//! P6, P7: what is asked before anybody knows how a run ended: the same wish again, and what became of it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use kiff::{Clock, Inquiry, MemoryStore, Outcome, Proposal, Runtime, Settlement, Timestamp};
use pollster::block_on;

use crate::elsewhere::SharedStore;
use crate::shop::{Desk, MarkPaid, Mood, OrderPlaced, Refund, order, people, policy};

fn pay() -> Proposal<MarkPaid> {
    Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key("wish-1".parse().unwrap())
}

#[test]
fn p6_what_is_in_doubt_is_told_as_often_as_it_is_asked_for_and_leaves_no_record() {
    block_on(async {
        let (store, people, order) = (Arc::new(MemoryStore::new()), people(), order("ord-1"));
        let [here, there] = [(); 2].map(|()| Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default()));
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &order, placed).await.unwrap().is_allowed());
        here.services().be(Mood::Silent);
        let Outcome::Failed(doubt) = here.execute(&people.agent, &order, pay()).await.unwrap() else {
            panic!("the bank is silent")
        };
        let number = here.entity(&order).await.unwrap().number();
        for runtime in [&here, &there] {
            let again = runtime.execute(&people.agent, &order, pay()).await.unwrap();
            let refusal = again.refusal().unwrap();
            assert!(refusal.message.contains(doubt.execution.as_str()), "{refusal}");
            assert!(refusal.remedy.as_deref().unwrap().contains("settle it"), "{refusal:?}");
        }
        assert_eq!(here.entity(&order).await.unwrap().number(), number);
        // What one remembers as in doubt is over when another has had it settled.
        let no = Settlement::did_not_happen("it is not on the statement");
        assert!(there.settle(&people.nora, &order, &doubt.execution, no).await.unwrap().is_allowed());
        let again = here.execute(&people.agent, &order, pay()).await.unwrap();
        assert!(matches!(&again, Outcome::Failed(failed) if failed.deduplicated), "{again:?}");
    });
}

/// A clock that goes on by a microsecond whenever somebody looks at it.
#[derive(Default)]
struct Looked(AtomicU64);

impl Clock for Looked {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn p7_what_comes_into_doubt_while_it_is_asked_about_is_not_said_to_be_in_none() {
    block_on(async {
        let (store, clock, people, order) =
            (SharedStore::default(), Arc::new(Looked::default()), people(), order("ord-1"));
        let longest = Duration::from_mins(1);
        let [here, there] = [(); 2].map(|()| {
            let runtime = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
            runtime.with_clock(Arc::clone(&clock)).with_longest_run(longest)
        });
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &order, placed).await.unwrap().is_allowed());
        here.services().be(Mood::Stuck);
        let mut slow = Box::pin(here.execute(&people.agent, &order, pay()));
        assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(slow);

        let until = there.entity(&order).await.unwrap().running().unwrap().since.after(longest);
        clock.0.store(until.as_microseconds() - 1, Ordering::Relaxed);
        let found = there.reconcile(&people.shop, &order).await.unwrap();
        assert!(matches!(&found, Inquiry::NobodyToAsk(running) if running.action == "MARK_PAID"), "{found:?}");
    });
}

//! P7: what several processes run on one store, and answers that come after somebody has settled what became of a run.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use kiff::{
    Appended, Bounds, Commit, Cursor, EntityKey, IdempotencyKey, Matter, MemoryStore, Open, Outcome, Query, ReasonCode,
    Runtime, Sealed, Settlement, Snapshot, Store, StoreError, Timestamp,
};
use pollster::block_on;

use crate::shop::{Desk, MarkPaid, Mood, OrderPaid, OrderState, Refund, SharedClock, order, people, policy};

fn pay() -> MarkPaid {
    MarkPaid { payment_id: "pay-1".into() }
}

fn happened() -> Settlement<Refund> {
    Settlement::happened(OrderPaid { payment_id: "pay-1".into() }, "it is on the statement")
}

#[test]
fn p7_what_still_runs_here_cannot_be_settled_and_an_answer_after_a_settlement_changes_nothing() {
    let (store, people) = (SharedStore::default(), people());
    // What its executor says is on the record up to its bound, then as ever.
    let bounds = Bounds { text: 64, ..Bounds::DEFAULT };
    let here = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_bounds(bounds);
    let key = order("ord-1");
    let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    here.services().be(Mood::Waiting);
    let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(slow.as_mut().poll(&mut context).is_pending());
    let execution = block_on(here.entity(&key)).unwrap().running().unwrap().execution.clone();
    let verdict = block_on(here.settle(&people.nora, &key, &execution, happened())).unwrap();
    assert_eq!(verdict.refusal().unwrap().code, ReasonCode::ActionInProgress);
    assert!(block_on(here.in_doubt(None, 9)).unwrap().is_empty());

    // Another process cannot know that it runs here, and settles it.
    let there = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_longest_run(Duration::ZERO);
    assert_eq!(block_on(there.in_doubt(None, 9)).unwrap().len(), 1);
    let no = Settlement::did_not_happen("the process is gone");
    assert!(block_on(there.settle(&people.nora, &key, &execution, no)).unwrap().is_allowed());

    here.services().be(Mood::Willing);
    let outcome = block_on(slow).unwrap();
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failed.failure.code(), failed.failure.is_unknown()), ("too_late", true));
    let entity = block_on(there.entity(&key)).unwrap();
    assert_eq!((entity.state(), entity.running()), (Some(OrderState::Created), None));
    let timeline = block_on(there.timeline(&key)).unwrap();
    let said = "its executor answered after the doubt was settled: it was execut";
    assert!(timeline.to_string().contains(said) && failed.failure.message() == said, "{timeline}");

    // It is settled and in doubt no more, and ended where it was settled.
    assert!(!failed.is_in_doubt() && !timeline.to_string().contains(&format!("{said}, in doubt")), "{timeline}");
    let commits = block_on(store.search(&Query::default(), Cursor::FIRST, 99)).unwrap();
    let ends: Vec<_> = commits.iter().map(|(_, commit)| commit).filter(|commit| commit.ends(&execution)).collect();
    let [end] = ends.as_slice() else { panic!("{timeline}") };
    assert_eq!(end.number() + 1, commits.last().unwrap().1.number(), "{timeline}");
}

#[test]
fn p7_a_late_answer_is_that_of_its_own_run_and_not_of_the_one_that_runs_now() {
    let (store, people) = (SharedStore::default(), people());
    let runtime =
        || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_longest_run(Duration::ZERO);
    let (here, there) = (runtime(), runtime());
    let (key, mut context) = (order("ord-1"), Context::from_waker(Waker::noop()));
    let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    here.services().be(Mood::Waiting);
    let mut first = Box::pin(here.execute(&people.agent, &key, pay()));
    assert!(first.as_mut().poll(&mut context).is_pending());
    let execution = block_on(here.entity(&key)).unwrap().running().unwrap().execution.clone();
    let no = Settlement::did_not_happen("the process is gone");
    assert!(block_on(there.settle(&people.nora, &key, &execution, no)).unwrap().is_allowed());

    there.services().be(Mood::Waiting);
    let mut second = Box::pin(there.execute(&people.agent, &key, pay()));
    assert!(second.as_mut().poll(&mut context).is_pending());
    here.services().be(Mood::Willing);
    let Outcome::Failed(late) = block_on(first).unwrap() else { panic!("the first run is over") };
    assert_eq!(late.failure.code(), "too_late");
    let entity = block_on(here.entity(&key)).unwrap();
    let running = entity.running().unwrap();
    assert!(entity.state() == Some(OrderState::Created) && running.execution != execution && !running.unknown);

    there.services().be(Mood::Willing);
    assert!(block_on(second).unwrap().executed().is_some());
    assert_eq!(block_on(there.entity(&key)).unwrap().state(), Some(OrderState::Paid));
}

/// A store in memory that says that others append to it as well.
#[derive(Clone, Default)]
struct SharedStore(Arc<MemoryStore>);

impl Store for SharedStore {
    fn append(&self, commit: Sealed) -> impl Future<Output = Result<Appended, StoreError>> + Send {
        self.0.append(commit)
    }

    fn read(
        &self,
        key: &EntityKey,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<Commit>>, StoreError>> + Send {
        self.0.read(key, after, limit)
    }

    fn entities(
        &self,
        after: Option<&EntityKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EntityKey>, StoreError>> + Send {
        self.0.entities(after, limit)
    }

    fn search(
        &self,
        query: &Query,
        cursor: Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(u64, Arc<Commit>)>, StoreError>> + Send {
        self.0.search(query, cursor, limit)
    }

    fn open(
        &self,
        matter: Matter,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Open>, StoreError>> + Send {
        self.0.open(matter, now, after, limit)
    }

    fn keyed(
        &self,
        key: &EntityKey,
        idempotency_key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send {
        self.0.keyed(key, idempotency_key)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn snapshot(&self, key: &EntityKey) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
        self.0.snapshot(key)
    }
}

#[test]
fn p7_what_another_process_runs_is_in_doubt_only_once_it_takes_too_long() {
    let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
    // Each process has a handle of its own, which says that the store is shared.
    let open =
        || Runtime::<Refund, _>::new(Arc::new(store.clone()), policy(), Desk::default()).with_clock(clock.clone());
    let (here, there) = (open(), open().with_longest_run(Duration::from_mins(1)));
    let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    here.services().be(Mood::Stuck);
    let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(slow.as_mut().poll(&mut context).is_pending());
    let execution = block_on(there.entity(&key)).unwrap().running().unwrap().execution.clone();

    let no = || Settlement::did_not_happen("the process is gone");
    assert!(block_on(there.in_doubt(None, 9)).unwrap().is_empty());
    let early = block_on(there.settle(&people.nora, &key, &execution, no())).unwrap();
    assert_eq!(early.refusal().unwrap().code, ReasonCode::ActionInProgress);
    clock.0.pass(Duration::from_secs(61));
    assert_eq!(block_on(there.in_doubt(None, 9)).unwrap().len(), 1);
    assert!(block_on(there.settle(&people.nora, &key, &execution, no())).unwrap().is_allowed());
    drop(slow);

    // Where the executor itself has said that it does not know, nobody waits.
    here.services().be(Mood::Silent);
    let outcome = block_on(here.execute(&people.agent, &key, pay())).unwrap();
    assert!(matches!(&outcome, Outcome::Failed(failed) if failed.failure.is_unknown()), "{outcome:?}");
    assert_eq!(block_on(there.in_doubt(None, 9)).unwrap().len(), 1);
}

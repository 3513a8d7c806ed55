//! P7: what several processes run on one store, and answers that come after somebody has settled what became of a run.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use kiff::{
    Appended, Bounds, Commit, Cursor, EntityKey, Error, IdempotencyKey, Inquiry, Matter, MemoryStore, Open, Outcome,
    Query, ReasonCode, Review, Runtime, Sealed, Settlement, Snapshot, Store, StoreError, Timestamp,
};
use pollster::block_on;

use crate::shop::{
    AddNote, Desk, MarkPaid, Mood, OrderCancelled, OrderPaid, OrderPlaced, OrderState, Refund, SharedClock, order,
    people, policy, refund,
};

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
    let placed = OrderPlaced { total: kiff::Cents(5) };
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
    let said = "its executor answered when it was no longer under way: it was…";
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
    let (store, clock, people) = (SharedStore::default(), SharedClock::default(), people());
    let longest = Duration::from_mins(1);
    let runtime = || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_longest_run(longest);
    let (here, there) = (runtime().with_clock(clock.clone()), runtime().with_clock(clock.clone()));
    let (key, mut context) = (order("ord-1"), Context::from_waker(Waker::noop()));
    let placed = OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    here.services().be(Mood::Waiting);
    let mut first = Box::pin(here.execute(&people.agent, &key, pay()));
    assert!(first.as_mut().poll(&mut context).is_pending());
    let execution = block_on(here.entity(&key)).unwrap().running().unwrap().execution.clone();
    clock.0.pass(longest);
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

#[test]
fn p7_a_late_answer_is_one_whatever_its_executor_calls_it() {
    for mood in [Mood::Muddled, Mood::Evasive] {
        let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
        let longest = Duration::from_mins(1);
        let open = || {
            let runtime = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_clock(clock.clone());
            runtime.with_longest_run(longest)
        };
        let (here, there) = (open(), open());
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
        here.services().be(Mood::Waiting);
        let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
        assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        clock.0.pass(longest);
        let execution = block_on(there.doubt(&key)).unwrap().unwrap().execution;
        let no = Settlement::did_not_happen("the process is gone");
        assert!(block_on(there.settle(&people.nora, &key, &execution, no)).unwrap().is_allowed());
        here.services().be(mood);
        let Outcome::Failed(late) = block_on(slow).unwrap() else { panic!("it is settled") };
        assert_eq!((late.failure.code(), late.failure.is_unknown()), ("too_late", true), "{late:?}");
        assert!(
            late.failure.message().starts_with("its executor answered when it was no longer under way"),
            "{late:?}"
        );
    }
}

type Meanwhile = Box<dyn FnOnce() + Send>;

/// A store in memory that says that others append to it as well, and that can be lost for an older one.
#[derive(Clone, Default)]
pub(crate) struct SharedStore {
    inner: Arc<Mutex<Arc<MemoryStore>>>,
    appends: Arc<AtomicUsize>,
    /// What happens while the next commit is being kept.
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl SharedStore {
    fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    /// Goes back to its first so many commits, as a server does that another one stands in for which had not got the last.
    async fn lose_all_but(&self, commits: usize) {
        let kept = MemoryStore::new();
        for (_, commit) in self.store().search(&Query::default(), Cursor::FIRST, commits).await.unwrap() {
            let (key, body) = (commit.key().clone(), commit.body().into_owned());
            let sealed = Sealed::verbatim(key, commit.number(), commit.previous(), body).unwrap();
            assert_eq!(kept.append(sealed).await.unwrap(), Appended::Written);
        }
        *self.inner.lock().unwrap() = Arc::new(kept);
    }
}

impl Store for SharedStore {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        let asked = self.appends.fetch_add(1, Ordering::Relaxed);
        assert!(asked < 100, "the store is asked for ever");
        let appended = self.store().append(commit).await;
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(happens) = meanwhile {
            happens();
        }
        appended
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.store().read(key, after, limit).await
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.store().entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.store().search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.store().open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.store().keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.store().snapshot(key).await
    }
}

#[test]
fn p7_what_another_process_runs_is_in_doubt_only_once_it_takes_too_long() {
    let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
    // Each process has a handle of its own, which says that the store is shared.
    let open =
        || Runtime::<Refund, _>::new(Arc::new(store.clone()), policy(), Desk::default()).with_clock(clock.clone());
    let (here, there) = (open(), open().with_longest_run(Duration::from_mins(1)));
    let placed = OrderPlaced { total: kiff::Cents(5) };
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

#[test]
fn p7_a_clock_that_was_ahead_once_keeps_no_doubt_from_its_end() {
    let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
    let open = || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_clock(clock.clone());
    let (here, there) = (open(), open());
    clock.0.pass(Duration::from_hours(24 * 365 * 10));
    let placed = OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    clock.0.back(Duration::from_hours(24 * 365 * 9));
    here.services().be(Mood::Stuck);
    let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
    assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(slow);
    // It began now, and its record has the time of the one before.
    let doubts = block_on(there.in_doubt(None, 9)).unwrap();
    let [doubt] = doubts.as_slice() else { panic!("{doubts:?}") };
    let no = Settlement::did_not_happen("the process is gone");
    assert!(block_on(there.settle(&people.nora, &key, &doubt.running.execution, no)).unwrap().is_allowed());
}

#[test]
fn p7_a_run_of_a_server_whose_clock_is_ahead_is_waited_for() {
    let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
    let minute = Duration::from_mins(1);
    let open = || {
        let runtime = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_clock(clock.clone());
        runtime.with_longest_run(minute)
    };
    let (here, there) = (open(), open());
    clock.0.pass(minute * 10);
    let placed = OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(here.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    here.services().be(Mood::Stuck);
    let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
    assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    clock.0.back(minute * 2);
    assert!(block_on(there.in_doubt(None, 9)).unwrap().is_empty());
}

#[test]
fn an_event_that_a_store_has_lost_is_taken_again() {
    block_on(async {
        let (store, people, key) = (SharedStore::default(), people(), order("ord-1"));
        let here = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
        let placed = || OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &key, placed()).await.unwrap().is_allowed());
        let twice = here.ingest(&people.shop, &key, placed()).await.unwrap();
        assert_eq!(twice.refusal().unwrap().code, ReasonCode::StateNotAllowed);
        store.lose_all_but(0).await;
        assert!(here.ingest(&people.shop, &key, placed()).await.unwrap().is_allowed());
    });
}

#[test]
fn an_event_is_not_judged_by_a_past_that_the_store_has_lost_for_another() {
    block_on(async {
        let (store, people, key) = (SharedStore::default(), people(), order("ord-1"));
        let open = || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
        let (here, there) = (open(), open());
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
        assert!(here.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
        // Others go on from an older past, until the journal is as long as it was.
        store.lose_all_but(1).await;
        for text in ["one", "two"] {
            let noted = there.execute(&people.agent, &key, AddNote { text: text.into() }).await.unwrap();
            assert!(noted.executed().is_some());
        }
        let cancelled = OrderCancelled { reason: "of no use".into() };
        let admitted = here.ingest(&people.shop, &key, cancelled).await.unwrap();
        assert!(admitted.is_allowed(), "{admitted:?}");
    });
}

#[test]
fn an_action_goes_on_from_the_past_that_the_store_has_in_the_place_of_the_one_that_it_has_lost() {
    block_on(async {
        let (store, people, key) = (SharedStore::default(), people(), order("ord-1"));
        let open = || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
        let (here, there) = (open(), open());
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
        assert!(here.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
        // It is longer than the one that was lost, so that what comes next does not follow on what is remembered.
        store.lose_all_but(1).await;
        let note = |text: &str| AddNote { text: text.into() };
        for text in ["one", "two", "three"] {
            assert!(there.execute(&people.agent, &key, note(text)).await.unwrap().executed().is_some());
        }
        let noted = here.execute(&people.agent, &key, note("four")).await.unwrap();
        assert_eq!(noted.executed().map(|done| done.state), Some(OrderState::Created), "{noted:?}");
    });
}

#[test]
fn p7_what_was_left_behind_a_moment_ago_is_named_and_asked_about_later() {
    block_on(async {
        let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
        let open = || Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_clock(clock.clone());
        let (crashed, started) = (open(), open());
        let placed = crashed.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
        assert!(placed.is_allowed() && crashed.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
        let asked = crashed.request_approval(&people.agent, &key, refund(49)).await.unwrap().into_result().unwrap();
        assert!(crashed.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        crashed.services().be(Mood::Stuck);
        let mut lost = Box::pin(crashed.execute(&people.agent, &key, refund(49)));
        assert!(lost.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(lost);

        let recovered = started.recover(&people.shop).await.unwrap();
        let [(entity, Ok(Inquiry::MayStillRun { running, until }))] = recovered.as_slice() else {
            panic!("{recovered:?}")
        };
        assert_eq!((entity, *until), (&key, running.since.after(Runtime::<Refund>::LONGEST_RUN)));
        clock.0.pass(Runtime::<Refund>::LONGEST_RUN);
        let recovered = started.recover(&people.shop).await.unwrap();
        assert!(matches!(recovered.as_slice(), [(_, Ok(Inquiry::Settled { .. }))]), "{recovered:?}");
        assert!(started.recover(&people.shop).await.unwrap().is_empty());
    });
}

#[test]
fn p7_a_store_that_has_lost_a_start_is_told_of_its_end_and_not_asked_for_ever() {
    block_on(async {
        for kept in [1, 0] {
            let (store, people, key) = (SharedStore::default(), people(), order("ord-1"));
            let here = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
            let placed = here.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
            assert!(placed.is_allowed());
            here.services().be(Mood::Waiting);
            let mut slow = Box::pin(here.execute(&people.agent, &key, pay()));
            assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            store.lose_all_but(kept).await;
            here.services().be(Mood::Willing);
            let before = store.appends.load(Ordering::Relaxed);
            match (kept, slow.await) {
                (1, Ok(Outcome::Failed(failed))) => assert_eq!(failed.failure.code(), "too_late"),
                (0, Err(Error::Unrecorded { cause, .. })) => {
                    assert!(cause.to_string().contains("the store has lost it"), "{cause}");
                }
                (_, other) => panic!("{other:?}"),
            }
            assert!(store.appends.load(Ordering::Relaxed) - before <= 3);
            assert_eq!(here.services().done(), ["captured pay-1"]);
        }
        // Nor does any other step rely on what is remembered of it.
        let (store, people, key) = (SharedStore::default(), people(), order("ord-1"));
        let here = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
        let placed = here.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
        assert!(placed.is_allowed() && here.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
        store.lose_all_but(1).await;
        let noted = here.execute(&people.agent, &key, AddNote { text: "again".into() }).await.unwrap();
        assert_eq!(noted.executed().map(|done| done.state), Some(OrderState::Created), "{noted:?}");
    });
}

#[test]
fn p3_p7_a_run_whose_start_was_kept_too_late_does_not_begin() {
    block_on(async {
        let (store, clock, people, key) = (SharedStore::default(), SharedClock::default(), people(), order("ord-1"));
        let minute = Duration::from_mins(1);
        let here = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default());
        let here = here.with_clock(clock.clone()).with_longest_run(minute * 2).with_approval_lifetime(minute);
        let meanwhile = |happens: Meanwhile| *store.meanwhile.lock().unwrap() = Some(happens);
        let pass = |time: Duration| {
            let clock = clock.clone();
            Box::new(move || clock.0.pass(time))
        };
        let placed = here.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
        assert!(placed.is_allowed());

        // Others may have called it in doubt, and settled it, before its executor would have begun.
        meanwhile(pass(minute * 2));
        let Outcome::Failed(failed) = here.execute(&people.agent, &key, pay()).await.unwrap() else { panic!("it ran") };
        assert_eq!((failed.failure.code(), failed.failure.is_unknown()), ("did_not_begin", false));
        // They have.
        let there = Runtime::<Refund, _>::new(store.clone(), policy(), Desk::default()).with_clock(clock.clone());
        let there = there.with_longest_run(minute * 2);
        let (passes, nora, order) = (pass(minute * 2), people.nora.clone(), key.clone());
        meanwhile(Box::new(move || {
            passes();
            let execution = block_on(there.doubt(&order)).unwrap().unwrap().execution;
            let no = Settlement::did_not_happen("the process is gone");
            assert!(block_on(there.settle(&nora, &order, &execution, no)).unwrap().is_allowed());
        }));
        let Outcome::Failed(failed) = here.execute(&people.agent, &key, pay()).await.unwrap() else { panic!("it ran") };
        assert_eq!((failed.failure.code(), failed.failure.is_unknown()), ("did_not_begin", false));
        assert!(failed.failure.message().starts_with("it is no longer under way: it did not begin"), "{failed:?}");
        assert!(here.services().done().is_empty());
        assert!(here.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());

        let asked = here.request_approval(&people.agent, &key, refund(49)).await.unwrap().into_result().unwrap();
        assert!(here.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        meanwhile(pass(minute));
        let outcome = here.execute(&people.agent, &key, refund(49)).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert_eq!(failed.failure.code(), "did_not_begin");
        assert!(failed.failure.message().ends_with(&format!("approval `{}` had expired by then", asked.id)));
        let entity = here.entity(&key).await.unwrap();
        assert_eq!((entity.state(), entity.running()), (Some(OrderState::Paid), None));
        assert_eq!(here.services().done(), ["captured pay-1"]);
    });
}

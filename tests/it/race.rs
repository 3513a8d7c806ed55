//! P5: two proposals on one entity at once are judged one after the other.

use std::sync::{Arc, Barrier};

use kiff::{ApprovalStatus, Cents, Domain, MemoryStore, Outcome, ReasonCode, Review, RolePolicy, Runtime, Verdict};
use pollster::block_on;

use crate::shop::{
    AddNote, Desk, MarkPaid, Mood, OrderCancelled, OrderPlaced, OrderState, Refund, granted, open, order, paid, people,
    place, policy, refund,
};

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

/// Two runtimes over one store, each of which remembers the order as it was when it last looked.
fn two_runtimes() -> [Runtime<Refund, Arc<MemoryStore>>; 2] {
    let store = Arc::new(MemoryStore::new());
    [(); 2].map(|()| Runtime::new(Arc::clone(&store), policy(), Desk::default()))
}

#[test]
fn p4_what_a_runtime_remembers_is_no_reason_to_refuse_an_event() {
    let ([one, other], people) = (two_runtimes(), people());
    let key = order("ord-1");
    let cancelled = || OrderCancelled { reason: "late".into() };
    block_on(async {
        let placed = OrderPlaced { total: Cents(99_900) };
        assert!(one.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
        // The other one starts an action, and while that runs the order cannot be cancelled.
        other.services().be(Mood::Silent);
        let doubtful = other.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
        let Outcome::Failed(doubtful) = doubtful else { panic!("{doubtful:?}") };
        let refused = one.ingest(&people.shop, &key, cancelled()).await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::ActionInProgress);
        // The other one settles it, which the first one has not seen when it is asked again.
        let settled = kiff::Settlement::did_not_happen("the bank says so");
        assert!(other.settle(&people.auditor, &key, &doubtful.execution, settled).await.unwrap().is_allowed());
        assert!(one.ingest(&people.shop, &key, cancelled()).await.unwrap().is_allowed());
        assert_eq!(other.entity(&key).await.unwrap().state(), Some(OrderState::Cancelled));
    });
}

#[test]
fn p4_what_a_runtime_remembers_is_no_reason_to_let_a_request_wait() {
    let ([one, other], people) = (two_runtimes(), people());
    let key = order("ord-1");
    block_on(async {
        let placed = OrderPlaced { total: Cents(99_900) };
        assert!(one.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(one.execute(&people.agent, &key, pay).await.unwrap().executed().is_some());
        let Verdict::Allowed(first) = one.request_approval(&people.agent, &key, refund(49)).await.unwrap() else {
            panic!("it can be asked for")
        };
        assert!(other.review(&people.nora, &key, &first.id, Review::deny()).await.unwrap().is_allowed());
        let Verdict::Allowed(second) = one.request_approval(&people.agent, &key, refund(49)).await.unwrap() else {
            panic!("it can be asked for again")
        };
        assert_eq!((second.id == first.id, second.status), (false, ApprovalStatus::Pending));
        // And one that still waits is answered as it is.
        let Verdict::Allowed(again) = one.request_approval(&people.agent, &key, refund(49)).await.unwrap() else {
            panic!("it waits")
        };
        assert_eq!(again.id, second.id);
    });
}

/// A page on which notes are written, and what happens while one is.
mod notebook {
    use std::sync::Mutex;

    use kiff::{Failure, action, domain};

    /// What happens while the next note is written, and how many were.
    #[derive(Default)]
    pub struct Pad {
        pub(super) meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
        pub(super) written: Mutex<usize>,
    }

    domain! {
        pub domain Pages governs Page;
        services Pad;
        roles { Agent: agent, Shop: system }
        states { Open, Seen, final Closed }
        events { PageOpened reported by Shop; PageSeen reported by Shop; PageClosed reported by Shop; NoteAdded; }
        transitions {
            PageOpened: new  => Open;
            PageSeen:   Open => Seen;
            PageClosed: Seen => Closed;
            NoteAdded:  Open => Open;
            NoteAdded:  Seen => Seen;
        }
        actions { AddNote { risk: low, by: Agent, emits: NoteAdded, effect: none }; }
        allow { Open => [AddNote]; Seen => [AddNote]; }
    }

    #[action(Pages::AddNote)]
    async fn add_note(pad: &Pad) -> Result<NoteAdded, Failure> {
        *pad.written.lock().unwrap() += 1;
        let meanwhile = pad.meanwhile.lock().unwrap().take();
        if let Some(happens) = meanwhile {
            happens();
        }
        Ok(NoteAdded)
    }
}

#[test]
fn p5_an_executor_without_an_effect_runs_again_only_where_the_entity_is_in_another_state() {
    use notebook::{AddNote, Pad, PageOpened, PageSeen, PageState, Pages, PagesRole};

    block_on(async {
        let (agent, shop, store) = (people().agent, people().shop, Arc::new(MemoryStore::new()));
        let open = || {
            let roles = RolePolicy::new().assign(&agent, PagesRole::Agent).assign(&shop, PagesRole::Shop);
            Arc::new(Runtime::<Pages, _>::new(Arc::clone(&store), roles, Pad::default()))
        };
        let (runtime, other) = (open(), open());
        let page = Pages::entity("page-1").unwrap();
        assert!(runtime.ingest(&shop, &page, PageOpened).await.unwrap().is_allowed());
        let written = || *runtime.services().written.lock().unwrap();
        let meanwhile =
            |happens: Box<dyn FnOnce() + Send>| *runtime.services().meanwhile.lock().unwrap() = Some(happens);

        let (there, key, writer) = (Arc::clone(&other), page.clone(), agent.clone());
        meanwhile(Box::new(move || {
            assert!(block_on(there.record(&writer, &key, AddNote {})).unwrap().is_allowed());
        }));
        assert_eq!(runtime.execute(&agent, &page, AddNote {}).await.unwrap().outcome(), "executed");
        // What came in between, and the note.
        assert_eq!((written(), runtime.entity(&page).await.unwrap().number()), (1, 3));

        let (key, reporter) = (page.clone(), shop.clone());
        meanwhile(Box::new(move || {
            assert!(block_on(other.ingest(&reporter, &key, PageSeen)).unwrap().is_allowed());
        }));
        let noted = runtime.execute(&agent, &page, AddNote {}).await.unwrap();
        assert_eq!(noted.executed().map(|done| done.state), Some(PageState::Seen), "{noted:?}");
        assert_eq!((written(), runtime.entity(&page).await.unwrap().number()), (3, 5));
    });
}

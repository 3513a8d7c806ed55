//! P9, and the part of P7 that needs no disk: what cannot be decided is refused, and what may have happened is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiff::http::Limits;
use kiff::{
    Appended, Clock, Commit, Cursor, Domain, EntityKey, Error, Fact, IdempotencyKey, Inquiry, Matter, MemoryStore,
    Open, Outcome, Policy, PolicyError, Query, Question, ReasonCode, Review, RolePolicy, Runtime, Sealed, Settlement,
    Snapshot, Store, StoreError, Timestamp, Verdict,
};
use pollster::block_on;

use crate::http::server::Server;
use crate::observed::Heard;
use crate::shop::{
    AddNote, Desk, MarkPaid, Mood, OrderState, Refund, SharedClock, open, order, paid, people, place, policy, refund,
};

fn pay() -> MarkPaid {
    MarkPaid { payment_id: "pay-1".into() }
}

#[test]
fn p9_a_policy_that_errs_refuses() {
    struct Broken;

    impl Policy for Broken {
        fn holds(&self, _: &Question<'_>) -> Result<bool, PolicyError> {
            Err(PolicyError::new("the directory at ldap.internal does not answer"))
        }
    }

    let heard = Heard::everything();
    block_on(async {
        let store = Arc::new(MemoryStore::new());
        let people = people();
        let before = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let key = order("ord-1");
        let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
        assert!(before.ingest(&people.shop, &key, placed.clone()).await.unwrap().is_allowed());
        let runtime = Runtime::<Refund, _>::new(store, Broken, Desk::default());
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        let refusal = outcome.refusal().unwrap();
        assert_eq!(refusal.code, ReasonCode::Error);
        // What keeps it from deciding is for the log, and on no record.
        assert_eq!(refusal.message, "whether `agent-7` (agent) has `refund.mark_paid` could not be decided");
        assert!(!format!("{:?}", runtime.timeline(&key).await.unwrap()).contains("ldap.internal"));
        let told = heard.with("message", "a policy could not decide");
        assert!(told.iter().any(|told| told["error"].contains("ldap.internal") && told["actor_id"] == "agent-7"));
        let ingested = runtime.ingest(&people.shop, &order("ord-2"), placed).await.unwrap();
        assert_eq!(ingested.refusal().unwrap().code, ReasonCode::Error);
        assert!(runtime.services().done().is_empty());

        // Nor does anybody sign off or settle by a policy that says nothing.
        let pay = before.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(pay.executed().is_some());
        let asked = before.request_approval(&people.agent, &key, refund(5)).await.unwrap();
        let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
        let reviewed = runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap();
        assert_eq!(reviewed.refusal().unwrap().code, ReasonCode::Error);
        assert!(before.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        before.services().be(Mood::Silent);
        let Outcome::Failed(failed) = before.execute(&people.agent, &key, refund(5)).await.unwrap() else {
            panic!("the bank is silent")
        };
        let no = Settlement::did_not_happen("it is not on the statement");
        let settled = runtime.settle(&people.nora, &key, &failed.execution, no).await.unwrap();
        assert_eq!(settled.refusal().unwrap().code, ReasonCode::Error);
        assert!(before.doubt(&key).await.unwrap().is_some());
    });
}

#[test]
fn p9_a_panic_is_on_the_record_and_takes_down_nothing_else() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (key, other) = (place(&runtime, "ord-1").await, place(&runtime, "ord-2").await);
        runtime.services().be(Mood::Panicking);
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        let Outcome::Failed(failed) = &outcome else { panic!("{outcome:?}") };
        assert!(failed.failure.is_unknown(), "it may have happened before the panic");
        let told = "the executor panicked, and what it said is in the log of the process";
        assert_eq!(failed.failure.message(), told);
        let timeline = runtime.timeline(&key).await.unwrap();
        assert!(timeline.to_string().contains(told) && !timeline.to_string().contains("fell over"), "{timeline}");
        assert_eq!(timeline.kinds().last(), Some(&"action_failed"));
        let doubt = runtime.doubt(&key).await.unwrap().unwrap();
        assert_eq!((doubt.action.as_ref(), &doubt.execution), ("MARK_PAID", &failed.execution));
        let again = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(again.refusal().unwrap().message.contains("is in doubt"));

        runtime.services().be(Mood::Willing);
        let outcome = runtime.execute(&people.agent, &other, pay()).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    });
}

#[test]
fn a_panic_without_an_effect_outside_leaves_no_doubt() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        runtime.services().be(Mood::Panicking);
        let note = || AddNote { text: "fragile".into() };
        let outcome = runtime.execute(&people.agent, &key, note()).await.unwrap();
        assert!(matches!(&outcome, Outcome::Failed(failed) if !failed.failure.is_unknown()), "{outcome:?}");
        assert!(runtime.doubt(&key).await.unwrap().is_none());
        runtime.services().be(Mood::Willing);
        let outcome = runtime.execute(&people.agent, &key, note()).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    });
}

#[test]
fn what_was_refused_may_be_tried_again_and_what_is_unknown_may_not() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        runtime.services().be(Mood::Declining);
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(matches!(&outcome, Outcome::Failed(failed) if failed.failure.code() == "declined_by_bank"));
        assert!(runtime.doubt(&key).await.unwrap().is_none());
        runtime.services().be(Mood::Silent);
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(matches!(&outcome, Outcome::Failed(failed) if failed.failure.is_unknown()));
        runtime.services().be(Mood::Willing);
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::ActionInProgress);
        assert_eq!(runtime.services().done().len(), 1, "the silent payment is not made again");
    });
}

#[test]
fn a_dropped_future_leaves_a_started_action_in_doubt() {
    let (runtime, people) = (open(), people());
    let key = block_on(place(&runtime, "ord-1"));
    runtime.services().be(Mood::Stuck);
    let mut stuck = Box::pin(runtime.execute(&people.agent, &key, pay()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(stuck.as_mut().poll(&mut context).is_pending());
    drop(stuck);
    block_on(async {
        let doubt = runtime.doubt(&key).await.unwrap().unwrap();
        assert_eq!(doubt.action, "MARK_PAID");
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds().last(), Some(&"action_started"));
        assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Created));
    });
}

/// A store that stops to keep commits once it is told to.
struct Failing {
    inner: MemoryStore,
    /// Fails every commit from now on that holds a fact of this sort.
    fails: fn(&Fact) -> bool,
    armed: AtomicBool,
}

impl Store for Failing {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        if self.armed.load(Ordering::SeqCst) && commit.commit().facts().iter().any(self.fails) {
            return Err(StoreError::new("the disk is full"));
        }
        self.inner.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        self.inner.read(key, after, limit).await
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.inner.entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.inner.search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.inner.open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.inner.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        self.inner.snapshot(key).await
    }
}

fn failing(fails: fn(&Fact) -> bool) -> Runtime<Refund, Failing> {
    let store = Failing { inner: MemoryStore::new(), fails, armed: AtomicBool::new(false) };
    Runtime::new(store, policy(), Desk::default())
}

async fn placed(runtime: &Runtime<Refund, Failing>) -> EntityKey {
    let key = order("ord-1");
    let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(runtime.ingest(&people().shop, &key, placed).await.unwrap().is_allowed());
    runtime.store().armed.store(true, Ordering::SeqCst);
    key
}

#[test]
fn p9_when_the_start_cannot_be_kept_nothing_runs() {
    block_on(async {
        let runtime = failing(|fact| matches!(fact, Fact::ActionStarted(_)));
        let key = placed(&runtime).await;
        let broken = runtime.execute(&people().agent, &key, pay()).await.unwrap_err();
        assert!(matches!(&broken, Error::Store(_)), "{broken}");
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p9_when_the_answer_cannot_be_kept_the_action_is_in_doubt() {
    block_on(async {
        let runtime = failing(|fact| matches!(fact, Fact::ActionExecuted(_)));
        let key = placed(&runtime).await;
        let broken = runtime.execute(&people().agent, &key, pay()).await.unwrap_err();
        let Error::Unrecorded { execution, .. } = &broken else { panic!("{broken}") };
        assert_eq!(runtime.services().done().len(), 1);
        let doubt = runtime.doubt(&key).await.unwrap().unwrap();
        assert_eq!(doubt.execution, *execution);
        assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Created));
    });
}

/// A clock that goes on by a minute whenever somebody has looked at it, once it is told to.
#[derive(Debug, Clone, Default)]
struct Hurrying {
    clock: SharedClock,
    hurries: Arc<AtomicBool>,
}

impl Clock for Hurrying {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        if self.hurries.load(Ordering::SeqCst) {
            self.clock.0.pass(Duration::from_mins(1));
        }
        now
    }
}

#[test]
fn p9_of_what_did_not_begin_nobody_says_that_it_ran() {
    block_on(async {
        let (people, clock) = (people(), Hurrying::default());
        let runtime = failing(|fact| matches!(fact, Fact::ActionFailed(_))).with_clock(clock.clone());
        let runtime = runtime.with_approval_lifetime(Duration::from_mins(1));
        let key = placed(&runtime).await;
        assert!(runtime.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
        let asked = runtime.request_approval(&people.agent, &key, refund(5)).await.unwrap().into_result().unwrap();
        assert!(runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        // Its approval expires while its start is being kept, and that it did not begin is not kept.
        clock.hurries.store(true, Ordering::SeqCst);
        let broken = runtime.execute(&people.agent, &key, refund(5)).await.unwrap_err();
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
        let Error::Unrecorded { execution, .. } = &broken else { panic!("{broken}") };
        let told = format!("execution `{execution}` has started, and how it ended could not be recorded: ");
        assert!(broken.to_string().starts_with(&told), "{broken}");
    });
}

#[test]
fn p9_a_client_is_told_by_which_number_to_settle_an_answer_that_could_not_be_kept() {
    let runtime = failing(|fact| matches!(fact, Fact::ActionExecuted(_)));
    block_on(placed(&runtime));
    let server = Server::of(Arc::new(runtime), Limits::DEFAULT, |api| api);
    let pay = r#"{"parameters": {"payment_id": "pay-1"}}"#;
    let told = server.client(&people().agent).post("/entities/ord-1/actions/MARK_PAID/execute", pay).expect(500);
    assert_eq!(server.shop.services().done().len(), 1);
    let doubts = server.client(&people().nora).get("/doubts").expect(200);
    let execution = doubts["doubts"][0]["execution_id"].as_str().unwrap();
    for (member, value) in [
        ("outcome", "failed"),
        ("reason", "error"),
        ("action", "MARK_PAID"),
        ("entity_id", "ord-1"),
        ("execution_id", execution),
        ("next_step", "settle"),
    ] {
        assert_eq!(told[member], value, "{told}");
    }
    let error = told["error"].as_str().unwrap();
    assert!(error.contains(execution) && error.contains("a person has to settle"), "{error}");
    assert!(!error.contains("the disk is full"), "what broke is no client's business: {error}");
}

/// A domain with an event that cannot be written down.
mod brittle {
    use kiff::{Failure, Reconciled, action, domain, reconcile};
    use serde::{Deserialize, Serialize, Serializer};

    /// What the scale says.
    #[derive(Debug, Clone, Deserialize)]
    pub struct Weight;

    impl Serialize for Weight {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("the scale fell over")
        }
    }

    domain! {
        pub domain Freight governs Parcel;
        roles { Robot: agent, Depot: system }
        states { Arrived, final Weighed }
        events { ParcelArrived { } reported by Depot; ParcelWeighed { weight: Weight }; }
        transitions { ParcelArrived: new => Arrived; ParcelWeighed: Arrived => Weighed; }
        actions { Weigh { risk: low, by: Robot, emits: ParcelWeighed }; }
        allow { Arrived => [Weigh]; }
    }

    #[action(Freight::Weigh)]
    async fn weigh() -> Result<ParcelWeighed, Failure> {
        Ok(ParcelWeighed { weight: Weight })
    }

    #[reconcile(Freight::Weigh)]
    async fn was_weighed() -> Result<Reconciled<ParcelWeighed>, Failure> {
        Ok(Reconciled::Happened(ParcelWeighed { weight: Weight }))
    }
}

#[test]
fn p9_an_event_that_panics_when_it_is_written_is_an_answer_too() {
    use brittle::{Freight, FreightRole, ParcelArrived, Weigh};

    block_on(async {
        let people = people();
        let policy = RolePolicy::new()
            .assign(people.agent.id().clone(), FreightRole::Robot)
            .assign(people.shop.id().clone(), FreightRole::Depot);
        let runtime = Runtime::<Freight>::new(MemoryStore::new(), policy, ());
        let key = Freight::entity("p-1").unwrap();
        assert!(runtime.ingest(&people.shop, &key, ParcelArrived {}).await.unwrap().is_allowed());
        let outcome = runtime.execute(&people.agent, &key, Weigh {}).await.unwrap();
        let Outcome::Failed(failed) = &outcome else { panic!("{outcome:?}") };
        assert!(failed.failure.is_unknown(), "it may have happened");
        let told = "`PARCEL_WEIGHED` cannot be recorded: writing the event panicked, and what it said is in the log";
        let is_told = |said: &str| said.contains(told) && !said.contains("fell over");
        assert!(is_told(failed.failure.message()), "{}", failed.failure.message());
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds().last(), Some(&"action_failed"));
        let recovered = runtime.recover(&people.shop).await.unwrap();
        let [(_, Ok(Inquiry::StillUnknown { why, .. }))] = &recovered[..] else { panic!("{recovered:?}") };
        assert!(is_told(why), "{why}");
    });
}

/// Appends what only a later kiff can read.
async fn from_the_future(runtime: &Runtime<Refund>, key: &EntityKey) {
    let entity = runtime.entity(key).await.unwrap();
    let body = r#"{"at":"2026-11-23T10:00:00Z","actor":{"kind":"system","id":"shop"},
        "records":[{"kind":"order_weighed","v":1,"data":{}}]}"#;
    let sealed = Sealed::verbatim(key.clone(), entity.number() + 1, entity.head(), body.into()).unwrap();
    assert_eq!(runtime.store().append(sealed).await.unwrap(), Appended::Written);
}

#[test]
fn p9_one_broken_journal_hides_nothing_of_the_others() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let mut keys = Vec::new();
        for id in ["ord-1", "ord-2", "ord-3", "ord-4"] {
            let key = paid(&runtime, id).await;
            assert!(runtime.request_approval(&people.agent, &key, refund(7)).await.unwrap().is_allowed());
            keys.push(key);
        }
        for id in ["ord-5", "ord-6", "ord-7", "ord-8"] {
            let key = place(&runtime, id).await;
            runtime.services().be(Mood::Silent);
            assert_eq!(runtime.execute(&people.agent, &key, pay()).await.unwrap().outcome(), "failed");
            runtime.services().be(Mood::Willing);
            keys.push(key);
        }
        for broken in [&keys[0], &keys[4]] {
            from_the_future(&runtime, broken).await;
            assert!(matches!(runtime.entity(broken).await.unwrap_err(), Error::Journal(_)));
        }
        let pending = runtime.pending_approvals(None, 9).await.unwrap();
        assert_eq!(pending.iter().map(|pending| &pending.open.key).collect::<Vec<_>>(), [&keys[1], &keys[2], &keys[3]]);
        let doubts = runtime.in_doubt(None, 9).await.unwrap();
        assert_eq!(doubts.iter().map(|doubt| &doubt.open.key).collect::<Vec<_>>(), [&keys[5], &keys[6], &keys[7]]);
        // Who recovers is told of what cannot be.
        let recovered = runtime.recover(&people.shop).await.unwrap();
        let [(_, Err(broken)), rest @ ..] = &recovered[..] else { panic!("{recovered:?}") };
        assert_eq!(broken.key, keys[4]);
        assert!(rest.len() == 3 && rest.iter().all(|(_, inquiry)| inquiry.is_ok()), "{rest:?}");
    });
}

#[test]
fn a_typed_handle_grants_nothing() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let handle = || async { runtime.handle(&key).await.unwrap().unwrap().in_state::<refund::Created>().unwrap() };
        let (one, other) = (handle().await, handle().await);
        let outcome = one.execute(&runtime, &people.agent, pay()).await.unwrap();
        let Outcome::Executed(moved) = outcome else { panic!("{outcome:?}") };
        assert_eq!(moved.handle.state(), OrderState::Paid);
        let stale = other.execute(&runtime, &people.agent, pay()).await.unwrap();
        assert_eq!(stale.refusal().unwrap().code, ReasonCode::StateNotAllowed);
    });
}

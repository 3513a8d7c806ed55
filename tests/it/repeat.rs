//! P6: the same wish twice does it once, and gives the first answer again.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use kiff::{
    Actor, Call, Domain, EntityKey, Executed, Fact, Failure, IdempotencyKey, MemoryStore, Outcome, Policy, PolicyError,
    Proposal, Question, ReasonCode, Review, RolePolicy, Runtime, Settlement, Verdict, action, domain,
};
use pollster::block_on;

use crate::shop::{
    AddNote, Desk, ExportOrder, MarkPaid, Mood, OrderPaid, OrderPlaced, OrderState, Refund, granted, open, order, paid,
    people, place, policy, refund,
};

fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

fn pay(payment: &str) -> Proposal<MarkPaid> {
    Proposal::new(MarkPaid { payment_id: payment.into() }).idempotency_key(key("wish-1"))
}

fn executed(outcome: Outcome<Executed<Refund>>) -> Executed<Refund> {
    match outcome {
        Outcome::Executed(done) => done,
        other => panic!("{other:?}"),
    }
}

async fn last<S: kiff::Store>(runtime: &Runtime<Refund, S>, order: &EntityKey) -> &'static str {
    runtime.timeline(order).await.unwrap().kinds().last().copied().unwrap_or_default()
}

#[test]
fn p6_the_same_wish_gives_the_first_answer_and_runs_nothing() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        let first = executed(runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        assert!(!first.deduplicated);
        // The state has moved, so that without the key the answer would be another.
        let call =
            Proposal::new(Call::new("MARK_PAID", r#"{ "payment_id" : "pay-1" }"#)).idempotency_key(key("wish-1"));
        let again = executed(runtime.execute(&people.agent, &order, call).await.unwrap());
        assert!(again.deduplicated);
        assert_eq!((&again.execution, again.state), (&first.execution, OrderState::Paid));
        assert_eq!(format!("{:?}", again.event), format!("{:?}", first.event));
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
        assert_eq!(last(&runtime, &order).await, "action_deduplicated");
        let other = place(&runtime, "ord-2").await;
        assert!(!executed(runtime.execute(&people.agent, &other, pay("pay-1")).await.unwrap()).deduplicated);
    });
}

#[test]
fn p6_a_wish_without_an_event_is_answered_with_the_state_of_then() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = paid(&runtime, "ord-1").await;
        let export = || Proposal::new(ExportOrder { format: None }).idempotency_key(key("wish-2"));
        let first = executed(runtime.execute(&people.auditor, &order, export()).await.unwrap());
        granted(&runtime, &order, refund(49)).await;
        executed(runtime.execute(&people.agent, &order, refund(49)).await.unwrap());
        let again = executed(runtime.execute(&people.auditor, &order, export()).await.unwrap());
        assert_eq!((first.state, again.state, again.deduplicated), (OrderState::Paid, OrderState::Paid, true));
        assert_eq!(runtime.entity(&order).await.unwrap().state(), Some(OrderState::Refunded));
    });
}

#[test]
fn p6_anything_else_under_the_same_key_is_refused_and_recorded() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        executed(runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        let note = || Proposal::new(AddNote { text: "fragile".into() }).idempotency_key(key("wish-1"));
        for (actor, outcome) in [
            (&people.agent, runtime.execute(&people.agent, &order, pay("pay-2")).await.unwrap()),
            (&people.auditor, runtime.execute(&people.auditor, &order, pay("pay-1")).await.unwrap()),
            (&people.agent, runtime.execute(&people.agent, &order, note()).await.unwrap()),
        ] {
            assert_eq!(outcome.refusal().unwrap().code, ReasonCode::IdempotencyKeyReused, "{}", actor.id());
        }
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
        assert_eq!(last(&runtime, &order).await, "action_failed");
    });
}

#[test]
fn p6_whoever_may_not_ask_learns_nothing_of_keys() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        let note = |text: &str| Proposal::new(AddNote { text: text.into() }).idempotency_key(key("wish-1"));
        executed(runtime.execute(&people.agent, &order, note("fragile")).await.unwrap());
        let stranger = Actor::agent("mallory").unwrap();
        for text in ["fragile", "other"] {
            let outcome = runtime.execute(&stranger, &order, note(text)).await.unwrap();
            assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied);
        }
    });
}

#[test]
fn p6_what_was_held_or_refused_has_used_no_key() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = paid(&runtime, "ord-1").await;
        let wish = || Proposal::new(refund(4_900)).idempotency_key(key("wish-1"));
        assert_eq!(runtime.execute(&people.agent, &order, wish()).await.unwrap().outcome(), "approval_required");
        let Verdict::Allowed(asked) = runtime.request_approval(&people.agent, &order, wish()).await.unwrap() else {
            panic!("it can be asked for")
        };
        let granted = runtime.review(&people.nora, &order, &asked.id, Review::grant()).await.unwrap();
        assert!(granted.is_allowed());
        let first = executed(runtime.execute(&people.agent, &order, wish()).await.unwrap());
        // The approval is spent and the order refunded, and still the answer is the first one.
        let again = executed(runtime.execute(&people.agent, &order, wish()).await.unwrap());
        assert_eq!(first.execution, again.execution);
        assert_eq!(runtime.services().done().len(), 2);
    });
}

#[test]
fn p6_a_whole_number_is_the_same_however_it_is_written() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = paid(&runtime, "ord-1").await;
        let wish = |amount: &str| {
            let parameters = format!(r#"{{"amount": {amount}, "reason": "damaged"}}"#);
            Proposal::new(Call::new("REFUND_ORDER", parameters)).idempotency_key(key("wish-1"))
        };
        let asked = runtime.request_approval(&people.agent, &order, wish("4900.0")).await.unwrap();
        let asked = asked.into_result().unwrap();
        assert!(runtime.review(&people.nora, &order, &asked.id, Review::grant()).await.unwrap().is_allowed());
        let first = executed(runtime.execute(&people.agent, &order, wish("4900")).await.unwrap());
        for amount in ["4900.0", "4.9e3", "49000E-1"] {
            let again = executed(runtime.execute(&people.agent, &order, wish(amount)).await.unwrap());
            assert!(again.deduplicated && again.execution == first.execution, "{amount}");
        }
        let other = runtime.execute(&people.agent, &order, wish("4901.0")).await.unwrap();
        assert_eq!(other.refusal().unwrap().code, ReasonCode::IdempotencyKeyReused);
        let timeline = runtime.timeline(&order).await.unwrap();
        let asked = timeline.records().find_map(|record| match record.fact() {
            Fact::ApprovalRecorded(recorded) => Some(recorded.parameters.as_str().to_owned()),
            _ => None,
        });
        assert_eq!(asked.as_deref(), Some(r#"{"amount":4900,"reason":"damaged"}"#));
    });
}

#[test]
fn p6_what_was_not_known_at_first_is_answered_as_it_was_settled() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        runtime.services().be(Mood::Silent);
        let Outcome::Failed(first) = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap() else {
            panic!("the bank is silent")
        };
        let paid = Settlement::happened(OrderPaid { payment_id: "pay-1".into() }, "it is on the statement");
        assert!(runtime.settle(&people.nora, &order, &first.execution, paid).await.unwrap().is_allowed());
        let again = executed(runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        assert_eq!((again.execution, again.state, again.deduplicated), (first.execution, OrderState::Paid, true));
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
    });
}

#[test]
fn p6_a_refusal_of_the_executor_is_repeated_too() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        runtime.services().be(Mood::Declining);
        let first = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap();
        runtime.services().be(Mood::Willing);
        let again = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap();
        let (Outcome::Failed(first), Outcome::Failed(again)) = (first, again) else { panic!("the bank declined") };
        assert_eq!((first.execution, first.failure), (again.execution, again.failure));
        assert!(again.deduplicated && runtime.services().done().is_empty());
    });
}

#[test]
fn p6_while_the_first_one_runs_the_second_is_told_so() {
    let (runtime, people) = (open(), people());
    let order = block_on(place(&runtime, "ord-1"));
    runtime.services().be(Mood::Stuck);
    let mut stuck = Box::pin(runtime.execute(&people.agent, &order, pay("pay-1")));
    let mut context = Context::from_waker(Waker::noop());
    assert!(stuck.as_mut().poll(&mut context).is_pending());
    block_on(async {
        let number = runtime.entity(&order).await.unwrap().number();
        for _ in 0..3 {
            let again = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap();
            assert_eq!(again.refusal().unwrap().code, ReasonCode::ActionInProgress);
        }
        assert_eq!(runtime.entity(&order).await.unwrap().number(), number, "it is no new wish, and leaves no record");
        let other = runtime.execute(&people.agent, &order, pay("pay-2")).await.unwrap();
        assert_eq!(other.refusal().unwrap().code, ReasonCode::IdempotencyKeyReused);
    });
    drop(stuck);
}

/// A policy that lets somebody else act before it answers.
struct Meanwhile {
    policy: RolePolicy,
    other: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Policy for Meanwhile {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        let _ = self.other.lock().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.policy.holds(question)
    }
}

#[test]
fn p6_while_another_action_runs_the_first_answer_is_given_all_the_same() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let order = place(&runtime, "ord-1").await;
        let first = executed(runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        runtime.services().be(Mood::Stuck);
        let mut other = Box::pin(runtime.execute(&people.auditor, &order, ExportOrder { format: None }));
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let again = executed(runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        assert!(again.deduplicated && again.execution == first.execution);
    });
}

#[test]
fn p6_a_wish_that_another_one_overtakes_is_told_that_it_runs() {
    block_on(async {
        let (store, people, order) = (Arc::new(MemoryStore::new()), people(), order("ord-1"));
        let other = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(other.ingest(&people.shop, &order, placed).await.unwrap().is_allowed());
        other.services().be(Mood::Stuck);
        let (agent, key) = (people.agent.clone(), order.clone());
        // It starts the same wish when the entity has been read, and the key has not been looked up.
        let other = Mutex::new(Box::pin(async move { drop(other.execute(&agent, &key, pay("pay-1")).await) }) as _);
        let runtime = Runtime::<Refund, _>::new(store, Meanwhile { policy: policy(), other }, Desk::default());
        let outcome = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::ActionInProgress);
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p6_the_key_survives_a_restart() {
    block_on(async {
        let (store, people) = (Arc::new(MemoryStore::new()), people());
        let before = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let order = order("ord-1");
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(before.ingest(&people.shop, &order, placed).await.unwrap().is_allowed());
        let first = executed(before.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        let after = Runtime::<Refund, _>::new(store, policy(), Desk::default());
        let again = executed(after.execute(&people.agent, &order, pay("pay-1")).await.unwrap());
        assert_eq!((first.execution, true), (again.execution, again.deduplicated));
        assert!(after.services().done().is_empty());
    });
}

#[test]
fn p6_of_many_at_once_one_runs() {
    let (runtime, people) = (open(), people());
    let order = block_on(place(&runtime, "ord-1"));
    let wish = || Proposal::new(AddNote { text: "once".into() }).idempotency_key(key("wish-1"));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| executed(block_on(runtime.execute(&people.agent, &order, wish())).unwrap()));
        }
    });
    let timeline = block_on(runtime.timeline(&order)).unwrap();
    let count = |wanted: fn(&Fact) -> bool| timeline.records().filter(|record| wanted(record.fact())).count();
    assert_eq!(count(|fact| matches!(fact, Fact::ActionStarted(_))), 1);
    assert_eq!(count(|fact| matches!(fact, Fact::ActionDeduplicated(_))), 15);
}

domain! {
    /// Two actions that take the same.
    domain Twins governs Valve;
    roles { Agent: agent, Plant: system }
    states { Open, final Shut, final Sealed }
    events {
        ValveOpened { } reported by Plant;
        ValveShut   { };
        ValveSealed { };
    }
    transitions {
        ValveOpened: new  => Open;
        ValveShut:   Open => Shut;
        ValveSealed: Open => Sealed;
    }
    actions {
        ShutValve { risk: low, by: Agent, emits: ValveShut };
        SealValve { risk: low, by: Agent, emits: ValveSealed };
    }
    allow { Open => [ShutValve, SealValve]; }
}

/// Shuts it.
#[action(Twins::ShutValve)]
async fn shut_valve() -> Result<ValveShut, Failure> {
    Ok(ValveShut {})
}

/// Seals it.
#[action(Twins::SealValve)]
async fn seal_valve() -> Result<ValveSealed, Failure> {
    Ok(ValveSealed {})
}

#[test]
fn p6_another_action_with_the_same_parameters_is_not_the_same_wish() {
    block_on(async {
        let (agent, plant) = (Actor::agent("agent-7").unwrap(), Actor::system("plant").unwrap());
        let policy =
            RolePolicy::new().assign(agent.id().clone(), TwinsRole::Agent).assign(plant.id().clone(), TwinsRole::Plant);
        let runtime = Runtime::<Twins>::new(MemoryStore::new(), policy, ());
        let valve = Twins::entity("valve-1").unwrap();
        assert!(runtime.ingest(&plant, &valve, ValveOpened {}).await.unwrap().is_allowed());
        let shut = Proposal::new(ShutValve {}).idempotency_key(key("wish-1"));
        assert_eq!(runtime.execute(&agent, &valve, shut).await.unwrap().outcome(), "executed");
        let seal = Proposal::new(SealValve {}).idempotency_key(key("wish-1"));
        let refused = runtime.execute(&agent, &valve, seal).await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::IdempotencyKeyReused, "{refused:?}");
    });
}

/// A policy that cannot decide the question after so many more.
struct Flapping(RolePolicy, Mutex<Option<usize>>);

impl Policy for Flapping {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        let mut left = self.1.lock().unwrap();
        let is_away = *left == Some(0);
        *left = left.and_then(|left| left.checked_sub(1));
        if is_away { Err(PolicyError::new("the directory is away")) } else { self.0.holds(question) }
    }
}

#[test]
fn p6_a_policy_that_is_away_for_a_moment_makes_nothing_run_twice() {
    block_on(async {
        let people = people();
        for away in 0..6 {
            let flapping = Arc::new(Flapping(policy(), Mutex::new(None)));
            let runtime = Runtime::<Refund>::new(MemoryStore::new(), Arc::clone(&flapping), Desk::default());
            let order = paid(&runtime, "ord-1").await;
            let export = || Proposal::new(ExportOrder { format: None }).idempotency_key(key("wish-2"));
            executed(runtime.execute(&people.auditor, &order, export()).await.unwrap());
            *flapping.1.lock().unwrap() = Some(away);
            let again = runtime.execute(&people.auditor, &order, export()).await.unwrap();
            assert!(again.executed().is_none_or(|done| done.deduplicated), "{again:?}");
            assert_eq!(runtime.services().done(), ["captured pay-1", "exported as json"], "away at question {away}");
        }
    });
}

/// A policy that says no and yes by turns.
struct ByTurns(RolePolicy, Mutex<bool>);

impl Policy for ByTurns {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        let mut is_yes = self.1.lock().unwrap();
        *is_yes = !*is_yes;
        Ok(!*is_yes && self.0.holds(question)?)
    }
}

#[test]
fn p9_a_policy_that_says_no_and_then_yes_has_said_no() {
    block_on(async {
        let (store, people) = (Arc::new(MemoryStore::new()), people());
        let steady = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let placed = steady.ingest(&people.shop, &order("ord-1"), OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
        assert!(placed.is_allowed());
        let by_turns = ByTurns(policy(), Mutex::new(false));
        let runtime = Runtime::<Refund, _>::new(store, by_turns, Desk::default());
        let outcome = runtime.execute(&people.agent, &order("ord-1"), pay("pay-1")).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().message, "`agent-7` (agent) does not have `refund.mark_paid`");
        assert!(runtime.services().done().is_empty());
    });
}

/// A policy by which nobody holds a role, and that is asked so many times while somebody else moves the entity.
struct Interrupted {
    other: Runtime<Refund, Arc<MemoryStore>>,
    asked: AtomicUsize,
    moves: usize,
}

impl Policy for Interrupted {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.moves {
            let note = AddNote { text: "meanwhile".into() };
            assert!(block_on(self.other.execute(&people().agent, question.entity, note)).unwrap().executed().is_some());
        }
        Ok(false)
    }
}

#[test]
fn p9_whoever_may_not_is_told_so_however_often_the_entity_moves() {
    block_on(async {
        let (store, people) = (Arc::new(MemoryStore::new()), people());
        let other = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let order = place(&other, "ord-1").await;
        let interrupted = Arc::new(Interrupted { other, asked: AtomicUsize::new(0), moves: 8 });
        let runtime = Runtime::<Refund, _>::new(store, Arc::clone(&interrupted), Desk::default());
        let outcome = runtime.execute(&people.agent, &order, pay("pay-1")).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied, "{outcome:?}");
        // Once at each try.
        assert_eq!(interrupted.asked.load(Ordering::Relaxed), 9);
    });
}

#[test]
fn a_policy_is_asked_once_of_a_wish_with_a_key() {
    block_on(async {
        let flapping = Arc::new(Flapping(policy(), Mutex::new(None)));
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), Arc::clone(&flapping), Desk::default());
        let order = place(&runtime, "ord-1").await;
        *flapping.1.lock().unwrap() = Some(1);
        executed(runtime.execute(&people().agent, &order, pay("pay-1")).await.unwrap());
        assert_eq!(*flapping.1.lock().unwrap(), Some(0));
    });
}

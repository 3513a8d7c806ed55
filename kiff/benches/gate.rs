//! What a decision and a whole loop cost, in time and in allocations: `cargo bench --bench gate`.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that goes wrong has nothing to measure")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use divan::{AllocProfiler, Bencher, black_box};
use kiff::{
    Actor, Binding, Case, Entity, EntityKey, Json, Proposal, Rationale, Review, Runtime, Store, Timestamp, Verdict,
    judge,
};
use pollster::block_on;

mod domain;

use domain::{AddNote, MarkPaid, OrderPlaced, Refund, RefundOrder, order, people, policy, runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A small refund.
fn refund() -> RefundOrder {
    RefundOrder { amount: kiff::Cents(4_200), reason: "damaged".to_owned() }
}

/// Places an order.
async fn place(runtime: &Runtime<Refund>, key: &EntityKey) {
    let placed = runtime.ingest(&people().shop, key, OrderPlaced { total: kiff::Cents(99_900) }).await;
    assert!(placed.expect("memory does not fail").is_allowed());
}

/// The low-risk loop: an event and an action on a fresh entity.
async fn low_risk(runtime: &Runtime<Refund>, key: &EntityKey, shop: &Actor, agent: &Actor) {
    let placed = runtime.ingest(shop, key, OrderPlaced { total: kiff::Cents(99_900) }).await;
    assert!(placed.expect("memory does not fail").is_allowed());
    let paid = runtime.execute(agent, key, MarkPaid { payment_id: "pay-1".to_owned() }).await;
    assert!(paid.expect("memory does not fail").executed().is_some());
}

/// The rest of the full loop: held, asked for, granted, executed.
async fn with_approval(runtime: &Runtime<Refund>, key: &EntityKey, nora: &Actor, agent: &Actor) {
    let held = runtime.execute(agent, key, refund()).await.expect("memory does not fail");
    assert!(held.refusal().is_some());
    let asked = runtime.request_approval(agent, key, refund()).await.expect("memory does not fail");
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let granted = runtime.review(nora, key, &approval.id, Review::grant()).await;
    assert!(granted.expect("memory does not fail").is_allowed());
    let done = runtime.execute(agent, key, refund()).await.expect("memory does not fail");
    assert!(done.executed().is_some());
}

/// An order that is paid, with a granted approval of the refund, as its journal says.
static PAID: LazyLock<Entity<Refund>> = LazyLock::new(|| {
    block_on(async {
        let (runtime, key, people) = (runtime(), order(0), people());
        low_risk(&runtime, &key, &people.shop, &people.agent).await;
        let asked = runtime.request_approval(&people.agent, &key, refund()).await.expect("memory does not fail");
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let granted = runtime.review(&people.nora, &key, &approval.id, Review::grant()).await;
        assert!(granted.expect("memory does not fail").is_allowed());
        Entity::clone(&*runtime.entity(&key).await.expect("memory does not fail"))
    })
});

/// One judgement; `allowed` is what it must answer.
fn judgement(bencher: Bencher<'_, '_>, action: Refund, actor: &Actor, binding: Option<&Binding>, allowed: bool) {
    let (policy, entity) = (policy(), &*PAID);
    let case = Case {
        action,
        parameters: Ok(()),
        binding,
        approval: None,
        actor,
        policy: &policy,
        now: Timestamp::from_microseconds(1),
    };
    assert_eq!(judge(entity, &case).is_allowed(), allowed);
    bencher.bench_local(|| black_box(judge(black_box(entity), black_box(&case))).is_allowed());
}

fn binding_of(amount: i64) -> Binding {
    let parameters = Json::encode(&serde_json::json!({"amount": amount, "reason": "damaged"}), &kiff::Bounds::DEFAULT);
    let parameters = parameters.expect("it is JSON");
    let binding = Binding::of(&order(0), Refund::schema(), "REFUND_ORDER", &parameters, &Rationale::default());
    binding.expect("the domain has the action")
}

#[divan::bench]
fn judge_allowed(bencher: Bencher<'_, '_>) {
    judgement(bencher, Refund::AddNote, &people().agent, None, true);
}

#[divan::bench]
fn judge_allowed_by_approval(bencher: Bencher<'_, '_>) {
    judgement(bencher, Refund::RefundOrder, &people().agent, Some(&binding_of(4_200)), true);
}

#[divan::bench]
fn judge_blocked_by_state(bencher: Bencher<'_, '_>) {
    judgement(bencher, Refund::MarkPaid, &people().agent, None, false);
}

#[divan::bench]
fn judge_denied(bencher: Bencher<'_, '_>) {
    judgement(bencher, Refund::AddNote, &people().nora, None, false);
}

#[divan::bench]
fn judge_held(bencher: Bencher<'_, '_>) {
    judgement(bencher, Refund::RefundOrder, &people().agent, Some(&binding_of(999_999)), false);
}

#[divan::bench]
fn decision_with_state_read(bencher: Bencher<'_, '_>) {
    let (runtime, key, people) = (runtime(), order(0), people());
    block_on(low_risk(&runtime, &key, &people.shop, &people.agent));
    bencher.bench_local(|| {
        let note = AddNote { text: "fragile".to_owned() };
        block_on(runtime.evaluate(&people.agent, &key, note)).expect("memory does not fail").is_allowed()
    });
}

#[divan::bench(threads = [1, 2], sample_count = 2000)]
fn low_risk_loop(bencher: Bencher<'_, '_>) {
    let (runtime, people, next) = (runtime(), people(), AtomicUsize::new(0));
    bencher.with_inputs(|| order(next.fetch_add(1, Ordering::Relaxed))).bench_refs(|key| {
        block_on(low_risk(&runtime, key, &people.shop, &people.agent));
    });
}

#[divan::bench(threads = [1, 2], sample_count = 2000)]
fn full_refund_loop(bencher: Bencher<'_, '_>) {
    let (runtime, people, next) = (runtime(), people(), AtomicUsize::new(0));
    bencher.with_inputs(|| order(next.fetch_add(1, Ordering::Relaxed))).bench_refs(|key| {
        block_on(async {
            low_risk(&runtime, key, &people.shop, &people.agent).await;
            with_approval(&runtime, key, &people.nora, &people.agent).await;
        });
    });
}

#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 20)]
fn timeline_of_one_entity_among_records(bencher: Bencher<'_, '_>, records: usize) {
    let (runtime, people) = (runtime(), people());
    // Seven records a loop.
    for number in 0..records / 7 {
        block_on(low_risk(&runtime, &order(number), &people.shop, &people.agent));
    }
    let key = order(records / 14);
    bencher.bench_local(|| block_on(runtime.timeline(&key)).expect("memory does not fail").kinds().len());
}

#[divan::bench(sample_count = 10)]
fn replay_of_a_million_events(bencher: Bencher<'_, '_>) {
    /// Notes on one order; the order's first two events come on top.
    const NOTES: usize = 1_000_000;
    let (runtime, key, people) = (runtime(), order(0), people());
    let commits = block_on(async {
        place(&runtime, &key).await;
        let paid = runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".to_owned() }).await;
        assert!(paid.expect("memory does not fail").executed().is_some());
        for _ in 0..NOTES {
            let note = Proposal::new(AddNote { text: "fragile".to_owned() });
            let noted = runtime.execute(&people.agent, &key, note).await;
            assert!(noted.expect("memory does not fail").executed().is_some());
        }
        runtime.store().read(&key, 0, usize::MAX).await.expect("memory does not fail")
    });
    bencher.counter(divan::counter::ItemsCount::new(NOTES + 2)).bench_local(|| {
        let replayed = kiff::replay::<Refund>(&key, commits.iter().map(|commit| &**commit));
        assert_eq!(replayed.expect("it is whole").events, NOTES as u64 + 2);
    });
}

//! The gate allocates nothing on the way to `Allowed`, and whole loops little.

use allocation_counter::measure;
use kiff::{
    Binding, Bounds, Case, Cents, EntityKey, Json, Rationale, Review, RolePolicy, Runtime, Timestamp, Verdict, judge,
};
use pollster::block_on;

use crate::alone::alone;
use crate::shop::{Refund, granted, open, paid, people, policy, refund};

/// The domain that the benches run, so that what is counted here is what they print.
#[path = "../../kiff/benches/domain.rs"]
mod bench;

/// How many allocations a judgement takes, and whether it allows.
fn judged(
    entity: &kiff::Entity<Refund>,
    action: Refund,
    binding: Option<&Binding>,
    policy: &RolePolicy,
) -> (u64, bool) {
    let (people, parameters) = (people(), Ok(()));
    let now = Timestamp::from_microseconds(1);
    let case = Case { action, parameters, binding, approval: None, actor: &people.agent, policy, now };
    let mut allowed = false;
    let counted = measure(|| allowed = judge(entity, &case).is_allowed());
    (counted.count_total, allowed)
}

#[test]
fn judge_does_not_allocate_on_the_way_to_allowed() {
    let (runtime, policy) = (open(), policy());
    let key = block_on(paid(&runtime, "ord-1"));
    block_on(granted(&runtime, &key, refund(49)));
    let entity = block_on(runtime.entity(&key)).unwrap();
    let bound_to = |amount: i64| {
        let parameters = format!(r#"{{"amount": {amount}, "reason": "damaged"}}"#);
        let parameters = Json::parse(&parameters, &Bounds::DEFAULT).unwrap();
        Binding::of(&key, Refund::schema(), "REFUND_ORDER", &parameters, &Rationale::default()).unwrap()
    };

    assert_eq!(judged(&entity, Refund::AddNote, None, &policy), (0, true));
    assert_eq!(judged(&entity, Refund::RefundOrder, Some(&bound_to(49)), &policy), (0, true));
    // A refusal is made of sentences, so that the count is one that can be other than zero.
    let (allocations, allowed) = judged(&entity, Refund::RefundOrder, Some(&bound_to(50)), &policy);
    assert!(allocations > 0 && !allowed);
}

/// How many allocations a step takes on each of many fresh entities; the fewest, because now and then a table grows.
fn fewest(runtime: &Runtime<bench::Refund>, step: &impl AsyncFn(&Runtime<bench::Refund>, &EntityKey)) -> u64 {
    let keys: Vec<_> = (0..50).map(bench::order).collect();
    keys.iter().map(|key| measure(|| block_on(step(runtime, key))).count_total).min().unwrap()
}

#[test]
fn a_loop_allocates_no_more_than_it_did() {
    alone("gate::a_loop_allocates_no_more_than_it_did", count_a_loop);
}

fn count_a_loop() {
    let (runtime, people) = (bench::runtime(), bench::people());
    let low_risk = fewest(&runtime, &async |runtime, key| {
        let placed = bench::OrderPlaced { total: Cents(99_900) };
        assert!(runtime.ingest(&people.shop, key, placed).await.unwrap().is_allowed());
        let paid = bench::MarkPaid { payment_id: "pay-1".to_owned() };
        assert!(runtime.execute(&people.agent, key, paid).await.unwrap().executed().is_some());
    });
    let refund = || bench::RefundOrder { amount: Cents(4_200), reason: "damaged".to_owned() };
    let with_approval = fewest(&runtime, &async |runtime, key| {
        assert!(runtime.execute(&people.agent, key, refund()).await.unwrap().refusal().is_some());
        let asked = runtime.request_approval(&people.agent, key, refund()).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        assert!(runtime.review(&people.nora, key, &approval.id, Review::grant()).await.unwrap().is_allowed());
        assert!(runtime.execute(&people.agent, key, refund()).await.unwrap().executed().is_some());
    });
    // The figures of docs/performance.md; whoever takes one away may lower them.
    assert!(low_risk <= 18, "{low_risk} allocations in the low-risk loop");
    assert!(with_approval <= 35, "{with_approval} allocations from the held refund to its end");
}

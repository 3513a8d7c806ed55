//! The gate allocates nothing on the way to `Allowed`.

use allocation_counter::measure;
use kiff::{Binding, Bounds, Case, Domain, Json, Rationale, RolePolicy, Timestamp, judge};
use pollster::block_on;

use crate::shop::{Refund, granted, open, paid, people, policy, refund};

/// How many allocations a judgement takes, and whether it allows.
fn judged(
    entity: &kiff::Entity<Refund>,
    action: Refund,
    binding: Option<&Binding>,
    policy: &RolePolicy,
) -> (u64, bool) {
    let (people, parameters) = (people(), Ok(()));
    let now = Timestamp::from_microseconds(1);
    let case = Case { action, parameters: &parameters, binding, approval: None, actor: &people.agent, policy, now };
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
    let contract = Refund::RefundOrder.contract();
    let bound_to = |amount: i64| {
        let parameters = format!(r#"{{"amount": {amount}, "reason": "damaged"}}"#);
        let parameters = Json::parse(&parameters, &Bounds::DEFAULT).unwrap();
        Binding::of(&key, contract, contract.fingerprint(), &parameters, &Rationale::default())
    };

    assert_eq!(judged(&entity, Refund::AddNote, None, &policy), (0, true));
    assert_eq!(judged(&entity, Refund::RefundOrder, Some(&bound_to(49)), &policy), (0, true));
    // A refusal is made of sentences, so that the count is one that can be other than zero.
    let (allocations, allowed) = judged(&entity, Refund::RefundOrder, Some(&bound_to(50)), &policy);
    assert!(allocations > 0 && !allowed);
}

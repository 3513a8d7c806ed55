//! Entities and commits to try a store with.

use std::time::Duration;

use kiff::journal::{ActionStarted, Content, EventIngested, RecordId, StateChanged};
use kiff::{Actor, Bounds, Commit, Digest, EntityKey, Fact, Json, Sealed, Timestamp, Trace};

use super::machine::Found;

/// What a store is told about an error of the kit's own.
fn own<T, E: std::fmt::Display>(result: Result<T, E>) -> Found<T> {
    result.map_err(|error| format!("the kit erred: {error}"))
}

/// Tenant, entity type and id of entities that a careless store would confuse: parts that only differ in case, in
/// where one part ends, in how a character is composed, or in what a query language would make of them.
const ENTITIES: [(&str, &str, &str); 14] = [
    ("default", "Order", "ord-1"),
    ("default", "Order", "ord-10"),
    ("default", "Order", "ORD-1"),
    ("acme", "Order", "ord-1"),
    ("default", "Invoice", "ord-1"),
    ("default", "Order/ord", "1"),
    ("default", "Order", "ord/1"),
    ("default:Order", "ord", "1"),
    ("default", "Order", "%"),
    ("default", "Order", "a' OR '1'='1"),
    ("default", "Order", "é"),
    ("default", "Order", "e\u{301}"),
    ("default", "Order", "注文🦀"),
    ("ünï", "Örder", "ord-1"),
];

/// Those entities, in order of their keys.
pub(super) fn entities() -> Found<Vec<EntityKey>> {
    let keys = ENTITIES
        .iter()
        .map(|(tenant, entity_type, id)| own(EntityKey::new(entity_type, id).and_then(|key| key.in_tenant(tenant))));
    let mut keys: Vec<_> = keys.collect::<Found<_>>()?;
    keys.sort_unstable();
    Ok(keys)
}

/// One of many entities.
pub(super) fn entity(number: usize) -> Found<EntityKey> {
    own(EntityKey::new("Order", &format!("ord-{number}")))
}

/// A commit of as many facts as `size` says, and of another content for each `seed`.
pub(super) fn commit(key: &EntityKey, number: u64, previous: Digest, size: usize, seed: u64) -> Found<Sealed> {
    let facts = (0..size.max(1)).map(|place| fact(place, seed)).collect::<Found<Vec<_>>>()?;
    let trace =
        (seed % 2 == 1).then(|| own("4bf92f35".parse()).map(|id| Trace { trace_id: Some(id), ..Trace::default() }));
    let content = Content {
        at: Timestamp::default().after(Duration::from_micros(seed)),
        actor: own(Actor::human(&format!("writer-{seed}")))?,
        trace: trace.transpose()?.map(Box::new),
        cause: (number > 1).then_some(RecordId { commit: number.saturating_sub(1), place: 1 }),
        facts: facts.into_boxed_slice(),
    };
    own(Sealed::new(key.clone(), number, previous, content))
}

fn fact(place: usize, seed: u64) -> Found<Fact> {
    Ok(match place % 3 {
        0 => {
            let payload = format!(r#"{{ "n": {seed}, "text": "{}é漢🦀\u0001\\ \"" }}"#, "x".repeat(place));
            let payload = own(Json::parse(&payload, &Bounds::DEFAULT))?;
            EventIngested { event: "ORDER_PLACED".into(), payload, id: None, source: None, occurred_at: None }.into()
        }
        1 => StateChanged { from: None, to: "CREATED".into() }.into(),
        _ => {
            let execution = own(format!("execution-{seed}").parse())?;
            ActionStarted { action: "MARK_PAID".into(), execution, approval: None }.into()
        }
    })
}

/// What a commit follows on: its number and hash; 0 and the genesis when there is none.
pub(super) fn head(last: Option<&Commit>) -> (u64, Digest) {
    last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()))
}

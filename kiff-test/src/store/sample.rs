//! Entities and commits to try a store with.

use std::time::Duration;

use kiff::journal::{
    ActionExecuted, ActionFailed, ActionStarted, ApprovalRecorded, ApprovalReviewed, Content, EventIngested,
    FailedOutcome, RecordId, StateChanged,
};
use kiff::{
    Actor, Binding, Bounds, Commit, Digest, EntityKey, Fact, IdempotencyKey, Json, Rationale, Sealed, Snapshot,
    Timestamp, Trace,
};

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
    // And two that are as long as they may be, and differ in the last byte.
    let start = "x".repeat(Bounds::IDENTIFIER.saturating_sub(1));
    let long = ["a", "b"].map(|end| own(EntityKey::new("Order", &format!("{start}{end}"))));
    let mut keys: Vec<_> = keys.chain(long).collect::<Found<_>>()?;
    keys.sort_unstable();
    Ok(keys)
}

/// One of many entities.
pub(super) fn entity(number: usize) -> Found<EntityKey> {
    own(EntityKey::new("Order", &format!("ord-{number}")))
}

/// How many idempotency keys there are.
pub(super) const KEYS: u64 = 4;

/// One of the idempotency keys, which only differ in case, in an accent, and in how that is composed.
pub(super) fn idempotency_key(seed: u64) -> Found<IdempotencyKey> {
    let key = match seed % KEYS {
        0 => "key-1",
        1 => "KEY-1",
        2 => "kéy-1",
        _ => "ke\u{301}y-1",
    };
    own(key.parse())
}

/// A commit of as many facts as `size` says, and of another content for each `seed`: some say what only a later kiff
/// knows, some bring a snapshot along, and a few are as long as the payload of an event may be.
pub(super) fn commit(key: &EntityKey, number: u64, previous: Digest, size: usize, seed: u64) -> Found<Sealed> {
    let facts = (0..size.max(1)).map(|place| fact(place, number, seed)).collect::<Found<Vec<_>>>()?;
    let trace = (seed % 2 == 1)
        .then(|| own(format!("trace-{}", seed % 3).parse()).map(|id| Trace { trace_id: Some(id), ..Trace::default() }));
    let snapshot = (number > 1 && seed % 4 < 2)
        .then(|| Snapshot { number: number.saturating_sub(1), body: format!("{{\"fold\":{seed}}}").into_bytes() });
    let content = Content {
        at: at(seed),
        actor: own(Actor::human(&format!("writer-{}", seed % 5)))?,
        trace: trace.transpose()?.map(Box::new),
        cause: (number > 1).then_some(RecordId { commit: number.saturating_sub(1), place: 1 }),
        fold: snapshot.as_ref().map(|snapshot| Box::new(snapshot.digest())),
        facts: facts.into_boxed_slice(),
    };
    let mut sealed = Sealed::new(key.clone(), number, previous, content);
    if seed.is_multiple_of(7) {
        let body = own(std::str::from_utf8(sealed.body()))?;
        let later =
            r#""later":{"z":1,"a":[1.50,"\u00e9"]},"records":[{"v":9,"data":{"x" : 1},"kind":"of_a_later_kiff"},"#;
        let body = body.replacen(r#""records":["#, later, 1);
        sealed = own(Sealed::verbatim(key.clone(), number, previous, body.into_bytes()))?;
    }
    Ok(match snapshot {
        Some(snapshot) => sealed.with_snapshot(snapshot),
        None => sealed,
    })
}

/// The time of a commit: many have the same.
pub(super) fn at(seed: u64) -> Timestamp {
    Timestamp::default().after(Duration::from_micros(seed % 100))
}

fn fact(place: usize, number: u64, seed: u64) -> Found<Fact> {
    let id = |number: u64, place: usize| format!("{number}-{place}");
    let before = id(number.saturating_sub(1), place.saturating_sub(1));
    let action = || "MARK_PAID".into();
    Ok(match (place as u64 + seed) % 7 {
        0 => {
            let text = |size: usize| format!(r#"{{ "n": {seed}, "text": "{}é漢🦀\u0001\\ \"" }}"#, "x".repeat(size));
            let is_long = seed % 128 == 127;
            let size = if is_long { Bounds::DEFAULT.payload.saturating_sub(text(0).len()) } else { place };
            let payload = own(Json::parse(&text(size), &Bounds::DEFAULT))?;
            EventIngested { event: "ORDER_PLACED".into(), payload, id: None, source: None, occurred_at: None }.into()
        }
        1 => StateChanged { from: None, to: "CREATED".into() }.into(),
        2 => {
            let key = (!seed.is_multiple_of(3)).then(|| idempotency_key(seed)).transpose()?;
            let execution = own(id(number, place).parse())?;
            ActionStarted { action: action(), execution, approval: None, key }.into()
        }
        3 => ActionExecuted { action: action(), execution: own(before.parse())?, settled: None }.into(),
        4 => ApprovalRecorded {
            approval: own(id(number, place).parse())?,
            action: action(),
            parameters: own(Json::parse("{}", &Bounds::DEFAULT))?,
            reasons: Rationale::default(),
            binding: Binding { whole: NO_DIGEST, parameters: NO_DIGEST, contract: NO_DIGEST, evidence: None },
            expires_at: at(seed / 2),
        }
        .into(),
        5 => {
            let reviewed = ApprovalReviewed { approval: own(before.parse())?, reason: None };
            Fact::ApprovalGranted(reviewed)
        }
        _ => ActionFailed {
            action: action(),
            outcome: if seed.is_multiple_of(2) { FailedOutcome::Unknown } else { FailedOutcome::Refused },
            code: "error".into(),
            message: "o'clock".into(),
            parameters: None,
            execution: Some(own(before.parse())?),
            settled: None,
        }
        .into(),
    })
}

const NO_DIGEST: Digest = Digest::from_bytes([3; 32]);

/// What a commit follows on: its number and hash; 0 and the genesis when there is none.
pub(super) fn head(last: Option<&Commit>) -> (u64, Digest) {
    last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()))
}

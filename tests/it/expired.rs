//! Requests for a sign-off that nobody reviews: they expire, and do not gather in the store for ever.

use kiff::journal::{ApprovalRecorded, Content};
use kiff::{
    Actor, Appended, Binding, Bounds, Clock, Commit, Digest, EntityKey, Json, Matter, MemoryStore, Rationale, Sealed,
    Store, SystemClock, Timestamp,
};
use kiff_test::block_on;

use crate::{cluster, sqlite};

const HOUR: u64 = 60 * 60 * 1_000_000;

/// Asks for a sign-off at this hour, to be given within one.
fn ask(store: &impl Store, key: &EntityKey, hour: u64) {
    let last = block_on(store.read(key, 0, usize::MAX)).unwrap().pop();
    let (number, previous) = last.map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
    let digest = Digest::default();
    let asked = ApprovalRecorded {
        approval: format!("asked-{hour}").parse().unwrap(),
        action: "REFUND_ORDER".into(),
        parameters: Json::parse("{}", &Bounds::DEFAULT).unwrap(),
        reasons: Rationale::default(),
        binding: Binding { whole: digest, parameters: digest, contract: digest, evidence: None },
        expires_at: Timestamp::from_microseconds((hour + 1) * HOUR),
    };
    let content = Content {
        at: Timestamp::from_microseconds(hour * HOUR),
        actor: Actor::agent("agent-7").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: [asked.into()].into(),
    };
    let sealed = Sealed::new(key.clone(), number + 1, previous, content);
    assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written);
}

/// What is listed for somebody whose clock stands at the beginning.
fn listed(store: &impl Store) -> Vec<String> {
    let open = block_on(store.open(Matter::Review, None, Timestamp::default(), None, usize::MAX)).unwrap();
    open.into_iter().map(|open| open.id).collect()
}

fn is_forgotten(store: &impl Store, first: &EntityKey, later: &EntityKey) {
    ask(store, first, 1);
    ask(store, later, 10);
    // Somebody whose clock is behind by less than a day still finds it.
    ask(store, later, 25);
    assert_eq!(listed(store), ["asked-1", "asked-10", "asked-25"]);
    ask(store, later, 26);
    assert_eq!(listed(store), ["asked-10", "asked-25", "asked-26"]);
    ask(store, later, 100);
    assert_eq!(listed(store), ["asked-100"]);
}

/// How many hours have passed since the beginning of time.
fn now() -> u64 {
    SystemClock.now().as_microseconds() / HOUR
}

fn is_kept(store: &impl Store) {
    let (one, other) = (EntityKey::new("Order", "ord-1").unwrap(), EntityKey::new("Order", "ord-2").unwrap());
    let now = now();
    ask(store, &one, now);
    ask(store, &other, now + 32 * 24);
    assert_eq!(listed(store), [now, now + 32 * 24].map(|hour| format!("asked-{hour}")));
}

#[test]
fn one_writer_whose_clock_is_ahead_makes_nobody_elses_requests_forgotten() {
    is_kept(&*sqlite::Fresh::new());
    is_kept(&cluster::shared().store());
}

#[test]
fn a_request_that_nobody_reviewed_is_forgotten_a_day_after_it_expired() {
    let (one, other) = (EntityKey::new("Order", "ord-1").unwrap(), EntityKey::new("Order", "ord-2").unwrap());
    is_forgotten(&MemoryStore::new(), &one, &one);
    is_forgotten(&*sqlite::Fresh::new(), &one, &other);
    is_forgotten(&cluster::shared().store(), &one, &other);
}

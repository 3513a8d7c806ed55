//! What the two loops cost in a plain run, on one thread and on two, and on a runtime that grows: `cargo bench --bench loops`, or with
//! `-- full 10` ten rounds of the full one alone.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that goes wrong has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kiff::{Actor, Cents, EntityKey, Review, Runtime, Verdict};
use pollster::block_on;

mod domain;

use domain::{MarkPaid, OrderPlaced, People, Refund, RefundOrder, order, people, runtime};

/// Fresh entities a thread and a round.
const ENTITIES: usize = 250;

/// Rounds, of which the median and the best are told.
const ROUNDS: usize = 400;

/// Entities of the one round on a runtime that grows.
const MANY: usize = 100_000;

fn refund() -> RefundOrder {
    RefundOrder { amount: Cents(4_200), reason: "damaged".to_owned() }
}

/// An event and an action on a fresh entity.
async fn low_risk(runtime: &Runtime<Refund>, key: &EntityKey, People { agent, shop, .. }: &People) {
    let placed = runtime.ingest(shop, key, OrderPlaced { total: Cents(99_900) }).await;
    assert!(placed.expect("memory does not fail").is_allowed());
    let paid = runtime.execute(agent, key, MarkPaid { payment_id: "pay-1".to_owned() }).await;
    assert!(paid.expect("memory does not fail").executed().is_some());
}

/// The same, and a refund that is held, asked for, granted and executed.
async fn full(runtime: &Runtime<Refund>, key: &EntityKey, people: &People) {
    low_risk(runtime, key, people).await;
    let agent: &Actor = &people.agent;
    let held = runtime.execute(agent, key, refund()).await.expect("memory does not fail");
    assert!(held.refusal().is_some());
    let asked = runtime.request_approval(agent, key, refund()).await.expect("memory does not fail");
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let granted = runtime.review(&people.nora, key, &approval.id, Review::grant()).await;
    assert!(granted.expect("memory does not fail").is_allowed());
    let done = runtime.execute(agent, key, refund()).await.expect("memory does not fail");
    assert!(done.executed().is_some());
}

/// How long one loop takes when `threads` threads run one for each of so many `entities`, on one runtime, each for people of its own.
/// They start at once: a thread that has to be woken would cost as much as a dozen loops.
fn round(threads: usize, entities: usize, each: impl Fn(&Runtime<Refund>, &EntityKey, &People) + Sync) -> Duration {
    let (runtime, ready) = (runtime(), AtomicUsize::new(0));
    let keys: Vec<Vec<EntityKey>> =
        (0..threads).map(|thread| (0..entities).map(|number| order(thread * entities + number)).collect()).collect();
    let run = |keys: &[EntityKey]| {
        let people = people();
        ready.fetch_add(1, Ordering::AcqRel);
        while ready.load(Ordering::Acquire) < threads {
            hint::spin_loop();
        }
        let began = Instant::now();
        for key in keys {
            each(&runtime, key, &people);
        }
        (began, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let running: Vec<_> = keys.iter().map(|keys| scope.spawn(|| run(keys))).collect();
        running.into_iter().map(|thread| thread.join().expect("a loop does not panic")).collect()
    });
    let began = spans.iter().map(|(began, _)| *began).min().expect("there is a thread");
    let ended = spans.iter().map(|(_, ended)| *ended).max().expect("there is a thread");
    (ended - began) / u32::try_from(entities * threads).expect("it is small")
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let only = arguments.next();
    let rounds = arguments.next().map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let low = |runtime: &Runtime<Refund>, key: &EntityKey, people: &People| block_on(low_risk(runtime, key, people));
    let whole = |runtime: &Runtime<Refund>, key: &EntityKey, people: &People| block_on(full(runtime, key, people));
    let measured = |name: &str| only.as_ref().is_none_or(|only| only == name);
    let one = |name: &str, threads, entities| {
        if name == "full" { round(threads, entities, whole) } else { round(threads, entities, low) }
    };
    for threads in [1, 2] {
        for name in ["low-risk", "full"].into_iter().filter(|name| measured(name)) {
            let mut times: Vec<Duration> = (0..rounds).map(|_| one(name, threads, ENTITIES)).collect();
            times.sort_unstable();
            let (best, median) = (times.first().expect("rounds"), times.get(rounds / 2).expect("rounds"));
            println!("{name:>8}, {threads} thread(s): {median:>8.2?} a loop, at best {best:.2?}");
        }
    }
    for name in ["low-risk", "full"].into_iter().filter(|name| measured(name)) {
        println!("{name:>8}, on a runtime that grows to {MANY} entities: {:.2?} a loop", one(name, 1, MANY));
    }
}

//! Commits per second in PostgreSQL, beside `pgbench` doing the same insert as one statement on the same server. It starts a
//! server of its own from the binaries that are installed, and takes two minutes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that fails should fail loudly"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kiff::journal::{ActionExecuted, ActionStarted, ActionValidated, Content, EventIngested, StateChanged};
use kiff::{Actor, Appended, Bounds, Commit, EntityKey, Fact, Json, Sealed, Store, Timestamp};
use pollster::block_on;

use cluster::{Cluster, binaries, command};

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/it/cluster.rs"]
mod cluster;

const RUN: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

/// What one run came to.
#[derive(Clone, Copy, Default)]
struct Rate {
    commits: f64,
    /// For each commit, as the server counts them.
    flushes: f64,
    bytes: f64,
}

fn main() {
    let cluster = Cluster::start("shared_buffers = 256MB\nmax_wal_size = 4GB\nautovacuum_naptime = 5s");
    let size = commit(&entity(0), 0, Commit::GENESIS, What::Events).body().len();
    println!("commits of three records and {size} bytes, medians of {ROUNDS} runs of {RUN:?}");
    println!("writers            commits/s  to pgbench  flushes and bytes of log a commit");
    for writers in [1, 16, 64] {
        let mut runs = [vec![], vec![], vec![]];
        for _ in 0..ROUNDS {
            runs[0].push(measured(&cluster, || pgbench(&cluster, writers)));
            runs[1].push(measured(&cluster, || kiff(&cluster, writers, What::Events)));
            runs[2].push(measured(&cluster, || kiff(&cluster, writers, What::Actions)));
        }
        // Of runs that follow on each other, so that what else the machine does is in both.
        let ratio = |of: usize| median(runs[of].iter().zip(&runs[0]).map(|(own, bare)| own.commits / bare.commits));
        let ratios = [0, 1, 2].map(ratio);
        for ((name, runs), ratio) in ["pgbench", "events", "actions"].into_iter().zip(&runs).zip(ratios) {
            let of = |part: fn(&Rate) -> f64| median(runs.iter().map(part));
            let (commits, flushes, bytes) = (of(|rate| rate.commits), of(|rate| rate.flushes), of(|rate| rate.bytes));
            println!("{writers:>7}  {name:<8} {commits:>10.0}  {ratio:>10.2}  {flushes:>7.3}  {bytes:>7.0}");
        }
    }
}

/// A run with what the server wrote for it. What the commits are is known only after the run.
fn measured(cluster: &Cluster, run: impl FnOnce() -> f64) -> Rate {
    cluster.sql("postgres", "CHECKPOINT; SELECT pg_stat_reset_shared('wal')");
    let commits = run();
    // The server's processes say what they did when they have time for it, and when they end.
    let said = cluster.sql("postgres", "SELECT pg_sleep(0.2); SELECT wal_sync || ' ' || wal_bytes FROM pg_stat_wal");
    let counts: Vec<f64> = said.split_whitespace().map(|count| count.parse().unwrap()).collect();
    let all = commits * RUN.as_secs_f64();
    Rate { commits, flushes: counts[0] / all, bytes: counts[1] / all }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The bare insert: it follows on the hash of the commit before, and somebody else's is not overwritten.
fn pgbench(cluster: &Cluster, writers: usize) -> f64 {
    cluster.sql(
        "postgres",
        "DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; CREATE TABLE bare.commits (tenant text COLLATE \"C\", \
         entity_type text COLLATE \"C\", entity_id text COLLATE \"C\", number bigint, previous bytea, hash bytea, body \
         bytea, at timestamptz, PRIMARY KEY (tenant, entity_type, entity_id, number))",
    );
    let body = String::from_utf8(commit(&entity(0), 0, Commit::GENESIS, What::Events).body().to_vec()).unwrap();
    let hash = |number: &str| format!("sha256(convert_to('h' || :client_id || '-' || ({number}), 'UTF8'))");
    let script = format!(
        "\\set number :number + 1\nINSERT INTO bare.commits SELECT 'default', 'Order', 'ord-' || :client_id, :number, {}, \
         {}, convert_to('{body}', 'UTF8'), now() WHERE :number = 1 OR EXISTS (SELECT FROM bare.commits p WHERE p.tenant = \
         'default' AND p.entity_type = 'Order' AND p.entity_id = 'ord-' || :client_id AND p.number = :number - 1 AND p.hash = \
         {}) ON CONFLICT DO NOTHING;\n",
        hash(":number - 1"),
        hash(":number"),
        hash(":number - 1"),
    );
    // A colon before a letter would be one of its variables.
    let script = script.replace("\":", "\" :");
    cluster.write("script.sql", &script);
    let mut pgbench = command(binaries().join("pgbench"));
    pgbench.args(["-n", "-M", "extended", "-D", "number=0", "-j", "2", "-c", &writers.to_string()]);
    pgbench.args([
        "-T",
        &RUN.as_secs().to_string(),
        "-f",
        &cluster.file("script.sql"),
        &cluster.url("owner", "postgres"),
    ]);
    let output = pgbench.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|rest| rest.split(' ').next());
    tps.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr))).parse().unwrap()
}

#[derive(Clone, Copy)]
enum What {
    /// Facts that open and close nothing, as the bare insert does not.
    Events,
    /// The two commits of an action: one opens an execution, the next one closes it.
    Actions,
}

/// The store with as many writers, each with an entity of his own.
fn kiff(cluster: &Cluster, writers: usize, what: What) -> f64 {
    let (_, options) = cluster.journal();
    let store = &block_on(options.connect()).unwrap();
    let over = &AtomicBool::new(false);
    let start = Instant::now();
    let written: u64 = thread::scope(|scope| {
        let write = |writer| {
            move || {
                let key = entity(writer);
                let (mut number, mut hash) = (0, Commit::GENESIS);
                while !over.load(Ordering::Relaxed) {
                    let next = commit(&key, number, hash, what);
                    (number, hash) = (number + 1, next.commit().hash());
                    assert_eq!(block_on(store.append(next)).unwrap(), Appended::Written);
                }
                number
            }
        };
        let writers: Vec<_> = (0..writers).map(|writer| scope.spawn(write(writer))).collect();
        thread::sleep(RUN);
        over.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    f64::from(u32::try_from(written).unwrap()) / start.elapsed().as_secs_f64()
}

fn entity(number: usize) -> EntityKey {
    EntityKey::new("Order", &format!("ord-{number}")).unwrap()
}

fn commit(key: &EntityKey, last: u64, hash: kiff::Digest, what: What) -> Sealed {
    let payload = |size: usize| {
        Json::parse(&format!(r#"{{"amount": 99900, "reason": "{}"}}"#, "x".repeat(size)), &Bounds::DEFAULT).unwrap()
    };
    let event = |size| {
        let event = "ORDER_REFUNDED".into();
        EventIngested { event, payload: payload(size), id: None, source: None, occurred_at: None }.into()
    };
    let moved = || StateChanged { from: Some("PAID".into()), to: "REFUNDED".into() }.into();
    let action = || "REFUND_ORDER".into();
    let execution = |number: u64| format!("018f5f2e-0000-7000-8000-{number:012}").parse().unwrap();
    let facts: [Fact; 3] = match what {
        What::Events => [event(300), event(300), moved()],
        What::Actions if last.is_multiple_of(2) => {
            let started = ActionStarted { action: action(), execution: execution(last), approval: None, key: None };
            [event(300), ActionValidated { action: action(), parameters: payload(250) }.into(), started.into()]
        }
        What::Actions => {
            let executed = ActionExecuted { action: action(), execution: execution(last - 1), settled: None };
            [executed.into(), event(560), moved()]
        }
    };
    let content = Content {
        at: Timestamp::from_microseconds(1_700_000_000_000_000 + last),
        actor: Actor::agent("agent-7").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new(facts),
    };
    Sealed::new(key.clone(), last + 1, hash, content)
}

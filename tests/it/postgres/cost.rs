//! What a commit costs, counted: round trips, statements, and flushes of the server's log.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use kiff::{Appended, Commit, Cursor, PostgresStore, Query, Store};
use kiff_test::block_on;

use super::proxy::Proxy;
use super::{begin, commit, entity};
use crate::cluster::Cluster;
use crate::wait::until;

/// A server that writes nothing of its own accord, and a store that reaches it through a proxy.
fn scene() -> (Cluster, String, Proxy, PostgresStore) {
    let cluster = Cluster::start("autovacuum = off\ncheckpoint_timeout = 1h\nwal_writer_delay = 10s");
    let (schema, _) = cluster.journal();
    let proxy = Proxy::new(cluster.port());
    let store = block_on(PostgresStore::options(&proxy.url()).schema(&schema).connect()).unwrap();
    cluster.sql("postgres", "CHECKPOINT");
    cluster.sql("postgres", &format!("SELECT pg_stat_reset_shared('{}')", counter(&cluster).0));
    (cluster, schema, proxy, store)
}

/// Among what the server counts the flushes of its log, and how many it has counted.
fn counter(cluster: &Cluster) -> (&'static str, &'static str) {
    let version: u32 = cluster.sql("postgres", "SHOW server_version_num").parse().unwrap();
    if version < 180_000 {
        ("wal", "SELECT wal_sync FROM pg_stat_wal")
    } else {
        ("io", "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'")
    }
}

/// How often the server flushed its log since then; its processes say so when they end.
fn flushes(cluster: &Cluster, store: PostgresStore) -> usize {
    drop(store);
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kiff'";
    until(|| cluster.sql("postgres", connected) == "0");
    cluster.sql("postgres", counter(cluster).1).parse().unwrap()
}

/// What opening the journal may have flushed.
const OPENING: usize = 3;

#[test]
fn a_commit_of_one_writer_is_one_round_trip_and_one_flush_and_no_statement_has_a_name() {
    const COMMITS: usize = 50;
    let (cluster, _, proxy, store) = scene();
    let before = proxy.round_trips();
    let mut last = begin(&store, "ord-1");
    for number in 1..COMMITS as u64 {
        last = commit(&entity("ord-1"), number, last.commit().hash(), number);
        assert_eq!(block_on(store.append(last.clone())).unwrap(), Appended::Written);
    }
    assert_eq!(proxy.appends(), COMMITS);
    assert_eq!(block_on(store.search(&Query::default(), Cursor::FIRST, 99)).unwrap().len(), COMMITS);
    // Each commit, and the search.
    assert!(proxy.round_trips() - before <= COMMITS + 1, "{} round trips", proxy.round_trips() - before);
    assert_eq!(proxy.named(), 0);
    let flushes = flushes(&cluster, store);
    assert!(flushes >= COMMITS, "{flushes} flushes: something was answered before it was flushed");
    assert!(flushes <= COMMITS + proxy.sequences() + OPENING, "{flushes} flushes, {} sequences", proxy.sequences());
}

#[test]
fn commits_that_wait_together_share_statements_and_flushes() {
    const COMMITS: usize = 64;
    let (cluster, schema, proxy, store) = scene();
    // Somebody holds the table for a while, as a slow disk would.
    let mut slow = cluster.session();
    slow.run(&format!("BEGIN; LOCK TABLE {schema}.commits IN SHARE MODE"));
    let sealed = (0..COMMITS).map(|number| commit(&entity(&format!("ord-{number}")), 0, Commit::GENESIS, 1));
    let mut appends: Vec<_> = sealed.map(|sealed| Box::pin(store.append(sealed))).collect();
    for append in &mut appends {
        assert!(pin!(append).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    slow.run("COMMIT");
    for append in appends {
        assert_eq!(block_on(append).unwrap(), Appended::Written);
    }
    drop(slow);
    // Each lane had what it found when it was free; all others gathered until the first of them was free again.
    let statements = proxy.appends();
    assert!(statements <= 4, "{statements} statements for {COMMITS} commits");
    let flushes = flushes(&cluster, store);
    assert!(flushes <= statements + proxy.sequences() + OPENING, "{flushes} flushes for {COMMITS} commits");
}

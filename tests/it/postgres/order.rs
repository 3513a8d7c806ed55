//! The one order of all commits: complete at any time, without gaps, and for good.

use std::future::Future;
use std::process::Command;
use std::task::{Context, Waker};

use kiff::{Appended, Commit, Cursor, PostgresStore, Query, Store};
use kiff_test::block_on;

use super::{begin, commit, entity};
use crate::cluster::{self, Cluster, command};

fn places(store: &PostgresStore) -> Vec<(u64, String)> {
    let found = block_on(store.search(&Query::default(), Cursor::FIRST, usize::MAX)).unwrap();
    found.iter().map(|(position, commit)| (*position, format!("{} {}", commit.key().id(), commit.number()))).collect()
}

fn expected(entities: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(entities.iter().map(ToString::to_string)).collect()
}

#[test]
fn a_transaction_that_takes_long_holds_nobody_up_and_gets_its_place_when_it_ends() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    begin(&store, "ord-1");
    // Somebody appends by hand and takes their time, as a slow server or a paused process would.
    let mut slow = cluster.session();
    let open = format!(
        "BEGIN; INSERT INTO {schema}.commits SELECT tenant, entity_type, 'ord-0', 1, previous, hash, body, at, actor, \
         trace, kinds, NULL, pg_current_xact_id()::text::bigint FROM {schema}.commits WHERE entity_id = 'ord-1'"
    );
    slow.run(&open);
    begin(&store, "ord-2");
    let found = || cluster.sql("postgres", &format!("SELECT {schema}.sequence()"));
    assert_eq!(found(), "2");
    assert_eq!(places(&store), expected(&["ord-1 1", "ord-2 1"]));
    slow.run("COMMIT");
    begin(&store, "ord-3");
    assert_eq!(found(), "4");
    let order = format!("SELECT string_agg(entity_id, ' ' ORDER BY position) FROM {schema}.positions");
    assert_eq!(cluster.sql("postgres", &order), "ord-1 ord-2 ord-0 ord-3");
    assert_eq!(found(), "4");
}

#[test]
fn p5_commits_of_one_entity_that_are_handed_in_at_once_are_appended_one_after_the_other() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    // Nothing is answered before all are handed in.
    let mut slow = cluster.session();
    slow.run(&format!("BEGIN; LOCK TABLE {schema}.commits IN SHARE MODE"));
    let (mut number, mut hash, mut appends) = (0, Commit::GENESIS, Vec::new());
    for seed in 1..=5 {
        let next = commit(&entity("ord-1"), number, hash, seed);
        (number, hash) = (next.commit().number(), next.commit().hash());
        appends.push(Box::pin(store.append(next)));
    }
    for append in &mut appends {
        assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    slow.run("COMMIT");
    for append in appends {
        assert_eq!(block_on(append).unwrap(), Appended::Written);
    }
}

/// Lets a server see many transactions, more than one that was just made.
fn count_on(server: &Cluster) {
    for _ in 0..20 {
        server
            .sql("postgres", "DO $$ BEGIN FOR i IN 1..50 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$");
    }
}

/// What one server has, in a file.
fn dumped(old: &Cluster, more: &[&str]) -> String {
    let dump = old.file("dump.sql");
    let mut dumping: Command = command(cluster::binaries().join("pg_dump"));
    dumping.args(["-d", &old.url("owner", "postgres"), "-f", &dump]).args(more);
    assert!(dumping.status().unwrap().success());
    dump
}

#[test]
fn a_journal_that_was_restored_beside_another_says_so_and_is_not_used() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    begin(&store, "ord-1");
    assert_eq!(places(&store), expected(&["ord-1 1"]));
    let dump = dumped(cluster, &["--schema", &schema]);
    let database = format!("restored_{schema}");
    cluster.sql("postgres", &format!("CREATE DATABASE {database}"));
    let restore = |expected: bool| {
        let mut restoring: Command = command(cluster::binaries().join("psql"));
        restoring.args(["-q", "-d", &cluster.url("owner", &database), "-f", &dump]);
        if expected {
            restoring.args(["-v", "ON_ERROR_STOP=1", "--single-transaction"]);
        }
        let null = std::process::Stdio::null;
        assert!(restoring.stdout(null()).stderr(null()).status().unwrap().success());
    };
    let restored = PostgresStore::options(&cluster.url("owner", &database)).schema(&schema);
    block_on(restored.migrate()).unwrap();
    restore(false);
    let told = block_on(restored.connect()).unwrap_err().to_string();
    assert!(told.contains("was restored into tables that were there already"), "{told}");
    cluster.sql(&database, &format!("DROP SCHEMA {schema} CASCADE"));
    restore(true);
    assert_eq!(places(&block_on(restored.connect()).unwrap()), expected(&["ord-1 1"]));
}

/// Restores what one server has into a new one.
fn restored(old: &Cluster, more: &[&str]) -> Cluster {
    let new = Cluster::start("");
    let dump = dumped(old, more);
    let mut restoring: Command = command(cluster::binaries().join("psql"));
    restoring.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &new.url("owner", "postgres"), "-f", &dump]);
    assert!(restoring.stdout(std::process::Stdio::null()).status().unwrap().success());
    new
}

#[test]
fn a_journal_that_was_restored_into_another_server_goes_on_in_its_order() {
    let old = Cluster::start("");
    let (schema, writer) = old.journal();
    let store = block_on(writer.connect()).unwrap();
    let first = begin(&store, "ord-2");
    count_on(&old);
    let second = commit(&entity("ord-2"), 1, first.commit().hash(), 2);
    assert_eq!(block_on(store.append(second.clone())).unwrap(), Appended::Written);
    begin(&store, "ord-1");
    assert_eq!(places(&store), expected(&["ord-2 1", "ord-2 2", "ord-1 1"]));
    let third = commit(&entity("ord-2"), 2, second.commit().hash(), 3);
    assert_eq!(block_on(store.append(third.clone())).unwrap(), Appended::Written);
    drop(store);

    // Once with a commit that has no position yet, and once where all have theirs.
    let (mut last, mut order, mut server) = (third, vec!["ord-2 1", "ord-2 2", "ord-1 1", "ord-2 3"], old);
    for (number, of_entity, begun) in [(4, "ord-2 4", "ord-3"), (5, "ord-2 5", "ord-4")] {
        server = restored(&server, &[]);
        let writer = PostgresStore::options(&server.url("writer", "postgres")).schema(schema.clone());
        let store = block_on(writer.connect()).unwrap();
        count_on(&server);
        let next = commit(&entity("ord-2"), number - 1, last.commit().hash(), number);
        assert_eq!(block_on(store.append(next.clone())).unwrap(), Appended::Written);
        begin(&store, begun);
        order.extend([of_entity, if number == 4 { "ord-3 1" } else { "ord-4 1" }]);
        assert_eq!(places(&store), expected(&order));
        last = next;
    }
}

#[test]
fn p8_a_journal_that_was_restored_for_other_roles_is_appended_to_by_its_writers_alone() {
    let old = Cluster::start("");
    let (schema, writer) = old.journal();
    let first = begin(&block_on(writer.connect()).unwrap(), "ord-1");
    // PostgreSQL lets everybody run a function that comes without privileges.
    let server = restored(&old, &["--no-owner", "--no-privileges"]);
    server.sql("postgres", "CREATE ROLE auditor LOGIN");
    let of = |role: &str| PostgresStore::options(&server.url(role, "postgres")).schema(schema.clone());
    block_on(of("owner").migrate()).unwrap();
    block_on(of("owner").grant_reader("auditor")).unwrap();
    let second = commit(&entity("ord-1"), 1, first.commit().hash(), 2);
    let auditor = block_on(of("auditor").connect()).unwrap();
    let told = block_on(auditor.append(second.clone())).unwrap_err().to_string();
    assert!(told.contains("permission denied"), "{told}");
    block_on(of("owner").grant("writer")).unwrap();
    let store = block_on(of("writer").connect()).unwrap();
    assert_eq!(block_on(store.append(second)).unwrap(), Appended::Written);
    assert_eq!(places(&store), expected(&["ord-1 1", "ord-1 2"]));
}

#[test]
fn an_order_whose_last_step_came_long_after_its_last_commit_goes_on_in_another_server() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    begin(&block_on(writer.connect()).unwrap(), "ord-1");
    assert_eq!(places(&block_on(writer.connect()).unwrap()), expected(&["ord-1 1"]));
    // As if this server had counted no further than a little behind the last commit.
    cluster.sql("postgres", &format!("UPDATE {schema}.sequencer SET below = below + 1000000"));
    let store = block_on(writer.connect()).unwrap();
    begin(&store, "ord-2");
    assert_eq!(places(&store), expected(&["ord-1 1", "ord-2 1"]));
}

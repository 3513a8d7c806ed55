//! A server that does not answer: whoever waits hears so in time, and it costs the store no connection.

use std::array;
use std::thread;
use std::time::Duration;

use kiff::{Appended, Commit, Cursor, PostgresStore, Query, Store};
use kiff_test::block_on;

use super::{begin, commit, entity};
use crate::cluster;
use crate::wait::until;

#[test]
fn what_waits_for_a_lock_fails_in_time_and_gives_its_connection_up() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let writer = writer.connections(2).patience(Duration::from_secs(2));
    let store = block_on(writer.connect()).unwrap();
    let first = begin(&store, "ord-1");
    let mut other = cluster.session();
    // Who would wait without an end sees the lock go.
    other.run("SET idle_in_transaction_session_timeout = '60s'");
    other.run(&format!("BEGIN; LOCK TABLE {schema}.commits IN ACCESS EXCLUSIVE MODE"));

    let key = entity("ord-1");
    let late = [
        thread::scope(|scope| {
            // More than there are connections.
            let reads = [(); 4].map(|()| scope.spawn(|| block_on(store.read(&key, 0, 9)).unwrap_err().to_string()));
            reads.map(|read| read.join().unwrap()).to_vec()
        }),
        vec![block_on(store.search(&Query::default(), Cursor::FIRST, 9)).unwrap_err().to_string()],
        vec![block_on(writer.connect()).unwrap_err().to_string()],
    ];
    for told in late.concat() {
        assert!(told.contains("postgres has not answered in time: "), "{told}");
    }
    // Nor does the server go on waiting.
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = '{schema}.commits'::regclass AND NOT granted \
         AND pid <> pg_backend_pid()"
    );
    until(|| cluster.sql("postgres", &waiting) == "0");

    other.run("COMMIT");
    let second = commit(&key, 1, first.commit().hash(), 2);
    assert_eq!(block_on(store.append(second)).unwrap(), Appended::Written);
    assert_eq!(block_on(store.read(&key, 0, 9)).unwrap().len(), 2);
}

#[test]
fn where_nobody_listens_whoever_connects_is_told_at_once() {
    // Nobody listens at a port that only a superuser may have, and no other test is given it meanwhile.
    let nobody = "postgres://writer@127.0.0.1:1/postgres";
    let patient = PostgresStore::options(nobody).patience(Duration::from_hours(1));
    let told = block_on(patient.connect()).unwrap_err().to_string();
    assert!(told.contains("refused"), "{told}");
}

#[test]
fn commits_that_the_server_gives_up_one_by_one_wait_no_longer_than_all_of_them_may() {
    let cluster = cluster::shared();
    let (schema, _) = cluster.journal();
    // The server itself ends what takes longer than a part of what the writers wait.
    let url = format!("{}?options=-c%20statement_timeout%3D1s", cluster.url("writer", "postgres"));
    let writer = PostgresStore::options(&url).schema(&schema).lanes(1).patience(Duration::from_secs(5));
    let store = block_on(writer.connect()).unwrap();
    let mut other = cluster.session();
    other.run("SET idle_in_transaction_session_timeout = '60s'");
    other.run(&format!("BEGIN; LOCK TABLE {schema}.commits IN ACCESS EXCLUSIVE MODE"));

    let told = thread::scope(|scope| {
        let store = &store;
        // What comes while the first is on its way is one group.
        let appends: [_; 24] = array::from_fn(|index| {
            let first = commit(&entity(&format!("ord-{index}")), 0, Commit::GENESIS, 1);
            scope.spawn(move || block_on(store.append(first)).unwrap_err().to_string())
        });
        appends.map(|append| append.join().unwrap())
    });
    let in_vain = told.iter().filter(|told| told.contains("statement timeout")).count();
    let too_late = told.iter().filter(|told| told.contains("has not answered in time")).count();
    assert_eq!(in_vain + too_late, 24, "{told:?}");
    assert!(in_vain < 12, "each of the group has waited for itself: {told:?}");
    other.run("COMMIT");
}

//! A connection that breaks while a commit is under way: the commit is neither lost nor written twice.

use std::future::Future;
use std::task::{Context, Waker};
use std::thread;

use kiff::{Appended, Commit, PostgresStore, Store};
use kiff_test::block_on;

use super::proxy::{Cut, Proxy};
use super::{begin, commit, entity};
use crate::cluster;

/// A store behind a proxy, and one beside it, on the same journal.
fn stores() -> (Proxy, PostgresStore, PostgresStore) {
    let cluster = cluster::shared();
    let (schema, direct) = cluster.journal();
    let proxy = Proxy::new(cluster.port());
    let behind = block_on(PostgresStore::options(&proxy.url()).schema(schema).connect()).unwrap();
    (proxy, behind, block_on(direct.connect()).unwrap())
}

#[test]
fn p7_a_commit_whose_answer_is_lost_is_settled_by_its_hash() {
    for cut in [Cut::Before, Cut::After] {
        let (proxy, store, beside) = stores();
        let first = begin(&store, "ord-1");
        proxy.cut([cut]);
        let second = commit(&entity("ord-1"), 1, first.commit().hash(), 2);
        thread::scope(|scope| {
            let appended = scope.spawn(|| block_on(store.append(second.clone())).unwrap());
            proxy.wait();
            let kept = block_on(beside.read(&entity("ord-1"), 0, 9)).unwrap();
            assert_eq!(kept.len(), if cut == Cut::After { 2 } else { 1 }, "{cut:?}");
            proxy.open();
            assert_eq!(appended.join().unwrap(), Appended::Written, "{cut:?}");
        });
        let kept = block_on(store.read(&entity("ord-1"), 0, 9)).unwrap();
        assert_eq!(kept, [first.into_commit(), second.into_commit()], "{cut:?}");
    }
}

#[test]
fn p7_a_lost_answer_is_settled_although_the_journal_has_moved_on_and_a_lost_race_is_a_conflict() {
    for cut in [Cut::Before, Cut::After] {
        let (proxy, store, beside) = stores();
        proxy.cut([cut]);
        let ours = commit(&entity("ord-1"), 0, Commit::GENESIS, 1);
        thread::scope(|scope| {
            let appended = scope.spawn(|| block_on(store.append(ours.clone())).unwrap());
            proxy.wait();
            // Somebody else writes next: behind our commit where it is kept, and in its place where it is not.
            let (theirs, expected) = match cut {
                Cut::After => (commit(&entity("ord-1"), 1, ours.commit().hash(), 2), Appended::Written),
                _ => (commit(&entity("ord-1"), 0, Commit::GENESIS, 2), Appended::Conflict),
            };
            assert_eq!(block_on(beside.append(theirs)).unwrap(), Appended::Written);
            proxy.open();
            assert_eq!(appended.join().unwrap(), expected, "{cut:?}");
        });
    }
}

#[test]
fn p7_a_commit_that_may_be_kept_is_no_lost_race_when_the_next_try_is_refused() {
    let (cluster, proxy) = (cluster::shared(), Proxy::new(cluster::shared().port()));
    let (schema, direct) = cluster.journal();
    let behind = PostgresStore::options(&proxy.url()).schema(schema).lanes(1);
    let (store, beside) = (block_on(behind.connect()).unwrap(), block_on(direct.connect()).unwrap());
    let first = |id: &str| store.append(commit(&entity(id), 0, Commit::GENESIS, 1));
    let mut context = Context::from_waker(Waker::noop());
    // What comes while the first one is tried again goes in one statement, which is kept and whose answer is lost.
    proxy.cut([Cut::Before, Cut::Never, Cut::After, Cut::Refused]);
    let mut alone = Box::pin(first("ord-1"));
    assert!(alone.as_mut().poll(&mut context).is_pending());
    proxy.wait();
    let mut group = [Box::pin(first("ord-2")), Box::pin(first("ord-3"))];
    for append in &mut group {
        assert!(append.as_mut().poll(&mut context).is_pending());
    }
    proxy.open();
    assert_eq!(block_on(alone).unwrap(), Appended::Written);
    proxy.wait();
    assert_eq!(block_on(beside.entities(None, 9)).unwrap().len(), 3);
    proxy.open();
    for append in group {
        assert!(!matches!(block_on(append), Ok(Appended::Conflict)), "it is kept");
    }
}

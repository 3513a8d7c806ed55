//! Servers and writers that are killed under load: nothing that was acknowledged is lost, and nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use kiff::{Appended, Commit, Cursor, Digest, EntityKey, PostgresStore, Query, Store};
use kiff_test::block_on;

use super::{commit, entity};
use crate::cluster::{self, Cluster};
use crate::programs::Program;
use crate::wait::until;

const WRITERS: u64 = 8;

/// How often something is killed; `KIFF_KILLS` says how often instead.
fn kills(usual: usize) -> usize {
    std::env::var("KIFF_KILLS").map_or(usual, |kills| kills.parse().unwrap())
}

/// Every journal is whole: each commit fits the one before and says something of its own, and each has one place in the one
/// order. The hashes, by entity and number.
fn verify(store: &PostgresStore) -> BTreeMap<(EntityKey, u64), Digest> {
    let mut found = BTreeMap::new();
    for key in block_on(store.entities(None, usize::MAX)).unwrap() {
        let (mut last, mut hash, mut says) = (0, Commit::GENESIS, Vec::new());
        for commit in block_on(store.read(&key, 0, usize::MAX)).unwrap() {
            commit.verify().unwrap();
            assert_eq!((commit.number(), commit.previous()), (last + 1, hash), "{key}");
            (last, hash) = (commit.number(), commit.hash());
            says.push(commit.at());
            found.insert((key.clone(), last), hash);
        }
        says.sort_unstable();
        let all = says.len();
        says.dedup();
        assert_eq!(says.len(), all, "a commit of {key} is there twice");
    }
    let order = block_on(store.search(&Query::default(), Cursor::FIRST, usize::MAX)).unwrap();
    let mut seen = BTreeMap::new();
    for ((position, commit), expected) in order.iter().zip(1..) {
        assert_eq!(*position, expected);
        let last = seen.insert(commit.key().clone(), commit.number()).unwrap_or(0);
        assert_eq!(commit.number(), last + 1, "the order of {}", commit.key());
    }
    assert_eq!(order.len(), found.len());
    found
}

#[test]
fn p7_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let kills = kills(10);
    let cluster = Cluster::start("");
    let (_, writer) = cluster.journal();
    let (over, written) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let store = &block_on(writer.connect()).unwrap();
    let acknowledged: Vec<(EntityKey, u64, Digest)> = thread::scope(|scope| {
        let write = |writer: u64| {
            move || {
                let key = entity(&format!("ord-{writer}"));
                let (mut last, mut hash, mut acknowledged) = (0, Commit::GENESIS, Vec::new());
                while !over.load(Ordering::Acquire) {
                    let next = commit(&key, last, hash, last);
                    (last, hash) = (next.commit().number(), next.commit().hash());
                    // Nobody else writes there, so that each commit follows, however often its answer was lost.
                    assert_eq!(block_on(store.append(next)).unwrap(), Appended::Written, "{key} {last}");
                    acknowledged.push((key.clone(), last, hash));
                    written.fetch_add(1, Ordering::AcqRel);
                }
                acknowledged
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        for kill in 0..kills {
            // Somewhere in the midst of it: after so many more commits, and another number each time.
            let enough = written.load(Ordering::Acquire) + 50 + 37 * (kill % 10);
            until(|| {
                written.load(Ordering::Acquire) >= enough || writers.iter().any(thread::ScopedJoinHandle::is_finished)
            });
            cluster.crash();
            cluster.boot();
        }
        over.store(true, Ordering::Release);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let kept = verify(store);
    assert_eq!(kept.len(), acknowledged.len());
    for (key, number, hash) in acknowledged {
        assert_eq!(kept.get(&(key.clone(), number)), Some(&hash), "{key} {number}");
    }
}

#[test]
fn p7_a_writer_that_is_killed_again_and_again_leaves_every_commit_whole() {
    let kills = kills(25);
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    // It writes until it is killed, and says what was acknowledged.
    let mut program = Command::new(Program::Example("load").path());
    program.arg(cluster.url("writer", "postgres")).arg(schema).stdout(Stdio::piped());
    let mut acknowledged = Vec::new();
    for kill in 0..kills {
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref().take(5 + kill % 25 * 3) {
            acknowledged.push(line.unwrap());
        }
        child.kill().unwrap();
        // What it had said before it was killed; the last line may be half of one.
        let mut rest: Vec<String> = lines.map_while(Result::ok).collect();
        child.wait().unwrap();
        rest.pop();
        acknowledged.extend(rest);
    }
    let kept = verify(&block_on(writer.connect()).unwrap());
    let kept: BTreeSet<String> = kept.iter().map(|((key, number), hash)| format!("{key} {number} {hash}")).collect();
    for line in &acknowledged {
        assert!(kept.contains(line), "{line} was acknowledged and is gone");
    }
    assert!(acknowledged.len() > kills * 5);
}

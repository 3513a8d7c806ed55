//! Stores that fail only where many are at work at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Fault, Plain, check, found_in};

#[test]
fn p5_writers_that_race_are_one_after_the_other() {
    check(Fault::ChecksBeforeItLocks, &["when threads race"]);
}

#[test]
fn writers_of_different_entities_are_in_nobodys_way() {
    check(Fault::IsInTheWay, &["is in conflict, although nobody else appends there"]);
}

#[test]
fn p5_who_loses_a_race_leaves_nothing_behind() {
    check(Fault::BurnsPositions, &["when threads race", "whoever follows all commits saw commit "]);
    check(Fault::LeavesTheLosersKeys, &["when threads race", "was first used by commit Some("]);
    check(Fault::OpensForTheLosers, &["when threads race", "listing ", " of open "]);
    check(Fault::KeepsTheLosersSnapshot, &["when threads race", "the snapshot of"]);
}

#[test]
fn what_a_reader_has_seen_stays() {
    check(Fault::ShowsBeforeItDecides, &["when threads race", "a reader of `Order/ord-1` saw "]);
}

#[test]
fn a_writer_that_fails_is_told_of_at_once() {
    let searches = Arc::new(AtomicUsize::new(0));
    let make_store = || Plain { searches: Arc::clone(&searches), ..Plain::new(Fault::FailsAtTheTenth) };
    let message = found_in(make_store);
    assert!(message.contains("when threads race: the store failed: the disk is full"), "{message}");
    // Nobody goes on to look for what nobody writes.
    let searches = searches.load(Ordering::Relaxed);
    assert!(searches < 500_000, "{searches} searches");
}

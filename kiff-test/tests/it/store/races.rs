//! Stores that fail only where many are at work at once.

use super::{Fault, check};

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

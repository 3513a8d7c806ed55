//! What a store on disk keeps beside a commit to find it by.

use crate::journal::{Commit, Fact};

/// The bit of records that only a later kiff knows.
const UNKNOWN: i64 = 1 << 62;

/// The bit that stands for a kind of records; none where there is no such kind.
pub(super) fn kind_bit(kind: &str) -> Option<i64> {
    if kind == "unknown" {
        return Some(UNKNOWN);
    }
    let place = Fact::KINDS.iter().position(|known| *known == kind)?;
    1_i64.checked_shl(u32::try_from(place).ok()?)
}

/// The kinds of the records in a commit, a bit each.
pub(super) fn kinds(commit: &Commit) -> i64 {
    commit.facts().iter().filter_map(|fact| kind_bit(fact.kind())).fold(0, |kinds, bit| kinds | bit)
}

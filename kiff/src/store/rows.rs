//! What a store on disk keeps beside a commit to find it by.

use crate::journal::{Commit, Fact};

/// The bit of a record that was not known when it was written.
const UNKNOWN: u32 = 62;

/// A bit for each kind of record in a commit.
pub(super) fn kinds(commit: &Commit) -> i64 {
    commit.facts().iter().fold(0, |kinds, fact| kinds | bit(fact.kind()).unwrap_or(1 << UNKNOWN))
}

/// The bits of which one is set in each commit that may have a record of this kind: its own, and that of a record that was
/// not known when it was written. None where no commit has such a record.
pub(super) fn kinds_like(kind: &str) -> Option<i64> {
    match bit(kind) {
        Some(bit) => Some(bit | 1 << UNKNOWN),
        None => (kind == "unknown").then_some(1 << UNKNOWN),
    }
}

fn bit(kind: &str) -> Option<i64> {
    // A kind's place is stable: new ones are added at the end.
    let place = Fact::KINDS.iter().position(|known| *known == kind)?;
    let place = u32::try_from(place).ok().filter(|place| *place < UNKNOWN)?;
    Some(1 << place)
}

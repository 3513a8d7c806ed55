//! Replays: journals that do not fit their domain, or the domain that came of it.

#![expect(clippy::unwrap_used, reason = "this file is a test")]

use kiff::{Executable, Exported, Store};
use kiff_test::{Then, block_on, given, replays_exported};

use crate::refund::Refund;

mod yesterday {
    use kiff::{Failure, action, domain};
    use serde::{Deserialize, Serialize};

    /// A place that is read under another name than it is written.
    #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
    pub struct Place {
        #[serde(rename(serialize = "place"))]
        pub number: u8,
    }

    domain! {
        /// Letters, and where they lie.
        pub domain Filing governs Letter;
        roles { Clerk: agent, Post: system }
        states { Came, Sorted, final Lost, final Filed }
        events {
            LetterCame reported by Post;
            LetterSorted { shelf: u8 } reported by Post;
            LetterLost reported by Post;
            LetterFiled { place: Place };
        }
        transitions {
            LetterCame:   new    => Came;
            LetterSorted: Came   => Sorted;
            LetterLost:   Came   => Lost;
            LetterFiled:  Sorted => Filed;
        }
        actions { File { risk: low, by: Clerk, emits: LetterFiled }; }
        allow { Sorted => [File]; }
    }

    #[action(Filing::File)]
    async fn file() -> Result<LetterFiled, Failure> {
        Ok(LetterFiled { place: Place { number: 7 } })
    }
}

mod today {
    use kiff::{Failure, action, domain};

    domain! {
        /// Letters are no longer lost, and shelves have names.
        pub domain Filing governs Letter;
        roles { Clerk: agent, Post: system }
        states { Came, Sorted, final Filed }
        events {
            LetterCame reported by Post;
            LetterSorted { shelf: String } reported by Post;
            LetterFiled;
        }
        transitions {
            LetterCame:   new    => Came;
            LetterSorted: Came   => Sorted;
            LetterFiled:  Sorted => Filed;
        }
        actions { File { risk: low, by: Clerk, emits: LetterFiled }; }
        allow { Sorted => [File]; }
    }

    #[action(Filing::File)]
    async fn file() -> Result<LetterFiled, Failure> {
        Ok(LetterFiled)
    }
}

use yesterday::{File, Filing, FilingRole, LetterCame, LetterLost, LetterSorted};

/// The journal of a told test as `kiff export` writes it.
pub(crate) fn exported<D: Executable, P>(told: &Then<D, P>) -> String {
    let commits = block_on(told.runtime().store().read(told.key(), 0, usize::MAX)).unwrap();
    let lines =
        (1..).zip(commits).map(|(position, commit)| Exported::new(position, commit).unwrap().to_string() + "\n");
    lines.collect()
}

fn came() -> Then<Filing> {
    given::<Filing>(()).when_reported(FilingRole::Post, LetterCame)
}

#[test]
fn a_journal_of_yesterday_is_one_of_today() {
    let export = exported(&came());
    replays_exported::<Filing>(&export);
    replays_exported::<today::Filing>(&export);
}

#[test]
#[should_panic(expected = "`Letter/letter-1` does not replay in the domain `filing`\n\n\
    the journal of `Letter/letter-1` is broken at commit 2: the domain has no state `LOST`")]
fn a_state_that_is_gone_is_found() {
    let lost = came().when_reported(FilingRole::Post, LetterLost);
    replays_exported::<Filing>(&exported(&lost));
    replays_exported::<today::Filing>(&exported(&lost));
}

#[test]
#[should_panic(expected = "`LETTER_SORTED` cannot be read from what is on the record of it, {\"shelf\":3}: ")]
fn a_payload_of_another_shape_is_found() {
    let sorted = came().when_reported(FilingRole::Post, LetterSorted { shelf: 3 });
    replays_exported::<Filing>(&exported(&sorted));
    replays_exported::<today::Filing>(&exported(&sorted));
}

#[test]
#[should_panic(
    expected = "`LETTER_FILED` cannot be read from what is on the record of it, {\"place\":{\"place\":7}}: "
)]
fn an_event_that_does_not_read_what_it_writes_does_not_replay() {
    let sorted = given::<Filing>(()).event(LetterCame).event(LetterSorted { shelf: 3 });
    sorted.when(FilingRole::Clerk, File).then().replays();
}

#[test]
#[should_panic(expected = "the export has no commit of an entity of type `Order`")]
fn an_export_of_another_domain_is_none_of_this() {
    replays_exported::<Refund>(&exported(&came()));
}

#[test]
#[should_panic(expected = "line 2: the line is no commit of an export")]
fn what_is_no_export_is_found() {
    replays_exported::<Filing>(&(exported(&came()) + "{}\n"));
}

//! The laws that every [`Store`] obeys, as one function to call.

use kiff::Store;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::failure::fail;

mod machine;
mod race;
mod sample;

use machine::operations;

/// Holds a store to the laws of [`Store`]:
///
/// - a commit is kept whole if it follows on the last one of its entity, and otherwise none of it is: neither a number
///   nor a hash before that does not follow, nor the same commit once more;
/// - what is read back is what was appended, in order, with hashes that fit;
/// - `read` and `entities` page by `after` and `limit`, from any place and of any size;
/// - a commit is kept byte for byte, with whatever it says that only a later kiff knows;
/// - `search` finds, in the order in which they were appended and with positions without gaps, the commits that a query
///   looks for, and pages in both directions;
/// - `open` lists what is open, the oldest first, until it is closed or stops to matter by itself;
/// - `keyed` finds the first use of an idempotency key, and `snapshot` the last snapshot;
/// - an entity is listed once it has a commit and not before, in order of the keys;
/// - tenants, entity types and ids are kept apart, whatever characters they are of;
/// - of writers that race, exactly one wins each number, and a reader sees a journal without gaps at any time, and all
///   commits of the store without skipping one;
/// - writers of different entities do not stand in each other's way.
///
/// All but the last two are tried with made-up operations against a plain model, and a failure is shrunk to the operations
/// that are needed for it; those with threads. `make_store` makes a store without any journal each time it is
/// called: about 256 times, or as often as the environment variable `PROPTEST_CASES` says.
///
/// ```
/// use kiff::MemoryStore;
///
/// kiff_test::store::laws(MemoryStore::new);
/// ```
///
/// # Panics
/// When the store breaks a law, with the operations that show it.
#[track_caller]
pub fn laws<S: Store>(make_store: impl Fn() -> S) {
    laws_in(Config::default().cases, make_store);
}

/// The same in that many made-up histories, for a store that takes its time.
///
/// ```
/// use kiff::MemoryStore;
///
/// kiff_test::store::laws_in(16, MemoryStore::new);
/// ```
///
/// # Panics
/// As [`laws`].
#[track_caller]
pub fn laws_in<S: Store>(cases: u32, make_store: impl Fn() -> S) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let played = TestRunner::new(config)
        .run(&operations(), |operations| machine::play(&make_store(), &operations).map_err(TestCaseError::fail));
    match played {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => fail(format_args!("no operations could be made up: {reason}")),
        Err(TestError::Fail(reason, operations)) => {
            fail(format_args!("the store breaks a law\n\n{}\n{}", machine::shown(&operations), reason.message()))
        }
    }
    for raced in [race::on_one_entity(&make_store()), race::on_entities_of_their_own(&make_store())] {
        if let Err(problem) = raced {
            fail(format_args!("the store breaks a law when threads race: {problem}"));
        }
    }
}

//! The one place where the kit says that a test has failed.

use std::fmt;

/// Fails the test with a message.
#[track_caller]
#[expect(clippy::panic, reason = "a test fails by a panic")]
pub(crate) fn fail(message: impl fmt::Display) -> ! {
    panic!("{message}")
}

/// What must be there for a test to make sense.
#[track_caller]
pub(crate) fn must<T, E: fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(error),
    }
}

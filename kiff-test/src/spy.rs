//! What executors did: a log that they write into, and a way to make them fail.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiff::Failure;

use crate::failure::fail;

/// Stands in for the outside world in a domain's services: executors call it, and the test sees what they asked for
/// and says how it answers. Its clones are the same spy.
///
/// ```
/// use kiff::Failure;
/// use kiff_test::Spy;
///
/// let bank = Spy::new();
/// bank.refuse_next("the bank declined");
///
/// // In an executor:
/// let pay_back = |amount: i64| -> Result<(), Failure> { bank.call(amount) };
/// assert_eq!(pay_back(49).unwrap_err().message(), "the bank declined");
/// assert!(pay_back(50).is_ok());
///
/// // In the test:
/// assert_eq!(bank.calls(), [49, 50]);
/// assert_eq!(bank.done(), [50]);
/// ```
pub struct Spy<T>(Arc<Mutex<Log<T>>>);

struct Log<T> {
    calls: Vec<(T, bool)>,
    planned: VecDeque<Planned>,
}

/// How the outside world answers a call that is to go wrong.
enum Planned {
    Failure(Failure),
    Panic(String),
}

impl<T> Spy<T> {
    /// A spy that was not called yet and whose every call succeeds.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Log { calls: Vec::new(), planned: VecDeque::new() })))
    }

    fn log(&self) -> MutexGuard<'_, Log<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call and answers as the test planned; what nothing was planned for succeeds.
    ///
    /// # Errors
    /// The [`Failure`] that the test planned.
    ///
    /// # Panics
    /// When the test planned that.
    pub fn call(&self, call: T) -> Result<(), Failure> {
        let planned = {
            let mut log = self.log();
            let planned = log.planned.pop_front();
            log.calls.push((call, planned.is_none()));
            planned
        };
        match planned {
            None => Ok(()),
            Some(Planned::Failure(failure)) => Err(failure),
            Some(Planned::Panic(message)) => fail(message),
        }
    }

    /// The next call that nothing is planned for yet fails: nothing happened, for the reason that `message` gives.
    pub fn refuse_next(&self, message: impl fmt::Display) {
        self.fail_next(Failure::refused(message));
    }

    /// The next call that nothing is planned for yet fails, and nobody knows whether it happened.
    pub fn lose_next(&self, message: impl fmt::Display) {
        self.fail_next(Failure::unknown(message));
    }

    /// The next call that nothing is planned for yet fails like this.
    pub fn fail_next(&self, failure: Failure) {
        self.log().planned.push_back(Planned::Failure(failure));
    }

    /// The next call that nothing is planned for yet panics. What it says is shown with a test that fails, and is not on the record.
    pub fn panic_next(&self, message: impl Into<String>) {
        self.log().planned.push_back(Planned::Panic(message.into()));
    }

    /// How often it was called, however that went.
    #[must_use]
    pub fn count(&self) -> usize {
        self.log().calls.len()
    }
}

impl<T: Clone> Spy<T> {
    /// The calls, in order, however they went.
    #[must_use]
    pub fn calls(&self) -> Vec<T> {
        self.log().calls.iter().map(|(call, _)| call.clone()).collect()
    }

    /// The calls that succeeded, in order.
    #[must_use]
    pub fn done(&self) -> Vec<T> {
        self.log().calls.iter().filter(|(_, done)| *done).map(|(call, _)| call.clone()).collect()
    }
}

impl<T> Clone for Spy<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Spy<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Spy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.log().calls.iter().map(|(call, _)| call)).finish()
    }
}

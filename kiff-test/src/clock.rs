//! A clock that stands still until the test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kiff::{Clock, Timestamp};

/// A clock that stands still until it is moved. Its clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use kiff::Clock;
/// use kiff_test::FixedClock;
///
/// let clock = FixedClock::new();
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00.000000Z");
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:01:30.000000Z");
/// ```
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<AtomicU64>);

impl FixedClock {
    /// Where a clock starts: the first of January 2026, in microseconds since 1970.
    const START: u64 = 1_767_225_600_000_000;

    /// A clock that shows the start of the year 2026.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::from_microseconds(Self::START))
    }

    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(now.as_microseconds())))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let advanced = |now: u64| Some(now.saturating_add(microseconds));
        // It always has a value to go on to.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advanced);
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }
}

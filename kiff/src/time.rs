//! When: instants in microseconds, and the clock that is handed to a runtime.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC, in microseconds since 1970; on the wire RFC 3339.
///
/// ```
/// use kiff::Timestamp;
///
/// let noon: Timestamp = "2026-11-23T12:00:00.000000Z".parse()?;
/// assert_eq!(noon.to_string(), "2026-11-23T12:00:00.000000Z");
/// # Ok::<(), kiff::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last instant that RFC 3339 can write: the end of the year 9999.
    const LAST: u64 = 253_402_300_799_999_999;

    /// The instant that is `microseconds` after the start of 1970; past the year 9999 it is held at its end.
    #[must_use]
    pub fn from_microseconds(microseconds: u64) -> Self {
        Self(microseconds.min(Self::LAST))
    }

    /// Microseconds since the start of 1970.
    #[must_use]
    pub const fn as_microseconds(self) -> u64 {
        self.0
    }

    /// The instant `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self::from_microseconds(self.0.saturating_add(microseconds))
    }

    fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.0)
    }
}

impl From<SystemTime> for Timestamp {
    /// Times before 1970 become the start of 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::default().after(since)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_micros(self.to_system_time()).fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_rfc3339(text).map(Self::from).map_err(TimestampError)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text is no instant in RFC 3339 with the zone `Z`.
#[derive(Debug, Clone)]
pub struct TimestampError(humantime::TimestampError);

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an instant like `2026-11-23T12:00:00Z`: {}", self.0)
    }
}

impl std::error::Error for TimestampError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Where a runtime gets the time from.
///
/// The core never looks at a clock of its own; a test hands in one that stands still.
///
/// ```
/// use kiff::{Clock, Timestamp};
///
/// /// It is always the start of 1970.
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         Timestamp::default()
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

//! When: instants in microseconds, and the clock that is handed to a runtime.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
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

    /// The 27 characters of RFC 3339, such as `2026-11-23T12:00:00.000000Z`.
    pub(crate) fn text(self) -> [u8; 27] {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let (year, month, day) = date(seconds / 86_400);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let pairs = [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, seconds / 3600 % 24),
            (14, seconds / 60 % 60),
            (17, seconds % 60),
            (20, micros / 10_000),
            (22, micros / 100 % 100),
            (24, micros % 100),
        ];
        for (place, number) in pairs {
            let [.., number] = number.to_be_bytes();
            if let Some([tens, ones]) = text.get_mut(place..place + 2) {
                (*tens, *ones) = (b'0' + number / 10, b'0' + number % 10);
            }
        }
        text
    }
}

/// The year, month and day that is `days` after the first of January 1970.
const fn date(days: u64) -> (u64, u64, u64) {
    /// Days of 400 years, which repeat.
    const CYCLE: u64 = 146_097;
    // Counted from the first of March of the year 0, so that the day of a leap year is the last of its year.
    let days = days + 719_468;
    let day = days % CYCLE;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 153 days in five, of 31, 30, 31, 30 and 31.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = days / CYCLE * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

impl From<SystemTime> for Timestamp {
    /// Times before 1970 become the start of 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::default().after(since)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_micros(at.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
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
#[derive(Clone)]
pub struct TimestampError(humantime::TimestampError);

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an instant like `2026-11-23T12:00:00Z`: {}", self.0)
    }
}

crate::debug::debug_as_message!(TimestampError);

impl std::error::Error for TimestampError {}

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

/// A clock that others hold as well, for instance to set it.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        C::now(self)
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_humantime_writes_them() {
        /// Days of 400 years, after which the calendar repeats.
        const CYCLE: u64 = 146_097;
        const DAY: u64 = 86_400_000_000;
        let days = (0..=CYCLE).chain([Timestamp::LAST / DAY]).flat_map(|day| [day * DAY, day * DAY + DAY - 1]);
        let moments = (0..100_000).map(|number| number * 1_234_567_891_011);
        for microseconds in days.chain(moments) {
            let at = Timestamp::from_microseconds(microseconds);
            let time = UNIX_EPOCH + Duration::from_micros(at.0);
            assert_eq!(at.to_string(), humantime::format_rfc3339_micros(time).to_string());
        }
    }
}

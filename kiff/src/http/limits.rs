//! What one client may take of a server: bytes, time, connections and requests.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// What one client may take of a server, so that a slow or greedy one does not starve the others.
///
/// One more limit follows from the machine: as many lists of entities, and searches that may look through a long journal, are made at a
/// time as it has cores, at least two, and of one principal half as many. The others wait.
///
/// ```
/// use std::time::Duration;
/// use kiff::http::Limits;
///
/// let limits = Limits { request_time: Duration::from_secs(5), ..Limits::DEFAULT };
/// assert_eq!(limits.body, 256 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A request's body, in bytes.
    pub body: usize,
    /// From the first byte of a request, or the last of the one before, to the end of its head.
    pub header_time: Duration,
    /// From the end of a request's head to the start of its answer. An action that has started goes on and is finished
    /// when it takes longer; its client learns what became of it from the entity.
    pub request_time: Duration,
    /// How long a client may take no byte of an answer.
    pub write_time: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time of one address; of one network of 2^64 addresses (a `/64`) where they are IPv6.
    pub connections_per_address: usize,
    /// Streams of events at a time of one principal; a wait for a person's decision over `/mcp` counts as one.
    pub streams: usize,
    /// How long a stream of events goes on before its client has to come again, and show that it still may.
    pub stream_time: Duration,
    /// Requests a second of one principal.
    pub rate: NonZeroU32,
    /// Requests of one principal that may come at once, when it was quiet before.
    pub burst: NonZeroU32,
    /// How long a server that is told to stop waits for what has started.
    pub grace: Duration,
}

impl Limits {
    /// The limits of a server that is given no others.
    pub const DEFAULT: Self = Self {
        body: 256 * 1024,
        header_time: Duration::from_secs(10),
        request_time: Duration::from_secs(30),
        write_time: Duration::from_secs(30),
        connections: 4096,
        connections_per_address: 1024,
        streams: 16,
        stream_time: Duration::from_mins(15),
        rate: NonZeroU32::MIN.saturating_add(499),
        burst: NonZeroU32::MIN.saturating_add(999),
        grace: Duration::from_secs(30),
    };

    /// How long the head of a request may take.
    pub(super) fn head_time(&self) -> Duration {
        self.header_time.min(LONGEST)
    }

    /// When a stream that begins now has to end.
    pub(super) fn stream_end(&self) -> Instant {
        Instant::now() + self.stream_time.min(LONGEST)
    }
}

/// However long something is meant to be, a clock can say when it ends.
const LONGEST: Duration = Duration::from_hours(365 * 24);

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

//! What the process counts, as Prometheus reads it.

use std::fmt;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::Mutex;

/// The counts and durations of this process: kiff's own, and whatever else is measured through the `metrics` facade.
///
/// ```
/// use kiff::http::{Api, Metrics};
///
/// let api = Api::new().metrics(Metrics::install()?);
/// # Ok::<(), kiff::http::MetricsError>(())
/// ```
pub struct Metrics {
    handle: PrometheusHandle,
    /// When that was counted last which is not counted as it happens.
    counted: Mutex<Option<Instant>>,
}

impl Metrics {
    /// Takes up, for the whole process, what is measured from now on.
    ///
    /// # Errors
    /// [`MetricsError`] when the process has something else that takes it up.
    pub fn install() -> Result<Self, MetricsError> {
        /// From a tenth of a millisecond to ten seconds.
        const SECONDS: [f64; 11] = [0.0001, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
        let durations = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, &SECONDS);
        let handle = builder.and_then(PrometheusBuilder::install_recorder);
        handle.map(Self::new).map_err(|error| MetricsError(error.to_string()))
    }

    fn new(handle: PrometheusHandle) -> Self {
        Self { handle, counted: Mutex::new(None) }
    }

    /// Has that counted which is not counted as it happens, unless it was a moment ago.
    pub(super) async fn refresh(&self, count: impl Future<Output = ()>) {
        /// How long a count is shown again. Each reads what is open, and whoever asks may ask as often as their rate allows.
        const HOLDS: Duration = Duration::from_secs(1);
        // Held while it is counted, so that the stores are asked by one at a time.
        let mut counted = self.counted.lock().await;
        if counted.is_none_or(|counted| counted.elapsed() >= HOLDS) {
            count.await;
            *counted = Some(Instant::now());
        }
    }

    /// All of it, in Prometheus' own format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl Clone for Metrics {
    /// The same counts for another face, which looks itself for what is open in its domains.
    fn clone(&self) -> Self {
        Self::new(self.handle.clone())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// What is measured cannot be taken up.
#[derive(Clone, PartialEq, Eq)]
pub struct MetricsError(String);

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::debug::debug_as_message!(MetricsError);

impl std::error::Error for MetricsError {}

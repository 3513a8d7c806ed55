//! What the process counts, as Prometheus reads it.

use std::fmt;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The counts and durations of this process: kiff's own, and whatever else is measured through the `metrics` facade.
///
/// ```
/// use kiff::http::{Api, Metrics};
///
/// let api = Api::new().metrics(Metrics::install()?);
/// # Ok::<(), kiff::http::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

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
        handle.map(Self).map_err(|error| MetricsError(error.to_string()))
    }

    /// All of it, in Prometheus' own format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// What is measured cannot be taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsError(String);

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MetricsError {}

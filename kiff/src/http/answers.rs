//! What is counted of answers: how many each route gave with which status, and how long they took.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Key, Label, Level, Metadata, with_recorder};

/// Under what answers are counted: made once for each route and status, and not at every answer.
///
/// Whatever takes up the counts is asked each time, so that it may come later than the first answer.
#[derive(Debug, Default)]
pub(super) struct Answers(RwLock<BTreeMap<Box<str>, Keys>>);

#[derive(Debug)]
struct Keys {
    seconds: Key,
    requests: Vec<(StatusCode, Key)>,
}

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl Answers {
    /// Counts an answer of the route at `path`.
    pub(super) fn count(&self, path: &str, status: StatusCode, took: Duration) {
        if !self.count_known(path, status, took) {
            self.learn(path, status);
            self.count_known(path, status, took);
        }
    }

    /// Counts an answer, and says whether its route has given one of that status before.
    fn count_known(&self, path: &str, status: StatusCode, took: Duration) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(keys) = known.get(path) else { return false };
        let Some((_, requests)) = keys.requests.iter().find(|(known, _)| *known == status) else { return false };
        with_recorder(|recorder| {
            recorder.register_counter(requests, &METADATA).increment(1);
            recorder.register_histogram(&keys.seconds, &METADATA).record(took);
        });
        true
    }

    fn learn(&self, path: &str, status: StatusCode) {
        let route = || Label::new("route", path.to_owned());
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let keys = known.entry(path.into()).or_insert_with(|| {
            let seconds = Key::from_parts("kiff_http_request_seconds", vec![route()]);
            Keys { seconds, requests: Vec::new() }
        });
        if keys.requests.iter().all(|(known, _)| *known != status) {
            let labels = vec![route(), Label::new("status", status.as_str().to_owned())];
            keys.requests.push((status, Key::from_parts("kiff_http_requests_total", labels)));
        }
    }
}

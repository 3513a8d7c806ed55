//! Each record is one `tracing` event and one count; so is each request that was refused. A panic is an event.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kiff::Outcome;
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pollster::block_on;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::shop::{AddNote, MarkPaid, Mood, OrderPlaced, SharedClock, open, order, paid, people, place, refund};

/// What was announced: records, and what was refused over HTTP.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

impl Heard {
    /// Whoever hears everything. For the whole process: whether a scoped one is asked depends on what other tests do at the same time.
    pub(crate) fn everything() -> &'static Self {
        static EVERYTHING: OnceLock<Heard> = OnceLock::new();
        EVERYTHING.get_or_init(|| {
            let heard = Self::default();
            tracing::subscriber::set_global_default(heard.clone()).unwrap();
            heard
        })
    }

    /// The events that have this value in a field, in order.
    pub(crate) fn with(&self, name: &str, value: &str) -> Vec<BTreeMap<&'static str, String>> {
        let mut events = self.0.lock().unwrap().clone();
        events.retain(|fields| fields.get(name).is_some_and(|own| own == value));
        events
    }
}

impl tracing::Subscriber for Heard {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        ["kiff::record", "kiff::http", "kiff::clock", "kiff::panic", "kiff::policy"].contains(&metadata.target())
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(BTreeMap<&'static str, String>);

        impl Visit for Fields {
            fn record_str(&mut self, field: &Field, value: &str) {
                self.0.insert(field.name(), value.to_owned());
            }

            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }
        }

        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What was counted, and what gauges show, by name and label.
#[derive(Clone, Default)]
pub(crate) struct Counted(Arc<Mutex<BTreeMap<String, u64>>>, Arc<Mutex<BTreeMap<String, f64>>>);

impl Counted {
    /// How often something was counted.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    /// What a gauge shows; nothing where it shows nothing yet.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        self.1.lock().unwrap().get(name).map(f64::to_string)
    }
}

struct One(Counted, String);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for One {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.0.1.lock().unwrap().insert(self.1.clone(), value);
    }
}

/// A metric's name with its labels.
fn named(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(One(self.clone(), named(key))))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(One(self.clone(), named(key))))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn each_record_is_announced_once_with_its_fields() {
    let (heard, counted) = (Heard::everything(), Counted::default());
    let timeline = metrics::with_local_recorder(&counted, || {
        block_on(async {
            let runtime = open();
            let key = paid(&runtime, "ord-observed").await;
            let _ = runtime.execute(&people().agent, &key, refund(5)).await.unwrap();
            runtime.timeline(&key).await.unwrap()
        })
    });
    let heard = heard.with("entity_id", "ord-observed");
    let kinds: Vec<_> = heard.iter().map(|fields| fields["kind"].clone()).collect();
    assert_eq!(kinds, timeline.kinds());
    for (fields, record) in heard.iter().zip(timeline.records()) {
        assert_eq!((fields["domain"].as_str(), fields["entity_id"].as_str()), ("refund", "ord-observed"));
        assert_eq!(fields["record"], record.id().to_string());
        assert_eq!(fields["actor_id"], record.commit().actor().id().to_string());
    }
    assert_eq!(counted.of("kiff_records_total{kind=event_ingested}"), 2);
    assert_eq!(counted.of("kiff_records_total{kind=approval_required}"), 1);
    assert_eq!(counted.of("kiff_refusals_total{reason=approval_required}"), 1);
}

#[test]
fn a_journal_that_ends_in_the_future_is_told() {
    let (heard, clock, people) = (Heard::everything(), SharedClock::default(), people());
    block_on(async {
        let runtime = open().with_clock(clock.clone());
        for (id, ahead, told) in [("ord-ahead", Duration::from_mins(9), 1), ("ord-skewed", Duration::from_secs(30), 0)]
        {
            let key = order(id);
            clock.0.pass(ahead);
            let placed = runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap();
            clock.0.back(ahead);
            let noted = runtime.execute(&people.agent, &key, AddNote { text: "now".into() }).await.unwrap();
            assert!(placed.is_allowed() && noted.executed().is_some());
            assert_eq!(heard.with("entity", &key.to_string()).len(), told, "{id}");
        }
    });
}

#[test]
fn p9_what_an_executor_panics_with_is_told_to_the_log_and_to_nobody_else() {
    let (heard, people) = (Heard::everything(), people());
    block_on(async {
        let runtime = open();
        let key = place(&runtime, "ord-panic").await;
        runtime.services().be(Mood::Panicking);
        let outcome = runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
        let Outcome::Failed(failed) = &outcome else { panic!("{outcome:?}") };
        assert!(!failed.failure.message().contains("fell over"), "{failed:?}");
        let told = heard.with("execution", failed.execution.as_str());
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(
            (event["message"].as_str(), event["said"].as_str()),
            ("the executor panicked", "the desk fell over")
        );
    });
}

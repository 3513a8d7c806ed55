//! Timelines as snapshots: what kiff makes up anew in each run gives way to placeholders that count.

use std::collections::{BTreeMap, BTreeSet};

use kiff::{Fact, Line, Timeline};
use regex_lite::{Captures, Regex};

use crate::failure::must;

/// What may change from run to run: an instant, or an identifier that is unique everywhere.
const PASSING: &str = concat!(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z)",
    r"|(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})",
);

/// A timeline as text that is the same in every run: one line a record. When something was written and until when a sign-off holds
/// is shown as `[time-1]`, `[time-2]`, and the UUIDs of runs, sign-offs and decisions as `[uuid-1]`, counted in order of appearance.
/// The same instant gets the same placeholder each time.
///
/// What the domain itself says stays as it is, also where it is an instant or a UUID: a due date that is wrong has to change the
/// snapshot. It gives way only where it is one of those that kiff has made up, such as the instant at which it was written.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff_test::given;
///
/// let placed = given::<Refund>(RefundDesk::default())
///     .event(OrderPlaced { total: Cents(99_900) })
///     .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
///     .then();
/// assert!(kiff_test::stable(&placed.timeline()).starts_with("  1.1  [time-1]  event_ingested "));
/// # }
/// ```
#[must_use]
pub fn stable(timeline: &Timeline) -> String {
    let passing = must(Regex::new(PASSING));
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut counts = [0_usize; 2];
    let text: String = timeline.lines().map(|line| shown(&line)).collect();
    let made_up = made_up(timeline);
    let replaced = passing.replace_all(&text, |found: &Captures<'_>| {
        let text = found.get(0).map_or("", |found| found.as_str());
        if let Some(placeholder) = seen.get(text) {
            return placeholder.clone();
        }
        if !made_up.contains(text) {
            return text.to_owned();
        }
        let [times, uuids] = &mut counts;
        let (word, count) = if found.name("time").is_some() { ("time", times) } else { ("uuid", uuids) };
        *count += 1;
        let placeholder = format!("[{word}-{count}]");
        seen.insert(text.to_owned(), placeholder.clone());
        placeholder
    });
    replaced.into_owned()
}

/// The instants and identifiers in these records that kiff has made up, and not the domain or its test.
fn made_up(timeline: &Timeline) -> BTreeSet<String> {
    let mut made_up = BTreeSet::new();
    for record in timeline.records() {
        made_up.insert(record.commit().at().to_string());
        match record.fact() {
            Fact::DecisionProposed(proposed) => {
                made_up.insert(proposed.id.to_string());
            }
            Fact::ApprovalRecorded(asked) => made_up.extend([asked.approval.to_string(), asked.expires_at.to_string()]),
            Fact::ActionStarted(started) => {
                made_up.insert(started.execution.to_string());
            }
            _ => {}
        }
    }
    made_up
}

/// A record as the kit shows it, so that a snapshot is its own and not the terminal's.
fn shown(line: &Line<'_>) -> String {
    let (record, message) = (line.record(), line.message());
    let (id, kind) = (record.id().to_string(), record.fact().kind());
    let commit = record.commit();
    format!("{id:>5}  {}  {kind:<24}  {:<12}  {message}\n", commit.at(), commit.actor().id().as_str())
}

/// Compares a timeline with its snapshot, with insta, after [`stable`](crate::stable) has taken out what kiff makes up anew in
/// each run.
///
/// The snapshot stands in a file of its own, or inline after `@`. `cargo insta review` accepts a new one; the crate
/// that uses this macro needs no dependency on insta.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff_test::{given, timeline};
///
/// let placed = given::<Refund>(RefundDesk::default())
///     .when_reported(RefundRole::System, OrderPlaced { total: Cents(99_900) });
/// timeline!(placed.timeline(), @r#"
///   1.1  [time-1]  event_ingested            system-1      ORDER_PLACED {"total":99900}
///   1.2  [time-1]  state_changed             system-1      new -> CREATED
/// "#);
/// # }
/// ```
#[macro_export]
macro_rules! timeline {
    ($timeline:expr $(,)?) => {
        $crate::__private::insta::assert_snapshot!($crate::stable(&$timeline))
    };
    ($timeline:expr, @$snapshot:literal $(,)?) => {
        $crate::__private::insta::assert_snapshot!($crate::stable(&$timeline), @$snapshot)
    };
    ($name:expr, $timeline:expr $(,)?) => {
        $crate::__private::insta::assert_snapshot!($name, $crate::stable(&$timeline))
    };
}

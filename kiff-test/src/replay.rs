//! Whether a journal is one of its domain as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiff::{Commit, Domain, Entity, EntityKey, Event, Exported, Fact, State, Timeline};

use crate::failure::fail;

/// Checks that the hashes of a journal fit, that its events alone lead to the state that it records, and that each of them can be read.
///
/// # Errors
/// What does not fit, in a sentence.
pub(crate) fn check<D: Domain>(key: &EntityKey, commits: &[Arc<Commit>]) -> Result<(), String> {
    for commit in commits {
        commit.verify().map_err(|broken| broken.to_string())?;
    }
    let entity = Entity::<D>::fold(key.clone(), commits).map_err(|broken| broken.to_string())?;
    let replayed = kiff::replay::<D>(key, commits.iter().map(|commit| &**commit))
        .map_err(|broken| format!("the recorded state is {}, but {broken}", name(entity.state())))?;
    if replayed.state != entity.state() {
        return Err(format!(
            "expected: the {} events lead to the recorded state {}\nbut they lead to {}",
            replayed.events,
            name(entity.state()),
            name(replayed.state)
        ));
    }
    commits.iter().flat_map(|commit| commit.facts()).try_for_each(is_read::<D>)
}

fn name(state: Option<impl State>) -> &'static str {
    state.map_or("new", State::name)
}

fn is_read<D: Domain>(fact: &Fact) -> Result<(), String> {
    let Fact::EventIngested(ingested) = fact else {
        return Ok(());
    };
    let (event, payload) = (&ingested.event, &ingested.payload);
    match <D::Event as Event>::decode(event, payload) {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => {
            Err(format!("`{event}` cannot be read from what is on the record of it, {payload}: {error}"))
        }
        None => Err(format!("the domain has no event `{event}`")),
    }
}

/// Holds journals that were exported, such as yesterday's, to the domain as it is now: every state that they went through is one of
/// it, their events alone lead by its transitions to the states that they record, and each event can be read.
///
/// `export` is what `kiff export` writes. It has whatever the store had; what is of other domains is passed over.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// # use kiff::{Exported, Store};
/// # use kiff_test::{block_on, given};
/// # let placed = given::<Refund>(RefundDesk::default())
/// #     .when_reported(RefundRole::System, OrderPlaced { total: Cents(99_900) });
/// # let commits = block_on(placed.runtime().store().read(placed.key(), 0, 1)).unwrap();
/// # let export = Exported::new(1, commits[0].clone()).unwrap().to_string();
/// // `export` is the text of a file that `kiff export` has written, kept beside the test.
/// kiff_test::replays_exported::<Refund>(&export);
/// # }
/// ```
///
/// # Panics
/// When a line is none of an export, no commit is of this domain, or a journal is none of the domain any more.
#[track_caller]
pub fn replays_exported<D: Domain>(export: &str) {
    let mut journals: BTreeMap<EntityKey, Vec<Arc<Commit>>> = BTreeMap::new();
    for (number, line) in (1..).zip(export.lines()) {
        let commit = match line.parse::<Exported>() {
            Ok(exported) => Arc::clone(exported.commit()),
            Err(error) => fail(format_args!("line {number}: {error}")),
        };
        if commit.key().entity_type() == D::schema().entity_type {
            journals.entry(commit.key().clone()).or_default().push(commit);
        }
    }
    if journals.is_empty() {
        fail(format_args!("the export has no commit of an entity of type `{}`", D::schema().entity_type));
    }
    for (key, commits) in journals {
        if let Err(problem) = check::<D>(&key, &commits) {
            let (domain, timeline) = (&D::schema().domain, Timeline::new(key.clone(), commits));
            fail(format_args!(
                "`{key}` does not replay in the domain `{domain}`\n\n{problem}\n\nits timeline:\n{timeline}"
            ));
        }
    }
}

//! Whether a journal is one of its domain as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiff::{
    Approval, Commit, Domain, Entity, EntityKey, Event, Executable, Exported, Fact, Running, State, Timeline, Timestamp,
};

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

/// What is to become of the approvals that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approvals {
    Kept,
    LetGo,
}

/// Checks that what is open goes on in the domain: a run that has not ended, and the approvals that have not expired at `now`.
fn goes_on<D: Executable>(
    key: &EntityKey,
    commits: &[Arc<Commit>],
    now: Timestamp,
    approvals: Approvals,
) -> Result<(), String> {
    let entity = Entity::<D>::fold(key.clone(), commits).map_err(|broken| broken.to_string())?;
    if let Some(running) = entity.running() {
        can_end::<D>(running, commits)?;
    }
    let mut open = entity.open_approvals().iter().filter(|approval| !approval.has_expired(now));
    match approvals {
        Approvals::Kept => open.try_for_each(|approval| counts::<D>(approval)),
        Approvals::LetGo => Ok(()),
    }
}

fn can_end<D: Executable>(running: &Running, commits: &[Arc<Commit>]) -> Result<(), String> {
    let (name, execution) = (&running.action, &running.execution);
    let what = if running.unknown { "is in doubt" } else { "had not ended when this was exported" };
    let Some(action) = D::from_name(name) else {
        return Err(format!(
            "the run `{execution}` of `{name}` {what}, and the domain has no such action: nobody could ask about it or settle it, \
             and the entity would wait for ever\n\
             settle it before the domain changes, or keep the action for a role that nobody holds"
        ));
    };
    let start = commits.iter().find(|commit| commit.number() == running.record.commit);
    let parameters = start.into_iter().flat_map(|commit| commit.facts()).find_map(|fact| match fact {
        Fact::ActionValidated(validated) => Some(&validated.parameters),
        _ => None,
    });
    match parameters.and_then(|parameters| action.entry().reads_recorded(parameters)) {
        Some(Err(failure)) => Err(format!(
            "the run `{execution}` of `{name}` {what}, and its reconcile fn could not be asked about it: {failure}\n\
             settle it before the domain changes, or let the fn take only parameters that were recorded as they are now"
        )),
        Some(Ok(())) | None => Ok(()),
    }
}

fn counts<D: Executable>(approval: &Approval) -> Result<(), String> {
    let (id, name) = (&approval.id, &approval.action);
    let what = match D::schema().action(name) {
        Some(contract) if D::schema().fingerprint_of(contract) == approval.binding.contract => return Ok(()),
        Some(_) => "was asked for under another contract",
        None => "is for an action that the domain does not have",
    };
    Err(format!(
        "the approval `{id}` of `{name}` is open and {what}: granted or not, nothing would run by it, and whoever still wants it \
         would have to ask again\n\
         where that is meant, write `replays_exported_without_approvals`"
    ))
}

/// Holds journals that were exported, such as yesterday's, to the domain as it is now: every state that they went through is one of
/// it, their events alone lead by its transitions to the states that they record, and each event can be read. What is open goes on: the
/// [reconcile fn](kiff::reconcile) of a run that has not ended, if its action has one, can take what was recorded, and what an approval
/// is bound to is the contract that its action has. What had expired when the last commit was written is not open.
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
/// When a line is none of an export, no commit is of this domain, a journal is none of the domain any more, or something open does not go
/// on.
#[track_caller]
pub fn replays_exported<D: Executable>(export: &str) {
    hold::<D>(export, Approvals::Kept);
}

/// The same where the open approvals may end with the contracts that they were asked for under.
///
/// # Panics
/// As [`replays_exported`], but for open approvals.
#[track_caller]
pub fn replays_exported_without_approvals<D: Executable>(export: &str) {
    hold::<D>(export, Approvals::LetGo);
}

#[track_caller]
fn hold<D: Executable>(export: &str, approvals: Approvals) {
    let journals = journals::<D>(export);
    let now = journals.values().flatten().map(|commit| commit.at()).max();
    let Some(now) = now else {
        fail(format_args!("the export has no commit of an entity of type `{}`", D::schema().entity_type));
    };
    for (key, commits) in journals {
        let found = check::<D>(&key, &commits)
            .map_err(|problem| ("does not replay", problem))
            .and_then(|()| goes_on::<D>(&key, &commits, now, approvals).map_err(|problem| ("does not go on", problem)));
        if let Err((what, problem)) = found {
            let (domain, timeline) = (&D::schema().domain, Timeline::new(key.clone(), commits));
            fail(format_args!("`{key}` {what} in the domain `{domain}`\n\n{problem}\n\nits timeline:\n{timeline}"));
        }
    }
}

/// The journals of the domain that an export holds.
#[track_caller]
fn journals<D: Domain>(export: &str) -> BTreeMap<EntityKey, Vec<Arc<Commit>>> {
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
    journals
}

//! What the records of a journal lead to, whether its domain is known or only the names of its states.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Running;
use crate::approval::{Approval, ApprovalStatus, Signature};
use crate::domain::State;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::journal::{
    ActionStarted, ApprovalRecorded, ApprovalReviewed, BrokenJournal, Commit, End, Fact, FailedOutcome, RecordId,
    StateChanged, Unknown,
};
use crate::time::Timestamp;

/// How many closed approvals are remembered, so that using one again is told from using an unknown one.
///
/// INVARIANT: journals say the digests of what they fold to, so that this never changes.
const CLOSED_REMEMBERED: usize = 64;

/// A state as a fold keeps it: one of a domain, or its name where the domain is not known.
pub(crate) trait Stated: Sized {
    /// The state of that wire name, if there is one.
    fn named(name: &str) -> Option<Self>;

    /// The wire name.
    fn wire_name(&self) -> &str;
}

impl<S: State> Stated for S {
    fn named(name: &str) -> Option<Self> {
        S::from_name(name)
    }

    fn wire_name(&self) -> &str {
        self.name()
    }
}

impl Stated for String {
    fn named(name: &str) -> Option<Self> {
        Some(name.to_owned())
    }

    fn wire_name(&self) -> &str {
        self
    }
}

/// What a journal says so far.
#[derive(Debug, Clone)]
pub(crate) struct Fold<S> {
    pub(super) key: EntityKey,
    pub(super) end: End,
    /// The latest time of its commits.
    pub(super) at: Timestamp,
    pub(super) state: Option<S>,
    pub(super) running: Option<Running>,
    pub(super) open: Vec<Arc<Approval>>,
    /// Shared between folds, because it seldom changes; none before the first.
    pub(super) closed: Option<Arc<VecDeque<Arc<Approval>>>>,
    /// About how many bytes these approvals take.
    pub(super) held: usize,
}

impl<S: Stated> Fold<S> {
    /// The fold of a journal that is still empty.
    pub(crate) fn empty(key: EntityKey) -> Self {
        let at = Timestamp::default();
        Self { key, end: End::EMPTY, at, state: None, running: None, open: Vec::new(), closed: None, held: 0 }
    }

    /// Folds one more commit, which may say what those before fold to: a commit that says something else was appended by
    /// somebody who acted on a fold that the records do not lead to.
    pub(crate) fn apply(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        if let Some(said) = commit.content().fold.as_deref()
            && commit.number() == self.end.number() + 1
            && self.snapshot()?.digest() != *said
        {
            let problem = "it follows on a fold that the records before it do not lead to".to_owned();
            return Err(BrokenJournal::new(self.key.clone(), commit.number(), problem));
        }
        self.advance(commit)
    }

    /// As [`Fold::apply`], where the digest in the commit is known to be that of this fold.
    pub(crate) fn advance(&mut self, commit: &Arc<Commit>) -> Result<(), BrokenJournal> {
        let broken = |problem: String| BrokenJournal::new(self.key.clone(), commit.number(), problem);
        if *commit.key() != self.key {
            return Err(broken(format!("it is of `{}`", commit.key())));
        }
        if commit.number() != self.end.number() + 1 {
            return Err(broken(format!("it does not follow on commit {}", self.end.number())));
        }
        if !commit.follows(&self.end) {
            return Err(broken("the hash before is another".to_owned()));
        }
        let mut changed = None;
        for fact in commit.facts() {
            match fact {
                Fact::StateChanged(change) => {
                    let from = changed.as_ref().or(self.state.as_ref());
                    changed = Some(Self::changed(from, change).map_err(broken)?);
                }
                Fact::Unknown(unknown) => {
                    let Unknown { kind, version, .. } = unknown;
                    return Err(broken(format!("a later kiff wrote its `{kind}`, version {version}: use that one")));
                }
                _ => {}
            }
        }
        self.state = changed.or(self.state.take());
        self.at = self.at.max(commit.at());
        for record in commit.records() {
            self.note(record.fact(), commit, record.id());
        }
        self.end = End::of(commit);
        Ok(())
    }

    fn changed(from: Option<&S>, change: &StateChanged) -> Result<S, String> {
        if from.map(S::wire_name) != change.from.as_deref() {
            return Err("it changes a state that the entity is not in".to_owned());
        }
        S::named(&change.to).ok_or_else(|| unknown_state(&change.to))
    }

    fn note(&mut self, fact: &Fact, commit: &Commit, record: RecordId) {
        match fact {
            Fact::ActionStarted(started) => self.start(started, commit, record),
            Fact::ActionExecuted(executed) => self.finish(Some(&executed.execution), false),
            Fact::ActionFailed(failed) if failed.outcome != FailedOutcome::Late => {
                self.finish(failed.execution.as_ref(), failed.outcome == FailedOutcome::Unknown);
            }
            Fact::ApprovalRecorded(recorded) => self.request(recorded, commit),
            Fact::ApprovalGranted(reviewed) => {
                let signature = signature(reviewed, commit);
                if let Some(approval) = self.open.iter_mut().find(|open| open.id == reviewed.approval) {
                    self.held -= approval.weight();
                    Arc::make_mut(approval).status = ApprovalStatus::Granted(signature);
                    self.held += approval.weight();
                }
            }
            Fact::ApprovalDenied(reviewed) => {
                self.close(&reviewed.approval, ApprovalStatus::Denied(signature(reviewed, commit)));
            }
            Fact::ApprovalWithdrawn(reviewed) => {
                self.close(&reviewed.approval, ApprovalStatus::Withdrawn(signature(reviewed, commit)));
            }
            Fact::EventIngested(_)
            | Fact::StateChanged(_)
            | Fact::StateRebuilt(_)
            | Fact::DecisionProposed(_)
            | Fact::ActionValidated(_)
            | Fact::ApprovalRequired(_)
            | Fact::ApprovalReviewRejected(_)
            | Fact::ActionDeduplicated(_)
            | Fact::ActionFailed(_)
            | Fact::Unknown(_) => {}
        }
    }

    /// An answer about the run that is under way; one about another run changes nothing.
    fn finish(&mut self, execution: Option<&ExecutionId>, unknown: bool) {
        match &mut self.running {
            Some(running) if Some(&running.execution) != execution => {}
            Some(running) if unknown => running.unknown = true,
            running => *running = None,
        }
    }

    fn start(&mut self, started: &ActionStarted, commit: &Commit, record: RecordId) {
        if let Some(approval) = &started.approval {
            self.close(approval, ApprovalStatus::Spent(started.execution.clone()));
        }
        self.running = Some(Running {
            action: started.action.clone(),
            execution: started.execution.clone(),
            by: commit.actor().clone(),
            since: commit.at(),
            record,
            unknown: false,
        });
    }

    fn request(&mut self, recorded: &ApprovalRecorded, commit: &Commit) {
        // What has expired makes room, so that what is open stays within its bound for ever.
        let (at, open) = (self.at, std::mem::take(&mut self.open));
        for approval in open {
            if approval.has_expired(at) { self.remember(approval) } else { self.open.push(approval) }
        }
        let asked = Approval {
            id: recorded.approval.clone(),
            action: recorded.action.clone(),
            parameters: recorded.parameters.clone(),
            reasons: recorded.reasons.clone(),
            binding: recorded.binding,
            requested_by: commit.actor().clone(),
            requested_at: commit.at(),
            expires_at: recorded.expires_at,
            status: ApprovalStatus::Pending,
        };
        self.held += asked.weight();
        self.open.push(Arc::new(asked));
    }

    fn close(&mut self, id: &ApprovalId, status: ApprovalStatus) {
        let Some(place) = self.open.iter().position(|open| open.id == *id) else {
            return;
        };
        let mut approval = self.open.remove(place);
        self.held -= approval.weight();
        Arc::make_mut(&mut approval).status = status;
        self.held += approval.weight();
        self.remember(approval);
    }

    fn remember(&mut self, approval: Arc<Approval>) {
        let closed = Arc::make_mut(self.closed.get_or_insert_default());
        if closed.len() == CLOSED_REMEMBERED {
            self.held -= closed.pop_front().map_or(0, |forgotten| forgotten.weight());
        }
        closed.push_back(approval);
    }

    /// Whether there may have been approvals that are not remembered.
    pub(super) fn has_forgotten(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| closed.len() == CLOSED_REMEMBERED)
    }

    pub(super) fn closed(&self) -> impl Iterator<Item = &Arc<Approval>> {
        self.closed.iter().flat_map(|closed| closed.iter())
    }
}

/// What is wrong where a journal names a state that the domain does not have.
pub(super) fn unknown_state(name: &str) -> String {
    format!("the domain has no state `{name}`: a domain keeps every state that a journal has been in")
}

fn signature(reviewed: &ApprovalReviewed, commit: &Commit) -> Signature {
    Signature { by: commit.actor().clone(), at: commit.at(), reason: reviewed.reason.clone() }
}

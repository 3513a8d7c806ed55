//! The fold: what a journal says that its entity is now.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::approval::{Approval, ApprovalStatus, Signature};
use crate::digest::Digest;
use crate::domain::{Domain, State};
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::journal::{
    ActionStarted, ApprovalRecorded, ApprovalReviewed, BrokenJournal, Commit, Fact, FailedOutcome, RecordId,
    StateChanged, Unknown,
};
use crate::schema::Text;
use crate::time::Timestamp;

mod fold;

/// How many closed approvals an entity remembers, so that using one again is told from using an unknown one.
const CLOSED_REMEMBERED: usize = 64;

/// What an entity is, by its journal and by nothing else.
///
/// It can be had only by folding commits that follow on each other, so that no caller can say what a state is.
#[derive(Debug, Clone)]
pub struct Entity<D: Domain> {
    key: EntityKey,
    number: u64,
    head: Digest,
    state: Option<D::State>,
    running: Option<Running>,
    open: Vec<Arc<Approval>>,
    /// Shared between folds, because it seldom changes; none before the first.
    closed: Option<Arc<VecDeque<Arc<Approval>>>>,
}

/// An action that has started and of which it is not known how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The action's wire name.
    pub action: Text,
    /// The run's number.
    pub execution: ExecutionId,
    /// Who asked for it.
    pub by: Actor,
    /// When it started.
    pub since: Timestamp,
    /// The record of its start.
    pub record: RecordId,
    /// Whether its executor has said that it does not know what happened.
    pub unknown: bool,
}

impl<D: Domain> Entity<D> {
    /// The entity whose journal is still empty.
    #[must_use]
    pub fn empty(key: EntityKey) -> Self {
        Self { key, number: 0, head: Commit::GENESIS, state: None, running: None, open: Vec::new(), closed: None }
    }

    /// Folds a whole journal.
    ///
    /// # Errors
    /// [`BrokenJournal`] when a commit does not follow on the one before, or speaks of what the domain does not have.
    pub fn fold<'a>(key: EntityKey, commits: impl IntoIterator<Item = &'a Commit>) -> Result<Self, BrokenJournal> {
        let mut entity = Self::empty(key);
        for commit in commits {
            entity.apply(commit)?;
        }
        Ok(entity)
    }

    /// Folds one more commit.
    ///
    /// # Errors
    /// [`BrokenJournal`] as for [`Entity::fold`]; the entity is then as it was before.
    pub fn apply(&mut self, commit: &Commit) -> Result<(), BrokenJournal> {
        let broken = |problem: String| BrokenJournal::new(self.key.clone(), commit.number(), problem);
        if *commit.key() != self.key {
            return Err(broken(format!("it is of `{}`", commit.key())));
        }
        if commit.number() != self.number + 1 {
            return Err(broken(format!("it does not follow on commit {}", self.number)));
        }
        if commit.previous() != self.head {
            return Err(broken("the hash before is another".to_owned()));
        }
        let mut state = self.state;
        for fact in commit.facts() {
            match fact {
                Fact::StateChanged(change) => state = Some(Self::changed(state, change).map_err(broken)?),
                Fact::Unknown(unknown) => {
                    let Unknown { kind, version, .. } = &**unknown;
                    return Err(broken(format!("a later kiff wrote its `{kind}`, version {version}: use that one")));
                }
                _ => {}
            }
        }
        self.state = state;
        for record in commit.records() {
            self.note(record.fact(), commit, record.id());
        }
        self.number = commit.number();
        self.head = commit.hash();
        Ok(())
    }

    fn changed(from: Option<D::State>, change: &StateChanged) -> Result<D::State, String> {
        if from.map(State::name) != change.from.as_deref() {
            return Err("it changes a state that the entity is not in".to_owned());
        }
        D::State::from_name(&change.to).ok_or_else(|| format!("the domain has no state `{}`", change.to))
    }

    fn note(&mut self, fact: &Fact, commit: &Commit, record: RecordId) {
        match fact {
            Fact::ActionStarted(started) => self.start(started, commit, record),
            Fact::ActionExecuted(executed) => self.end(Some(&executed.execution), false),
            Fact::ActionFailed(failed) => {
                self.end(failed.execution.as_ref(), failed.outcome == FailedOutcome::Unknown);
            }
            Fact::ApprovalRecorded(recorded) => self.request(recorded, commit),
            Fact::ApprovalGranted(reviewed) => {
                let signature = signature(reviewed, commit);
                if let Some(approval) = self.open.iter_mut().find(|open| open.id == reviewed.approval) {
                    Arc::make_mut(approval).status = ApprovalStatus::Granted(signature);
                }
            }
            Fact::ApprovalDenied(reviewed) => {
                self.close(&reviewed.approval, ApprovalStatus::Denied(signature(reviewed, commit)));
            }
            Fact::EventIngested(_)
            | Fact::StateChanged(_)
            | Fact::StateRebuilt(_)
            | Fact::DecisionProposed(_)
            | Fact::ActionValidated(_)
            | Fact::ApprovalRequired(_)
            | Fact::ApprovalReviewRejected(_)
            | Fact::ActionDeduplicated(_)
            | Fact::Unknown(_) => {}
        }
    }

    /// An answer about the run that is under way; one about another run changes nothing.
    fn end(&mut self, execution: Option<&ExecutionId>, unknown: bool) {
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
        self.open.push(Arc::new(Approval {
            id: recorded.approval.clone(),
            action: recorded.action.clone(),
            parameters: recorded.parameters.clone(),
            reasons: recorded.reasons.clone(),
            binding: recorded.binding,
            requested_by: commit.actor().clone(),
            requested_at: commit.at(),
            expires_at: recorded.expires_at,
            status: ApprovalStatus::Pending,
        }));
    }

    fn close(&mut self, id: &ApprovalId, status: ApprovalStatus) {
        let Some(place) = self.open.iter().position(|open| open.id == *id) else {
            return;
        };
        let mut approval = self.open.remove(place);
        Arc::make_mut(&mut approval).status = status;
        let closed = Arc::make_mut(self.closed.get_or_insert_default());
        if closed.len() == CLOSED_REMEMBERED {
            closed.pop_front();
        }
        closed.push_back(approval);
    }

    fn closed(&self) -> impl Iterator<Item = &Arc<Approval>> {
        self.closed.iter().flat_map(|closed| closed.iter())
    }

    /// Whose journal it is the fold of.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.key
    }

    /// The number of its last commit; 0 while the journal is empty.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The hash of its last commit.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// What it is; none while it does not exist.
    #[must_use]
    pub const fn state(&self) -> Option<D::State> {
        self.state
    }

    /// The action that has started and not ended, if there is one.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// The approvals that wait for a review or for their action, oldest first.
    #[must_use]
    pub fn open_approvals(&self) -> &[Arc<Approval>] {
        &self.open
    }

    /// An approval that is open, or was until lately.
    #[must_use]
    pub fn approval(&self, id: &ApprovalId) -> Option<&Approval> {
        self.approvals().find(|approval| approval.id == *id)
    }

    /// All approvals that are open, or were until lately.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        self.closed().chain(&self.open).map(|approval| &**approval)
    }
}

fn signature(reviewed: &ApprovalReviewed, commit: &Commit) -> Signature {
    Signature { by: commit.actor().clone(), at: commit.at(), reason: reviewed.reason.clone() }
}

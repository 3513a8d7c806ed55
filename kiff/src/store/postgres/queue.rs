//! What waits for the lanes: commits of many writers, which any lane takes a group of.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::identifier::EntityKey;
use crate::journal::Sealed;
use crate::store::{Appended, StoreError};

/// A commit that somebody wants to have appended.
pub(super) struct Submission {
    pub(super) sealed: Sealed,
    answer: oneshot::Sender<Result<Appended, StoreError>>,
}

impl Submission {
    pub(super) fn answer(self, answer: Result<Appended, StoreError>) {
        // Whoever asked may have gone; the commit is kept or not all the same.
        let _ = self.answer.send(answer);
    }
}

/// The commits that no lane has taken yet.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Rung when a lane that found nothing to take may find something.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Submission>,
    /// The entities of the commits that lanes have taken and not answered: another commit of theirs waits for that.
    busy: HashSet<EntityKey>,
    closed: bool,
}

impl Queue {
    /// As many commits as a group has at most.
    const COMMITS: usize = 256;
    /// As many bytes as a group has, but for its last commit.
    const BYTES: usize = 4 << 20;
    /// A group that goes beside others is not smaller than this part of them. One that is would cost the server a
    /// statement and a flush of its own, and take from the group that its commits can be part of a moment later.
    const PART: usize = 4;

    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), arrived: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a commit; none when no lane takes any more.
    pub(super) fn push(&self, sealed: Sealed) -> Option<oneshot::Receiver<Result<Appended, StoreError>>> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.waiting.push_back(Submission { sealed, answer });
        drop(state);
        self.arrived.notify_one();
        Some(answered)
    }

    /// Takes a group, in order of the keys, so that two groups never wait for each other; waits until there is one. None
    /// when there will not be any more.
    pub(super) async fn take(&self) -> Option<Vec<Submission>> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut state = self.lock();
                let group = state.gather();
                if !group.is_empty() {
                    return Some(group);
                }
                if state.closed && state.waiting.is_empty() {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// A group was answered, or will not be: the next commits of its entities may be taken.
    pub(super) fn done(&self, entities: &[EntityKey]) {
        let mut state = self.lock();
        for key in entities {
            state.busy.remove(key);
        }
        drop(state);
        self.arrived.notify_waiters();
    }

    /// Takes no more commits in; those that wait are still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_waiters();
    }

    /// Takes no more commits in and gives up those that wait: each hears that nobody answers.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        let given_up = std::mem::take(&mut state.waiting);
        drop(state);
        drop(given_up);
        self.arrived.notify_waiters();
    }
}

impl State {
    fn gather(&mut self) -> Vec<Submission> {
        let mut group: Vec<Submission> = Vec::new();
        if self.waiting.len() < self.busy.len() / Queue::PART && !self.closed {
            return group;
        }
        let mut left = VecDeque::new();
        let mut bytes = 0;
        while let Some(submission) = self.waiting.pop_front() {
            let is_full = group.len() >= Queue::COMMITS || bytes >= Queue::BYTES;
            if is_full || !self.busy.insert(submission.sealed.commit().key().clone()) {
                left.push_back(submission);
                continue;
            }
            bytes += submission.sealed.body().len();
            group.push(submission);
        }
        self.waiting = left;
        group.sort_unstable_by(|a, b| a.sealed.commit().key().cmp(b.sealed.commit().key()));
        group
    }
}

//! A lane: a task that turns the commits that have gathered into one statement.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::error::Problem;
use super::group;
use super::link::{Fault, Link, Patience, Statement};
use crate::digest::Digest;
use crate::journal::Sealed;
use crate::store::{Appended, StoreError};

/// A commit that somebody wants to have appended.
pub(super) struct Submission {
    pub(super) sealed: Sealed,
    pub(super) answer: oneshot::Sender<Result<Appended, StoreError>>,
}

impl Submission {
    fn answer(self, answer: Result<Appended, StoreError>) {
        // Whoever asked may have gone; the commit is kept or not all the same.
        let _ = self.answer.send(answer);
    }

    fn hash(&self) -> Digest {
        self.sealed.commit().hash()
    }
}

/// One of the ways into the journal; an entity's commits all take the same one.
pub(super) struct Lane {
    pub(super) link: Arc<Link>,
    /// Rung when something was written.
    pub(super) written: Arc<Notify>,
}

impl Lane {
    /// As many commits as one statement has at most.
    const COMMITS: usize = 256;
    /// As many bytes as one statement has, but for the last commit.
    const BYTES: usize = 4 << 20;

    /// Writes what comes in, until nobody can submit any more and all is answered.
    pub(super) async fn run(self, mut submitted: UnboundedReceiver<Submission>) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match submitted.recv().await {
                    Some(submission) => waiting.push_back(submission),
                    None => return,
                }
            }
            while let Ok(submission) = submitted.try_recv() {
                waiting.push_back(submission);
            }
            self.write(gather(&mut waiting)).await;
            self.written.notify_one();
        }
    }

    /// Appends a group, and answers everybody in it.
    async fn write(&self, group: Vec<Submission>) {
        match self.append(&group).await {
            Ok(kept) => {
                for submission in group {
                    let is_kept = kept.contains(submission.hash().as_bytes().as_slice());
                    submission.answer(Ok(if is_kept { Appended::Written } else { Appended::Conflict }));
                }
            }
            // One commit that the server cannot keep does not cost the others theirs.
            Err(Failed::Refused(_)) if group.len() > 1 => {
                for submission in group {
                    Box::pin(self.write(vec![submission])).await;
                }
            }
            Err(Failed::Refused(problem) | Failed::Away(problem)) => {
                let problem = Arc::new(super::PostgresError::from(problem));
                for submission in group {
                    submission.answer(Err(StoreError::new(Shared(Arc::clone(&problem)))));
                }
            }
        }
    }

    /// The hashes of those commits of the group that are kept, whatever happens to the connection or the server meanwhile.
    async fn append(&self, group: &[Submission]) -> Result<HashSet<Vec<u8>>, Failed> {
        let sealed = || group.iter().map(|submission| &submission.sealed);
        let statement = group::append(&self.link.names, sealed());
        let end = Instant::now() + self.link.patience;
        let mut patience = Patience::until(end);
        // Whether an earlier try may have been kept although its answer was lost.
        let mut in_doubt = false;
        loop {
            let attempt = async {
                let mut kept = self.hashes(&statement).await?;
                if in_doubt && kept.len() < group.len() {
                    kept.extend(self.hashes(&group::kept(&self.link.names, sealed())).await?);
                }
                Ok(kept)
            };
            let error = match timeout_at(end, attempt).await {
                Ok(Ok(kept)) => return Ok(kept),
                Ok(Err(Fault::Refused(problem))) => return Err(Failed::Refused(problem)),
                Ok(Err(Fault::Lost(error))) => {
                    in_doubt = true;
                    error
                }
                Ok(Err(Fault::Unreachable(error) | Fault::Again(error))) => error,
                Err(_) => return Err(Failed::Away(Problem::Patience(None))),
            };
            if !patience.pause().await {
                return Err(Failed::Away(Problem::Patience(Some(error))));
            }
        }
    }

    async fn hashes(&self, statement: &Statement) -> Result<HashSet<Vec<u8>>, Fault> {
        let rows = self.link.ask(statement).await?;
        let hashes = rows.first().map_or(Ok(Vec::new()), |row| row.try_get::<_, Vec<Vec<u8>>>(0));
        Ok(hashes.map_err(|error| Fault::Refused(error.into()))?.into_iter().collect())
    }
}

/// Why it is not known which commits are kept.
enum Failed {
    /// The server does not keep the group.
    Refused(Problem),
    /// The server was away for too long.
    Away(Problem),
}

/// Takes out a group: at most one commit of an entity, in order of the keys, so that two groups never wait for each other.
fn gather(waiting: &mut VecDeque<Submission>) -> Vec<Submission> {
    let mut group: Vec<Submission> = Vec::new();
    let mut entities = HashSet::new();
    let mut left = VecDeque::new();
    let mut bytes = 0;
    while let Some(submission) = waiting.pop_front() {
        let is_full = group.len() >= Lane::COMMITS || bytes >= Lane::BYTES;
        let commit = submission.sealed.commit();
        if is_full || !entities.insert(commit.key().clone()) {
            left.push_back(submission);
            continue;
        }
        bytes += submission.sealed.body().len();
        group.push(submission);
    }
    *waiting = left;
    group.sort_unstable_by(|a, b| a.sealed.commit().key().cmp(b.sealed.commit().key()));
    group
}

/// One error for everybody in a group.
#[derive(Debug)]
struct Shared(Arc<super::PostgresError>);

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

//! A lane: a task that turns the commits that have gathered into one statement.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::Problem;
use super::group;
use super::link::{Fault, Link, Patience, Statement};
use super::queue::{Queue, Submission};
use crate::identifier::EntityKey;
use crate::store::{Appended, StoreError};

/// One of the ways into the journal: it has one group on its way at a time.
pub(super) struct Lane {
    pub(super) link: Arc<Link>,
    pub(super) queue: Arc<Queue>,
    /// Rung when something was written.
    pub(super) written: Arc<Notify>,
}

/// When a lane ends, however it ends, nobody waits for it.
impl Drop for Lane {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

impl Lane {
    /// Writes what comes in, until nobody can submit any more and all is answered.
    pub(super) async fn run(self) {
        while let Some(group) = self.queue.take().await {
            let entities: Vec<EntityKey> =
                group.iter().map(|submission| submission.sealed.commit().key().clone()).collect();
            self.write(group).await;
            self.queue.done(&entities);
            self.written.notify_one();
        }
    }

    /// Appends a group, and answers everybody in it, each in their own time: that of one who has waited for long is over before
    /// that of one who has just come.
    async fn write(&self, mut group: Vec<Submission>) {
        let mut tries = Tries { patience: Patience::until(self.link.end()), in_doubt: false };
        let mut problem = Problem::Unwritten;
        loop {
            let by = tries.patience.next_try();
            let (late, rest): (Vec<_>, Vec<_>) = group.into_iter().partition(|submission| submission.end <= by);
            fail(late, problem);
            // Nor is there time left for those that no lane has taken.
            fail(self.queue.late(by), Problem::Unwritten);
            group = rest;
            let Some(end) = group.iter().map(|submission| submission.end).min() else {
                return;
            };
            tries.patience.last_until(end);
            match self.append(&group, end, &mut tries).await {
                Ok(kept) => {
                    for submission in group {
                        let is_kept = kept.contains(submission.sealed.commit().hash().as_bytes().as_slice());
                        submission.answer(Ok(if is_kept { Appended::Written } else { Appended::Conflict }));
                    }
                    return;
                }
                // One commit that the server cannot keep does not cost the others theirs.
                Err(Failed::Refused(_)) if group.len() > 1 => {
                    for submission in group {
                        Box::pin(self.write(vec![submission])).await;
                    }
                    return;
                }
                Err(Failed::Refused(why) | Failed::Away(why)) => {
                    fail(group, why);
                    return;
                }
                Err(Failed::Late(why)) => problem = why,
            }
        }
    }

    /// The hashes of those commits of the group that are kept, whatever happens to the connection or the server until this time.
    async fn append(&self, group: &[Submission], end: Instant, tries: &mut Tries) -> Result<HashSet<Vec<u8>>, Failed> {
        let sealed = || group.iter().map(|submission| &submission.sealed);
        let statement = group::append(&self.link.names, sealed());
        loop {
            let in_doubt = tries.in_doubt;
            let attempt = async {
                let mut kept = self.hashes(&statement, end).await?;
                if in_doubt && kept.len() < group.len() {
                    kept.extend(self.hashes(&group::kept(&self.link.names, sealed()), end).await?);
                }
                Ok(kept)
            };
            let error = match attempt.await {
                Ok(kept) => return Ok(kept),
                // What the server refuses now says nothing of what it may have kept before.
                Err(Fault::Refused(problem)) if in_doubt => return Err(Failed::Away(problem)),
                Err(Fault::Refused(problem)) => return Err(Failed::Refused(problem)),
                Err(Fault::Lost(error)) => {
                    tries.in_doubt = true;
                    error
                }
                Err(Fault::Unreachable(error) | Fault::Again(error)) => error,
                Err(Fault::Late) => {
                    tries.in_doubt = true;
                    return Err(Failed::Late(Problem::Patience(None)));
                }
            };
            if !tries.patience.pause().await {
                return Err(Failed::Late(Problem::Patience(Some(error))));
            }
        }
    }

    async fn hashes(&self, statement: &Statement, end: Instant) -> Result<HashSet<Vec<u8>>, Fault> {
        let rows = self.link.ask(statement, end).await?;
        let hashes = rows.first().map_or(Ok(Vec::new()), |row| row.try_get::<_, Vec<Vec<u8>>>(0));
        Ok(hashes.map_err(|error| Fault::Refused(error.into()))?.into_iter().collect())
    }
}

/// What is known of the tries of one group.
struct Tries {
    patience: Patience,
    /// Whether an earlier one may have been kept although its answer was lost.
    in_doubt: bool,
}

/// Why it is not known which commits are kept.
enum Failed {
    /// The server does not keep the group.
    Refused(Problem),
    /// The server has refused what it may have kept before.
    Away(Problem),
    /// The server did not answer before the time of one of the group was over.
    Late(Problem),
}

/// Tells all of them what is wrong.
fn fail(submissions: Vec<Submission>, problem: Problem) {
    if submissions.is_empty() {
        return;
    }
    let problem = Arc::new(super::PostgresError::from(problem));
    for submission in submissions {
        submission.answer(Err(StoreError::new(Shared(Arc::clone(&problem)))));
    }
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

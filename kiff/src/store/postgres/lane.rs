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
            self.write(group, self.link.end()).await;
            self.queue.done(&entities);
            self.written.notify_one();
        }
    }

    /// Appends a group, and answers everybody in it, by this time.
    async fn write(&self, group: Vec<Submission>, end: Instant) {
        match self.append(&group, end).await {
            Ok(kept) => {
                for submission in group {
                    let is_kept = kept.contains(submission.sealed.commit().hash().as_bytes().as_slice());
                    submission.answer(Ok(if is_kept { Appended::Written } else { Appended::Conflict }));
                }
            }
            // One commit that the server cannot keep does not cost the others theirs.
            Err(Failed::Refused(_)) if group.len() > 1 => {
                for submission in group {
                    Box::pin(self.write(vec![submission], end)).await;
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
    async fn append(&self, group: &[Submission], end: Instant) -> Result<HashSet<Vec<u8>>, Failed> {
        let sealed = || group.iter().map(|submission| &submission.sealed);
        let statement = group::append(&self.link.names, sealed());
        let mut patience = Patience::until(end);
        // Whether an earlier try may have been kept although its answer was lost.
        let mut in_doubt = false;
        loop {
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
                    in_doubt = true;
                    error
                }
                Err(Fault::Unreachable(error) | Fault::Again(error)) => error,
                Err(Fault::Late) => return Err(Failed::Away(Problem::Patience(None))),
            };
            if !patience.pause().await {
                return Err(Failed::Away(Problem::Patience(Some(error))));
            }
        }
    }

    async fn hashes(&self, statement: &Statement, end: Instant) -> Result<HashSet<Vec<u8>>, Fault> {
        let rows = self.link.ask(statement, end).await?;
        let hashes = rows.first().map_or(Ok(Vec::new()), |row| row.try_get::<_, Vec<Vec<u8>>>(0));
        Ok(hashes.map_err(|error| Fault::Refused(error.into()))?.into_iter().collect())
    }
}

/// Why it is not known which commits are kept.
enum Failed {
    /// The server does not keep the group.
    Refused(Problem),
    /// The server was away for too long, or has refused what it may have kept before.
    Away(Problem),
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

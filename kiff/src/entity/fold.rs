//! The fold as it is kept beside a long journal, so that it is not read from its beginning.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::approval::Approval;
use crate::digest::Digest;
use crate::domain::{Domain, State};
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, Snapshot};

use super::{Entity, Running};

/// What is kept of an entity.
#[derive(Serialize, Deserialize)]
struct Fold<'a> {
    head: Digest,
    state: Option<Cow<'a, str>>,
    running: Option<Cow<'a, Running>>,
    open: Vec<Cow<'a, Approval>>,
    closed: Vec<Cow<'a, Approval>>,
}

impl<D: Domain> Entity<D> {
    /// What the journal folds to so far, to be kept beside it.
    ///
    /// # Errors
    /// [`BrokenJournal`] when it cannot be written as JSON.
    pub fn snapshot(&self) -> Result<Snapshot, BrokenJournal> {
        let fold = Fold {
            head: self.head,
            state: self.state.map(|state| Cow::Borrowed(state.name())),
            running: self.running.as_ref().map(Cow::Borrowed),
            open: self.open.iter().map(|approval| Cow::Borrowed(&**approval)).collect(),
            closed: self.closed().map(|approval| Cow::Borrowed(&**approval)).collect(),
        };
        let body = serde_json::to_vec(&fold).map_err(|error| broken(&self.key, self.number, &error))?;
        Ok(Snapshot { number: self.number, body })
    }

    /// The entity at the commit before `next`, by what was kept of it.
    ///
    /// `next` must say the snapshot's digest, so that a snapshot is as hard to forge as the journal itself.
    ///
    /// # Errors
    /// [`BrokenJournal`] when `next` says another digest or none, or the fold is not one of this domain.
    pub fn restore(snapshot: &Snapshot, next: &Commit) -> Result<Self, BrokenJournal> {
        let key = next.key();
        if next.content().fold != Some(snapshot.digest()) || next.number() != snapshot.number + 1 {
            return Err(broken(key, snapshot.number, &"the next commit does not speak of this snapshot"));
        }
        let fold: Fold<'_> =
            serde_json::from_slice(&snapshot.body).map_err(|error| broken(key, snapshot.number, &error))?;
        let state = fold.state.map(|name| {
            let state = D::State::from_name(&name);
            state.ok_or_else(|| broken(key, snapshot.number, &format_args!("the domain has no state `{name}`")))
        });
        let owned = |approval: Cow<'_, Approval>| Arc::new(approval.into_owned());
        Ok(Self {
            key: key.clone(),
            number: snapshot.number,
            head: fold.head,
            state: state.transpose()?,
            running: fold.running.map(Cow::into_owned),
            open: fold.open.into_iter().map(owned).collect(),
            closed: Some(fold.closed.into_iter().map(owned).collect::<VecDeque<_>>().into()),
        })
    }
}

fn broken(key: &EntityKey, number: u64, problem: &dyn std::fmt::Display) -> BrokenJournal {
    BrokenJournal::new(key.clone(), number, format!("its snapshot cannot be used: {problem}"))
}

//! The fold as it is kept beside a long journal, so that it is not read from its beginning.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Running;
use super::fold::{Fold, Stated, unknown_state};
use crate::approval::Approval;
use crate::digest::Digest;
use crate::identifier::EntityKey;
use crate::journal::{BrokenJournal, Commit, End, Snapshot};

/// What is kept of a fold.
///
/// INVARIANT: journals say the digests of this, so that what is written here of the same records never changes.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    head: Digest,
    state: Option<Cow<'a, str>>,
    running: Option<Cow<'a, Running>>,
    open: Vec<Cow<'a, Approval>>,
    closed: Vec<Cow<'a, Approval>>,
}

impl<S: Stated> Fold<S> {
    /// What is to be kept beside the journal.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, BrokenJournal> {
        let kept = Kept {
            head: self.end.hash(),
            state: self.state.as_ref().map(|state| Cow::Borrowed(state.wire_name())),
            running: self.running.as_ref().map(Cow::Borrowed),
            open: self.open.iter().map(|approval| Cow::Borrowed(&**approval)).collect(),
            closed: self.closed().map(|approval| Cow::Borrowed(&**approval)).collect(),
        };
        let body = serde_json::to_vec(&kept).map_err(|error| broken(&self.key, self.end.number(), &error))?;
        Ok(Snapshot { number: self.end.number(), body })
    }

    /// The fold up to `next`, by what was kept of the one before it.
    pub(crate) fn restore(snapshot: &Snapshot, next: &Arc<Commit>) -> Result<Self, BrokenJournal> {
        let key = next.key();
        if next.content().fold.as_deref() != Some(&snapshot.digest()) || next.number() != snapshot.number + 1 {
            return Err(broken(key, snapshot.number, &"the next commit does not speak of this snapshot"));
        }
        let kept: Kept<'_> =
            serde_json::from_slice(&snapshot.body).map_err(|error| broken(key, snapshot.number, &error))?;
        let state = kept.state.map(|name| {
            let state = S::named(&name);
            state.ok_or_else(|| broken(key, snapshot.number, &unknown_state(&name)))
        });
        let owned = |approval: Cow<'_, Approval>| Arc::new(approval.into_owned());
        let mut fold = Self {
            key: key.clone(),
            end: End::at(snapshot.number, kept.head),
            // INVARIANT: times do not go back in a journal, so that the last one is that of `next`.
            at: next.at(),
            state: state.transpose()?,
            running: kept.running.map(Cow::into_owned),
            open: kept.open.into_iter().map(owned).collect(),
            closed: Some(kept.closed.into_iter().map(owned).collect::<VecDeque<_>>().into()),
            held: 0,
        };
        fold.held = fold.open.iter().chain(fold.closed()).map(|approval| approval.weight()).sum();
        fold.advance(next)?;
        Ok(fold)
    }
}

fn broken(key: &EntityKey, number: u64, problem: &dyn std::fmt::Display) -> BrokenJournal {
    BrokenJournal::new(key.clone(), number, format!("its snapshot cannot be used: {problem}"))
}

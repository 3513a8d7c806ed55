//! Which commits somebody looks for.

use std::borrow::Cow;

use crate::identifier::{ActorId, ApprovalId, EntityKey, ExecutionId, TraceId};
use crate::time::Timestamp;

use super::matter::Change;
use super::{Commit, Fact, Matter};

/// Which commits to look for; what is not said does not matter.
///
/// ```
/// use kiff::{ActorId, Query};
///
/// let asked_by_nora = Query::default().kind("approval_granted").actor(ActorId::new("nora")?);
/// # assert_ne!(asked_by_nora, Query::default());
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Those of this tenant.
    pub tenant: Option<String>,
    /// Those of entities of this type.
    pub entity_type: Option<String>,
    /// Those of this entity.
    pub entity: Option<EntityKey>,
    /// Those with a record of this kind.
    pub kind: Option<Cow<'static, str>>,
    /// Those of this actor.
    pub actor: Option<ActorId>,
    /// Those of this trace.
    pub trace: Option<TraceId>,
    /// Those in which this sign-off was asked for.
    pub approval: Option<ApprovalId>,
    /// Those at this time or later.
    pub from: Option<Timestamp>,
    /// Those before this time.
    pub until: Option<Timestamp>,
}

impl Query {
    /// The same, of one tenant.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The same, of entities of one type.
    #[must_use]
    pub fn entity_type(self, entity_type: impl Into<String>) -> Self {
        Self { entity_type: Some(entity_type.into()), ..self }
    }

    /// The same, of one entity.
    #[must_use]
    pub fn entity(self, key: EntityKey) -> Self {
        Self { entity: Some(key), ..self }
    }

    /// The same, with a record of this kind.
    #[must_use]
    pub fn kind(self, kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// The same, of one actor.
    #[must_use]
    pub fn actor(self, actor: ActorId) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// The same, of one trace.
    #[must_use]
    pub fn trace(self, trace: TraceId) -> Self {
        Self { trace: Some(trace), ..self }
    }

    /// The same, in which this sign-off was asked for.
    #[must_use]
    pub fn approval(self, approval: ApprovalId) -> Self {
        Self { approval: Some(approval), ..self }
    }

    /// The same, at `from` or later.
    #[must_use]
    pub fn from(self, from: Timestamp) -> Self {
        Self { from: Some(from), ..self }
    }

    /// The same, before `until`.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Whether a commit is among those that are looked for.
    #[must_use]
    pub fn matches(&self, commit: &Commit) -> bool {
        let trace = commit.trace().and_then(|trace| trace.trace_id.as_ref());
        self.tenant.as_deref().is_none_or(|tenant| tenant == commit.key().tenant())
            && self.entity_type.as_deref().is_none_or(|entity_type| entity_type == commit.key().entity_type())
            && self.entity.as_ref().is_none_or(|key| key == commit.key())
            && self.actor.as_ref().is_none_or(|actor| actor == commit.actor().id())
            && self.trace.as_ref().is_none_or(|wanted| trace == Some(wanted))
            && self.from.is_none_or(|from| from <= commit.at())
            && self.until.is_none_or(|until| commit.at() < until)
            && self.kind.as_deref().is_none_or(|kind| commit.facts().iter().any(|fact| fact.kind() == kind))
            && self.approval.as_ref().is_none_or(|approval| commit.approvals().any(|asked| asked == approval))
    }
}

impl Commit {
    /// The sign-offs that are asked for in this commit.
    pub fn approvals(&self) -> impl Iterator<Item = &ApprovalId> {
        self.facts().iter().filter_map(|fact| match fact {
            Fact::ApprovalRecorded(recorded) => Some(&recorded.approval),
            _ => None,
        })
    }

    /// Whether the run of this number ends in this commit: by an answer of its executor that says what happened, or because
    /// somebody has settled it. One that is in doubt has not ended.
    #[must_use]
    pub fn ends(&self, execution: &ExecutionId) -> bool {
        let end = Some(Change::Closed(Matter::Execution, execution.as_str()));
        self.facts().iter().any(|fact| fact.change() == end)
    }
}

/// From where on, and in which direction, commits are walked in the one order that a store gives them.
///
/// A commit's *position* is its place in that order, from 1, without gaps. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// The oldest first, behind this position; 0 is the beginning.
    After(u64),
    /// The newest first, before this position; [`u64::MAX`] is the end.
    Before(u64),
}

impl Cursor {
    /// From the oldest on.
    pub const FIRST: Self = Self::After(0);
    /// From the newest back.
    pub const LAST: Self = Self::Before(u64::MAX);
}

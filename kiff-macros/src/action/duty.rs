//! What a fn does for its action: it executes it, or it asks what became of a run. Messages call it so.

/// Which attribute stands on the fn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// `#[action(..)]`: the fn does it.
    Execute,
    /// `#[reconcile(..)]`: the fn asks the outside world whether it was done.
    Reconcile,
}

impl Duty {
    /// The attribute's name.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Execute => "action",
            Self::Reconcile => "reconcile",
        }
    }

    /// What the fn is called.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Execute => "executor",
            Self::Reconcile => "reconcile fn",
        }
    }

    /// The same with its article.
    pub(crate) const fn one(self) -> &'static str {
        match self {
            Self::Execute => "an executor",
            Self::Reconcile => "a reconcile fn",
        }
    }

    /// What the fn does with its action, after `which action`.
    pub(crate) const fn verb(self) -> &'static str {
        match self {
            Self::Execute => "executes",
            Self::Reconcile => "asks about",
        }
    }

    /// The name of all rules about the fn's shape.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Execute => "executor_signature",
            Self::Reconcile => "reconcile_signature",
        }
    }

    /// What the fn returns, where its own type cannot be taken from it.
    pub(crate) const fn returned(self) -> &'static str {
        match self {
            Self::Execute => "Result<Event, Failure>",
            Self::Reconcile => "Result<Reconciled<Event>, Failure>",
        }
    }
}

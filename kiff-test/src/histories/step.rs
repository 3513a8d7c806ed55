//! What somebody tries to do.

use std::fmt;
use std::time::Duration;

use kiff::{Actor, Review};

use super::object::Draft;

/// One thing that somebody tries.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reports an event.
    Report { by: Actor, event: String, payload: Draft },
    /// Proposes an action.
    Propose { by: Actor, action: String, parameters: Draft, how: How },
    /// Asks for a sign-off.
    Ask { by: Actor, action: String, parameters: Draft },
    /// Answers a request for a sign-off; `pick` counts from the newest.
    Review { by: Actor, pick: usize, answer: Answer },
    /// Proposes exactly what a request for a sign-off shows, naming it or not; `pick` counts from the newest.
    Redeem { by: Actor, pick: usize, named: bool },
    /// Has the outside world asked what became of a run.
    Reconcile { by: Actor },
    /// Says what became of a run.
    Settle { by: Actor, word: Word },
    /// Replays the journal.
    Rebuild { by: Actor },
    /// Lets time pass.
    Wait(Duration),
}

/// Yes, no, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Grant,
    Deny,
    Withdraw,
}

impl Answer {
    /// The same for the runtime.
    pub(crate) fn review(self) -> Review {
        match self {
            Self::Grant => Review::grant(),
            Self::Deny => Review::deny(),
            Self::Withdraw => Review::withdraw(),
        }
    }

    /// The kind of record that it leaves where it counts.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Grant => "approval_granted",
            Self::Deny => "approval_denied",
            Self::Withdraw => "approval_withdrawn",
        }
    }
}

/// What somebody says became of a run.
#[derive(Debug, Clone)]
pub(crate) enum Word {
    /// It was done, with this event.
    Happened { event: String, payload: Draft },
    /// It was done, and there is no event.
    HappenedWithoutEvent,
    /// Nothing was done.
    DidNotHappen,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happened { event, payload } => write!(f, "it happened, with {event} {payload}"),
            Self::HappenedWithoutEvent => f.write_str("it happened, without an event"),
            Self::DidNotHappen => f.write_str("it did not happen"),
        }
    }
}

/// What is done with a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Execute,
    Evaluate,
    Validate,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Execute => "executes",
            Self::Evaluate => "evaluates",
            Self::Validate => "validates",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report { by, event, payload } => write!(f, "{by} reports {event} {payload}"),
            Self::Propose { by, action, parameters, how } => write!(f, "{by} {how} {action} {parameters}"),
            Self::Ask { by, action, parameters } => write!(f, "{by} asks for a sign-off of {action} {parameters}"),
            Self::Review { by, pick, answer } => {
                let word = match answer {
                    Answer::Grant => "grants",
                    Answer::Deny => "denies",
                    Answer::Withdraw => "withdraws the grant of",
                };
                write!(f, "{by} {word} the request {}", Place(*pick))
            }
            Self::Redeem { by, pick, named } => {
                let named = if *named { ", naming it" } else { "" };
                write!(f, "{by} executes what the request {} shows{named}", Place(*pick))
            }
            Self::Reconcile { by } => write!(f, "{by} has the outside world asked"),
            Self::Settle { by, word } => write!(f, "{by} says of what is in doubt that {word}"),
            Self::Rebuild { by } => write!(f, "{by} rebuilds"),
            Self::Wait(duration) => write!(f, "{} hours pass", duration.as_secs() / 3600),
        }
    }
}

/// Which of the requests.
struct Place(usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("made last"),
            before => write!(f, "made {before} before the last"),
        }
    }
}

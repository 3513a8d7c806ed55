//! What governs otherwise in one version of a domain than in another, in words.

use std::fmt;

use serde::Serialize;

use super::{Never, Text};

/// One thing that governs in one version of a domain and not in another, or otherwise. It is shown as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What it is about.
    pub part: SchemaPart,
    /// How it differs.
    pub alteration: Alteration,
    /// What that means for what is under way and for those who call, where it means something.
    pub consequence: Option<Consequence>,
}

/// What governs, by its wire names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaPart {
    /// The name of the domain.
    Domain,
    /// The sort of entity that the domain governs.
    EntityType,
    /// A role, and the kind of actor that may hold it.
    Role {
        /// The role.
        role: Text,
    },
    /// A state, and whether it is final.
    State {
        /// The state.
        state: Text,
    },
    /// An event, and what it says where it is new.
    Event {
        /// The event.
        event: Text,
    },
    /// A field of an event, and its type.
    Field {
        /// The event.
        event: Text,
        /// The field.
        field: Text,
    },
    /// That a role may report an event.
    Reporter {
        /// The event.
        event: Text,
        /// The role.
        role: Text,
    },
    /// The name of the permission to report an event.
    ReportPermission {
        /// The event.
        event: Text,
    },
    /// Where an event leads from a state.
    Transition {
        /// The event.
        event: Text,
        /// The state before; none for an entity that does not exist yet.
        from: Option<Text>,
    },
    /// An action, and what it takes where it is new.
    Action {
        /// The action.
        action: Text,
    },
    /// How much harm an action can do.
    Risk {
        /// The action.
        action: Text,
    },
    /// Whether an action touches anything outside of the journal.
    Effect {
        /// The action.
        action: Text,
    },
    /// That a role may run an action.
    Runner {
        /// The action.
        action: Text,
        /// The role.
        role: Text,
    },
    /// The name of the permission to run an action.
    RunPermission {
        /// The action.
        action: Text,
    },
    /// Who has to approve an action.
    Approval {
        /// The action.
        action: Text,
    },
    /// The name of the permission to approve an action.
    ApprovalPermission {
        /// The action.
        action: Text,
    },
    /// That an action can answer with an event.
    Emission {
        /// The action.
        action: Text,
        /// The event.
        event: Text,
    },
    /// That a state allows an action.
    Allowance {
        /// The action.
        action: Text,
        /// The state.
        state: Text,
    },
    /// A parameter of an action: its type, whether it may be left out, and its rules.
    Parameter {
        /// The action.
        action: Text,
        /// The parameter.
        parameter: Text,
    },
    /// What was proved to be impossible.
    Never {
        /// The clause.
        clause: Never,
    },
    /// All that governs an action that has to be approved, by its [fingerprint](super::Schema::fingerprint_of).
    Contract {
        /// The action.
        action: Text,
    },
}

impl fmt::Display for SchemaPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain => f.write_str("the name of the domain"),
            Self::EntityType => f.write_str("the type of the entity"),
            Self::Role { role } => write!(f, "the role `{role}`"),
            Self::State { state } => write!(f, "the state `{state}`"),
            Self::Event { event } => write!(f, "the event `{event}`"),
            Self::Field { event, field } => write!(f, "the field `{field}` of `{event}`"),
            Self::Reporter { event, role } => write!(f, "the right of `{role}` to report `{event}`"),
            Self::ReportPermission { event } => write!(f, "the permission to report `{event}`"),
            Self::Transition { event, from: Some(from) } => write!(f, "the transition by `{event}` from `{from}`"),
            Self::Transition { event, from: None } => write!(f, "the transition by `{event}` from new"),
            Self::Action { action } => write!(f, "the action `{action}`"),
            Self::Risk { action } => write!(f, "the risk of `{action}`"),
            Self::Effect { action } => write!(f, "the effect of `{action}`"),
            Self::Runner { action, role } => write!(f, "the right of `{role}` to run `{action}`"),
            Self::RunPermission { action } => write!(f, "the permission to run `{action}`"),
            Self::Approval { action } => write!(f, "the approver of `{action}`"),
            Self::ApprovalPermission { action } => write!(f, "the permission to approve `{action}`"),
            Self::Emission { action, event } => write!(f, "the answer of `{action}` with `{event}`"),
            Self::Allowance { action, state } => write!(f, "the allowance of `{action}` in `{state}`"),
            Self::Parameter { action, parameter } => write!(f, "the parameter `{parameter}` of `{action}`"),
            Self::Never { clause } => write!(f, "the promise of never `{clause}`"),
            Self::Contract { action } => write!(f, "the contract of `{action}`"),
        }
    }
}

/// How a part differs from what it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Alteration {
    /// It was not there before.
    Added {
        /// What it is, where there is more to say than its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// It is there no more.
    Removed,
    /// It is another.
    Changed {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.part;
        match (part, &self.alteration) {
            (SchemaPart::Contract { .. }, _) => write!(f, "{part} is another"),
            (SchemaPart::Transition { .. }, Alteration::Added { after: Some(to) }) => {
                write!(f, "{part} is new, and leads to `{to}`")
            }
            (SchemaPart::Transition { .. }, Alteration::Changed { before, after }) => {
                write!(f, "{part} leads to `{after}`, and led to `{before}`")
            }
            (_, Alteration::Added { after: Some(after) }) => write!(f, "{part} is new: {after}"),
            (_, Alteration::Added { after: None }) => write!(f, "{part} is new"),
            (_, Alteration::Removed) => write!(f, "{part} is gone"),
            (_, Alteration::Changed { before, after }) => write!(f, "{part} is {after}, and was {before}"),
        }
    }
}

/// What a difference means for what is under way and for those who call. It is shown as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consequence {
    /// Entities of the type before are not found any more.
    EntitiesNotFound,
    /// Who held the role holds it no more.
    RoleLost,
    /// Journals that have been in the state cannot be folded.
    JournalsUnreadable,
    /// The event is on record and can be reported no more.
    EventGone,
    /// A report that was accepted before can be refused.
    ReportsRefused,
    /// What is on the record went another way.
    ReplayDiffers,
    /// The action is on record and can be called no more.
    ActionGone,
    /// A run in doubt can be settled with the event no more.
    EmissionGone,
    /// A call that was accepted before can be refused.
    CallsRefused,
    /// Approvals that were asked for before count no more.
    ApprovalsVoid,
}

impl Consequence {
    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntitiesNotFound => "entities_not_found",
            Self::RoleLost => "role_lost",
            Self::JournalsUnreadable => "journals_unreadable",
            Self::EventGone => "event_gone",
            Self::ReportsRefused => "reports_refused",
            Self::ReplayDiffers => "replay_differs",
            Self::ActionGone => "action_gone",
            Self::EmissionGone => "emission_gone",
            Self::CallsRefused => "calls_refused",
            Self::ApprovalsVoid => "approvals_void",
        }
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EntitiesNotFound => "entities of the type before are not found: their journals stay under the old name",
            Self::RoleLost => "who held it before holds it no more",
            Self::JournalsUnreadable => {
                "an entity that has been in it folds to nothing, and nothing is decided on it until the state is back"
            }
            Self::EventGone => "records of it stay; whoever reports it is refused",
            Self::ReportsRefused => "a report that was accepted before can be refused",
            Self::ReplayDiffers => {
                "an entity that went this way stays where it is; `rebuild` of it finds another state, or fails"
            }
            Self::ActionGone => {
                "records of it stay; calls of it are refused, and a run of it that is in doubt can be settled no more: \
                 see that `kiff doubt` has none"
            }
            Self::EmissionGone => {
                "a run of it that is in doubt can be settled with this event no more: see that `kiff doubt` has none"
            }
            Self::CallsRefused => "a call that was accepted before can be refused",
            Self::ApprovalsVoid => {
                "approvals of it that were asked for before, granted or not, count no more: they are to be asked for again"
            }
        })
    }
}

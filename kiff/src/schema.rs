//! A domain as plain data: what tools list, compare and draw, and what the gate decides by.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::actor::ActorKind;

mod compare;
pub(crate) mod constant;
mod difference;
mod document;
mod fingerprint;
mod rules;

pub use difference::{Alteration, Consequence, Difference, SchemaPart};
pub use document::SchemaError;

/// A text that a domain holds for the life of the program, or that was read back from JSON.
pub type Text = Cow<'static, str>;

/// A list that a domain holds for the life of the program, or that was read back from JSON.
pub type List<T> = Cow<'static, [T]>;

/// A whole domain as data.
///
/// ```
/// # use kiff::Schema;
/// fn most_dangerous(schema: &Schema) -> impl Iterator<Item = &str> {
///     schema.actions.iter().filter(|action| action.risk.needs_approval()).map(|action| action.name.as_ref())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The domain's wire name, such as `refund`.
    pub domain: Text,
    /// The sort of entity that it governs, such as `Order`.
    pub entity_type: Text,
    /// The block's doc comment.
    pub documentation: Text,
    /// Who there is.
    pub roles: List<RoleSchema>,
    /// What an entity can be.
    pub states: List<StateSchema>,
    /// What can happen.
    pub events: List<EventSchema>,
    /// Which event leads from where to where.
    pub transitions: List<Transition>,
    /// What can be done.
    pub actions: List<Contract>,
    /// What was proved to be impossible.
    pub never: List<Never>,
}

impl Schema {
    /// The action of that wire name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Contract> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// The roles, as permissions name them.
    pub fn permission_roles(&self) -> impl Iterator<Item = Role> {
        let role = |role: &RoleSchema| Role { domain: self.domain.clone(), name: role.name.clone(), kind: role.kind };
        self.roles.iter().map(role)
    }

    /// The event of that wire name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&EventSchema> {
        self.events.iter().find(|event| event.name == name)
    }
}

/// A role and who may hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSchema {
    /// The wire name, such as `operator`.
    pub name: Text,
    /// The one kind of actor that may hold it.
    pub kind: ActorKind,
    /// The doc comment.
    pub documentation: Text,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSchema {
    /// The wire name, such as `PAID`.
    pub name: Text,
    /// Whether nothing leads out of it.
    pub is_final: bool,
    /// The doc comment.
    pub documentation: Text,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSchema {
    /// The wire name, such as `ORDER_PAID`.
    pub name: Text,
    /// The doc comment.
    pub documentation: Text,
    /// What it says.
    pub fields: List<FieldSchema>,
    /// Who may report it from outside; no roles when only an action can make it happen.
    pub report: Permission,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSchema {
    /// The name.
    pub name: Text,
    /// The type as it is written in the block.
    pub type_name: Text,
    /// The doc comment.
    pub documentation: Text,
}

/// One event leads from one state to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The event's wire name.
    pub event: Text,
    /// The state before; none for an entity that does not exist yet.
    pub from: Option<Text>,
    /// The state after.
    pub to: Text,
}

/// What an action demands: the whole of its governance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The wire name, such as `REFUND_ORDER`.
    pub name: Text,
    /// The doc comment.
    pub documentation: Text,
    /// How much harm it can do.
    pub risk: Risk,
    /// Whether it touches anything outside of the journal.
    pub effect: Effect,
    /// What an actor needs in order to run it.
    pub permission: Permission,
    /// Whether a human signs off each run.
    pub approval: ApprovalRule,
    /// The events that it can answer with; none when it changes nothing.
    pub emits: List<Text>,
    /// The states in which it can run.
    pub allowed_in: List<Text>,
    /// What it takes.
    pub parameters: List<Parameter>,
}

impl Contract {
    /// What a human needs in order to say what became of a run of which nobody knows how it ended: the roles that
    /// approve the action carry it, or, where nobody has to approve it, those that run it and that humans hold. Where
    /// no human runs it either, every role of the domain that humans hold does.
    ///
    /// Its name is made from that of the permission to run the action: `refund.settle_refund_order`.
    #[must_use]
    pub fn settlement(&self, schema: &Schema) -> Permission {
        let domain: &str = &schema.domain;
        let run: &str = &self.permission.name;
        let action = run.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.')).unwrap_or(run);
        let roles = match &self.approval {
            ApprovalRule::By(permission) => permission.roles.to_vec(),
            ApprovalRule::None | ApprovalRule::Waived { .. } => {
                let is_human = |role: &Role| role.kind == ActorKind::Human;
                let runners: Vec<Role> = self.permission.roles.iter().filter(|role| is_human(role)).cloned().collect();
                if runners.is_empty() { schema.permission_roles().filter(is_human).collect() } else { runners }
            }
        };
        Permission { name: format!("{domain}.settle_{action}").into(), roles: roles.into() }
    }
}

/// How much harm an action can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Hardly any, or easily undone.
    Low,
    /// Some.
    Medium,
    /// Much: needs an approval.
    High,
    /// More than can be made good: needs an approval.
    Critical,
}

impl Risk {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Whether an action of this risk must be approved, or say in the block why not.
    #[must_use]
    pub const fn needs_approval(self) -> bool {
        matches!(self, Self::High | Self::Critical)
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an action touches anything outside of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It does not: it is started and finished in one commit.
    None,
    /// It may: its start is on the record before its executor runs.
    Outside,
}

/// A permission and the roles that carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The name, such as `refund.refund_order`.
    pub name: Text,
    /// The roles that carry it; none when nobody has it.
    pub roles: List<Role>,
}

impl Permission {
    /// The roles in a sentence: `agent or operator`.
    #[must_use]
    pub fn holders(&self) -> String {
        self.roles.iter().map(|role| role.name.as_ref()).collect::<Vec<_>>().join(" or ")
    }
}

/// A role, as a permission names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Role {
    /// The domain's wire name: roles of two domains are two roles.
    pub domain: Text,
    /// The role's wire name.
    pub name: Text,
    /// The one kind of actor that may hold it.
    pub kind: ActorKind,
}

/// Whether a human signs off each run of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalRule {
    /// Nobody needs to.
    None,
    /// Nobody needs to although the risk would ask for it; the block says why.
    Waived {
        /// The reason as it is written in the block.
        reason: Text,
    },
    /// Somebody who holds this permission does.
    By(Permission),
}

/// A parameter of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name.
    pub name: Text,
    /// The type as it is written in the executor's signature.
    pub type_name: Text,
    /// The doc comment.
    pub documentation: Text,
    /// Whether it may be left out.
    pub optional: bool,
    /// What its value must fulfil.
    pub rules: List<Rule>,
}

impl Parameter {
    /// Its type without the path to it, and without the `Option` around it: `Cents` where `Option<kiff::Cents>` is written.
    #[must_use]
    pub fn bare_type(&self) -> &str {
        let whole = without_path(&self.type_name);
        let held = whole.strip_prefix("Option").and_then(|rest| rest.trim().strip_prefix('<')?.strip_suffix('>'));
        held.map_or(whole, without_path)
    }
}

/// The last segment of a type's path, with what is between its angle brackets.
pub(crate) fn without_path(type_name: &str) -> &str {
    let path = type_name.split('<').next().unwrap_or(type_name);
    let start = path.rfind("::").map_or(0, |colons| colons + "::".len());
    type_name.get(start..).unwrap_or(type_name).trim()
}

/// What a parameter's value must fulfil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// A number within limits, both included.
    Range {
        /// The smallest that is accepted.
        min: Option<i64>,
        /// The largest that is accepted.
        max: Option<i64>,
    },
    /// A text of so many characters, or a list of so many items; both limits included.
    Length {
        /// The fewest that are accepted.
        min: Option<u64>,
        /// The most that are accepted.
        max: Option<u64>,
    },
    /// A text that matches a regular expression as a whole.
    Pattern {
        /// The expression.
        pattern: Text,
    },
    /// A binary float, although money is no float; the signature says why.
    Float {
        /// The reason as it is written in the signature.
        reason: Text,
    },
}

/// What was proved to be impossible in a domain. It is shown as the block writes it: `REFUNDED without operator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Never {
    /// No entity gets into a state without a step that a role took or approved.
    Without {
        /// The state.
        state: Text,
        /// The role.
        role: Text,
    },
    /// A role alone cannot get an entity from one state to another.
    Alone {
        /// The role.
        role: Text,
        /// The state before; none for an entity that does not exist yet.
        from: Option<Text>,
        /// The state after.
        to: Text,
    },
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Without { state, role } => write!(f, "{state} without {role}"),
            Self::Alone { role, from, to } => {
                write!(f, "{role} alone from {} to {to}", from.as_deref().unwrap_or("new"))
            }
        }
    }
}

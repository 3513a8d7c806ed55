//! Who acts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::identifier::{ActorId, IdentifierError};

/// What an actor is. A role is declared for one kind and held by no other.
///
/// ```
/// use kiff::ActorKind;
///
/// assert_eq!("agent".parse::<ActorKind>()?, ActorKind::Agent);
/// # Ok::<(), kiff::ActorKindError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person. Only a person can approve.
    Human,
    /// A model that proposes on its own.
    Agent,
    /// A program of the operator's that acts for others.
    Service,
    /// The governed system itself.
    System,
    /// Somebody outside: a payment provider, a partner.
    External,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Human, Self::Agent, Self::Service, Self::System, Self::External];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::System => "system",
            Self::External => "external",
        }
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ActorKind {
    type Err = ActorKindError;

    fn from_str(text: &str) -> Result<Self, ActorKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(ActorKindError(()))
    }
}

/// A word is no [`ActorKind`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ActorKindError(());

impl fmt::Display for ActorKindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = ActorKind::ALL.map(|kind| format!("`{kind}`"));
        write!(f, "no kind of actor: write one of {}", kinds.join(", "))
    }
}

crate::debug::debug_as_message!(ActorKindError);

impl std::error::Error for ActorKindError {}

/// Who acts: an identity and its kind, as the edge's authentication established them.
///
/// An actor carries no roles: what it may do is the policy's to say, so that nobody gains power by asserting it. It can be
/// deserialized because journals hold it. Never read it from a request: who sends one would then say who they are.
///
/// ```
/// use kiff::{Actor, ActorKind};
///
/// let actor = Actor::agent("agent-7")?;
/// assert_eq!((actor.id().as_str(), actor.kind()), ("agent-7", ActorKind::Agent));
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    id: ActorId,
    kind: ActorKind,
}

impl Actor {
    /// The actor `id` of a kind.
    #[must_use]
    pub const fn new(id: ActorId, kind: ActorKind) -> Self {
        Self { id, kind }
    }

    /// A person.
    ///
    /// # Errors
    /// [`IdentifierError`] when the id is empty, too long, or holds a character that is not shown.
    pub fn human(id: &str) -> Result<Self, IdentifierError> {
        Ok(Self::new(ActorId::new(id)?, ActorKind::Human))
    }

    /// A model that proposes on its own.
    ///
    /// # Errors
    /// As for [`Actor::human`].
    pub fn agent(id: &str) -> Result<Self, IdentifierError> {
        Ok(Self::new(ActorId::new(id)?, ActorKind::Agent))
    }

    /// A program of the operator's that acts for others.
    ///
    /// # Errors
    /// As for [`Actor::human`].
    pub fn service(id: &str) -> Result<Self, IdentifierError> {
        Ok(Self::new(ActorId::new(id)?, ActorKind::Service))
    }

    /// The governed system itself.
    ///
    /// # Errors
    /// As for [`Actor::human`].
    pub fn system(id: &str) -> Result<Self, IdentifierError> {
        Ok(Self::new(ActorId::new(id)?, ActorKind::System))
    }

    /// Somebody outside: a payment provider, a partner.
    ///
    /// # Errors
    /// As for [`Actor::human`].
    pub fn external(id: &str) -> Result<Self, IdentifierError> {
        Ok(Self::new(ActorId::new(id)?, ActorKind::External))
    }

    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> &ActorId {
        &self.id
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ActorKind {
        self.kind
    }
}

impl From<&Actor> for ActorId {
    fn from(actor: &Actor) -> Self {
        actor.id.clone()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.kind)
    }
}

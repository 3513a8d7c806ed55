//! What a domain is to the runtime: its states, its events, its transitions and what each state allows.

use std::fmt;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::bounds::Bounds;
use crate::identifier::{EntityKey, IdentifierError};
use crate::json::{Json, JsonError};
use crate::probe::Shapes;
use crate::schema::{Contract, Schema};

/// A governed domain as the enum of its actions: a value of the type is an action, and the type itself the domain.
///
/// `domain!` writes the implementation; nobody writes one by hand.
pub trait Domain: Copy + Eq + Hash + fmt::Debug + Send + Sync + 'static {
    /// What an entity can be.
    type State: State;
    /// What can happen to it.
    type Event: Event;
    /// What executors may touch: clients, credentials.
    type Services: Send + Sync + 'static;

    /// The whole domain as data.
    fn schema() -> &'static Schema;

    /// The action of that wire name.
    fn from_name(name: &str) -> Option<Self>;

    /// What this action demands.
    fn contract(self) -> &'static Contract;

    /// Whether this action may run in that state.
    fn allowed_in(self, state: Self::State) -> bool;

    /// Where an event leads, if it leads anywhere from there; `None` stands for an entity that does not exist yet.
    fn transition(from: Option<Self::State>, event: &str) -> Option<Self::State>;

    /// The diagram of the states as SVG, in the colour of the text around it; each state is a group whose `data-state` is
    /// its wire name.
    #[must_use]
    fn diagram() -> &'static str {
        ""
    }

    /// The actions, in the order of the block.
    fn actions() -> &'static [Self];

    /// The key of one entity of this domain, of the default tenant.
    ///
    /// # Errors
    /// [`IdentifierError`] when the id is empty, too long, or holds a character that is not shown.
    fn entity(id: &str) -> Result<EntityKey, IdentifierError> {
        EntityKey::new(&Self::schema().entity_type, id)
    }
}

/// The enum of a domain's states.
pub trait State: Copy + Eq + Hash + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The state of that wire name.
    fn from_name(name: &str) -> Option<Self>;

    /// The wire name.
    fn name(self) -> &'static str;
}

/// The enum of a domain's events.
pub trait Event: Clone + fmt::Debug + Send + Sync + 'static {
    /// The wire name.
    fn name(&self) -> &'static str;

    /// What the event says, as JSON.
    ///
    /// # Errors
    /// [`JsonError`] when a field's `Serialize` fails or what it writes is over a bound.
    fn encode(&self, bounds: &Bounds) -> Result<Json, JsonError>;

    /// The event of that wire name that says this; `None` when there is no such event.
    ///
    /// # Errors
    /// [`JsonError`] when the payload has another shape.
    fn decode(name: &str, payload: &Json) -> Option<Result<Self, JsonError>>;

    /// Asks the type of each field of the event of that wire name what it looks like as JSON.
    #[doc(hidden)]
    fn shapes(_name: &str, _shapes: &mut Shapes) {}
}

/// What an executor can answer with: an event of its domain, one of several, or `()` where the action emits none.
pub trait Emitted<D: Domain>: Send + 'static {
    /// The event, if there is one.
    fn into_event(self) -> Option<D::Event>;
}

impl<D: Domain> Emitted<D> for () {
    fn into_event(self) -> Option<D::Event> {
        None
    }
}

/// What an event without fields says: an empty object.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Empty {}

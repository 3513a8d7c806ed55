//! The block with its names resolved: order of declaration kept, and what could not be known said so.
//!
//! INVARIANT: what was not understood is [`Target::Unknown`] and never left out, so that no rule takes a typing error
//! for an absence. A misspelt name stands for the one name that it is close to.

mod assumed;
mod resolve;
mod table;
mod used;

use proc_macro2::{Ident, Span};
use syn::{LitStr, Type};

pub(crate) use self::resolve::Declaration;
pub(crate) use self::table::{Id, Table};
pub(crate) use self::used::Used;
use super::syntax::{self, ActorKind, Effect, Header, Risk};
use super::wire;

/// The whole domain.
pub(crate) struct Model {
    pub(crate) header: Header,
    pub(crate) services: Option<Type>,
    /// Whether the executors are in another crate, by the word that says so.
    pub(crate) elsewhere: Option<Ident>,
    pub(crate) roles: Table<Role>,
    pub(crate) states: Table<State>,
    pub(crate) events: Table<Event>,
    pub(crate) actions: Table<Action>,
    pub(crate) transitions: Lines<Transition>,
    pub(crate) allowances: Lines<Allowance>,
    pub(crate) clauses: Lines<Clause>,
}

/// The lines of a section that declares nothing.
pub(crate) struct Lines<T> {
    /// The section's word, if the section is there.
    pub(crate) keyword: Option<Ident>,
    pub(crate) items: Vec<T>,
    /// Whether every line is in `items`.
    pub(crate) whole: bool,
}

/// A name that is used, and what it stands for.
pub(crate) struct Reference<T> {
    /// The name as written; `None` where one should stand.
    pub(crate) token: Option<Ident>,
    pub(crate) target: Target<T>,
}

/// What a used name stands for.
pub(crate) enum Target<T> {
    /// Exactly this declaration.
    Exact(Id<T>),
    /// Not declared, but so close to this one that it must be meant.
    Guessed(Id<T>),
    /// Anything.
    Unknown,
}

impl<T> Reference<T> {
    pub(crate) const UNREADABLE: Self = Self { token: None, target: Target::Unknown };

    /// The declaration that is used or must be meant.
    pub(crate) fn id(&self) -> Option<Id<T>> {
        match self.target {
            Target::Exact(id) | Target::Guessed(id) => Some(id),
            Target::Unknown => None,
        }
    }

    /// The declaration and the name, where nothing is wrong with the name itself.
    pub(crate) fn exact(&self) -> Option<(Id<T>, &Ident)> {
        match (&self.target, &self.token) {
            (Target::Exact(id), Some(token)) => Some((*id, token)),
            _ => None,
        }
    }

    /// Whether this declaration may be meant.
    pub(crate) fn may_be(&self, id: Id<T>) -> bool {
        self.id().is_none_or(|meant| meant == id)
    }
}

/// What every declaration has.
pub(crate) struct Declared {
    pub(crate) name: Ident,
    /// The name on the wire, given or derived.
    pub(crate) wire: String,
    /// The name on the wire as the user gave it.
    pub(crate) given_wire: Option<LitStr>,
    /// Whether the same name is declared again, in whichever section: then nobody knows which is meant.
    pub(crate) twin: bool,
}

impl Declared {
    /// The name without `r#`.
    pub(crate) fn plain(&self) -> String {
        wire::plain(&self.name)
    }
}

/// A role and the kind of actor that may hold it, if that could be read.
pub(crate) struct Role {
    pub(crate) declared: Declared,
    pub(crate) syntax: syntax::Role,
}

impl Role {
    pub(crate) fn kind(&self) -> Option<ActorKind> {
        self.syntax.kind
    }
}

/// A state.
pub(crate) struct State {
    pub(crate) declared: Declared,
    pub(crate) syntax: syntax::State,
}

/// An event and who may report it from outside.
pub(crate) struct Event {
    pub(crate) declared: Declared,
    pub(crate) syntax: syntax::Event,
    pub(crate) reporters: Vec<Reference<Role>>,
}

impl Event {
    /// What the permission to report it is called.
    pub(crate) fn report_permission(&self, domain: &str) -> String {
        format!("{domain}.report_{}", wire::snake(&self.declared.plain()))
    }
}

/// An action with everything that governs it.
pub(crate) struct Action {
    pub(crate) declared: Declared,
    pub(crate) syntax: syntax::Action,
    pub(crate) runners: Runners,
    pub(crate) emits: Vec<Reference<Event>>,
    pub(crate) approval: Approval,
    pub(crate) permission: String,
    pub(crate) approval_permission: String,
}

impl Action {
    pub(crate) fn risk(&self) -> Option<(Risk, &Ident)> {
        self.syntax.risk.as_ref().map(|(risk, word)| (*risk, word))
    }

    /// Whether the action touches anything outside; unless it says otherwise, it does.
    pub(crate) fn effect(&self) -> Effect {
        self.syntax.effect.unwrap_or(Effect::Outside)
    }

    /// Whether the action names the event among what it emits, or must mean it.
    pub(crate) fn emits(&self, event: Id<Event>) -> bool {
        self.emits.iter().any(|own| own.id() == Some(event))
    }
}

/// Who may run an action.
pub(crate) enum Runners {
    /// These roles.
    Roles(Vec<Reference<Role>>),
    /// Nobody, as the word `none` says.
    Nobody(Ident),
    /// Nobody, as `by` was left out.
    LeftOut,
}

impl Runners {
    pub(crate) fn roles(&self) -> &[Reference<Role>] {
        match self {
            Self::Roles(roles) => roles,
            Self::Nobody(_) | Self::LeftOut => &[],
        }
    }
}

/// What an action needs before it runs.
pub(crate) enum Approval {
    /// One of these roles has to approve.
    Roles(Vec<Reference<Role>>),
    /// Nothing, for this reason.
    Waived(LitStr),
    /// Nobody may approve, as the word `none` says.
    Nobody(Ident),
    /// Nothing, as `approval` was left out.
    LeftOut,
}

impl Approval {
    pub(crate) fn roles(&self) -> &[Reference<Role>] {
        match self {
            Self::Roles(roles) => roles,
            Self::Waived(_) | Self::Nobody(_) | Self::LeftOut => &[],
        }
    }
}

/// A place in the life of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Before the first event.
    New,
    State(Id<State>),
}

/// A place that is used.
pub(crate) enum PlaceReference {
    /// The word `new`.
    New(Ident),
    State(Reference<State>),
}

impl PlaceReference {
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::New(_) => Some(Place::New),
            Self::State(state) => state.id().map(Place::State),
        }
    }

    /// The place and its name, where nothing is wrong with the name itself.
    pub(crate) fn exact(&self) -> Option<(Place, &Ident)> {
        match self {
            Self::New(word) => Some((Place::New, word)),
            Self::State(state) => state.exact().map(|(id, name)| (Place::State(id), name)),
        }
    }
}

/// `OrderPaid: Created | Held => Paid`
pub(crate) struct Transition {
    pub(crate) event: Reference<Event>,
    pub(crate) sources: Vec<PlaceReference>,
    pub(crate) target: Reference<State>,
}

/// `Created | Held => [MarkPaid, CancelOrder]`
pub(crate) struct Allowance {
    pub(crate) states: Vec<Reference<State>>,
    pub(crate) actions: Vec<Reference<Action>>,
}

/// One line of `never`.
pub(crate) struct Clause {
    pub(crate) promise: Promise,
    /// The first and the last token of the clause.
    pub(crate) ends: (Span, Span),
}

/// What a `never` clause promises.
pub(crate) enum Promise {
    Without { state: Reference<State>, role: Reference<Role> },
    Alone { role: Reference<Role>, from: PlaceReference, to: Reference<State> },
}

impl Model {
    /// What the place is called in messages.
    pub(crate) fn place_name(&self, place: Place) -> String {
        match place {
            Place::New => "new".to_owned(),
            Place::State(state) => self.states[state].declared.plain(),
        }
    }

    pub(crate) fn state_name(&self, state: Id<State>) -> String {
        self.states[state].declared.plain()
    }

    pub(crate) fn event_name(&self, event: Id<Event>) -> String {
        self.events[event].declared.plain()
    }

    pub(crate) fn action_name(&self, action: Id<Action>) -> String {
        self.actions[action].declared.plain()
    }

    pub(crate) fn role_name(&self, role: Id<Role>) -> String {
        self.roles[role].declared.plain()
    }
}

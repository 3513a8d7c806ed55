//! The block as it was written: spans kept, order kept, nothing judged; what could not be read is `None` or not whole.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, LitStr, Path, Type, Visibility};

use super::wire;

/// The whole block.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) services: Option<Type>,
    /// `executors elsewhere;`, by its first word.
    pub(crate) elsewhere: Option<Ident>,
    /// `crate = trust;`: where kiff is, if not at `::kiff`.
    pub(crate) kiff: Option<Path>,
    pub(crate) roles: Section<Role>,
    pub(crate) states: Section<State>,
    pub(crate) events: Section<Event>,
    pub(crate) transitions: Section<Transition>,
    pub(crate) actions: Section<Action>,
    pub(crate) allow: Section<Allowance>,
    pub(crate) never: Section<Clause>,
}

/// `/// Orders. pub domain Refund governs Order;`
pub(crate) struct Header {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) domain: Option<Named>,
    pub(crate) entity: Option<Named>,
}

impl Default for Header {
    fn default() -> Self {
        Self { attributes: Vec::new(), visibility: Visibility::Inherited, domain: None, entity: None }
    }
}

impl Block {
    /// Whether there is nothing to judge.
    pub(crate) fn is_blank(&self) -> bool {
        SectionName::ALL.into_iter().all(|section| self.keyword(section).is_none())
    }

    /// The section's word, if the section is there at all.
    pub(crate) fn keyword(&self, section: SectionName) -> Option<&Ident> {
        let keyword = match section {
            SectionName::Roles => &self.roles.keyword,
            SectionName::States => &self.states.keyword,
            SectionName::Events => &self.events.keyword,
            SectionName::Transitions => &self.transitions.keyword,
            SectionName::Actions => &self.actions.keyword,
            SectionName::Allow => &self.allow.keyword,
            SectionName::Never => &self.never.keyword,
        };
        keyword.as_ref()
    }
}

impl Header {
    /// The domain's name on the wire, given or derived; empty if the domain has no name.
    pub(crate) fn domain_wire(&self) -> String {
        let Some(domain) = &self.domain else {
            return String::new();
        };
        domain.wire.as_ref().map_or_else(|| wire::snake(&wire::plain(&domain.name)), LitStr::value)
    }

    /// The entity type on the wire, given or just its name; empty if the entity has no name.
    pub(crate) fn entity_wire(&self) -> String {
        let Some(entity) = &self.entity else {
            return String::new();
        };
        entity.wire.as_ref().map_or_else(|| wire::plain(&entity.name), LitStr::value)
    }
}

/// Which section it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionName {
    Roles,
    States,
    Events,
    Transitions,
    Actions,
    Allow,
    Never,
}

impl SectionName {
    /// All of them, in the order in which a block reads best.
    pub(crate) const ALL: [Self; 7] =
        [Self::Roles, Self::States, Self::Events, Self::Transitions, Self::Actions, Self::Allow, Self::Never];

    /// The section that has this word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.word() == word)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::States => "states",
            Self::Events => "events",
            Self::Transitions => "transitions",
            Self::Actions => "actions",
            Self::Allow => "allow",
            Self::Never => "never",
        }
    }

    /// Whether no block goes without it.
    pub(crate) const fn is_required(self) -> bool {
        match self {
            Self::Roles | Self::States | Self::Events | Self::Transitions | Self::Actions | Self::Allow => true,
            Self::Never => false,
        }
    }
}

/// One section; one that is written twice is one section with both contents.
pub(crate) struct Section<T> {
    /// The section's word, if the section is there at all.
    pub(crate) keyword: Option<Ident>,
    pub(crate) items: Vec<T>,
    /// Whether every item was understood well enough to stand in `items`.
    pub(crate) whole: bool,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { keyword: None, items: Vec::new(), whole: true }
    }
}

/// A declared name: `RefundOrder as "PAY_BACK"`.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) name: Ident,
    pub(crate) wire: Option<LitStr>,
}

/// Several names, as in `Agent | Operator`.
#[derive(Clone)]
pub(crate) struct Names {
    pub(crate) names: Vec<Ident>,
    /// Whether every name was understood.
    pub(crate) whole: bool,
}

/// `Agent: agent`
pub(crate) struct Role {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) declared: Named,
    pub(crate) kind: Option<ActorKind>,
}

/// What kind of actor may hold a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActorKind {
    Agent,
    Human,
    Service,
    System,
    External,
}

impl ActorKind {
    /// Those who are of this kind.
    pub(crate) const fn holders(self) -> &'static str {
        match self {
            Self::Agent => "agents",
            Self::Human => "humans",
            Self::Service => "services",
            Self::System => "the system",
            Self::External => "outsiders",
        }
    }
}

/// `final Refunded`
pub(crate) struct State {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) is_final: bool,
    pub(crate) declared: Named,
}

/// `OrderPlaced { total: Cents } reported by System`
pub(crate) struct Event {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) declared: Named,
    pub(crate) fields: Vec<Field>,
    pub(crate) reported: Option<Reported>,
    /// Whether everything up to the `;` was understood.
    pub(crate) whole: bool,
}

/// `total: Cents`
pub(crate) struct Field {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Option<Ident>,
    pub(crate) kind: Option<Type>,
}

/// `reported by System | Operator`
pub(crate) struct Reported {
    /// The word `reported`.
    pub(crate) keyword: Ident,
    pub(crate) roles: Names,
}

/// `OrderPaid: Created | Held => Paid`
pub(crate) struct Transition {
    pub(crate) event: Option<Ident>,
    pub(crate) sources: Names,
    pub(crate) target: Option<Ident>,
}

/// `RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }`
pub(crate) struct Action {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) declared: Named,
    pub(crate) risk: Option<(Risk, Ident)>,
    pub(crate) by: Option<SomeOrNone>,
    pub(crate) emits: Option<SomeOrNone>,
    pub(crate) approval: Option<Approval>,
    pub(crate) effect: Option<Effect>,
    pub(crate) permission: Option<LitStr>,
    pub(crate) approval_permission: Option<LitStr>,
    /// Whether every key was understood, so that a key that is missing was really left out.
    pub(crate) whole: bool,
}

/// How much harm an action can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Risk {
    Low,
    Medium,
    High,
    Critical,
}

/// `Agent | Operator`, or `none`.
pub(crate) enum SomeOrNone {
    Some(Names),
    /// The word `none`.
    None(Ident),
}

/// `approval: Operator`, or `approval: unapproved("read-only export")`.
pub(crate) enum Approval {
    Roles(Names),
    /// The reason for going without.
    Waived(LitStr),
    /// The word `none`, which the language does not want here.
    None(Ident),
    /// Something was written that could not be read.
    Unreadable,
}

/// Whether an action touches anything outside the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Outside,
}

/// `Created | Held => [MarkPaid, CancelOrder]`
pub(crate) struct Allowance {
    pub(crate) states: Names,
    pub(crate) actions: Names,
}

/// One line of `never`.
pub(crate) struct Clause {
    pub(crate) promise: Option<Promise>,
    /// The first and the last token of the clause.
    pub(crate) ends: (Span, Span),
}

/// What a `never` clause promises.
pub(crate) enum Promise {
    /// `Refunded without Operator`
    Without { state: Option<Ident>, role: Option<Ident> },
    /// `Agent alone from Paid to Refunded`
    Alone { role: Option<Ident>, from: Option<Ident>, to: Option<Ident> },
}

/// A section that stands inside another one, to be read after it.
pub(crate) struct Misplaced {
    pub(crate) section: SectionName,
    pub(crate) keyword: Ident,
    pub(crate) content: TokenStream,
}

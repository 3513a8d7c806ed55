//! One executor as a typed model: which action, the fn around it, and what each of its arguments is.

use proc_macro2::{Group, Ident, TokenStream};
use syn::{Attribute, LitStr, PatType, Path, Receiver, ReturnType, Signature, Type, TypeReference, Visibility};

use super::duty::Duty;
use super::kind::{self, Kind};
use super::sentence::{self, code};

/// The async fn under `#[action(..)]` or `#[reconcile(..)]`.
pub(crate) struct Executor {
    pub(crate) duty: Duty,
    /// Where kiff is, if not at `::kiff`.
    pub(crate) kiff: Option<Path>,
    /// The action that it is for; none when the attribute cannot be read.
    pub(crate) target: Option<Target>,
    /// `/// …` and what else of `#[doc]` there is.
    pub(crate) documentation: Vec<Attribute>,
    /// `#[cfg(..)]` below `#[action]`: everything that is generated hangs on it.
    pub(crate) conditions: Vec<Attribute>,
    /// Further `#[action(..)]` and `#[reconcile(..)]` on the same fn, which stands for one action.
    pub(crate) further: Vec<Further>,
    /// All other attributes; they stay on the fn.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// The signature as it stands there; the attributes of its arguments are taken out.
    pub(crate) signature: Signature,
    /// The arguments, in the order of the signature.
    pub(crate) arguments: Vec<Argument>,
    /// The braces, unread: what is in them is for rustc.
    pub(crate) body: Group,
}

/// `Refund::RefundOrder`.
pub(crate) struct Target {
    /// `Refund`, or a longer path that leads to it.
    pub(crate) domain: Path,
    /// `RefundOrder`.
    pub(crate) action: Ident,
}

/// An attribute that comes too late.
pub(crate) struct Further {
    pub(crate) attribute: Attribute,
    /// The action whose executor would be missed; none where it is no `#[action(..)]`, or cannot be read.
    pub(crate) target: Option<Target>,
}

/// What an argument is for.
pub(crate) enum Argument {
    /// `&self`, which no executor has.
    Receiver(Receiver),
    /// `desk: &RefundDesk`: any borrowed type but the next.
    Services(Borrowed),
    /// `execution: &Execution`.
    Execution(Borrowed),
    /// `#[param(range(min = 1))] amount: Cents`.
    Parameter(Parameter),
}

/// An argument that is taken by reference.
pub(crate) struct Borrowed {
    pub(crate) typed: PatType,
    pub(crate) reference: TypeReference,
    /// `#[param(..)]`, all of them, which only parameters have.
    pub(crate) param: Vec<Attribute>,
}

/// An argument that is taken by value: a parameter of the action.
pub(crate) struct Parameter {
    pub(crate) documentation: Vec<Attribute>,
    /// None for `_` and other patterns, which have no name.
    pub(crate) name: Option<Ident>,
    pub(crate) typed: PatType,
    /// `#[param(..)]`, all of them together.
    pub(crate) rules: Vec<Rule>,
}

/// `range(min = 1, max = 10)`.
pub(crate) struct Rule {
    /// `range`.
    pub(crate) name: Ident,
    /// The whole of it.
    pub(crate) tokens: TokenStream,
    pub(crate) demand: Demand,
}

/// What a rule demands.
pub(crate) enum Demand {
    Range(Limits<i64>),
    Length(Limits<u64>),
    Pattern(LitStr),
    Float(LitStr),
    /// It could not be read, and that is said already.
    Unreadable,
}

/// `min = 1, max = 10`, or one of the two.
pub(crate) struct Limits<T> {
    pub(crate) min: Option<T>,
    pub(crate) max: Option<T>,
}

impl Parameter {
    /// What messages call it.
    pub(crate) fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| code(&self.typed.pat), ToString::to_string)
    }
}

impl Executor {
    /// The arguments that are parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Parameter(parameter) => Some(parameter),
            _ => None,
        })
    }

    /// The type by value of what is borrowed and meant as a parameter: one that no services have, one that has rules, or a plain value
    /// beside something else that is borrowed, of which one may be the services.
    pub(crate) fn owned(&self, borrowed: &Borrowed) -> Option<String> {
        let lent = kind::peel(&borrowed.reference.elem);
        let is_services = |argument: &&Argument| matches!(argument, Argument::Services(_));
        let is_one_of_several = || self.arguments.iter().filter(is_services).count() > 1;
        let is_meant = !borrowed.param.is_empty() || (is_plain_value(lent) && is_one_of_several());
        sentence::owned(lent).or_else(|| (is_meant && kind::unfit(lent).is_none()).then(|| code(lent)))
    }

    /// Whether it has `self`, and so stands in an `impl`, most of the time.
    pub(crate) fn is_method(&self) -> bool {
        self.arguments.iter().any(|argument| matches!(argument, Argument::Receiver(_)))
    }

    /// The type after `->`.
    pub(crate) fn returned(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, returned) => Some(returned),
        }
    }
}

/// Whether a type's name says that it is a number, a text, a list or the like.
fn is_plain_value(typed: &Type) -> bool {
    matches!(typed, Type::Path(_)) && (Kind::of(typed) != Kind::Unknown || kind::optional(typed).is_some())
}

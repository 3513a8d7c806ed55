//! The gate: whether a proposal may run, decided from plain values and from nothing else.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::action::Declared;
use crate::actor::Actor;
use crate::approval::{Approval, ApprovalStatus, Binding};
use crate::domain::{Domain, State};
use crate::entity::Entity;
use crate::identifier::ApprovalId;
use crate::parameter::ParameterFault;
use crate::permission::Policy;
use crate::schema::{ApprovalRule, Contract, Permission};
use crate::time::Timestamp;

mod admission;
mod permitted;
mod reason;
mod refused;
mod review;
mod sentence;
mod settle;

pub(crate) use admission::admit;
pub use reason::ReasonCode;
pub(crate) use refused::Refused;
#[cfg(feature = "http")]
pub(crate) use review::any_human;
pub(crate) use review::review;
#[cfg(feature = "mcp")]
pub(crate) use sentence::no_such_action;
pub(crate) use sentence::{
    in_progress, key_reused, moved_on, other_type, over_bound, too_many_open, unknown_action, unknown_entity,
    unknown_event, way_out,
};
pub(crate) use settle::settle;

use permitted::permitted;

/// The gate's answer.
///
/// ```
/// # use kiff::{Approval, Verdict};
/// fn waits(asked: Verdict<Approval>) -> Option<Approval> {
///     match asked {
///         Verdict::Allowed(approval) => Some(approval),
///         Verdict::ApprovalRequired(refusal) | Verdict::Blocked(refusal) | Verdict::Invalid(refusal) => {
///             eprintln!("{refusal}");
///             None
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "what was asked for may have been refused"]
pub enum Verdict<P = ()> {
    /// It may run.
    Allowed(P),
    /// It may run once a human has signed it off.
    ApprovalRequired(Refusal),
    /// The state, the permissions or an action under way do not allow it, or it could not be decided.
    Blocked(Refusal),
    /// It cannot be done as it was asked.
    Invalid(Refusal),
}

impl<P> Verdict<P> {
    /// The word on the wire.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Allowed(_) => "allowed",
            Self::ApprovalRequired(_) => "approval_required",
            Self::Blocked(_) => "blocked",
            Self::Invalid(_) => "invalid",
        }
    }

    /// Whether it may run.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Why it may not run; none when it may.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Allowed(_) => None,
            Self::ApprovalRequired(refusal) | Self::Blocked(refusal) | Self::Invalid(refusal) => Some(refusal),
        }
    }

    /// What was allowed, or why it was not: for callers to whom a refusal is the end of what they are about.
    ///
    /// # Errors
    /// The [`Refusal`] of a verdict that is not [`Verdict::Allowed`].
    ///
    /// ```
    /// use kiff::{ReasonCode, Refusal, Verdict};
    ///
    /// let held: Verdict<u64> = Verdict::ApprovalRequired(Refusal {
    ///     code: ReasonCode::ApprovalRequired,
    ///     message: "a human has to agree".into(),
    ///     remedy: None,
    /// });
    /// assert_eq!(held.into_result().unwrap_err().to_string(), "approval_required: a human has to agree");
    /// assert_eq!(Verdict::Allowed(4_900).into_result(), Ok(4_900));
    /// ```
    pub fn into_result(self) -> Result<P, Refusal> {
        match self {
            Self::Allowed(allowed) => Ok(allowed),
            Self::ApprovalRequired(refusal) | Self::Blocked(refusal) | Self::Invalid(refusal) => Err(refusal),
        }
    }

    /// What was allowed, or the word on the wire and why it was not.
    #[cfg(any(feature = "http", feature = "mcp"))]
    pub(crate) fn decided(self) -> Result<P, (&'static str, Refusal)> {
        let outcome = self.outcome();
        self.into_result().map_err(|refusal| (outcome, refusal))
    }

    /// The same verdict about something else.
    pub fn map<Q>(self, convert: impl FnOnce(P) -> Q) -> Verdict<Q> {
        match self {
            Self::Allowed(permit) => Verdict::Allowed(convert(permit)),
            Self::ApprovalRequired(refusal) => Verdict::ApprovalRequired(refusal),
            Self::Blocked(refusal) => Verdict::Blocked(refusal),
            Self::Invalid(refusal) => Verdict::Invalid(refusal),
        }
    }
}

/// Why something was refused, and what would allow it.
///
/// A refusal is an answer, not an error. Whoever takes it for one ([`Verdict::into_result`]) can hand it on as one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable reason code.
    pub code: ReasonCode,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What would allow it, in a sentence; none where nothing would.
    pub remedy: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Its message and what would allow it: so a `main` prints it that returns it as an error.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for Refusal {}

/// The authority to run one action once.
///
/// Only [`judge`] makes one, and only the runtime makes of it what the executor `E` takes. It cannot be copied, it cannot outlive
/// the entity that was judged or the run that it was spent on, and an executor takes it by value:
///
/// ```compile_fail,E0451
/// # use kiff::{Contract, Permit};
/// fn forge<E: kiff::Declared>(action: &'static Contract) -> Permit<'static, E> {
///     Permit { action, approval: None, bound_to: std::marker::PhantomData }
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped runs nothing"]
pub struct Permit<'j, E> {
    action: &'static Contract,
    approval: Option<&'j ApprovalId>,
    /// INVARIANT: no code outside of this module can make a value of this type.
    bound_to: PhantomData<&'j fn(E) -> E>,
}

/// What a permit is for as [`judge`] gives it: an action of the domain, and no executor yet.
///
/// It is a type of its own, so that what is a domain and an executor at once cannot take its own permit.
#[derive(Debug)]
pub struct Judged<D>(PhantomData<fn() -> D>);

impl<'j, D: Domain> Permit<'j, Judged<D>> {
    /// The approval that the start spends.
    pub(crate) const fn approval(&self) -> Option<&'j ApprovalId> {
        self.approval
    }

    /// The contract of the action that it is for.
    pub(crate) const fn action(&self) -> &'static Contract {
        self.action
    }

    /// The same authority once its run is on the record, which names the approval: from there on the entity may move.
    pub(crate) fn for_run(self, approval: Option<&ApprovalId>) -> Permit<'_, Judged<D>> {
        Permit { action: self.action, approval, bound_to: PhantomData }
    }

    /// The same authority for the executor `E`; none when it was given for another action.
    ///
    /// INVARIANT: an executor is of one domain, so that no other domain's gate can give a permit for it.
    pub(crate) fn for_executor<E: Declared<Domain = D>>(self) -> Option<Permit<'j, E>> {
        let fits = self.action.name == E::ACTION.contract().name;
        fits.then_some(Permit { action: self.action, approval: self.approval, bound_to: PhantomData })
    }
}

/// What the gate looks at besides the entity.
#[derive(Clone, Copy)]
pub struct Case<'c, D: Domain> {
    /// What is to be done.
    pub action: D,
    /// What was found when the parameters were read and held to their rules.
    pub parameters: Result<(), &'c ParameterFault>,
    /// What an approval has to be bound to; only looked at where the contract asks for one.
    pub binding: Option<&'c Binding>,
    /// The approval that the proposal names, if it names one.
    pub approval: Option<&'c ApprovalId>,
    /// Who wants it.
    pub actor: &'c Actor,
    /// Who knows which roles they hold.
    pub policy: &'c dyn Policy,
    /// The present, by which an approval has expired or not; where the journal has a later time, by that one.
    pub now: Timestamp,
}

impl<D: Domain> fmt::Debug for Case<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("action", &self.action)
            .field("parameters", &self.parameters)
            .field("binding", &self.binding)
            .field("approval", &self.approval)
            .field("actor", self.actor)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Decides whether a proposal may run: first by the state, then by the parameters, then by the permission, then by
/// the approval.
///
/// It is a pure function: it looks at no clock, does no input or output, and allocates nothing on the way to
/// [`Verdict::Allowed`].
pub fn judge<'j, D: Domain>(entity: &'j Entity<D>, case: &Case<'_, D>) -> Verdict<Permit<'j, Judged<D>>> {
    decide(entity, case).into()
}

/// What [`judge`] decides.
pub(crate) fn decide<'j, D: Domain>(
    entity: &'j Entity<D>,
    case: &Case<'_, D>,
) -> Result<Permit<'j, Judged<D>>, Refused> {
    weigh(entity, case).map_err(|objection| match objection {
        Objection::Refused(refused) => refused,
        Objection::Unapproved { lack, permission } => Refused::unapproved(Refusal {
            code: ReasonCode::ApprovalRequired,
            remedy: Some(lack.remedy(permission)),
            message: lack.sentence(case.action.contract(), entity.present(case.now)),
        }),
    })
}

/// Why the gate does not let a proposal through.
pub(crate) enum Objection<'j> {
    /// It is blocked or invalid.
    Refused(Refused),
    /// It lacks an approval by those who have the permission; the sentence is made only for whoever reads it.
    Unapproved { lack: Lack<'j>, permission: &'static Permission },
}

impl From<Refused> for Objection<'_> {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Which approval a proposal lacks.
pub(crate) enum Lack<'j> {
    /// Nobody has approved exactly this; the last that was asked for of it, if any was.
    Any(Option<&'j Approval>),
    /// This one was asked for exactly this, and waits for its review.
    Review(&'j Approval),
    /// The one that is there does not cover it, in a sentence.
    Fitting(String),
}

impl Lack<'_> {
    fn sentence(self, contract: &Contract, now: Timestamp) -> String {
        match self {
            Self::Any(latest) => sentence::needs_approval(contract, latest, now),
            Self::Review(waiting) => sentence::needs_approval(contract, Some(waiting), now),
            Self::Fitting(problem) => problem,
        }
    }

    fn remedy(&self, permission: &Permission) -> String {
        match self {
            Self::Any(_) | Self::Fitting(_) => sentence::ask_for_approval(permission),
            Self::Review(waiting) => sentence::wait_for_review(waiting, permission),
        }
    }
}

/// What [`judge`] decides, before anything is said about an approval that is lacking.
pub(crate) fn weigh<'j, D: Domain>(
    entity: &'j Entity<D>,
    case: &Case<'_, D>,
) -> Result<Permit<'j, Judged<D>>, Objection<'j>> {
    let contract = case.action.contract();
    check_state(entity, case, contract)?;
    case.parameters.map_err(|fault| Refused::invalid(sentence::parameters(fault, contract)))?;
    permitted(case.policy, case.actor, &contract.permission, entity.key())?;
    let approval = match &contract.approval {
        ApprovalRule::None | ApprovalRule::Waived { .. } => None,
        ApprovalRule::By(permission) => {
            let found = find_approval(entity, case, contract);
            Some(&found.map_err(|lack| Objection::Unapproved { lack, permission })?.id)
        }
    };
    Ok(Permit { action: contract, approval, bound_to: PhantomData })
}

fn check_state<D: Domain>(entity: &Entity<D>, case: &Case<'_, D>, contract: &Contract) -> Result<(), Refused> {
    let state = entity.state().ok_or_else(|| Refused::invalid(unknown_entity(entity.key())))?;
    if let Some(running) = entity.running() {
        return Err(Refused::blocked(in_progress(running)));
    }
    if case.action.allowed_in(state) {
        return Ok(());
    }
    Err(Refused::blocked(sentence::state_not_allowed(contract, state.name())))
}

/// The granted approval that covers exactly this, or what is lacking.
fn find_approval<'j, D: Domain>(
    entity: &'j Entity<D>,
    case: &Case<'_, D>,
    contract: &Contract,
) -> Result<&'j Approval, Lack<'j>> {
    let now = entity.present(case.now);
    let Some(binding) = case.binding else {
        return Err(Lack::Any(None));
    };
    let drift = |approval: &Approval| sentence::drift(approval, contract, binding, now);
    let waits = |approval: &Approval| would_cover(approval, binding, now);
    if let Some(id) = case.approval {
        let missing = || Lack::Fitting(format!("there is no approval `{id}` of this entity"));
        let named = entity.approval(id).ok_or_else(missing)?;
        return match drift(named) {
            None => Ok(named),
            Some(_) if waits(named) => Err(Lack::Review(named)),
            Some(problem) => Err(Lack::Fitting(problem)),
        };
    }
    let open = || entity.open_approvals().iter().map(|open| &**open);
    let waiting = || open().find(|open| waits(open)).map(Lack::Review);
    let mut granted =
        open().filter(|open| open.action == contract.name && matches!(open.status, ApprovalStatus::Granted(_)));
    let Some(first) = granted.next() else {
        return Err(waiting().unwrap_or_else(|| Lack::Any(latest(entity, binding))));
    };
    match drift(first) {
        None => Ok(first),
        Some(problem) => {
            let fitting = granted.find(|approval| drift(approval).is_none());
            fitting.ok_or_else(|| waiting().unwrap_or(Lack::Fitting(problem)))
        }
    }
}

/// Whether an approval waits, and a yes to it would let exactly this run.
pub(crate) fn would_cover(approval: &Approval, binding: &Binding, now: Timestamp) -> bool {
    let waits = approval.status == ApprovalStatus::Pending && !approval.has_expired(now);
    let is_shown = binding.evidence.is_none() || approval.binding.evidence == binding.evidence;
    waits && is_shown && approval.binding.whole == binding.whole
}

/// The last approval of exactly this, whatever became of it.
fn latest<'j, D: Domain>(entity: &'j Entity<D>, binding: &Binding) -> Option<&'j Approval> {
    entity.approvals().filter(|approval| approval.binding.whole == binding.whole).last()
}

//! What a runtime makes of a proposal before it is judged, typed or not.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::action::{Declared, Governed};
use crate::approval::Binding;
use crate::bounds::{Bounds, OverBound};
use crate::decision::{Call, Proposal, Rationale};
use crate::digest::Digest;
use crate::event::Trace;
use crate::executor::{Executable, Executor, Ready, Typed};
use crate::identifier::{ApprovalId, EntityKey, IdempotencyKey};
use crate::json::{Excerpt, Json};
use crate::parameter::{ParameterFault, Written};
use crate::schema::{ApprovalRule, Text};

/// A proposal with everything worked out that does not depend on the entity.
pub struct Attempt<D: Executable> {
    /// The action; none when the domain has no such action.
    pub(super) action: Option<D>,
    /// The action's name as it goes on the record.
    pub(super) name: Text,
    /// The action with its parameters; none when they could not be read.
    pub(super) ready: Option<Box<dyn Ready<D>>>,
    /// What was found when the parameters were read and held to their rules.
    pub(super) checked: Result<(), ParameterFault>,
    /// The parameters; none when they are over a bound or no JSON.
    pub(super) parameters: Option<Json>,
    pub(super) reasons: Rationale,
    /// Whether the reasons are within their bounds.
    pub(super) within: Result<(), OverBound>,
    pub(super) approval: Option<ApprovalId>,
    pub(super) trace: Trace,
    pub(super) key: Option<IdempotencyKey>,
    /// The state that the entity has to be in, where whoever proposes this relies on one.
    pub(super) expected: Option<D::State>,
    /// What an approval of this would be bound to, once it has been asked for.
    binding: OnceLock<Option<Box<Binding>>>,
}

impl<D: Executable> Attempt<D> {
    /// An attempt of what goes on the record of `given`.
    ///
    /// INVARIANT: what is judged, and what runs, is what is on the record: it is read from there unless that says all there is. A
    /// type may write less of itself than it holds, and what nobody was shown must not run.
    fn written(action: D, given: Box<dyn Ready<D>>, bounds: &Bounds) -> Self {
        match given.encode(bounds) {
            Ok(Written { json, is_whole: true }) => Self::read(action, Ok(given), json),
            Ok(Written { json, is_whole: false }) => Self::read(action, read_written(action, &json), json),
            Err(fault) => Self::faulty(action, fault, None),
        }
    }

    fn read(action: D, read: Result<Box<dyn Ready<D>>, ParameterFault>, parameters: Json) -> Self {
        match read {
            Ok(ready) => {
                let unread = Self::unread(Some(action), action.contract().name.clone());
                Self { checked: ready.check(), ready: Some(ready), parameters: Some(parameters), ..unread }
            }
            Err(fault) => Self::faulty(action, fault, Some(parameters)),
        }
    }

    fn faulty(action: D, fault: ParameterFault, parameters: Option<Json>) -> Self {
        let unread = Self::unread(Some(action), action.contract().name.clone());
        Self { checked: Err(fault), parameters, ..unread }
    }

    fn unread(action: Option<D>, name: Text) -> Self {
        Self {
            action,
            name,
            ready: None,
            checked: Ok(()),
            parameters: None,
            reasons: Rationale::default(),
            within: Ok(()),
            approval: None,
            trace: Trace::default(),
            key: None,
            expected: None,
            binding: OnceLock::new(),
        }
    }

    fn named(call: &Call, bounds: &Bounds) -> Self {
        let given = Json::parameters(&call.parameters, bounds).map_err(ParameterFault::from);
        let Some(action) = D::from_name(&call.action) else {
            let name = Cow::Owned(Excerpt(&call.action).to_string());
            return Self { parameters: given.ok(), ..Self::unread(None, name) };
        };
        let given = match given {
            Ok(given) => given,
            Err(fault) => return Self::faulty(action, fault, None),
        };
        match action.entry().read(&given) {
            Ok(ready) => Self::written(action, ready, bounds),
            Err(fault) => Self::faulty(action, fault, Some(given)),
        }
    }

    /// Takes the parameters as they are written: its own once more, after a run that has to be tried again took them, or those that were
    /// approved. What means the same may be written otherwise, as in another order, and an executor may be one that looks at it.
    pub(super) fn take(&mut self, written: Json) {
        let Some(action) = self.action else {
            return;
        };
        match read_written(action, &written) {
            Ok(ready) => {
                self.checked = ready.check();
                self.ready = Some(ready);
            }
            Err(fault) => self.checked = Err(fault),
        }
        self.parameters = Some(written);
    }

    /// What an approval of this on `key` would be bound to; none where the contract asks for none.
    ///
    /// INVARIANT: an attempt is judged on one entity only, so that this is worked out once.
    pub(super) fn binding(&self, key: &EntityKey, fingerprint: Digest) -> Option<&Binding> {
        let bind = || {
            let (action, parameters) = (self.action?, self.parameters.as_ref()?);
            let contract = action.contract();
            matches!(contract.approval, ApprovalRule::By(_))
                .then(|| Box::new(Binding::of(key, contract, fingerprint, parameters, &self.reasons)))
        };
        self.binding.get_or_init(bind).as_deref()
    }
}

/// The parameters as they go on the record, read from there.
fn read_written<D: Executable>(action: D, written: &Json) -> Result<Box<dyn Ready<D>>, ParameterFault> {
    action.entry().read(written).map_err(ParameterFault::of_written)
}

/// What can be proposed: an action's parameters, a [`Call`], or a [`Proposal`] of one of them with its reasons.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no action of `{D}`",
    label = "not an action of `{D}`",
    note = "propose the parameters of an action, such as `RefundOrder {{ .. }}`, a `Call`, or a `Proposal` of one"
)]
pub trait Propose<D: Executable>: Send {
    /// The proposal with everything worked out that does not depend on the entity.
    #[doc(hidden)]
    fn attempt(self, bounds: &Bounds) -> Attempt<D>;
}

impl<D, A> Propose<D> for A
where
    D: Executable,
    A: Governed<D>,
    A::Declared: Executor<D, Action = A>,
{
    fn attempt(self, bounds: &Bounds) -> Attempt<D> {
        let action = A::Declared::ACTION;
        if !action.entry().is_of::<A::Declared>() {
            return Attempt::unread(None, Cow::Borrowed(std::any::type_name::<A>()));
        }
        Attempt::written(action, Box::new(Typed(self)), bounds)
    }
}

impl<D: Executable> Propose<D> for Call {
    fn attempt(self, bounds: &Bounds) -> Attempt<D> {
        Attempt::named(&self, bounds)
    }
}

impl<D: Executable, A: Propose<D>> Propose<D> for Proposal<A> {
    fn attempt(self, bounds: &Bounds) -> Attempt<D> {
        let inner = self.action.attempt(bounds);
        let within = self.reasons.check(bounds);
        // What is over a bound is told and not kept.
        let reasons = if within.is_ok() { self.reasons } else { Rationale::default() };
        // What is left open around a proposal is as the proposal has it: nobody who only adds a trace takes a key away.
        Attempt {
            reasons: if reasons.is_empty() { inner.reasons } else { reasons },
            within: inner.within.and(within),
            approval: self.approval.or(inner.approval),
            trace: if self.trace.is_empty() { inner.trace } else { self.trace },
            key: self.key.or(inner.key),
            ..inner
        }
    }
}

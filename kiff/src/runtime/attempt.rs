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
use crate::parameter::{ParameterFault, RecordedParameters};
use crate::schema::{ApprovalRule, Text};

/// A proposal with everything worked out that does not depend on the entity.
pub struct Attempt<D: Executable> {
    pub(super) asked: Asked<D>,
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

/// What an attempt asks for.
pub(super) enum Asked<D: Executable> {
    /// An action that the domain does not have, by its name as it goes on the record.
    Unknown {
        name: Text,
        /// None when they are over a bound or no JSON.
        parameters: Option<Json>,
    },
    /// An action whose parameters cannot be read, or break a rule.
    Faulty {
        action: D,
        fault: ParameterFault,
        /// None when they are over a bound or no JSON.
        parameters: Option<Json>,
    },
    /// An action with its parameters, which keep their rules.
    Read {
        action: D,
        /// None once a run has taken it: it is read once more from the parameters.
        ready: Option<Box<dyn Ready<D>>>,
        parameters: Json,
    },
}

impl<D: Executable> Asked<D> {
    fn named(call: &Call, bounds: &Bounds) -> Self {
        let given = Json::parameters(&call.parameters, bounds).map_err(ParameterFault::from);
        let Some(action) = D::from_name(&call.action) else {
            return Self::Unknown { name: Cow::Owned(Excerpt(&call.action).to_string()), parameters: given.ok() };
        };
        let given = match given {
            Ok(given) => given,
            Err(fault) => return Self::Faulty { action, fault, parameters: None },
        };
        match action.entry().read(&given) {
            Ok(ready) => Self::of_ready(action, ready, bounds),
            Err(fault) => Self::Faulty { action, fault, parameters: Some(given) },
        }
    }

    /// What goes on the record of `given`.
    ///
    /// INVARIANT: what is judged, and what runs, is what is on the record: it is read from there unless that says all there is. A
    /// type may write less of itself than it holds, and what nobody was shown must not run.
    fn of_ready(action: D, given: Box<dyn Ready<D>>, bounds: &Bounds) -> Self {
        match given.encode(bounds) {
            Ok(RecordedParameters { json, is_whole: true }) => Self::read(action, Ok(given), json),
            Ok(RecordedParameters { json, is_whole: false }) => Self::recorded(action, json),
            Err(fault) => Self::Faulty { action, fault, parameters: None },
        }
    }

    /// The parameters as they go on the record, read from there.
    fn recorded(action: D, written: Json) -> Self {
        let read = action.entry().read(&written).map_err(ParameterFault::of_recorded);
        Self::read(action, read, written)
    }

    fn read(action: D, read: Result<Box<dyn Ready<D>>, ParameterFault>, parameters: Json) -> Self {
        match read.and_then(|ready| ready.check().map(|()| ready)) {
            Ok(ready) => Self::Read { action, ready: Some(ready), parameters },
            Err(fault) => Self::Faulty { action, fault, parameters: Some(parameters) },
        }
    }
}

impl<D: Executable> Attempt<D> {
    fn of(asked: Asked<D>) -> Self {
        Self {
            asked,
            reasons: Rationale::default(),
            within: Ok(()),
            approval: None,
            trace: Trace::default(),
            key: None,
            expected: None,
            binding: OnceLock::new(),
        }
    }

    /// The action; none when the domain has no such action.
    pub(super) fn action(&self) -> Option<D> {
        match self.asked {
            Asked::Unknown { .. } => None,
            Asked::Faulty { action, .. } | Asked::Read { action, .. } => Some(action),
        }
    }

    /// The action's name as it goes on the record.
    pub(super) fn name(&self) -> &Text {
        match &self.asked {
            Asked::Unknown { name, .. } => name,
            Asked::Faulty { action, .. } | Asked::Read { action, .. } => &action.contract().name,
        }
    }

    /// The parameters; none when they are over a bound or no JSON.
    pub(super) fn parameters(&self) -> Option<&Json> {
        match &self.asked {
            Asked::Unknown { parameters, .. } | Asked::Faulty { parameters, .. } => parameters.as_ref(),
            Asked::Read { parameters, .. } => Some(parameters),
        }
    }

    /// Takes the parameters that were approved, as they are written: what means the same may be written otherwise, as in another
    /// order, and an executor may be one that looks at it.
    pub(super) fn rewrite(&mut self, written: Json) {
        if let Some(action) = self.action() {
            self.asked = Asked::recorded(action, written);
        }
    }

    /// Takes out what runs, read once more where a run before has taken it. None for what the gate does not let through; what
    /// cannot be read again is that from now on.
    pub(super) fn take_ready(&mut self) -> Option<Box<dyn Ready<D>>> {
        if let Asked::Read { action, ready: None, parameters } = &self.asked {
            self.asked = Asked::recorded(*action, parameters.clone());
        }
        match &mut self.asked {
            Asked::Read { ready, .. } => ready.take(),
            Asked::Unknown { .. } | Asked::Faulty { .. } => None,
        }
    }

    /// Puts back what was taken out and did not run.
    pub(super) fn put_back(&mut self, taken: Box<dyn Ready<D>>) {
        if let Asked::Read { ready, .. } = &mut self.asked {
            *ready = Some(taken);
        }
    }

    /// What an approval of this on `key` would be bound to; none where the contract asks for none.
    ///
    /// INVARIANT: an attempt is judged on one entity only, so that this is worked out once.
    pub(super) fn binding(&self, key: &EntityKey, fingerprint: Digest) -> Option<&Binding> {
        let bind = || {
            let (contract, parameters) = (self.action()?.contract(), self.parameters()?);
            matches!(contract.approval, ApprovalRule::By(_))
                .then(|| Box::new(Binding::under(contract, fingerprint, key, parameters, &self.reasons)))
        };
        self.binding.get_or_init(bind).as_deref()
    }
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
        let asked = if action.entry().is_of::<A::Declared>() {
            Asked::of_ready(action, Box::new(Typed(self)), bounds)
        } else {
            Asked::Unknown { name: Cow::Borrowed(std::any::type_name::<A>()), parameters: None }
        };
        Attempt::of(asked)
    }
}

impl<D: Executable> Propose<D> for Call {
    fn attempt(self, bounds: &Bounds) -> Attempt<D> {
        Attempt::of(Asked::named(&self, bounds))
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

#[cfg(test)]
mod tests {
    use super::{Asked, Attempt, Propose};
    use crate::{Bounds, Call, Failure, action, domain};

    domain! {
        domain Desk governs Ticket;
        roles { Clerk: agent, Visitor: system }
        states { Open, final Closed }
        events { TicketOpened reported by Visitor; TicketClosed { note: String }; }
        transitions { TicketOpened: new => Open; TicketClosed: Open => Closed; }
        actions { CloseTicket { risk: low, by: Clerk, emits: TicketClosed }; }
        allow { Open => [CloseTicket]; }
    }

    #[action(Desk::CloseTicket)]
    async fn close_ticket(#[param(length(min = 1))] note: String) -> Result<TicketClosed, Failure> {
        Ok(TicketClosed { note })
    }

    fn attempt(action: &'static str, parameters: &'static str) -> Attempt<Desk> {
        Propose::<Desk>::attempt(Call::new(action, parameters), &Bounds::DEFAULT)
    }

    #[test]
    fn what_a_run_has_taken_is_read_again_for_the_next() {
        let mut attempt = attempt("CLOSE_TICKET", r#"{"note": "done"}"#);
        assert!(attempt.take_ready().is_some());
        assert!(attempt.take_ready().is_some());
    }

    #[test]
    fn what_is_unknown_or_at_fault_has_nothing_to_run() {
        let mut unknown = attempt("OPEN_TICKET", "{}");
        assert!(matches!(unknown.asked, Asked::Unknown { .. }) && unknown.take_ready().is_none());
        let mut faulty = attempt("CLOSE_TICKET", r#"{"note": ""}"#);
        assert!(matches!(faulty.asked, Asked::Faulty { parameters: Some(_), .. }) && faulty.take_ready().is_none());
    }
}

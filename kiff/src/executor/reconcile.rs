//! What became of a run of which nobody knows how it ended: the fn that asks, what it answers, and the door to it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use super::{Execution, Executor};
use crate::action::{Declared, Failure};
use crate::domain::{Domain, Emitted};
use crate::json::Json;
use crate::parameter::Fields;
use crate::signature::IsExactly;

/// What the outside world says of a run of which nobody knows how it ended.
///
/// ```
/// use kiff::{Cents, Execution, Failure, Reconciled, action, domain, reconcile};
///
/// # domain! {
/// #     pub domain Refund governs Order;
/// #     services Bank;
/// #     roles { Agent: agent, Operator: human, Shop: system }
/// #     states { Paid, final Refunded }
/// #     events { OrderPaid { total: Cents } reported by Shop; OrderRefunded { amount: Cents }; }
/// #     transitions { OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }
/// #     actions { RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }; }
/// #     allow { Paid => [RefundOrder]; }
/// # }
/// # pub struct Bank;
/// # impl Bank {
/// #     fn pay_back(&self, _key: &str, _amount: Cents) -> Result<(), Failure> { Ok(()) }
/// #     fn find(&self, _key: &str) -> Result<Option<Cents>, Failure> { Ok(None) }
/// # }
/// /// Pays the customer back.
/// #[action(Refund::RefundOrder)]
/// async fn refund_order(bank: &Bank, execution: &Execution, amount: Cents) -> Result<OrderRefunded, Failure> {
///     bank.pay_back(execution.id().as_str(), amount)?;
///     Ok(OrderRefunded { amount })
/// }
///
/// /// Asks the bank what became of a payment of which nobody knows how it ended.
/// #[reconcile(Refund::RefundOrder)]
/// async fn find_refund(bank: &Bank, execution: &Execution) -> Result<Reconciled<OrderRefunded>, Failure> {
///     Ok(match bank.find(execution.id().as_str())? {
///         Some(amount) => Reconciled::Happened(OrderRefunded { amount }),
///         None => Reconciled::DidNotHappen,
///     })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciled<E> {
    /// It happened, and this is the event that the executor did not live to tell.
    Happened(E),
    /// It did not happen, and it will not happen any more: the action may be proposed again.
    DidNotHappen,
    /// The outside world does not know, or not yet.
    Unknown,
}

impl<E> Reconciled<E> {
    fn map<T>(self, into: impl FnOnce(E) -> T) -> Reconciled<T> {
        match self {
            Self::Happened(event) => Reconciled::Happened(into(event)),
            Self::DidNotHappen => Reconciled::DidNotHappen,
            Self::Unknown => Reconciled::Unknown,
        }
    }
}

/// An action that touches something outside of the journal, so that nobody may know how a run of it ended.
#[diagnostic::on_unimplemented(
    message = "action `{Self}` touches nothing outside, so that there is nothing to reconcile",
    label = "declared with `effect: none`",
    note = "how each run of it ended is known from the journal: take the fn away, or take `effect: none` from the action"
)]
pub trait Outside {}

/// An action with a fn that asks the outside world what became of a run: what `#[reconcile]` makes of an async fn.
pub trait Reconciles<D: Domain, Name = <Self as Declared>::Name>: Declared<Domain = D> + Outside {
    /// Whether what it takes of what was recorded can be read.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read any more.
    #[doc(hidden)]
    fn reads(recorded: &Json) -> Result<(), Failure>;

    /// Asks. It takes what was recorded when the run started, and answers with what came of it.
    fn reconcile<'a>(
        parameters: &'a Json,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> impl Future<Output = Result<Reconciled<Self::Emits>, Failure>> + Send + 'a;
}

/// What a reconcile fn returns: what it found of the event that the block says its action emits, or a [`Failure`].
#[diagnostic::on_unimplemented(
    message = "the reconcile fn returns `{Self}`, and must return `Result<Reconciled<{Emits}>, Failure>`",
    label = "not a `Result<Reconciled<{Emits}>, Failure>`",
    note = "it tells what became of the event that the block names after `emits`, or a `kiff::Failure`, which leaves it unknown"
)]
pub trait Finding<Emits> {
    /// The same finding, known to be one.
    ///
    /// # Errors
    /// The fn's own [`Failure`].
    #[doc(hidden)]
    fn into_finding(self) -> Result<Reconciled<Emits>, Failure>;
}

#[diagnostic::do_not_recommend]
impl<T, R: IsExactly<Result<Reconciled<T>, Failure>>> Finding<T> for R {
    fn into_finding(self) -> Result<Reconciled<T>, Failure> {
        self.same()
    }
}

/// What an action recorded as a parameter, as its reconcile fn takes it: as the same type.
#[diagnostic::on_unimplemented(
    message = "the reconcile fn takes `{Taken}`, and this parameter of its action is `{Self}`",
    label = "write `{Self}` here",
    note = "a reconcile fn takes what was recorded, as its executor did: any of its action's parameters, by name and type"
)]
pub trait Recorded<Taken> {}

#[diagnostic::do_not_recommend]
impl<T> Recorded<T> for T {}

/// Holds what a reconcile fn takes to the parameter of its action.
pub fn recorded<P: Recorded<T>, T>(_: P) {}

/// What a reconcile fn takes of what was recorded, once all of it was looked for.
///
/// # Errors
/// [`Failure`] when it cannot be read any more.
pub fn taken<T>(recorded: Fields<'_>, read: Option<T>) -> Result<T, Failure> {
    let failure = |fault| Failure::unknown(format!("what was recorded cannot be read any more: {fault}"));
    recorded.finish(read).map_err(failure)
}

/// What was found on its way. An action that emits nothing has no event to tell.
pub(crate) type Found<'a, D> =
    Pin<Box<dyn Future<Output = Result<Reconciled<Option<<D as Domain>::Event>>, Failure>> + Send + 'a>>;

/// The way to an action's reconcile fn.
pub struct Ask<D: Domain> {
    /// Whether it could take what was recorded.
    pub(crate) reads: fn(&Json) -> Result<(), Failure>,
    /// Asks with the recorded parameters.
    pub(crate) ask: for<'a> fn(&'a Json, &'a D::Services, &'a Execution) -> Found<'a, D>,
}

/// Asks generated code whether an action has a reconcile fn, `Asks::<Refund, refund::RefundOrder>::ANSWER`, and for the parameters
/// of its executor.
///
/// It is asked by constant, as the module `probe` says: an action that [`Reconciles`] or has an executor answers itself, and any other by
/// [`AsksNobody`]. So an action without such a fn needs not a word, and one without an executor is told of at its place in the block alone.
pub struct Asks<D, A>(PhantomData<fn() -> (D, A)>);

impl<D, A> Asks<D, A> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<D: Domain, A: Reconciles<D>> Asks<D, A> {
    /// The way to the fn.
    pub const ANSWER: Option<Ask<D>> = Some(Ask { reads: <A as Reconciles<D>>::reads, ask: ask::<D, A> });
}

impl<D: Domain, A: Executor<D>> Asks<D, A> {
    /// What the executor takes, as a type alone: there is no value of it.
    #[must_use]
    pub fn parameters<Own>(&self) -> Option<A::Action> {
        None
    }
}

/// What [`Asks`] answers of all other actions.
pub trait AsksNobody<D: Domain> {
    /// No way.
    const ANSWER: Option<Ask<D>> = None;

    /// What the reconcile fn of an action without an executor takes for its parameters: its own, so that rustc is content with it.
    fn parameters<Own>(&self) -> Option<Own> {
        None
    }
}

impl<D: Domain, A> AsksNobody<D> for Asks<D, A> {}

impl<D, A> std::fmt::Debug for Asks<D, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asks")
    }
}

fn ask<'a, D: Domain, A: Reconciles<D>>(
    parameters: &'a Json,
    services: &'a D::Services,
    execution: &'a Execution,
) -> Found<'a, D> {
    Box::pin(async move {
        let found = A::reconcile(parameters, services, execution).await?;
        Ok(found.map(Emitted::<D>::into_event))
    })
}

#[cfg(test)]
mod tests {
    use crate::executor::{Executable, Execution};
    use crate::{
        Actor, Bounds, Cents, Domain, ExecutionId, Failure, Json, Reconciled, Trace, action, domain, reconcile,
    };

    struct Bank(Result<bool, &'static str>);

    domain! {
        domain Refund governs Order;
        services Bank;
        roles { Agent: agent, Operator: human, Shop: system }
        states { Paid, final Refunded }
        events { OrderPaid { total: Cents } reported by Shop; OrderRefunded { amount: Cents, reason: String }; }
        transitions { OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }
        actions {
            RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
            Remind { risk: low, by: Agent, emits: none };
            Warn { risk: low, by: Agent, emits: none };
            Look { risk: low, by: Agent, emits: none };
        }
        allow { Paid => [RefundOrder, Remind, Warn, Look]; }
    }

    #[action(Refund::RefundOrder)]
    async fn refund_order(amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded { amount, reason })
    }

    #[reconcile(Refund::RefundOrder)]
    async fn find_refund(
        reason: String,
        execution: &Execution,
        bank: &Bank,
        amount: Cents,
    ) -> Result<Reconciled<OrderRefunded>, Failure> {
        match bank.0 {
            Ok(true) => {
                Ok(Reconciled::Happened(OrderRefunded { amount, reason: format!("{}: {reason}", execution.id()) }))
            }
            Ok(false) => Ok(Reconciled::DidNotHappen),
            Err(why) => Err(Failure::unknown(why)),
        }
    }

    #[action(Refund::Remind)]
    async fn remind(text: Option<String>) -> Result<(), Failure> {
        drop(text);
        Ok(())
    }

    #[reconcile(Refund::Remind)]
    async fn was_reminded(text: Option<String>) -> Result<Reconciled<()>, Failure> {
        Ok(if text.is_some() { Reconciled::Happened(()) } else { Reconciled::Unknown })
    }

    #[action(Refund::Warn)]
    async fn warn(text: String, level: u8) -> Result<(), Failure> {
        drop((text, level));
        Ok(())
    }

    #[reconcile(Refund::Warn)]
    async fn was_warned(text: String) -> Result<Reconciled<()>, Failure> {
        Ok(if text.is_empty() { Reconciled::Unknown } else { Reconciled::Happened(()) })
    }

    #[action(Refund::Look)]
    async fn look() -> Result<(), Failure> {
        Ok(())
    }

    fn found(action: Refund, parameters: &str, bank: Result<bool, &'static str>) -> Result<String, Failure> {
        let ask = action.entry().reconcile().expect("it has a reconcile fn");
        let parameters = Json::parameters(parameters, &Bounds::default()).unwrap();
        let execution = Execution {
            id: ExecutionId::new("x-1").unwrap(),
            entity: <Refund as Domain>::entity("ord-1").unwrap(),
            actor: Actor::system("shop").unwrap(),
            approval: None,
            trace: Trace::default(),
        };
        let found = pollster::block_on((ask.ask)(&parameters, &Bank(bank), &execution))?;
        Ok(match found {
            Reconciled::Happened(Some(OrderEvent::OrderRefunded(event))) => {
                format!("{} {}", event.amount, event.reason)
            }
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn a_reconcile_fn_hears_what_was_recorded() {
        let parameters = r#"{"amount": 4900, "reason": "broken"}"#;
        assert_eq!(found(Refund::RefundOrder, parameters, Ok(true)).unwrap(), format!("{} x-1: broken", Cents(4900)));
        assert_eq!(found(Refund::RefundOrder, parameters, Ok(false)).unwrap(), "DidNotHappen");
        let failure = found(Refund::RefundOrder, parameters, Err("no answer")).unwrap_err();
        assert_eq!(failure.message(), "no answer");
    }

    #[test]
    fn what_cannot_be_read_any_more_is_still_unknown() {
        let failure = found(Refund::RefundOrder, r#"{"amount": 4900}"#, Ok(true)).unwrap_err();
        assert!(failure.is_unknown());
        assert!(failure.message().starts_with("what was recorded cannot be read any more: "), "{failure}");
    }

    #[test]
    fn what_a_reconcile_fn_does_not_take_may_have_changed_since() {
        assert_eq!(found(Refund::Warn, r#"{"reason": "late", "text": "pay"}"#, Ok(true)).unwrap(), "Happened(None)");
        assert_eq!(found(Refund::Warn, r#"{"level": "high", "text": "pay"}"#, Ok(true)).unwrap(), "Happened(None)");
        let failure = found(Refund::Warn, r#"{"reason": "late", "level": 1}"#, Ok(true)).unwrap_err();
        assert_eq!(failure.message(), "what was recorded cannot be read any more: the parameter `text` is missing");
        assert!(
            Refund::Warn.entry().read(&Json::parameters(r#"{"text": "pay"}"#, &Bounds::default()).unwrap()).is_err()
        );
    }

    #[test]
    fn an_action_that_emits_nothing_has_no_event_to_find() {
        assert_eq!(found(Refund::Remind, r#"{"text": "pay"}"#, Ok(true)).unwrap(), "Happened(None)");
        assert_eq!(found(Refund::Remind, "{}", Ok(true)).unwrap(), "Unknown");
    }

    #[test]
    fn an_action_without_one_has_no_way_to_ask() {
        assert!(Refund::Look.entry().reconcile().is_none());
    }
}

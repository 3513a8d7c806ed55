//! Running an action: the executor, what it is told, and the one way to call it.

mod reconcile;

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;

use crate::action::{Action, Declared, Failure, Governed};
use crate::actor::Actor;
use crate::bounds::Bounds;
use crate::domain::{Domain, Emitted};
use crate::event::Trace;
use crate::identifier::{ApprovalId, EntityKey, ExecutionId};
use crate::json::Json;
use crate::parameter::{Members, ParameterFault, RecordedParameters};
use crate::probe::Shapes;
use crate::schema::Parameter;
use crate::verdict::{Judged, Permit};

use self::reconcile::Ask;
pub use self::reconcile::{Asks, AsksNobody, Finding, Outside, Reconciled, Reconciles, Recorded, recorded, taken};

/// What an executor is told about its run, besides its parameters.
///
/// ```
/// # use kiff::Execution;
/// async fn pay_back(execution: &Execution) {
///     // The outside world must do this once, however often it is asked:
///     let idempotency_key = execution.id().as_str();
/// #   let _ = idempotency_key;
/// }
/// ```
#[derive(Debug)]
pub struct Execution {
    pub(crate) id: ExecutionId,
    pub(crate) entity: EntityKey,
    pub(crate) actor: Actor,
    pub(crate) approval: Option<ApprovalId>,
    pub(crate) trace: Trace,
}

impl Execution {
    /// The run's number: hand it to the outside world as its idempotency key.
    #[must_use]
    pub const fn id(&self) -> &ExecutionId {
        &self.id
    }

    /// On what it runs.
    #[must_use]
    pub const fn entity(&self) -> &EntityKey {
        &self.entity
    }

    /// Who asked.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The approval that it runs under.
    #[must_use]
    pub const fn approval(&self) -> Option<&ApprovalId> {
        self.approval.as_ref()
    }

    /// Which story it belongs to.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// The executor of a declared action: what `#[action]` makes of an async fn.
#[diagnostic::on_unimplemented(
    message = "action `{Self}` of `{D}` has no executor",
    label = "no executor",
    note = "write one: an async fn under `#[action({D}::{Self})]`"
)]
pub trait Executor<D: Domain>: Declared<Domain = D> + Sized {
    /// The parameters that it takes.
    type Action: Governed<D, Declared = Self>;

    /// Its parameters as data.
    const PARAMETERS: &'static [Parameter] = Self::Action::PARAMETERS;

    /// The door for callers who know the action by name only.
    const ENTRY: Entry<D> = Entry {
        declared: TypeId::of::<Self>,
        parameters: Self::PARAMETERS,
        documentation: Self::Action::DOCUMENTATION,
        shapes: Self::Action::shapes,
        read: read::<D, Self>,
        reconcile: None,
    };

    /// Does it. The permit is spent by the call.
    fn run<'a>(
        permit: Permit<'a, Self>,
        action: Self::Action,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> impl Future<Output = Result<Self::Emits, Failure>> + Send + 'a;
}

/// An executor as `#[action]` writes it; whatever has this is an [`Executor`].
///
/// The two are apart so that rustc, where an executor is missing, lists no implementation that nobody wrote by hand.
pub trait Executes<D: Domain, Name>: Declared<Domain = D> + Sized {
    /// The parameters that it takes.
    type Action: Governed<D, Declared = Self>;

    /// Does it. The permit is spent by the call.
    fn run<'a>(
        permit: Permit<'a, Self>,
        action: Self::Action,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> impl Future<Output = Result<Self::Emits, Failure>> + Send + 'a;
}

#[diagnostic::do_not_recommend]
impl<D: Domain, E: Declared + Executes<D, <E as Declared>::Name>> Executor<D> for E {
    type Action = E::Action;

    fn run<'a>(
        permit: Permit<'a, Self>,
        action: Self::Action,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> impl Future<Output = Result<Self::Emits, Failure>> + Send + 'a {
        <E as Executes<D, E::Name>>::run(permit, action, services, execution)
    }
}

/// What an action that is allowed somewhere must have, in a domain with services. `Function` is a type with the name that its
/// fn would have: a message can show it.
#[diagnostic::on_unimplemented(
    message = "action `{Self}` of `{D}` is allowed but has no executor",
    label = "no executor",
    note = "write one: `#[action({D}::{Self})] async fn {Function}(services: &{Services}, /* parameters */) -> \
            Result<{Emits}, Failure> {{ … }}`"
)]
pub trait RunsWith<D: Domain, Services, Emits, Function>: Declared<Domain = D> {
    /// The door for callers who know the action by name only.
    const ENTRY: Entry<D>;
}

#[diagnostic::do_not_recommend]
impl<D: Domain, E: Executor<D>, Function> RunsWith<D, D::Services, E::Emits, Function> for E {
    const ENTRY: Entry<D> = <E as Executor<D>>::ENTRY;
}

/// What an action that is allowed somewhere must have, in a domain without services; `Function` as in [`RunsWith`].
#[diagnostic::on_unimplemented(
    message = "action `{Self}` of `{D}` is allowed but has no executor",
    label = "no executor",
    note = "write one: `#[action({D}::{Self})] async fn {Function}(/* parameters */) -> Result<{Emits}, Failure> {{ … }}`"
)]
pub trait RunsAlone<D: Domain, Emits, Function>: Declared<Domain = D> {
    /// The door for callers who know the action by name only.
    const ENTRY: Entry<D>;
}

#[diagnostic::do_not_recommend]
impl<D: Domain, E: Executor<D>, Function> RunsAlone<D, E::Emits, Function> for E {
    const ENTRY: Entry<D> = <E as Executor<D>>::ENTRY;
}

/// What an executor replies: its event, if its action emits one.
pub(crate) type ExecutorReply<D> = Result<Option<<D as Domain>::Event>, Failure>;

/// An executor's reply on its way.
pub(crate) type Replying<'a, D> = Pin<Box<dyn Future<Output = ExecutorReply<D>> + Send + 'a>>;

/// An action together with its parameters, whatever the action: what the runtime judges and runs.
pub(crate) trait Ready<D: Domain>: Send + Sync {
    /// Holds the parameters to their rules.
    fn check(&self) -> Result<(), ParameterFault>;

    /// Writes the parameters.
    fn encode(&self, bounds: &Bounds) -> Result<RecordedParameters, ParameterFault>;

    /// Runs the executor; none when the permit is for another action.
    fn run<'a>(
        self: Box<Self>,
        permit: Permit<'a, Judged<D>>,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> Option<Replying<'a, D>>;
}

/// A typed action that is ready to be judged.
pub(crate) struct Typed<A>(pub(crate) A);

impl<D, A> Ready<D> for Typed<A>
where
    D: Domain,
    A: Governed<D>,
    A::Declared: Executor<D, Action = A>,
{
    fn check(&self) -> Result<(), ParameterFault> {
        self.0.check()
    }

    fn encode(&self, bounds: &Bounds) -> Result<RecordedParameters, ParameterFault> {
        let mut members = Members::default();
        self.0.write(&mut members);
        members.finish(bounds)
    }

    fn run<'a>(
        self: Box<Self>,
        permit: Permit<'a, Judged<D>>,
        services: &'a D::Services,
        execution: &'a Execution,
    ) -> Option<Replying<'a, D>> {
        let permit = permit.for_executor()?;
        // Called where its panics are caught, also those before its first await.
        Some(Box::pin(
            async move { A::Declared::run(permit, self.0, services, execution).await.map(Emitted::into_event) },
        ))
    }
}

/// The parameters of some action, read from JSON.
type ReadParameters<D> = Result<Box<dyn Ready<D>>, ParameterFault>;

/// The door to one executor for callers who know its action by name only.
pub struct Entry<D: Domain> {
    /// The declaration whose executor it leads to.
    declared: fn() -> TypeId,
    parameters: &'static [Parameter],
    documentation: &'static str,
    shapes: fn(&mut Shapes),
    read: fn(&Json) -> ReadParameters<D>,
    reconcile: Option<Ask<D>>,
}

impl<D: Domain> Entry<D> {
    /// The door of an action, with the fn that asks what became of a run, if it has one.
    #[doc(hidden)]
    #[must_use]
    pub const fn of(mut executor: Self, reconcile: Option<Ask<D>>) -> Self {
        executor.reconcile = reconcile;
        executor
    }

    /// Whether it leads to the executor of this declaration, and not to one that somebody else wrote for an action of its name.
    pub(crate) fn is_of<E: Declared<Domain = D>>(&self) -> bool {
        (self.declared)() == TypeId::of::<E>()
    }

    /// The action's parameters as data.
    #[must_use]
    pub const fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    /// The doc comment of the executor.
    #[must_use]
    pub const fn documentation(&self) -> &'static str {
        self.documentation
    }

    /// Asks the type of each parameter, in their order, what it looks like as JSON.
    #[doc(hidden)]
    pub fn shapes(&self, shapes: &mut Shapes) {
        (self.shapes)(shapes);
    }

    pub(crate) fn read(&self, parameters: &Json) -> ReadParameters<D> {
        (self.read)(parameters)
    }

    /// The way to the fn that asks what became of a run; none where the action has no such fn.
    ///
    /// It takes the parameters as they were recorded. Where those that the fn takes cannot be read, that is a [`Failure`] as
    /// any other: it is still not known how the run ended.
    pub(crate) const fn reconcile(&self) -> Option<&Ask<D>> {
        self.reconcile.as_ref()
    }

    /// Whether the fn that asks what became of a run could take what was recorded; none where the action has no such fn.
    #[doc(hidden)]
    #[must_use]
    pub fn reads_recorded(&self, recorded: &Json) -> Option<Result<(), Failure>> {
        self.reconcile().map(|ask| (ask.reads)(recorded))
    }
}

impl<D: Domain> std::fmt::Debug for Entry<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}

fn read<D: Domain, E: Executor<D>>(parameters: &Json) -> ReadParameters<D> {
    Ok(Box::new(Typed(E::Action::decode(parameters)?)))
}

/// A domain whose every allowed action has an executor.
pub trait Executable: Domain {
    /// The door to this action's executor.
    fn entry(self) -> &'static Entry<Self>;
}

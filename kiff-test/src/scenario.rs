//! A domain's tests as they are told: given a history, when somebody proposes, then this is what comes of it.

use std::time::Duration;

use kiff::{Event, Executable, Incoming, Propose, Review};

use crate::actors::{Actors, Who};
use crate::wait::block_on;

mod stage;
mod then;

use stage::{Answer, Stage};
pub use then::Then;

/// Starts a test of a domain with the services that its executors get.
///
/// The entity is new, the clock stands still at the start of 2026, identifiers count, and each role is held by two
/// [`Actors`]. A test that names no actor takes whoever may.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff::ReasonCode;
/// use kiff_test::given;
///
/// given::<Refund>(RefundDesk::default())
///     .event(OrderPlaced { total: Cents(99_900) })
///     .when(RefundRole::Agent, RefundOrder { amount: Cents(4_900), reason: "damaged".into() })
///     .then()
///     .blocked(ReasonCode::StateNotAllowed)
///     .state(OrderState::Created);
/// # }
/// ```
#[must_use = "a test that only begins tests nothing"]
#[track_caller]
pub fn given<D: Executable>(services: D::Services) -> Given<D> {
    Given(Stage::new(services))
}

/// The history before the step that is tested. What does not fit into it fails the test.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff_test::given;
///
/// let refund = |amount| RefundOrder { amount: Cents(amount), reason: "damaged".into() };
/// given::<Refund>(RefundDesk::default())
///     .event(OrderPlaced { total: Cents(99_900) })
///     .action(MarkPaid { payment_id: "pay-1".into() })
///     .granted(RefundRole::Agent, refund(49), RefundRole::Operator)
///     .when(RefundRole::Agent, refund(999_999))
///     .then()
///     .approval_required()
///     .because("approval `approval-1` is for other parameters");
/// # }
/// ```
#[must_use = "a history alone tests nothing: call `when`"]
#[derive(Debug)]
pub struct Given<D: Executable>(Stage<D>);

impl<D: Executable> Given<D> {
    /// The same test on the entity of that id.
    ///
    /// # Panics
    /// When it is no identifier, as everything here panics that makes the test a wrong one.
    #[track_caller]
    pub fn entity(mut self, id: &str) -> Self {
        self.0.turn_to(id);
        self
    }

    /// The event happened.
    ///
    /// One that can be reported is reported, by whoever may. One that only an action makes happen is written into the
    /// journal without running the executor, so that a spy sees nothing of the history.
    ///
    /// # Panics
    /// When the event leads nowhere from where the entity is.
    #[track_caller]
    pub fn event(self, event: impl Into<D::Event>) -> Self {
        let event = event.into();
        let reporter =
            D::schema().event(event.name()).and_then(|schema| Actors::<D>::able(&schema.report).into_iter().next());
        match reporter {
            Some(reporter) => self.0.report(&reporter, &event),
            None => self.0.write(&event),
        }
        self
    }

    /// The events happened, in this order; see [`Given::event`].
    ///
    /// # Panics
    /// When one of them leads nowhere from where the entity is.
    #[track_caller]
    pub fn events(mut self, events: impl IntoIterator<Item = D::Event>) -> Self {
        for event in events {
            self = self.event(event);
        }
        self
    }

    /// The action was executed by whoever may, signed off by whoever may where it needs that; its executor runs.
    ///
    /// # Panics
    /// When nobody may, or the executor fails.
    #[track_caller]
    pub fn action(self, proposal: impl Propose<D> + Clone) -> Self {
        self.0.act(proposal);
        self
    }

    /// `who` asked for a sign-off of exactly this, and `approver` granted it; nothing ran yet.
    ///
    /// # Panics
    /// When it could not be asked for, or `approver` may not grant it.
    #[track_caller]
    pub fn granted<By, ByApprover>(
        self,
        who: impl Who<D, By>,
        proposal: impl Propose<D>,
        approver: impl Who<D, ByApprover>,
    ) -> Self {
        let asked = self.0.ask(&who.actor(), proposal);
        self.0.review(&approver.actor(), &asked, Review::grant());
        self
    }

    /// Time passed.
    pub fn after(self, duration: Duration) -> Self {
        self.0.clock.advance(duration);
        self
    }

    /// `who`, a role or an actor, proposes to act.
    #[track_caller]
    pub fn when<By, P: Propose<D> + Clone>(mut self, who: impl Who<D, By>, proposal: P) -> When<D, P> {
        self.0.mark();
        When { stage: self.0, actor: who.actor(), proposal }
    }

    /// `who`, a role or an actor, reports an event.
    #[track_caller]
    pub fn when_reported<By>(mut self, who: impl Who<D, By>, event: impl Incoming<D>) -> Then<D> {
        self.0.mark();
        let verdict = self.0.sure(block_on(self.0.runtime.ingest(&who.actor(), &self.0.key, event)));
        Then::new(self.0, Answer::Verdict(verdict.map(drop)), None)
    }
}

/// A proposal that is about to be made.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff::{ActorKind, ReasonCode, Review};
/// use kiff_test::{Actors, given};
///
/// let stranger = Actors::<Refund>::new().stranger(ActorKind::Human);
/// given::<Refund>(RefundDesk::default())
///     .event(OrderPlaced { total: Cents(99_900) })
///     .event(OrderPaid { payment_id: "pay-1".into() })
///     .when(RefundRole::Agent, RefundOrder { amount: Cents(49), reason: "damaged".into() })
///     .reviewed_by(&stranger, Review::grant())
///     .blocked(ReasonCode::PermissionDenied);
/// # }
/// ```
#[must_use = "a proposal that is not made tests nothing: call `then`"]
#[derive(Debug)]
pub struct When<D: Executable, P> {
    stage: Stage<D>,
    actor: kiff::Actor,
    proposal: P,
}

impl<D: Executable, P: Propose<D> + Clone> When<D, P> {
    /// Its actor asks for a sign-off of exactly this before, and `approver` grants it.
    ///
    /// # Panics
    /// When it needs no sign-off, or `approver` may not grant it: test that with [`When::reviewed_by`].
    #[track_caller]
    pub fn approved_by<By>(self, approver: impl Who<D, By>) -> Self {
        self.answered(&approver.actor(), Review::grant())
    }

    /// Its actor asks for a sign-off of exactly this before, and `approver` denies it.
    ///
    /// # Panics
    /// When it needs no sign-off, or `approver` may not deny it.
    #[track_caller]
    pub fn denied_by<By>(self, approver: impl Who<D, By>) -> Self {
        self.answered(&approver.actor(), Review::deny())
    }

    /// `reviewer` withdraws what [`approved_by`](When::approved_by) granted.
    ///
    /// # Panics
    /// When nothing is granted, or `reviewer` may not withdraw it.
    #[track_caller]
    pub fn withdrawn_by<By>(self, reviewer: impl Who<D, By>) -> Self {
        let granted = self.stage.last_granted();
        self.stage.review(&reviewer.actor(), &granted, Review::withdraw());
        self
    }

    #[track_caller]
    fn answered(self, approver: &kiff::Actor, review: Review) -> Self {
        let asked = self.stage.ask(&self.actor, self.proposal.clone());
        self.stage.review(approver, &asked, review);
        self
    }

    /// Its actor asks for a sign-off, `reviewer` answers, and the answer is what is tested: whether it counts.
    ///
    /// # Panics
    /// When the sign-off cannot be asked for.
    #[track_caller]
    pub fn reviewed_by<By>(self, reviewer: impl Who<D, By>, review: Review) -> Then<D, P> {
        let asked = self.stage.ask(&self.actor, self.proposal.clone());
        let verdict = self.stage.answer(&reviewer.actor(), &asked, review);
        Then::new(self.stage, Answer::Verdict(verdict.map(drop)), Some((self.actor, self.proposal)))
    }

    /// Time passes.
    pub fn after(self, duration: Duration) -> Self {
        self.stage.clock.advance(duration);
        self
    }

    /// Makes the proposal: what came of it is what is tested.
    #[track_caller]
    pub fn then(self) -> Then<D, P> {
        let Self { stage, actor, proposal } = self;
        let outcome = stage.sure(block_on(stage.runtime.execute(&actor, &stage.key, proposal.clone())));
        Then::new(stage, Answer::Execution(outcome), Some((actor, proposal)))
    }

    /// Only asks whether the proposal may run now: the dry run, which leaves no record.
    #[track_caller]
    pub fn then_evaluated(self) -> Then<D, P> {
        let Self { stage, actor, proposal } = self;
        let verdict = stage.sure(block_on(stage.runtime.evaluate(&actor, &stage.key, proposal.clone())));
        Then::new(stage, Answer::Verdict(verdict), Some((actor, proposal)))
    }
}

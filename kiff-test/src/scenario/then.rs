//! What a told test expects.

#![expect(clippy::return_self_not_must_use, reason = "a chain of expectations ends with one")]

use std::sync::Arc;
use std::time::Duration;

use kiff::{Actor, Entity, EntityKey, Executable, Incoming, Outcome, Propose, ReasonCode, Runtime, Timeline};

use crate::actors::Who;
use crate::replay;

use super::stage::{Answer, Stage, shown};
use super::{Given, When};

mod doubt;

/// What came of the step that is tested. Each expectation that does not hold fails the test and shows the timeline.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff_test::given;
///
/// let desk = RefundDesk::default();
/// desk.bank.refuse_next("the bank declined");
/// given::<Refund>(desk)
///     .event(OrderPlaced { total: Cents(99_900) })
///     .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
///     .then()
///     .failed("error")
///     .because("the bank declined")
///     .recorded(["action_validated", "action_started", "action_failed"])
///     .again()
///     .executed(OrderPaid { payment_id: "pay-1".into() })
///     .services(|desk| assert_eq!(desk.bank.count(), 2))
///     .allows(["REFUND_ORDER"])
///     .replays();
/// # }
/// ```
#[derive(Debug)]
pub struct Then<D: Executable, P = ()> {
    stage: Stage<D>,
    answer: Answer<D>,
    proposed: Option<(Actor, P)>,
}

impl<D: Executable, P> Then<D, P> {
    pub(super) const fn new(stage: Stage<D>, answer: Answer<D>, proposed: Option<(Actor, P)>) -> Self {
        Self { stage, answer, proposed }
    }

    #[track_caller]
    fn expect(self, holds: bool, expected: &str) -> Self {
        if !holds {
            self.stage.fail(format_args!("expected: {expected}\nbut it was: {}", self.answer));
        }
        self
    }

    /// The executor ran and answered with exactly this event.
    #[track_caller]
    pub fn executed(self, event: impl Into<D::Event>) -> Self {
        let expected = shown(&event.into());
        let holds = match &self.answer {
            Answer::Execution(Outcome::Executed(done)) if !done.deduplicated => {
                done.event.as_ref().is_some_and(|event| shown(event) == expected)
            }
            _ => false,
        };
        self.expect(holds, &format!("executed with {expected}"))
    }

    /// The executor ran and answered without an event.
    #[track_caller]
    pub fn executed_without_event(self) -> Self {
        let holds = matches!(&self.answer, Answer::Execution(Outcome::Executed(done))
            if done.event.is_none() && !done.deduplicated);
        self.expect(holds, "executed without an event")
    }

    /// The event was taken in, the review or the settlement counts, or the dry run says that it may run.
    #[track_caller]
    pub fn accepted(self) -> Self {
        let holds = matches!(&self.answer, Answer::Verdict(verdict) if verdict.is_allowed());
        self.expect(holds, "allowed")
    }

    /// It is held until a human has signed it off; nothing ran.
    #[track_caller]
    pub fn approval_required(self) -> Self {
        let holds = self.answer.outcome() == "approval_required";
        self.expect(holds, "approval_required")
    }

    /// The state or the permissions do not allow it; nothing ran.
    #[track_caller]
    pub fn blocked(self, code: ReasonCode) -> Self {
        self.refused_as("blocked", code)
    }

    /// It is not a well-formed proposal, event or review; nothing ran.
    #[track_caller]
    pub fn invalid(self, code: ReasonCode) -> Self {
        self.refused_as("invalid", code)
    }

    #[track_caller]
    fn refused_as(self, outcome: &str, code: ReasonCode) -> Self {
        let holds =
            self.answer.outcome() == outcome && self.answer.refusal().is_some_and(|refusal| refusal.code == code);
        self.expect(holds, &format!("{outcome}: {code}"))
    }

    /// The executor ran and said that nothing happened, for a reason of this code.
    #[track_caller]
    pub fn failed(self, code: &str) -> Self {
        let holds = matches!(&self.answer, Answer::Execution(Outcome::Failed(failed))
            if !failed.failure.is_unknown() && !failed.deduplicated && failed.failure.code() == code);
        self.expect(holds, &format!("failed: {code}"))
    }

    /// The executor ran and nobody knows what happened, until the outside world is asked ([`Then::reconciled`]) or somebody settles it
    /// ([`Then::settled_by`]).
    #[track_caller]
    pub fn in_doubt(self) -> Self {
        let holds = matches!(&self.answer, Answer::Execution(Outcome::Failed(failed))
            if failed.is_in_doubt() && !failed.deduplicated);
        self.expect(holds, "failed, in doubt")
    }

    /// The same was executed before under the same idempotency key: nothing ran, and the answer is that of then.
    #[track_caller]
    pub fn repeated(self) -> Self {
        let holds = self.answer.is_repeated();
        self.expect(holds, "a repeat of what was executed before")
    }

    /// The sentence of the refusal or of the failure, or why it is still unknown, has this part; its code and its outcome are none of
    /// the sentence.
    #[track_caller]
    pub fn because(self, part: &str) -> Self {
        let holds = self.answer.sentence().is_some_and(|sentence| sentence.contains(part));
        self.expect(holds, &format!("a sentence with \"{part}\""))
    }

    /// What the entity is now.
    #[track_caller]
    pub fn state(self, expected: D::State) -> Self {
        if self.stage.entity().state() != Some(expected) {
            self.stage.fail(format_args!("expected: the state {expected}"));
        }
        self
    }

    /// The entity does not exist.
    #[track_caller]
    pub fn no_entity(self) -> Self {
        if self.stage.entity().state().is_some() {
            self.stage.fail("expected: no entity");
        }
        self
    }

    /// Exactly these kinds of records were written since `when`, in this order.
    #[track_caller]
    pub fn recorded<'k>(self, kinds: impl IntoIterator<Item = &'k str>) -> Self {
        let (expected, recorded): (Vec<_>, _) = (kinds.into_iter().collect(), self.stage.recorded());
        if expected != recorded {
            self.stage.fail(format_args!("expected the records: {expected:?}\nbut they are: {recorded:?}"));
        }
        self
    }

    /// Exactly these actions are allowed by the state now; order does not matter.
    #[track_caller]
    pub fn allows<'n>(self, actions: impl IntoIterator<Item = &'n str>) -> Self {
        let mut expected: Vec<_> = actions.into_iter().collect();
        expected.sort_unstable();
        let state = self.stage.entity().state();
        let allowed = D::actions().iter().filter(|action| state.is_some_and(|state| action.allowed_in(state)));
        let mut allowed: Vec<_> = allowed.map(|action| action.contract().name.as_ref()).collect();
        allowed.sort_unstable();
        if expected != allowed {
            self.stage.fail(format_args!("expected the actions: {expected:?}\nbut these are allowed: {allowed:?}"));
        }
        self
    }

    /// The journal holds: its hashes fit, its events alone lead to the state that it records, and each of them can be read back.
    ///
    /// It does so, too, where nothing ran: what came of the step is for another expectation to say, such as [`Then::state`]. Whether
    /// the domain still fits the journals that there are already is for [`replays_exported`](crate::replays_exported) to say.
    #[track_caller]
    pub fn replays(self) -> Self {
        if let Err(problem) = replay::check::<D>(&self.stage.key, &self.stage.commits()) {
            self.stage.fail(problem);
        }
        self
    }

    /// Looks at the services, such as a spy in them.
    #[track_caller]
    pub fn services(self, look: impl FnOnce(&D::Services)) -> Self {
        look(self.stage.runtime.services());
        self
    }

    /// Time passes.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        self.stage.clock.advance(duration);
        self
    }

    /// What the kit has no expectation for: the timeline, such as for [`timeline!`](crate::timeline!).
    #[must_use]
    #[track_caller]
    pub fn timeline(&self) -> Timeline {
        self.stage.timeline()
    }

    /// What the kit has no expectation for: the entity.
    #[must_use]
    #[track_caller]
    pub fn entity(&self) -> Arc<Entity<D>> {
        self.stage.entity()
    }

    /// Whose test it is.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.stage.key
    }

    /// What the kit has no expectation for: the runtime itself.
    #[must_use]
    pub const fn runtime(&self) -> &Runtime<D> {
        &self.stage.runtime
    }

    /// Then `who` proposes something else.
    #[track_caller]
    pub fn when<By, Q: Propose<D> + Clone>(self, who: impl Who<D, By>, proposal: Q) -> When<D, Q> {
        Given(self.stage).when(who, proposal)
    }

    /// Then `who` reports an event.
    #[track_caller]
    pub fn when_reported<By>(self, who: impl Who<D, By>, event: impl Incoming<D>) -> Then<D> {
        Given(self.stage).when_reported(who, event)
    }
}

impl<D: Executable, P: Propose<D> + Clone> Then<D, P> {
    /// Its actor asks for a sign-off of what was proposed, `approver` grants it, and the proposal is made again: what
    /// comes of that is tested from here on.
    ///
    /// # Panics
    /// When it needs no sign-off, or `approver` may not grant it.
    #[track_caller]
    pub fn approved_by<By>(self, approver: impl Who<D, By>) -> Self {
        self.once_more().approved_by(approver).then()
    }

    /// Its actor asks for a sign-off of what was proposed, `approver` denies it, and the proposal is made again: what
    /// comes of that is tested from here on.
    ///
    /// # Panics
    /// When it needs no sign-off, or `approver` may not deny it.
    #[track_caller]
    pub fn denied_by<By>(self, approver: impl Who<D, By>) -> Self {
        self.once_more().denied_by(approver).then()
    }

    /// The same proposal is made again: what comes of that is tested from here on.
    #[track_caller]
    #[must_use]
    pub fn again(self) -> Self {
        self.once_more().then()
    }

    #[track_caller]
    fn once_more(self) -> When<D, P> {
        let Self { mut stage, proposed, .. } = self;
        let Some((actor, proposal)) = proposed else {
            stage.fail("nothing was proposed that could be proposed again");
        };
        stage.mark();
        When { stage, actor, proposal }
    }
}

#[cfg(test)]
mod tests {
    use kiff::{ExecutionId, Failed, Failure, Outcome, action, domain};

    use super::{Answer, Stage, Then};

    domain! {
        /// A door.
        domain Door governs Lock;

        roles { Guest: agent, Porter: system }
        states { Open, final Closed }
        events { Opened reported by Porter; Shut; }
        transitions { Opened: new => Open; Shut: Open => Closed; }
        actions { Close { risk: low, by: Guest, emits: Shut }; }
        allow { Open => [Close]; }
    }

    #[action(Door::Close)]
    async fn close() -> Result<Shut, Failure> {
        Ok(Shut {})
    }

    /// Where an action was answered by this failure.
    #[track_caller]
    fn failed(failure: Failure) -> Then<Door> {
        let execution = ExecutionId::new("execution-1").unwrap();
        let failed = Failed { execution, failure, deduplicated: false };
        Then::new(Stage::new(()), Answer::Execution(Outcome::Failed(failed)), None)
    }

    #[test]
    fn an_answer_of_which_nobody_knows_what_happened_is_in_doubt() {
        failed(Failure::unknown("no answer from the door").with_code("too_late")).in_doubt();
    }

    #[test]
    #[should_panic(expected = "expected: failed, in doubt\nbut it was: failed: jammed: the door is jammed\n")]
    fn an_answer_by_which_nothing_happened_is_not() {
        failed(Failure::refused("the door is jammed").with_code("jammed")).in_doubt();
    }
}

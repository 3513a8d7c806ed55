//! Runs of which nobody knows how they ended: asking the outside world, and the word of a person.

use kiff::{ActorKind, Executable, Inquiry, Settlement};

use crate::actors::{Actors, Who};
use crate::wait::block_on;

use super::super::stage::{Answer, Found, shown};
use super::Then;

impl<D: Executable, P> Then<D, P> {
    /// The action's `#[reconcile]` fn asks the outside world what became of the run in doubt, and what it says is tested from here
    /// on.
    ///
    /// # Panics
    /// When nothing is in doubt, or the action has no such fn.
    #[must_use]
    #[track_caller]
    pub fn reconciled(self) -> Self {
        let Self { mut stage, proposed, .. } = self;
        stage.mark();
        let system = Actors::<D>::new().stranger(ActorKind::System);
        let found = match stage.sure(block_on(stage.runtime.reconcile(&system, &stage.key))) {
            Inquiry::Settled { .. } => stage.found(),
            Inquiry::StillUnknown { why, .. } => Found::StillUnknown(why),
            Inquiry::NobodyToAsk(running) => stage.fail(format_args!(
                "`{}` has no `#[reconcile]` fn: write one, or test what a person says with `settled_by`",
                running.action
            )),
            _ => stage.fail("nothing is in doubt that the outside world could be asked about"),
        };
        Self { stage, answer: Answer::Inquiry(found), proposed }
    }

    /// `who` says what became of the run in doubt, and the answer is what is tested: whether their word counts.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
    /// # fn main() {
    /// use kiff::Settlement;
    /// use kiff_test::given;
    ///
    /// let desk = RefundDesk::default();
    /// desk.bank.lose_next("no answer");
    /// given::<Refund>(desk)
    ///     .event(OrderPlaced { total: Cents(99_900) })
    ///     .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
    ///     .then()
    ///     .in_doubt()
    ///     .settled_by(RefundRole::Operator, Settlement::did_not_happen("the bank's statement does not show it"))
    ///     .accepted()
    ///     .again()
    ///     .executed(OrderPaid { payment_id: "pay-1".into() });
    /// # }
    /// ```
    ///
    /// # Panics
    /// When nothing is in doubt.
    #[must_use]
    #[track_caller]
    pub fn settled_by<By>(self, who: impl Who<D, By>, settlement: Settlement<D>) -> Self {
        let (Self { mut stage, proposed, .. }, person) = (self, who.actor());
        let Some(running) = stage.entity().running().cloned() else {
            stage.fail("nothing is in doubt that could be settled");
        };
        stage.mark();
        let settled = stage.runtime.settle(&person, &stage.key, &running.execution, settlement);
        let answer = Answer::Verdict(stage.sure(block_on(settled)).map(drop));
        Self { stage, answer, proposed }
    }

    /// The outside world says that it happened, with exactly this event.
    #[track_caller]
    pub fn happened(self, event: impl Into<D::Event>) -> Self {
        let expected = shown(&event.into());
        let holds = matches!(&self.answer, Answer::Inquiry(Found::Happened(Some(event))) if *event == expected);
        self.expect(holds, &format!("it happened, with {expected}"))
    }

    /// The outside world says that it happened, and the action emits no event.
    #[track_caller]
    pub fn happened_without_event(self) -> Self {
        let holds = matches!(&self.answer, Answer::Inquiry(Found::Happened(None)));
        self.expect(holds, "it happened, without an event")
    }

    /// The outside world says that it did not happen.
    #[track_caller]
    pub fn did_not_happen(self) -> Self {
        let holds = matches!(&self.answer, Answer::Inquiry(Found::DidNotHappen));
        self.expect(holds, "it did not happen")
    }

    /// The outside world does not know, or could not be asked: the run is still in doubt.
    #[track_caller]
    pub fn still_unknown(self) -> Self {
        let holds = matches!(&self.answer, Answer::Inquiry(Found::StillUnknown(_)));
        self.expect(holds, "still unknown")
    }
}

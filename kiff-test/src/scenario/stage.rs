//! What a told test plays on: a runtime, one entity, and a way to fail that shows both.

use std::fmt;
use std::sync::Arc;

use kiff::journal::{Content, EventIngested, StateChanged};
use kiff::{
    Actor, Appended, Approval, ApprovalRule, ApprovalStatus, Commit, Domain, Entity, EntityKey, Envelope, Event,
    Executable, Executed, Fact, MemoryStore, Outcome, Propose, ReasonCode, Refusal, Review, Runtime, Sealed, State,
    Store, Text, Timeline, Verdict,
};

use crate::actors::Actors;
use crate::clock::FixedClock;
use crate::failure::{fail, must};
use crate::identifiers::SequentialIdentifiers;
use crate::wait::block_on;

/// What came of the step that is tested.
#[derive(Debug)]
pub(super) enum Answer<D: Domain> {
    /// A proposal was executed, or not.
    Execution(Outcome<Executed<D>>),
    /// An event, a review, a settlement or a dry run was accepted, or not.
    Verdict(Verdict),
    /// The outside world was asked what became of a run.
    Inquiry(Found),
}

/// What the outside world says of a run of which nobody knows how it ended.
#[derive(Debug)]
pub(super) enum Found {
    /// It was done, with this event as messages show it; none where the action emits none.
    Happened(Option<String>),
    /// Nothing was done.
    DidNotHappen,
    /// It is still not known, for this reason.
    StillUnknown(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happened(Some(event)) => write!(f, "it happened, with {event}"),
            Self::Happened(None) => f.write_str("it happened, without an event"),
            Self::DidNotHappen => f.write_str("it did not happen"),
            Self::StillUnknown(why) => write!(f, "still unknown: {why}"),
        }
    }
}

impl<D: Domain> Answer<D> {
    /// The word on the wire.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Execution(outcome) => outcome.outcome(),
            Self::Verdict(verdict) => verdict.outcome(),
            Self::Inquiry(_) => "reconciled",
        }
    }

    /// Whether the same was executed before under the same idempotency key, so that nothing ran now.
    pub(super) fn is_repeated(&self) -> bool {
        match self {
            Self::Execution(Outcome::Executed(done)) => done.deduplicated,
            Self::Execution(Outcome::Failed(failed)) => failed.deduplicated,
            _ => false,
        }
    }

    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Execution(outcome) => outcome.refusal(),
            Self::Verdict(verdict) => verdict.refusal(),
            Self::Inquiry(_) => None,
        }
    }

    /// What is wrong, in a sentence; none where nothing is.
    pub(super) fn sentence(&self) -> Option<&str> {
        match self {
            Self::Execution(Outcome::Failed(failed)) => Some(failed.failure.message()),
            Self::Inquiry(Found::StillUnknown(why)) => Some(why),
            _ => self.refusal().map(|refusal| refusal.message.as_str()),
        }
    }
}

impl<D: Domain> fmt::Display for Answer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refusal) = self.refusal() {
            return write!(f, "{}: {refusal}", self.outcome());
        }
        match self {
            Self::Execution(Outcome::Executed(done)) => match &done.event {
                Some(event) => write!(f, "executed with {}", shown(event))?,
                None => f.write_str("executed without an event")?,
            },
            Self::Execution(Outcome::Failed(failed)) => {
                let doubt = if failed.is_in_doubt() { ", in doubt" } else { "" };
                write!(f, "failed: {}: {}{doubt}", failed.failure.code(), failed.failure.message())?;
            }
            Self::Inquiry(found) => found.fmt(f)?,
            _ => f.write_str(self.outcome())?,
        }
        f.write_str(if self.is_repeated() { "; this is a repeat, and nothing ran" } else { "" })
    }
}

/// An event as messages show it.
pub(super) fn shown(event: &impl Event) -> String {
    match event.encode(&kiff::Bounds::DEFAULT) {
        Ok(payload) => format!("{} {payload}", event.name()),
        Err(error) => format!("{} ({error})", event.name()),
    }
}

/// A runtime and the one entity that a test is about.
pub(super) struct Stage<D: Executable> {
    pub(super) runtime: Runtime<D>,
    pub(super) clock: FixedClock,
    pub(super) key: EntityKey,
    /// How many records there were before the step that is tested.
    before: usize,
}

impl<D: Executable> fmt::Debug for Stage<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<D: Executable> Stage<D> {
    #[track_caller]
    pub(super) fn new(services: D::Services) -> Self {
        let clock = FixedClock::new();
        let runtime = Runtime::new(MemoryStore::new(), Actors::<D>::new().policy(), services)
            .with_clock(clock.clone())
            .with_identifiers(SequentialIdentifiers::new());
        let id = format!("{}-1", D::schema().entity_type.to_lowercase());
        Self { runtime, clock, key: must(D::entity(&id)), before: 0 }
    }

    #[track_caller]
    pub(super) fn turn_to(&mut self, id: &str) {
        self.key = must(D::entity(id));
    }

    /// Where the step that is tested begins.
    #[track_caller]
    pub(super) fn mark(&mut self) {
        self.before = self.timeline().records().count();
    }

    /// The kinds of the records since the mark.
    #[track_caller]
    pub(super) fn recorded(&self) -> Vec<&'static str> {
        self.timeline().kinds().into_iter().skip(self.before).collect()
    }

    /// What the records since the mark say became of the run that was in doubt.
    #[track_caller]
    pub(super) fn found(&self) -> Found {
        let timeline = self.timeline();
        let mut facts = timeline.records().skip(self.before).map(|record| record.fact());
        if !facts.any(|fact| matches!(fact, Fact::ActionExecuted(_))) {
            return Found::DidNotHappen;
        }
        Found::Happened(facts.find_map(|fact| match fact {
            Fact::EventIngested(ingested) => Some(format!("{} {}", ingested.event, ingested.payload)),
            _ => None,
        }))
    }

    #[track_caller]
    pub(super) fn timeline(&self) -> Timeline {
        must(block_on(self.runtime.timeline(&self.key)))
    }

    #[track_caller]
    pub(super) fn entity(&self) -> Arc<Entity<D>> {
        self.sure(block_on(self.runtime.entity(&self.key)))
    }

    #[track_caller]
    pub(super) fn commits(&self) -> Vec<Arc<Commit>> {
        must(block_on(self.runtime.store().read(&self.key, 0, usize::MAX)))
    }

    /// Fails the test with what was expected, what is, and the timeline.
    #[track_caller]
    pub(super) fn fail(&self, message: impl fmt::Display) -> ! {
        let timeline = self.timeline();
        let state = block_on(self.runtime.entity(&self.key)).ok().and_then(|entity| entity.state());
        let state = state.map_or("new", State::name);
        let records = if timeline.is_empty() { "(no records)\n".to_owned() } else { timeline.to_string() };
        fail(format_args!("{message}\n\n`{}` is {state}; its timeline:\n{records}", self.key))
    }

    /// An answer of the runtime; that something broke fails the test.
    #[track_caller]
    pub(super) fn sure<T>(&self, answer: Result<T, kiff::Error>) -> T {
        match answer {
            Ok(answer) => answer,
            Err(error) => self.fail(format_args!("the runtime broke: {error}")),
        }
    }

    /// What was asked for in the history; that it was refused fails the test.
    #[track_caller]
    fn granted<P>(&self, what: &str, verdict: Verdict<P>) -> P {
        match verdict.into_result() {
            Ok(granted) => granted,
            Err(refusal) => self.fail(format_args!("{what}: {refusal}")),
        }
    }

    #[track_caller]
    pub(super) fn report(&self, reporter: &Actor, event: &D::Event) {
        let payload = must(event.encode(self.runtime.bounds()));
        let envelope = Envelope::new(event.name(), payload);
        let verdict = self.sure(block_on(self.runtime.ingest(reporter, &self.key, envelope)));
        self.granted("the history cannot be", verdict);
    }

    /// Writes an event into the journal that only an action makes happen.
    #[track_caller]
    pub(super) fn write(&self, event: &D::Event) {
        let entity = self.entity();
        let (from, name) = (entity.state(), event.name());
        let place = from.map_or("new", State::name);
        let Some(to) = D::transition(from, name) else {
            self.fail(format_args!("the history cannot be: `{name}` leads nowhere from `{place}`"))
        };
        let actions = D::schema().actions.iter();
        let emitting = actions.filter(|action| action.emits.iter().any(|emitted| emitted == name));
        let allowed = emitting.filter(|action| action.allowed_in.iter().any(|state| state == place));
        let Some(actor) = allowed.flat_map(|action| Actors::<D>::able(&action.permission)).next() else {
            self.fail(format_args!("the history cannot be: nobody can make `{name}` happen in `{place}`"))
        };
        let payload = must(event.encode(self.runtime.bounds()));
        let name = Text::Borrowed(name);
        let ingested = EventIngested { event: name, payload, id: None, source: None, occurred_at: None };
        let (from, to) = (from.map(|state| Text::Borrowed(state.name())), Text::Borrowed(to.name()));
        let content = Content {
            at: kiff::Clock::now(&self.clock),
            actor,
            trace: None,
            cause: None,
            fold: None,
            facts: Box::new([ingested.into(), StateChanged { from, to }.into()]),
        };
        let sealed = Sealed::new(self.key.clone(), entity.number() + 1, entity.head(), content);
        if must(block_on(self.runtime.store().append(sealed))) == Appended::Conflict {
            self.fail("the entity moved while its history was written");
        }
    }

    /// Executes a proposal by whoever may, signed off by whoever may.
    #[track_caller]
    pub(super) fn act(&self, proposal: impl Propose<D> + Clone) {
        let mut refused: Option<Refusal> = None;
        for actor in Actors::<D>::new().everybody() {
            let verdict = self.sure(block_on(self.runtime.evaluate(&actor, &self.key, proposal.clone())));
            match verdict {
                Verdict::Allowed(()) => return self.run(&actor, proposal),
                Verdict::ApprovalRequired(_) => {
                    let asked = self.ask(&actor, proposal.clone());
                    self.review(&self.approver(&asked), &asked, Review::grant());
                    return self.run(&actor, proposal);
                }
                Verdict::Blocked(refusal) | Verdict::Invalid(refusal) => {
                    // That a stranger may not says less than why those cannot who may.
                    if refused.is_none() || refusal.code != ReasonCode::PermissionDenied {
                        refused = Some(refusal);
                    }
                }
            }
        }
        let why = refused.map_or_else(|| "the domain has no actors".to_owned(), |refusal| refusal.to_string());
        self.fail(format_args!("the history cannot be: {why}"))
    }

    #[track_caller]
    fn run(&self, actor: &Actor, proposal: impl Propose<D>) {
        let outcome = self.sure(block_on(self.runtime.execute(actor, &self.key, proposal)));
        if outcome.executed().is_none() {
            self.fail(format_args!("the history cannot be: {}", Answer::Execution(outcome)));
        }
    }

    #[track_caller]
    fn approver(&self, asked: &Approval) -> Actor {
        let contract = D::schema().action(&asked.action);
        let able = match contract.map(|contract| &contract.approval) {
            Some(ApprovalRule::By(permission)) => Actors::<D>::able(permission),
            _ => Vec::new(),
        };
        match able.into_iter().find(|actor| actor.id() != asked.requested_by.id()) {
            Some(approver) => approver,
            None => self.fail(format_args!("nobody may approve `{}`", asked.action)),
        }
    }

    #[track_caller]
    pub(super) fn ask(&self, actor: &Actor, proposal: impl Propose<D>) -> Approval {
        let asked = self.sure(block_on(self.runtime.request_approval(actor, &self.key, proposal)));
        self.granted(&format!("`{}` cannot ask for an approval", actor.id()), asked)
    }

    /// The approval that was granted last, and that nothing has run by.
    #[track_caller]
    pub(super) fn last_granted(&self) -> Approval {
        let entity = self.sure(block_on(self.runtime.entity(&self.key)));
        let mut open = entity.open_approvals().iter().rev();
        match open.find(|approval| matches!(approval.status, ApprovalStatus::Granted(_))) {
            Some(approval) => Approval::clone(approval),
            None => self.fail("nothing is granted: call `approved_by` before"),
        }
    }

    #[track_caller]
    pub(super) fn answer(&self, reviewer: &Actor, asked: &Approval, review: Review) -> Verdict<Approval> {
        self.sure(block_on(self.runtime.review(reviewer, &self.key, &asked.id, review)))
    }

    #[track_caller]
    pub(super) fn review(&self, reviewer: &Actor, asked: &Approval, review: Review) {
        let verdict = self.answer(reviewer, asked, review);
        self.granted(&format!("`{}` cannot answer approval `{}`", reviewer.id(), asked.id), verdict);
    }
}

//! One history, played on a fresh entity and held to the model step by step.

use std::sync::Arc;

use kiff::{
    Actor, Approval, ApprovalId, ApprovalRule, Bounds, Call, Commit, Contract, Entity, EntityKey, Envelope, Executable,
    Executed, Fact, Json, MemoryStore, Outcome, Proposal, Runtime, State, Store, Timeline, Verdict,
};

use crate::actors::Actors;
use crate::clock::FixedClock;
use crate::histories::{Draft, How, Runs, Step};
use crate::identifiers::SequentialIdentifiers;
use crate::model::{Asked, Doubt, Expected, LIFETIME, Model, Status};
use crate::tally::Tally;
use crate::wait::block_on;

mod doubt;

/// What does not fit, in a sentence.
type Found<T = ()> = Result<T, String>;

pub(crate) struct Trial<D: Executable> {
    runtime: Runtime<D>,
    clock: FixedClock,
    key: EntityKey,
    model: Model,
    runs: Option<Runs<D>>,
    /// How often an executor should have run.
    expected_runs: usize,
    /// How often executors had run before the trial.
    earlier_runs: usize,
    commits: Vec<Arc<Commit>>,
    tally: Tally,
}

impl<D: Executable> Trial<D> {
    pub(crate) fn new(services: D::Services, runs: Option<Runs<D>>) -> Self {
        let clock = FixedClock::new();
        let earlier_runs = runs.as_ref().map_or(0, |runs| runs(&services));
        let runtime = Runtime::new(MemoryStore::new(), Actors::<D>::new().policy(), services)
            .with_clock(clock.clone())
            .with_identifiers(SequentialIdentifiers::new())
            .with_approval_lifetime(LIFETIME);
        let model = Model {
            schema: D::schema(),
            able: Actors::<D>::able,
            state: None,
            doubt: None,
            asked: Vec::new(),
            now: kiff::Clock::now(&clock),
        };
        let key = crate::failure::must(D::entity("history-1"));
        let (commits, tally) = (Vec::new(), Tally::default());
        Self { runtime, clock, key, model, runs, expected_runs: 0, earlier_runs, commits, tally }
    }

    pub(crate) fn play(mut self, steps: &[Step]) -> Result<Tally, String> {
        for (number, step) in (1..).zip(steps) {
            let played = self.step(step).and_then(|()| self.check());
            played.map_err(|problem| {
                let timeline = Timeline::new(self.key.clone(), self.read().unwrap_or_default());
                format!("at step {number}: {step}\n{problem}\n\nthe timeline:\n{timeline}")
            })?;
        }
        Ok(self.tally)
    }

    fn step(&mut self, step: &Step) -> Found {
        match step {
            Step::Report { by, event, payload } => self.report(by, event, payload),
            Step::Propose { by, action, parameters, how } => self.propose(by, action, parameters, *how),
            Step::Ask { by, action, parameters } => self.ask(by, action, parameters),
            Step::Review { by, pick, answer } => match self.model.picked(*pick).cloned() {
                Some(asked) => {
                    let expected = self.model.review(by, &asked, *answer);
                    let review = self.runtime.review(by, &self.key, &asked.id, answer.review());
                    if !compare(&expected, &broke(block_on(review))?)? {
                        return self.recorded(&["approval_review_rejected"]);
                    }
                    self.model.answered(&asked.id, *answer);
                    self.recorded(&[answer.kind()])
                }
                None => Ok(()),
            },
            Step::Redeem { by, pick, named } => match self.model.picked(*pick).cloned() {
                Some(asked) => self.redeem(by, &asked, *named),
                None => Ok(()),
            },
            Step::Reconcile { by } => self.reconcile(by),
            Step::Settle { by, word } => self.settle(by, word),
            Step::Rebuild { by } => self.rebuild(by),
            Step::Wait(duration) => {
                self.clock.advance(*duration);
                self.model.now = kiff::Clock::now(&self.clock);
                Ok(())
            }
        }
    }

    fn report(&mut self, by: &Actor, event: &str, payload: &Draft) -> Found {
        let expected = self.model.report(by, event, payload);
        let json = Json::parse(&payload.text, &Bounds::DEFAULT).map_err(|error| format!("the kit erred: {error}"))?;
        let envelope = Envelope::new(event.to_owned(), json);
        let verdict = broke(block_on(self.runtime.ingest(by, &self.key, envelope)))?;
        if !compare(&expected, &verdict)? {
            return self.recorded(&[]);
        }
        self.model.state = self.model.transition(event);
        self.recorded(&["event_ingested", "state_changed"])
    }

    fn propose(&mut self, by: &Actor, action: &str, parameters: &Draft, how: How) -> Found {
        let expected = self.model.propose(by, action, parameters, None);
        let call = Call::new(action, &*parameters.text);
        match how {
            How::Execute => self.execute(&expected, by, &call, None),
            How::Evaluate => {
                let verdict = broke(block_on(self.runtime.evaluate(by, &self.key, call)))?;
                compare(&expected, &verdict)?;
                self.recorded(&[])
            }
            How::Validate => {
                let verdict = broke(block_on(self.runtime.validate(by, &self.key, call)))?;
                if compare(&expected, &verdict)? {
                    self.recorded(&["action_validated"])
                } else {
                    self.refused(&expected)
                }
            }
        }
    }

    fn redeem(&mut self, by: &Actor, asked: &Asked, named: bool) -> Found {
        let parameters = Draft { text: asked.shown.clone(), fault: None };
        let name = named.then_some(&asked.id);
        let expected = self.model.propose(by, &asked.action, &parameters, name);
        self.execute(&expected, by, &Call::new(&*asked.action, &*asked.shown), name)
    }

    fn execute(&mut self, expected: &Expected, by: &Actor, call: &Call, named: Option<&ApprovalId>) -> Found {
        let proposal = Proposal::new(call.clone());
        let proposal = match named {
            Some(named) => proposal.approval(named.clone()),
            None => proposal,
        };
        let outcome = broke(block_on(self.runtime.execute(by, &self.key, proposal)))?;
        let verdict = match &outcome {
            Outcome::Executed(_) | Outcome::Failed(_) => Verdict::Allowed(()),
            Outcome::ApprovalRequired(refusal) => Verdict::ApprovalRequired(refusal.clone()),
            Outcome::Blocked(refusal) => Verdict::Blocked(refusal.clone()),
            Outcome::Invalid(refusal) => Verdict::Invalid(refusal.clone()),
        };
        if !compare(expected, &verdict)? {
            return self.refused(expected);
        }
        self.expected_runs += 1;
        self.ran(by, call, &outcome)
    }

    /// Checks what is on the record of a run, and moves the model along.
    fn ran(&mut self, by: &Actor, call: &Call, outcome: &Outcome<Executed<D>>) -> Found {
        let facts = self.unseen()?;
        let mut started = facts.iter().filter_map(|fact| match fact {
            Fact::ActionStarted(started) => Some(started),
            _ => None,
        });
        let (Some(started), None) = (started.next(), started.next()) else {
            return Err("a run has exactly one record of its start".to_owned());
        };
        let contract = self.model.schema.action(&started.action);
        let contract = contract.ok_or_else(|| format!("`{}` has started, which is no action", started.action))?;
        self.signed_off(contract, call, started.approval.as_ref())?;
        let opening = ["action_validated", "action_started"];
        match outcome {
            Outcome::Executed(done) => {
                self.tally.answered(&started.action);
                self.happened(contract, done.event.as_ref().map(kiff::Event::name), &opening)
            }
            Outcome::Failed(failed) => {
                self.tally.failed(&started.action, &failed.failure);
                let unknown = failed.failure.is_unknown() && contract.effect == kiff::Effect::Outside;
                let (action, execution) = (started.action.clone(), started.execution.clone());
                self.model.doubt = unknown.then(|| Doubt { action, execution, by: by.clone() });
                self.recorded(&[opening[0], opening[1], "action_failed"])
            }
            _ => Ok(()),
        }
    }

    /// Moves the model along what an action made happen, and checks what is on the record of it after the start.
    fn happened(&mut self, contract: &Contract, event: Option<&str>, opening: &[&str]) -> Found {
        let Some(event) = event else {
            return self.recorded(&[opening, &["action_executed"]].concat());
        };
        if !contract.emits.iter().any(|emitted| emitted == event) {
            return Err(format!("`{}` answered `{event}`, which it does not emit", contract.name));
        }
        let to = self.model.transition(event);
        if to.is_none() {
            return Err(format!("`{event}` happened and has no transition"));
        }
        self.model.state = to;
        self.recorded(&[opening, &["action_executed", "event_ingested", "state_changed"]].concat())
    }

    /// Checks that a run has the sign-off that its action needs, and marks it as spent.
    fn signed_off(&mut self, contract: &Contract, call: &Call, spent: Option<&ApprovalId>) -> Found {
        if !matches!(contract.approval, ApprovalRule::By(_)) {
            return Ok(());
        }
        let Some(id) = spent else {
            return Err(format!("`{}` ran without an approval", contract.name));
        };
        let asked = self.model.asked.iter().find(|asked| asked.id == *id);
        let parameters = call.parameters();
        if !asked.is_some_and(|asked| self.model.covers(asked, contract, parameters)) {
            return Err(format!("`{}` ran under approval `{id}`, which does not cover it", contract.name));
        }
        self.model.spend(id);
        Ok(())
    }

    fn ask(&mut self, by: &Actor, action: &str, parameters: &Draft) -> Found {
        let expected = self.model.ask(by, action, parameters);
        let call = Call::new(action, &*parameters.text);
        let verdict = broke(block_on(self.runtime.request_approval(by, &self.key, call)))?;
        if !compare(&expected, &verdict)? {
            return self.refused(&expected);
        }
        let Verdict::Allowed(approval) = verdict else { return Ok(()) };
        if let Some(waiting) = self.model.waiting(action, &parameters.text) {
            if waiting.id != approval.id {
                return Err(format!("`{}` waits for exactly this, but `{}` was made", waiting.id, approval.id));
            }
            return self.recorded(&[]);
        }
        self.model.asked.push(asked(approval));
        self.recorded(&["approval_recorded"])
    }

    fn rebuild(&mut self, by: &Actor) -> Found {
        let verdict = broke(block_on(self.runtime.rebuild(by, &self.key)))?;
        let Some(state) = &self.model.state else {
            compare(&Expected::Invalid(kiff::ReasonCode::UnknownEntity), &verdict)?;
            return self.recorded(&[]);
        };
        compare(&Expected::Allowed, &verdict)?;
        match verdict {
            Verdict::Allowed(rebuilt) if rebuilt.matches && rebuilt.state.name() == state => {}
            other => return Err(format!("the events do not lead to {state}: {other:?}")),
        }
        self.recorded(&["state_rebuilt"])
    }

    /// The facts that were written since the last step.
    fn unseen(&self) -> Found<Vec<Fact>> {
        let commits = self.read()?;
        Ok(commits.iter().skip(self.commits.len()).flat_map(|commit| commit.facts().to_vec()).collect())
    }

    /// Checks that a refusal, and nothing else, is on the record, where there is an entity to have one.
    fn refused(&self, expected: &Expected) -> Found {
        match (expected, &self.model.state) {
            (_, None) => self.recorded(&[]),
            (Expected::Held, _) => self.recorded(&["approval_required"]),
            _ => self.recorded(&["action_failed"]),
        }
    }

    fn recorded(&self, expected: &[&str]) -> Found {
        let facts = self.unseen()?;
        let kinds: Vec<_> = facts.iter().map(Fact::kind).collect();
        if kinds == expected { Ok(()) } else { Err(format!("expected the records {expected:?}, but got {kinds:?}")) }
    }

    fn read(&self) -> Found<Vec<Arc<Commit>>> {
        block_on(self.runtime.store().read(&self.key, 0, usize::MAX)).map_err(|error| error.to_string())
    }

    /// Checks what must hold after every step.
    fn check(&mut self) -> Found {
        let commits = self.read()?;
        for commit in commits.iter().skip(self.commits.len()) {
            commit.verify().map_err(|error| error.to_string())?;
        }
        self.commits = commits;
        let state = self.model.state.as_deref();
        let folded = Entity::<D>::fold(self.key.clone(), &self.commits);
        let folded = folded.map_err(|error| error.to_string())?;
        same_state("the journal records", state, folded.state().map(State::name))?;
        let replayed = kiff::replay::<D>(&self.key, self.commits.iter().map(|commit| &**commit))
            .map_err(|error| error.to_string())?;
        same_state("the events lead to", state, replayed.state.map(State::name))?;
        let entity = broke(block_on(self.runtime.entity(&self.key)))?;
        same_state("the runtime says", state, entity.state().map(State::name))?;
        let (changes, events) =
            self.commits.iter().flat_map(|commit| commit.facts()).fold((0, 0), |(changes, events), fact| {
                (
                    changes + usize::from(matches!(fact, Fact::StateChanged(_))),
                    events + usize::from(matches!(fact, Fact::EventIngested(_))),
                )
            });
        if changes != events {
            return Err(format!("there are {events} events and {changes} changes of state on the record"));
        }
        let Some(runs) = &self.runs else { return Ok(()) };
        let runs = runs(self.runtime.services()) - self.earlier_runs;
        if runs == self.expected_runs {
            return Ok(());
        }
        Err(format!("executors ran {runs} times, but the journal shows {}", self.expected_runs))
    }
}

fn asked(approval: Approval) -> Asked {
    Asked {
        id: approval.id,
        action: approval.action,
        shown: approval.parameters.as_str().to_owned(),
        by: approval.requested_by,
        expires_at: approval.expires_at,
        status: Status::Pending,
    }
}

fn broke<T>(answer: Result<T, kiff::Error>) -> Found<T> {
    answer.map_err(|error| format!("the runtime broke: {error}"))
}

fn same_state(who: &str, expected: Option<&str>, got: Option<&str>) -> Found {
    if expected == got {
        return Ok(());
    }
    let name = |state: Option<&str>| state.unwrap_or("new").to_owned();
    Err(format!("expected the state {}, but {who} {}", name(expected), name(got)))
}

/// Whether it is allowed, if it is what was expected.
fn compare<P>(expected: &Expected, verdict: &Verdict<P>) -> Found<bool> {
    let fits = match (expected, verdict) {
        (Expected::Allowed, Verdict::Allowed(_)) | (Expected::Held, Verdict::ApprovalRequired(_)) => true,
        (Expected::Blocked(code), Verdict::Blocked(refusal)) | (Expected::Invalid(code), Verdict::Invalid(refusal)) => {
            refusal.code == *code
        }
        _ => false,
    };
    if fits {
        return Ok(verdict.is_allowed());
    }
    let refusal = verdict.refusal().map(|refusal| format!(": {refusal}")).unwrap_or_default();
    Err(format!("by the schema it is {expected}, but it was {}{refusal}", verdict.outcome()))
}

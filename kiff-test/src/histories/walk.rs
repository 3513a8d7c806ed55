//! How a history is made up: step by step, with an eye on the state that the entity is probably in.

use std::collections::VecDeque;
use std::time::Duration;

use kiff::{
    Actor, ActorKind, ApprovalRule, Bounds, Contract, Domain, Effect, Event, EventSchema, Json, Schema, Transition,
};
use proptest::prelude::{Just, RngExt as _, Strategy};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union, ValueTree};
use proptest::test_runner::{Reason, TestRunner};

use super::object::{Draft, fields_of_action, fields_of_event, sound, spoiled_action, spoiled_event};
use super::step::{Answer, How, Step, Word};
use super::{Reads, Values};
use crate::actors::Actors;

type Steps = Vec<Box<dyn ValueTree<Value = Step>>>;

/// Makes up steps.
pub(super) fn steps<D: Domain>(runner: &mut TestRunner, longest: usize, values: &Values) -> Result<Steps, Reason> {
    let mut walk = Walk {
        schema: D::schema(),
        everybody: Actors::<D>::new().everybody(),
        able: Actors::<D>::able,
        values,
        reads: reads::<D>,
        state: None,
        planned: VecDeque::new(),
    };
    let count = runner.rng().random_range(1..=longest.max(1));
    let mut steps: Steps = Vec::with_capacity(count);
    for _ in 0..count {
        let step = walk.next(runner);
        steps.push(Box::new(step.new_tree(runner)?));
    }
    Ok(steps)
}

/// Whether an event of the domain reads such a payload.
fn reads<D: Domain>(event: &str, payload: &str) -> bool {
    let payload = Json::parse(payload, &Bounds::DEFAULT);
    payload.is_ok_and(|payload| matches!(<D::Event as Event>::decode(event, &payload), Some(Ok(_))))
}

/// Where a history has got to if all goes well.
struct Walk<'w> {
    schema: &'static Schema,
    everybody: Vec<Actor>,
    able: fn(&kiff::Permission) -> Vec<Actor>,
    values: &'w Values,
    reads: Reads,
    /// The state that the entity is probably in.
    state: Option<&'static str>,
    /// What is to follow, and the state that it leads to.
    planned: VecDeque<(BoxedStrategy<Step>, Option<&'static str>)>,
}

impl Walk<'_> {
    fn next(&mut self, runner: &mut TestRunner) -> BoxedStrategy<Step> {
        let chance = runner.rng().random_range(0..100);
        if chance < 30 {
            return self.anything();
        }
        if self.planned.is_empty() {
            self.plan(runner);
        }
        match self.planned.pop_front() {
            Some((step, to)) => {
                self.state = to.or(self.state);
                step
            }
            None => self.anything(),
        }
    }

    /// Plans one legal thing to do, if there is one.
    fn plan(&mut self, runner: &mut TestRunner) {
        let (schema, state) = (self.schema, self.state);
        let arrivals = schema.transitions.iter().filter_map(|transition| {
            let event = schema.event(&transition.event)?;
            let fits = transition.from.as_deref() == state && !event.report.roles.is_empty();
            fits.then_some(Legal::Arrival(event, transition))
        });
        let actions = schema.actions.iter().filter_map(|contract| {
            let fits = contract.allowed_in.iter().any(|allowed| Some(allowed.as_ref()) == state);
            fits.then_some(Legal::Action(contract))
        });
        let legal: Vec<_> = arrivals.chain(actions).collect();
        if legal.is_empty() {
            return;
        }
        let place = runner.rng().random_range(0..legal.len());
        match legal.get(place) {
            Some(Legal::Arrival(event, transition)) => self.plan_arrival(event, transition),
            Some(Legal::Action(contract)) => self.plan_action(contract, runner),
            None => {}
        }
    }

    fn plan_arrival(&mut self, event: &'static EventSchema, transition: &'static Transition) {
        let step = report(event, &(self.able)(&event.report), sound(&fields_of_event(event), self.values));
        self.planned.push_back((step, Some(&transition.to)));
    }

    fn plan_action(&mut self, contract: &'static Contract, runner: &mut TestRunner) {
        let able = (self.able)(&contract.permission);
        let parameters = sound(&fields_of_action(contract), self.values);
        let to = self.landing(contract, runner);
        if let ApprovalRule::By(permission) = &contract.approval {
            self.planned.push_back((ask(contract, &able, parameters), None));
            self.plan_review(&(self.able)(permission), runner);
            self.planned.push_back((redeem(&able, Just(0).boxed()), to));
            // Once more: the approval is spent.
            self.planned.push_back((redeem(&able, Just(0).boxed()), None));
        } else {
            self.planned.push_back((propose(contract, &able, parameters, Just(How::Execute).boxed()), to));
        }
        if contract.effect == Effect::Outside && runner.rng().random_ratio(1, 3) {
            self.plan_settlement(contract);
        }
    }

    fn plan_review(&mut self, reviewers: &[Actor], runner: &mut TestRunner) {
        let grants = vec![Answer::Grant, Answer::Grant, Answer::Grant, Answer::Deny];
        self.planned.push_back((review(reviewers, Just(0).boxed(), grants), None));
        if runner.rng().random_ratio(1, 5) {
            self.planned.push_back((review(reviewers, Just(0).boxed(), vec![Answer::Withdraw]), None));
        }
    }

    /// Has the run settled that came before, should it be in doubt.
    fn plan_settlement(&mut self, contract: &Contract) {
        let asked = select(self.everybody.clone()).prop_map(|by| Step::Reconcile { by }).boxed();
        self.planned.push_back((asked, None));
        let able = (self.able)(&contract.settlement(self.schema));
        if able.is_empty() {
            return;
        }
        let mut words = vec![Just(Word::DidNotHappen).boxed()];
        if contract.emits.is_empty() {
            words.push(Just(Word::HappenedWithoutEvent).boxed());
        }
        let emitted = contract.emits.iter().filter_map(|event| self.schema.event(event));
        words.extend(emitted.map(|event| self.happened(event)));
        self.planned.push_back((settle(&able, words), None));
    }

    /// Where an action probably leads.
    fn landing(&self, contract: &Contract, runner: &mut TestRunner) -> Option<&'static str> {
        if contract.emits.is_empty() {
            return None;
        }
        let place = runner.rng().random_range(0..contract.emits.len());
        let event = contract.emits.get(place)?;
        let mut transitions = self.schema.transitions.iter();
        transitions
            .find(|transition| transition.event == *event && transition.from.as_deref() == self.state)
            .map(|transition| transition.to.as_ref())
    }

    /// Anything that anybody may try, in place or not.
    fn anything(&self) -> BoxedStrategy<Step> {
        let by = || select(self.everybody.clone());
        let mut choices: Vec<(u32, BoxedStrategy<Step>)> = vec![
            (2, review(&self.everybody, (0..3_usize).boxed(), vec![Answer::Grant, Answer::Deny, Answer::Withdraw])),
            (2, redeem(&self.everybody, (0..3_usize).boxed())),
            (2, by().prop_map(|by| Step::Reconcile { by }).boxed()),
            (3, self.settle_anyhow()),
            (1, by().prop_map(|by| Step::Rebuild { by }).boxed()),
            (1, select(vec![1, 24]).prop_map(|hours| Step::Wait(Duration::from_hours(hours))).boxed()),
            (1, by().prop_map(no_such_event).boxed()),
            (1, by().prop_map(no_such_action).boxed()),
        ];
        for event in self.schema.events.iter() {
            let fields = fields_of_event(event);
            let payloads = both(sound(&fields, self.values), spoiled_event(event, &fields, self.values, self.reads));
            choices.push((2, report(event, &self.mostly(&(self.able)(&event.report)), payloads)));
        }
        for contract in self.schema.actions.iter() {
            let fields = fields_of_action(contract);
            let parameters = both(sound(&fields, self.values), spoiled_action(&fields, self.values));
            let actors = self.mostly(&(self.able)(&contract.permission));
            let how = select(vec![How::Execute, How::Execute, How::Evaluate, How::Validate]).boxed();
            choices.push((3, propose(contract, &actors, parameters.clone(), how)));
            choices.push((1, ask(contract, &actors, parameters)));
        }
        Union::new_weighted(choices).boxed()
    }

    /// Any word on what became of a run, mostly of a human.
    fn settle_anyhow(&self) -> BoxedStrategy<Step> {
        let humans: Vec<_> = self.everybody.iter().filter(|actor| actor.kind() == ActorKind::Human).cloned().collect();
        let mut words = vec![Just(Word::DidNotHappen).boxed(), Just(Word::HappenedWithoutEvent).boxed()];
        words.extend(self.schema.events.iter().map(|event| self.happened(event)));
        settle(&self.mostly(&humans), words)
    }

    fn happened(&self, event: &EventSchema) -> BoxedStrategy<Word> {
        let name = event.name.clone().into_owned();
        let payloads = sound(&fields_of_event(event), self.values);
        payloads.prop_map(move |payload| Word::Happened { event: name.clone(), payload }).boxed()
    }

    /// Those, several times, and everybody else once.
    fn mostly(&self, able: &[Actor]) -> Vec<Actor> {
        let often = able.iter().cycle().take(able.len() * 5).cloned().collect::<Vec<_>>();
        often.into_iter().chain(self.everybody.iter().cloned()).collect()
    }
}

/// A thing to do that is legal.
enum Legal {
    Arrival(&'static EventSchema, &'static Transition),
    Action(&'static Contract),
}

fn both(sound: BoxedStrategy<Draft>, spoiled: Option<BoxedStrategy<Draft>>) -> BoxedStrategy<Draft> {
    match spoiled {
        Some(spoiled) => Union::new([sound, spoiled]).boxed(),
        None => sound,
    }
}

fn report(event: &EventSchema, by: &[Actor], payload: BoxedStrategy<Draft>) -> BoxedStrategy<Step> {
    let event = event.name.clone().into_owned();
    (select(by.to_vec()), payload)
        .prop_map(move |(by, payload)| Step::Report { by, event: event.clone(), payload })
        .boxed()
}

fn propose(
    contract: &Contract,
    by: &[Actor],
    parameters: BoxedStrategy<Draft>,
    how: BoxedStrategy<How>,
) -> BoxedStrategy<Step> {
    let action = contract.name.clone().into_owned();
    (select(by.to_vec()), parameters, how)
        .prop_map(move |(by, parameters, how)| Step::Propose { by, action: action.clone(), parameters, how })
        .boxed()
}

fn ask(contract: &Contract, by: &[Actor], parameters: BoxedStrategy<Draft>) -> BoxedStrategy<Step> {
    let action = contract.name.clone().into_owned();
    (select(by.to_vec()), parameters)
        .prop_map(move |(by, parameters)| Step::Ask { by, action: action.clone(), parameters })
        .boxed()
}

fn review(by: &[Actor], pick: BoxedStrategy<usize>, answers: Vec<Answer>) -> BoxedStrategy<Step> {
    (select(by.to_vec()), pick, select(answers))
        .prop_map(|(by, pick, answer)| Step::Review { by, pick, answer })
        .boxed()
}

fn redeem(by: &[Actor], pick: BoxedStrategy<usize>) -> BoxedStrategy<Step> {
    (select(by.to_vec()), pick, select(vec![false, true]))
        .prop_map(|(by, pick, named)| Step::Redeem { by, pick, named })
        .boxed()
}

fn settle(by: &[Actor], words: Vec<BoxedStrategy<Word>>) -> BoxedStrategy<Step> {
    (select(by.to_vec()), Union::new(words)).prop_map(|(by, word)| Step::Settle { by, word }).boxed()
}

fn no_such_event(by: Actor) -> Step {
    Step::Report { by, event: "NO_SUCH_EVENT".to_owned(), payload: Draft { text: "{}".to_owned(), fault: None } }
}

fn no_such_action(by: Actor) -> Step {
    let parameters = Draft { text: "{}".to_owned(), fault: None };
    Step::Propose { by, action: "NO_SUCH_ACTION".to_owned(), parameters, how: How::Execute }
}

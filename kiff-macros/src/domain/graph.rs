//! What leads where, and who can take it there: the ground on which reachability and the `never` clauses are proved.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use super::model::{Action, Allowance, Approval, Event, Id, Model, Place, Reference, Role, State};
use super::syntax::{ActorKind, Risk};

/// One declared move, for one source; `None` where it may be anything.
pub(crate) struct Move {
    pub(crate) source: Option<Place>,
    pub(crate) event: Option<Id<Event>>,
    pub(crate) target: Option<Id<State>>,
}

impl Move {
    /// Whether this may be a move with this event from this state.
    pub(crate) fn may_be(&self, source: Id<State>, event: Id<Event>) -> bool {
        self.may_leave(Place::State(source)) && self.event.is_none_or(|own| own == event)
    }

    pub(crate) fn may_leave(&self, place: Place) -> bool {
        self.source.is_none_or(|source| source == place)
    }
}

/// Every move that the block declares.
pub(crate) fn moves(model: &Model) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    for line in &model.transitions.items {
        let (event, target) = (line.event.id(), line.target.id());
        moves.extend(line.sources.iter().map(|source| Move { source: source.place(), event, target }));
    }
    if !model.transitions.whole {
        moves.push(Move { source: None, event: None, target: None });
    }
    moves
}

/// Every place that moves may lead to from `start`, and `start` itself; what is unknown may lead anywhere.
pub(crate) fn reachable(model: &Model, moves: &[Move], start: Place) -> HashSet<Place> {
    let mut reached = HashSet::from([start]);
    loop {
        let before = reached.len();
        for step in moves {
            if step.source.is_none_or(|source| reached.contains(&source)) {
                match step.target {
                    Some(target) => reached.extend([Place::State(target)]),
                    None => reached.extend(model.states.ids().map(Place::State)),
                }
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

/// A move that is known in full, and every way to take it.
pub(crate) struct Step {
    pub(crate) source: Place,
    pub(crate) event: Id<Event>,
    pub(crate) target: Id<State>,
    ways: Vec<Way>,
}

/// One way to take a step. That somebody settles a doubt is no further way: it takes a run, and then the word of a role that
/// approves it or, where none does, of one that runs it, unless only machines do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Reported(Id<Role>),
    Acted { action: Id<Action>, runner: Id<Role>, approver: Approver },
}

/// Who approves in one way to take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approver {
    Nobody,
    Role(Id<Role>),
    /// An approval that is due and was left out, which is another rule's error.
    Unknown,
}

impl Way {
    /// Whether the way is known to go without this role.
    pub(crate) fn is_without(self, role: Id<Role>) -> bool {
        match self {
            Self::Reported(reporter) => reporter != role,
            Self::Acted { runner, approver, .. } => {
                runner != role && approver != Approver::Role(role) && approver != Approver::Unknown
            }
        }
    }

    /// Whether this role takes the way alone.
    pub(crate) fn is_alone(self, role: Id<Role>) -> bool {
        match self {
            Self::Reported(reporter) => reporter == role,
            Self::Acted { runner, approver, .. } => runner == role && approver == Approver::Nobody,
        }
    }
}

/// Every step that is known in full, with the ways that are known; what another rule complains about is left out.
pub(crate) fn steps(model: &Model) -> Vec<Step> {
    steps_where(model, &|state, action| is_allowed(model, state, action))
}

/// The steps as they were if this state allowed this action, too.
pub(crate) fn steps_if_allowed(model: &Model, state: Id<State>, action: Id<Action>) -> Vec<Step> {
    steps_where(model, &|place, own| (place, own) == (state, action) || is_allowed(model, place, own))
}

fn steps_where(model: &Model, allows: &dyn Fn(Id<State>, Id<Action>) -> bool) -> Vec<Step> {
    let moves = moves(model);
    // Of two targets the second is the one that is complained about.
    let is_fork = |position: usize, step: &Move| {
        moves.iter().take(position).any(|earlier| {
            earlier.source == step.source && earlier.event == step.event && earlier.target != step.target
        })
    };
    let known = |step: &Move| {
        let (source, event, target) = (step.source?, step.event?, step.target?);
        Some(Step { source, event, target, ways: ways(model, source, event, allows) })
    };
    let legal = moves.iter().enumerate().filter(|(position, step)| !is_fork(*position, step));
    legal.filter_map(|(_, step)| known(step)).collect()
}

fn ways(model: &Model, source: Place, event: Id<Event>, allows: &dyn Fn(Id<State>, Id<Action>) -> bool) -> Vec<Way> {
    let emitters = || model.actions.iter().filter(|(_, action)| action.emits(event));
    if emitters().next().is_none() {
        let reporters = model.events[event].reporters.iter();
        return reporters.filter_map(Reference::id).map(Way::Reported).collect();
    }
    let Place::State(state) = source else {
        return Vec::new();
    };
    let mut ways = Vec::new();
    for (id, action) in emitters().filter(|(id, _)| allows(state, *id)) {
        for runner in action.runners.roles().iter().filter_map(Reference::id) {
            let acted = |approver| Way::Acted { action: id, runner, approver };
            ways.extend(approvers(model, action).into_iter().map(acted));
        }
    }
    ways
}

/// Whether some line of `allow` names both.
pub(crate) fn is_allowed(model: &Model, state: Id<State>, action: Id<Action>) -> bool {
    model.allowances.items.iter().any(|line| {
        line.states.iter().any(|allowing| allowing.id() == Some(state))
            && line.actions.iter().any(|allowed| allowed.id() == Some(action))
    })
}

/// The states in which the action can run, in their own order.
pub(crate) fn allowing(model: &Model, action: Id<Action>) -> impl Iterator<Item = Id<State>> {
    model.states.ids().filter(move |state| is_allowed(model, *state, action))
}

fn approvers(model: &Model, action: &Action) -> Vec<Approver> {
    let may_approve = |role: &Id<Role>| model.roles[*role].kind().is_none_or(|kind| kind == ActorKind::Human);
    match &action.approval {
        Approval::Roles(roles) => {
            roles.iter().filter_map(Reference::id).filter(may_approve).map(Approver::Role).collect()
        }
        Approval::Nobody(_) => Vec::new(),
        Approval::LeftOut if needs_approval(action) => vec![Approver::Unknown],
        Approval::LeftOut | Approval::Waived(_) => vec![Approver::Nobody],
    }
}

/// Whether the risk is such that somebody has to approve.
pub(crate) fn needs_approval(action: &Action) -> bool {
    matches!(action.risk(), Some((Risk::High | Risk::Critical, _)))
}

/// Whether actions alone make the event happen: then it begins no entity, as no action is allowed in `new`.
pub(crate) fn is_only_emitted(model: &Model, event: Id<Event>) -> bool {
    let declared = &model.events[event];
    let is_emitted = model.actions.iter().any(|(_, action)| action.emits(event));
    declared.reporters.is_empty() && !declared.declared.twin && is_emitted
}

/// The moves that somebody may be able to take; what another rule complains about is taken as good.
pub(crate) fn passable(model: &Model) -> Vec<Move> {
    moves(model).into_iter().filter(|step| may_be_taken(model, step)).collect()
}

fn may_be_taken(model: &Model, step: &Move) -> bool {
    let Some(event) = step.event else { return true };
    let declared = &model.events[event];
    let emitters = || model.actions.iter().filter(|(_, action)| action.emits.iter().any(|own| own.may_be(event)));
    let has_no_source = declared.reporters.is_empty() && emitters().next().is_none();
    if !declared.reporters.is_empty() || has_no_source || declared.declared.twin || !model.actions.whole {
        return true;
    }
    let Some(Place::State(state)) = step.source else {
        return step.source.is_none();
    };
    emitters().any(|(action, _)| may_be_allowed(model, state, action))
}

fn may_be_allowed(model: &Model, state: Id<State>, action: Id<Action>) -> bool {
    let lines = &model.allowances;
    let names_it = |line: &&Allowance| line.actions.iter().any(|allowed| allowed.may_be(action));
    let mut lines_with_it = lines.items.iter().filter(names_it).peekable();
    !lines.whole
        || lines_with_it.peek().is_none()
        || lines_with_it.any(|line| line.states.iter().any(|allowing| allowing.may_be(state)))
}

/// A step of a path with the way in which it is taken.
#[derive(Clone, Copy)]
pub(crate) struct Taken<'s> {
    pub(crate) step: &'s Step,
    pub(crate) way: Way,
}

/// The shortest path of at least one step from `start` to `goal` over the ways that pass.
pub(crate) fn shortest_path<'s>(
    steps: &'s [Step],
    start: Place,
    goal: Id<State>,
    passes: impl Fn(Way) -> bool,
) -> Option<Vec<Taken<'s>>> {
    let mut leaving: HashMap<Place, Vec<Taken<'s>>> = HashMap::new();
    for step in steps {
        if let Some(way) = step.ways.iter().find(|way| passes(**way)) {
            leaving.entry(step.source).or_default().push(Taken { step, way: *way });
        }
    }
    let mut arrived_by: HashMap<Place, Taken<'s>> = HashMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(place) = waiting.pop_front() {
        for taken in leaving.remove(&place).unwrap_or_default() {
            let target = Place::State(taken.step.target);
            if let Entry::Vacant(entry) = arrived_by.entry(target) {
                entry.insert(taken);
                if taken.step.target == goal {
                    return Some(path_back(&arrived_by, start, goal));
                }
                waiting.push_back(target);
            }
        }
    }
    None
}

fn path_back<'s>(arrived_by: &HashMap<Place, Taken<'s>>, start: Place, goal: Id<State>) -> Vec<Taken<'s>> {
    let mut path = Vec::new();
    let mut place = Place::State(goal);
    while let Some(taken) = arrived_by.get(&place) {
        path.push(*taken);
        place = taken.step.source;
        if place == start {
            break;
        }
    }
    path.reverse();
    path
}

//! Rules about the states and what leads where.

use std::collections::{HashMap, HashSet};

use super::proposals;
use crate::domain::graph::{self, Move};
use crate::domain::model::{Action, Allowance, Event, Id, Model, Place, PlaceReference, Reference, State};
use crate::errors::Errors;
use crate::suggest::enumerate;

/// Without a way out of `new` that somebody can take, no entity ever begins and the rest of the block means nothing.
pub(crate) fn no_initial_transition(model: &Model, moves: &[Move], errors: &Errors) {
    let Some(keyword) = &model.transitions.keyword else {
        return;
    };
    if !moves.iter().any(|step| step.may_leave(Place::New)) {
        let message = format!("no transition leads out of `new`: {}", proposals::beginning(model));
        errors.report("no_initial_transition", keyword, message);
        return;
    }
    for line in &model.transitions.items {
        let Some(event) = line.event.id().filter(|event| graph::is_only_emitted(model, *event)) else { continue };
        let sources = line.sources.iter().filter_map(|source| source.exact());
        for (_, token) in sources.filter(|(place, _)| *place == Place::New) {
            let message = format!(
                "nobody can begin an entity with `{}`, as no action is allowed in `new` and it cannot be reported: \
                 let an event that has `reported by` lead out of `new` instead",
                model.event_name(event)
            );
            errors.report("no_initial_transition", token, message);
        }
    }
}

/// An event with two targets would leave to chance where an entity goes.
pub(crate) fn two_targets(model: &Model, errors: &Errors) {
    let mut targets: HashMap<(Id<Event>, Place), Id<State>> = HashMap::new();
    for line in &model.transitions.items {
        let (Some((event, _)), Some((target, token))) = (line.event.exact(), line.target.exact()) else {
            continue;
        };
        let mut forks = Vec::new();
        let mut others = Vec::new();
        for (place, _) in line.sources.iter().filter_map(|source| source.exact()) {
            let first = *targets.entry((event, place)).or_insert(target);
            if first != target {
                forks.push(model.place_name(place));
                others.push(model.state_name(first));
            }
        }
        if forks.is_empty() {
            continue;
        }
        others.push(model.state_name(target));
        let mut seen = HashSet::new();
        others.retain(|name| seen.insert(name.clone()));
        let message = format!(
            "`{}` leads from {} to both {}: an event has one target from each state, so split it into two events",
            model.event_name(event),
            enumerate(&forks, "and"),
            enumerate(&others, "and"),
        );
        errors.report("two_targets", token, message);
    }
}

/// A state that nothing leads to governs nothing, and whoever reads the block believes that it does.
pub(crate) fn unreachable_state(model: &Model, moves: &[Move], errors: &Errors) {
    if !moves.iter().any(|step| step.may_leave(Place::New)) {
        return;
    }
    let reached = graph::reachable(model, moves, Place::New);
    let mut left: Vec<Id<State>> =
        model.states.ids().filter(|state| !reached.contains(&Place::State(*state))).collect();
    while let Some(root) = root(&left, moves) {
        let behind = graph::reachable(model, moves, Place::State(root));
        let mut followers = Vec::new();
        left.retain(|state| {
            let is_behind = behind.contains(&Place::State(*state));
            if is_behind && *state != root {
                followers.push(model.state_name(*state));
            }
            !is_behind
        });
        let declared = &model.states[root].declared;
        if declared.twin {
            continue;
        }
        let name = declared.plain();
        let behind = match followers.as_slice() {
            [] => String::new(),
            followers => format!("\n(nor to {}, which it leads on to)", enumerate(followers, "and")),
        };
        let message = format!(
            "no path from `new` leads to the state `{name}`: add a transition that leads to it, or remove it{behind}"
        );
        errors.report("unreachable_state", &declared.name, message);
    }
}

/// A state that is drawn and that nobody can bring an entity into governs as little as one that is not drawn.
pub(crate) fn barred_state(model: &Model, moves: &[Move], passable: &[Move], errors: &Errors) {
    if !passable.iter().any(|step| step.may_leave(Place::New)) {
        return;
    }
    let drawn = graph::reachable(model, moves, Place::New);
    let living = graph::reachable(model, passable, Place::New);
    let is_barred = |state: &Id<State>| {
        let place = Place::State(*state);
        drawn.contains(&place) && !living.contains(&place)
    };
    // That nobody can begin an entity there is said at that transition.
    let begins = |id: Id<State>| moves.iter().any(|step| step.source == Some(Place::New) && step.target == Some(id));
    for id in model.states.ids().filter(is_barred) {
        // From where somebody can be; what hangs on another barred state comes to life with that one.
        let from_life =
            |step: &&Move| step.target == Some(id) && step.source.is_some_and(|from| living.contains(&from));
        let mut ways = Vec::new();
        for step in moves.iter().filter(from_life) {
            let (Some(event), Some(from)) = (step.event, step.source) else { continue };
            let (event, from) = (model.event_name(event), model.place_name(from));
            ways.push(format!("`{event}` leads there from `{from}`, where no action that emits it is allowed"));
        }
        let declared = &model.states[id].declared;
        if ways.is_empty() || declared.twin || begins(id) {
            continue;
        }
        let message = format!(
            "nobody can bring an entity into the state `{}`: {}: allow one there, or remove the state",
            declared.plain(),
            ways.join("; ")
        );
        errors.report("barred_state", &declared.name, message);
    }
}

/// The state that the others of `left` hang on: one that none of them leads to, or the first of a circle.
fn root(left: &[Id<State>], moves: &[Move]) -> Option<Id<State>> {
    let leads_to = |state: Id<State>| {
        moves.iter().any(|step| {
            let from_other = step
                .source
                .is_some_and(|source| left.iter().any(|other| *other != state && Place::State(*other) == source));
            from_other && step.target.is_none_or(|target| target == state)
        })
    };
    left.iter().find(|state| !leads_to(**state)).or_else(|| left.first()).copied()
}

/// An entity in a state with no way on is stuck, unless the block says that this is the end.
pub(crate) fn dead_end(model: &Model, moves: &[Move], errors: &Errors) {
    for (id, state) in model.states.iter() {
        let leaves = |step: &&Move| step.may_leave(Place::State(id));
        let leads_on = moves.iter().filter(leaves).any(|step| step.target != Some(id));
        let loops = moves.iter().any(|step| step.may_leave(Place::State(id)));
        let is_touched = loops || moves.iter().any(|step| step.target.is_none_or(|target| target == id));
        // A state that no transition mentions is unreachable, and that is said already.
        if state.syntax.is_final || state.declared.twin || leads_on || !is_touched {
            continue;
        }
        let what = if loops {
            "only leads back to itself: add a transition that leads on"
        } else {
            "has no transition that leads on: add one"
        };
        let message = format!("the state `{}` {what}, or {}", state.declared.plain(), end_here(model, id));
        errors.report("dead_end", &state.declared.name, message);
    }
}

/// A way out that nobody can take leaves an entity as stuck as none.
pub(crate) fn barred_way_out(model: &Model, moves: &[Move], passable: &[Move], errors: &Errors) {
    let living = graph::reachable(model, passable, Place::New);
    for (id, state) in model.states.iter().filter(|(_, state)| !state.syntax.is_final && !state.declared.twin) {
        let leads_on = |step: &&Move| step.may_leave(Place::State(id)) && step.target != Some(id);
        if !living.contains(&Place::State(id)) || passable.iter().any(|step| leads_on(&step)) {
            continue;
        }
        let mut events: Vec<String> = Vec::new();
        for event in moves.iter().filter(leads_on).filter_map(|step| step.event) {
            let name = model.event_name(event);
            if !events.contains(&name) {
                events.push(name);
            }
        }
        let name = state.declared.plain();
        let (lead, emitted) = match events.as_slice() {
            // That is a dead end in the drawing already.
            [] => continue,
            [_] => ("leads", "it"),
            _ => ("lead", "one of them"),
        };
        let message = format!(
            "nobody can lead an entity on from the state `{name}`: {} {lead} on, but no action that emits {emitted} is \
             allowed in `{name}`: allow one there, or {}",
            enumerate(&events, "and"),
            end_here(model, id)
        );
        errors.report("barred_way_out", &state.declared.name, message);
    }
}

/// How to say that this state is the last one: with all that [`final_state_moves`] would find there taken away.
fn end_here(model: &Model, id: Id<State>) -> String {
    let leads_on = model
        .transitions
        .items
        .iter()
        .any(|line| line.sources.iter().any(|source| source.place() == Some(Place::State(id))));
    let allows = model.allowances.items.iter().any(|line| line.states.iter().any(|state| state.id() == Some(id)));
    let away = match (leads_on, allows) {
        (false, false) => "",
        (true, false) => " and take away the transitions from it",
        (false, true) => " and take away what it allows",
        (true, true) => " and take away the transitions from it and what it allows",
    };
    let left = left_over(model, id);
    let along = match (left.is_empty(), leads_on) {
        (true, _) => String::new(),
        (false, true) => format!(", and with them {left},"),
        (false, false) => format!(", and with it {left},"),
    };
    format!("write `final {}`{away}{along} if this is where it ends", model.state_name(id))
}

/// What would be a fault of its own without the lines of this state: events that no other transition uses, and actions that no
/// other state allows.
fn left_over(model: &Model, id: Id<State>) -> String {
    let (transitions, allowances) = (&model.transitions, &model.allowances);
    let is_used_here = |event: &Id<Event>| {
        let mut lines = transitions.items.iter().filter(|line| line.event.may_be(*event)).peekable();
        let is_here = |source: &PlaceReference| source.place() == Some(Place::State(id));
        transitions.whole && lines.peek().is_some() && lines.all(|line| line.sources.iter().all(is_here))
    };
    let is_allowed_here = |action: &Id<Action>| {
        let names_it = |line: &&Allowance| line.actions.iter().any(|allowed| allowed.may_be(*action));
        let mut lines = allowances.items.iter().filter(names_it).peekable();
        let is_here = |state: &Reference<State>| state.id() == Some(id);
        allowances.whole && lines.peek().is_some() && lines.all(|line| line.states.iter().all(is_here))
    };
    let events: Vec<String> = model.events.ids().filter(is_used_here).map(|event| model.event_name(event)).collect();
    let actions: Vec<String> =
        model.actions.ids().filter(is_allowed_here).map(|action| model.action_name(action)).collect();
    let named = [("event", events), ("action", actions)].into_iter().filter(|(_, names)| !names.is_empty());
    let named = named.map(|(noun, names)| {
        let plural = if names.len() == 1 { "" } else { "s" };
        format!("the {noun}{plural} {}", enumerate(&names, "and"))
    });
    named.collect::<Vec<_>>().join(" and ")
}

/// `final` is a promise to the reader that nothing happens any more.
pub(crate) fn final_state_moves(model: &Model, errors: &Errors) {
    for (id, state) in model.states.iter().filter(|(_, state)| state.syntax.is_final) {
        let mut tokens = Vec::new();
        let mut events = Vec::new();
        for line in &model.transitions.items {
            let sources = line.sources.iter().filter_map(|source| source.exact());
            for (_, token) in sources.filter(|(place, _)| *place == Place::State(id)) {
                tokens.push(token);
                events.extend(line.event.id().map(|event| model.event_name(event)));
            }
        }
        let mut actions = Vec::new();
        for line in &model.allowances.items {
            for (_, token) in line.states.iter().filter_map(|own| own.exact()).filter(|(own, _)| *own == id) {
                tokens.push(token);
                let allowed = line.actions.iter().filter_map(Reference::id);
                actions.extend(allowed.map(|action| model.action_name(action)));
            }
        }
        let Some(first) = tokens.first() else { continue };
        let name = state.declared.plain();
        let mut moves = Vec::new();
        if !events.is_empty() {
            moves.push(format!("{} leads on from it", enumerate(&events, "and")));
        }
        if !actions.is_empty() {
            moves.push(format!("{} is allowed in it", enumerate(&actions, "and")));
        }
        let message = format!(
            "the state `{name}` is final, and yet {}: take `{name}` out of there, or take `final` away from it",
            moves.join(" and ")
        );
        errors.report("final_state_moves", first, message);
    }
}

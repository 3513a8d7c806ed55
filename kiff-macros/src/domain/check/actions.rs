//! Rules about actions: where they are allowed, what they emit, and what high risk demands.

use super::events::is_used;
use super::{promises, proposals};
use crate::domain::graph::{self, Move, needs_approval};
use crate::domain::model::{Action, Approval, Event, Id, Model, Place, Reference, State};
use crate::domain::syntax::Risk;
use crate::errors::Errors;
use crate::reason;
use crate::suggest::enumerate;

/// An action that no state allows can never run, however complete the rest of it is.
pub(crate) fn action_allowed_nowhere(model: &Model, moves: &[Move], errors: &Errors) {
    for (id, action) in model.actions.iter() {
        let lines = &model.allowances;
        let is_allowed =
            !lines.whole || lines.items.iter().any(|line| line.actions.iter().any(|allowed| allowed.may_be(id)));
        if action.declared.twin || is_allowed || could_only_begin(model, moves, action) {
            continue;
        }
        let name = action.declared.plain();
        let mut fit = model.states.ids().filter(|state| can_stand_in(model, moves, action, *state)).peekable();
        let otherwise = if fit.peek().is_some() {
            " where it keeps what `never` promises"
        } else {
            " where all that it emits has a transition"
        };
        let place = fit.find(|state| promises::kept_if_allowed(model, *state, id)).map_or_else(
            || otherwise.to_owned(),
            |state| format!(", as in `{} => [{name}];`", model.state_name(state)),
        );
        let message = format!("no state allows the action `{name}`: add it to `allow`{place}, or remove the action");
        errors.report("action_allowed_nowhere", &action.declared.name, message);
    }
}

/// Whether the state can allow the action without being [`illegal_emit`], or an end that moves.
fn can_stand_in(model: &Model, moves: &[Move], action: &Action, state: Id<State>) -> bool {
    let can_happen = |event: Id<Event>| !is_used(model, event) || moves.iter().any(|step| step.may_be(state, event));
    !model.states[state].syntax.is_final && action.emits.iter().filter_map(Reference::id).all(can_happen)
}

/// Whether all that the action emits leads out of `new`, where no action is allowed: that is said at those transitions.
fn could_only_begin(model: &Model, moves: &[Move], action: &Action) -> bool {
    let mut own = moves.iter().filter(|step| step.event.is_some_and(|event| action.emits(event))).peekable();
    let begins = |step: &Move| {
        step.source == Some(Place::New) && step.event.is_some_and(|event| graph::is_only_emitted(model, event))
    };
    own.peek().is_some() && own.all(begins)
}

/// An action whose event cannot happen where the action is allowed would do its work and then have no way to say so.
pub(crate) fn illegal_emit(model: &Model, moves: &[Move], errors: &Errors) {
    for (id, action) in model.actions.iter() {
        let states = states_that_allow(model, id);
        for (event, token) in action.emits.iter().filter_map(|own| own.exact()) {
            // An event without any transition is one fault, and the event's own.
            if !is_used(model, event) {
                continue;
            }
            let stuck: Vec<String> = states
                .iter()
                .filter(|state| !moves.iter().any(|step| step.may_be(**state, event)))
                .map(|state| model.state_name(*state))
                .collect();
            if !stuck.is_empty() {
                errors.report("illegal_emit", token, illegal_emit_message(model, action, event, &stuck));
            }
        }
    }
}

fn illegal_emit_message(model: &Model, action: &Action, event: Id<Event>, stuck: &[String]) -> String {
    let (action, event) = (action.declared.plain(), model.event_name(event));
    format!(
        "the action `{action}` is allowed in {states}, from which its event `{event}` has no transition: \
         add `{event}: {sources} => …;`, or take `{action}` out of what {states} {allow}",
        states = enumerate(stuck, "and"),
        sources = stuck.join(" | "),
        allow = if stuck.len() == 1 { "allows" } else { "allow" },
    )
}

/// The states that allow the action beyond doubt; a final one has no business to, which is another rule's error.
fn states_that_allow(model: &Model, action: Id<Action>) -> Vec<Id<State>> {
    let mut states = Vec::new();
    for line in &model.allowances.items {
        if line.actions.iter().filter_map(|own| own.exact()).any(|(own, _)| own == action) {
            for (state, _) in line.states.iter().filter_map(|own| own.exact()) {
                if !states.contains(&state) && !model.states[state].syntax.is_final {
                    states.push(state);
                }
            }
        }
    }
    states
}

/// What can do great harm takes a second pair of eyes, or a reason on the record for going without.
pub(crate) fn unapproved_risk(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        let Some((risk, word)) = action.risk() else {
            continue;
        };
        if !needs_approval(action) || !matches!(action.approval, Approval::LeftOut) {
            continue;
        }
        let risk = if risk == Risk::Critical { "critical" } else { "high" };
        let message = format!(
            "the action `{}` has {risk} risk and nobody has to approve it: \
             add {}, or say why not with `approval: unapproved(\"the reason\")`",
            action.declared.plain(),
            possible_approval(model, action),
        );
        errors.report("unapproved_risk", word, message);
    }
}

/// An approval that the action could have: `` `approval: Operator` ``.
fn possible_approval(model: &Model, action: &Action) -> String {
    proposals::approvers(model, action).next().map_or_else(
        || "`approval:` and a human role".to_owned(),
        |role| format!("`approval: {}`", role.declared.plain()),
    )
}

/// A permission to approve what nobody has to approve looks as if somebody had to.
pub(crate) fn permission_without_approval(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        let Some(permission) = &action.syntax.approval_permission else {
            continue;
        };
        let how = match &action.approval {
            // That an approval is due is said already.
            Approval::LeftOut if needs_approval(action) => continue,
            Approval::Roles(_) | Approval::Nobody(_) => continue,
            Approval::LeftOut => "add",
            Approval::Waived(_) => "write",
        };
        let message = format!(
            "`{}` asks for no approval: {how} {}, or take `approval_permission` away",
            action.declared.plain(),
            possible_approval(model, action),
        );
        errors.report("permission_without_approval", permission, message);
    }
}

/// A waiver without a reason tells the auditor nothing.
pub(crate) fn empty_reason(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        let Approval::Waived(reason) = &action.approval else {
            continue;
        };
        if reason::is_empty(reason) {
            let message = format!(
                "the reason for which `{}` needs no approval is empty: say why, as in `unapproved(\"read-only export\")`",
                action.declared.plain(),
            );
            errors.report("empty_reason", reason, message);
        }
    }
}

//! Every rule that a block must keep, one function each; the order here is only for reading, as errors are sorted.

mod actions;
mod duplicates;
mod elsewhere;
mod events;
mod flow;
mod limits;
mod names;
mod permissions;
mod promises;
mod proposals;
mod roles;

use super::graph;
use super::model::Model;
use crate::errors::Errors;

/// Checks every rule and reports every fault.
pub(crate) fn check(model: &Model, errors: &Errors) {
    let moves = graph::moves(model);
    let passable = graph::passable(model);

    names::unknown_name(model, errors);
    names::malformed_name(model, errors);
    duplicates::duplicate_name(model, errors);
    limits::too_many(model, errors);
    elsewhere::executors_elsewhere(model, errors);

    flow::no_initial_transition(model, &moves, errors);
    flow::two_targets(model, errors);
    flow::unreachable_state(model, &moves, errors);
    flow::barred_state(model, &moves, &passable, errors);
    flow::dead_end(model, &moves, errors);
    flow::barred_way_out(model, &moves, &passable, errors);
    flow::final_state_moves(model, errors);

    events::unused_event(model, errors);
    events::event_without_source(model, errors);
    events::emitted_and_reported(model, errors);

    actions::action_allowed_nowhere(model, &moves, errors);
    actions::illegal_emit(model, &moves, errors);
    actions::unapproved_risk(model, errors);
    actions::permission_without_approval(model, errors);
    actions::empty_reason(model, errors);

    roles::approves_own_action(model, errors);
    roles::approver_not_human(model, errors);
    roles::role_without_duty(model, errors);
    roles::nobody_may(model, errors);

    promises::never_violated(model, errors);
    promises::never_vacuous(model, &passable, errors);
}

//! Every rule that the fn must keep, one function each; the order here is only for reading, as errors are sorted.

mod arguments;
pub(super) mod floats;
mod rules;
mod shape;

use super::duty::Duty;
use super::model::Executor;
use crate::errors::Errors;

/// The name of all rules about `#[param(..)]`.
pub(super) const RULES: &str = "parameter_rule_mismatch";

/// The name of the rule about floats.
pub(super) const FLOAT: &str = "float_parameter";

/// Whether the fn could run if its parameters' rules were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sound,
    Faulty,
}

/// Checks every rule and reports every fault.
pub(super) fn check(executor: &Executor, errors: &Errors) -> Shape {
    let sound = [
        shape::stands_for_one_action(executor, errors),
        shape::is_async(executor, errors),
        shape::is_plain(executor, errors),
        shape::is_not_generic(executor, errors),
        shape::has_no_receiver(executor, errors),
        shape::returns_a_result(executor, errors),
        arguments::services_and_execution(executor, errors),
        arguments::are_owned(executor, errors),
        arguments::have_names(executor, errors),
        arguments::are_not_too_many(executor, errors),
    ];

    match executor.duty {
        Duty::Execute => parameters(executor, errors),
        Duty::Reconcile => arguments::have_no_rules(executor, errors),
    }

    if sound.contains(&false) { Shape::Faulty } else { Shape::Sound }
}

/// What an executor's parameters ask of whoever proposes the action.
fn parameters(executor: &Executor, errors: &Errors) {
    for parameter in executor.parameters() {
        rules::fits_its_type(parameter, errors);
        rules::stands_once(parameter, errors);
        rules::has_an_order(parameter, errors);
        rules::lies_within_its_type(parameter, errors);
        rules::pattern_is_well_formed(parameter, errors);

        floats::float_parameter(parameter, errors);
        floats::needless_waiver(parameter, errors);
    }
}

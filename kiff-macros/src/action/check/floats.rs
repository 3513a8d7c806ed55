//! Rules about binary floats, which cannot hold 0.10.

use super::FLOAT;
use crate::action::kind;
use crate::action::model::{Demand, Parameter};
use crate::action::sentence::code;
use crate::errors::Errors;
use crate::reason;

/// Money that went through a float is wrong by a cent sooner or later: a float says why it is none.
pub(super) fn float_parameter(parameter: &Parameter, errors: &Errors) {
    let Some(float) = kind::float(&parameter.typed.ty) else {
        return;
    };
    if is_waived(parameter) {
        return;
    }
    errors.report(FLOAT, float, is_a_float(parameter));
}

/// What rustc is to say of a parameter whose type turns out to be one under another name.
pub(crate) fn is_a_float(parameter: &Parameter) -> String {
    format!(
        "`{}` is a binary float, which cannot hold 0.10: take an amount of money as `Cents`, or say what it is with \
         `#[param(float(\"the reason\"))]`",
        parameter.label()
    )
}

/// What the macro, or rustc where only it knows, is to say of a waiver on a type that is none.
pub(crate) fn is_no_float(parameter: &Parameter) -> String {
    format!(
        "`{}` is of type `{}`, which is no float: take `float(..)` away",
        parameter.label(),
        code(&parameter.typed.ty)
    )
}

/// Whether it says why it is no money.
pub(crate) fn is_waived(parameter: &Parameter) -> bool {
    parameter.rules.iter().any(|rule| matches!(rule.demand, Demand::Float(_) | Demand::Unreadable))
}

/// A waiver says something to a reviewer, and so it says something true.
pub(super) fn needless_waiver(parameter: &Parameter, errors: &Errors) {
    for rule in &parameter.rules {
        let Demand::Float(reason) = &rule.demand else {
            continue;
        };
        if reason::is_empty(reason) {
            let message = "the reason is empty: say why this is a float and no amount of money";
            errors.report(FLOAT, reason, message);
        }
        if kind::is_no_float(&parameter.typed.ty) {
            errors.report(FLOAT, &rule.tokens, is_no_float(parameter));
        }
    }
}

//! Rules about the arguments: services and execution borrowed, at most once each, and parameters owned and named.

use std::collections::HashSet;

use quote::ToTokens;
use syn::Type;

use crate::action::duty::Duty;
use crate::action::kind;
use crate::action::model::{Argument, Borrowed, Executor};
use crate::action::sentence::code;
use crate::action::signature::write_signature;
use crate::domain::plain;
use crate::errors::Errors;

/// The most parameters that an action can have.
const MOST: usize = 64;

/// The services and the execution are lent for one run; there is one of each.
pub(super) fn services_and_execution(executor: &Executor, errors: &Errors) -> bool {
    let fault = |place: &dyn ToTokens, what: String| {
        let message = format!("{what}: {}", write_signature(executor));
        errors.report(executor.duty.rule(), place.to_token_stream(), message);
        false
    };
    let mut is_sound = true;
    let (mut services, mut execution) = (None, None);
    for argument in &executor.arguments {
        let (first, what, borrowed) = match argument {
            Argument::Services(borrowed) => (&mut services, "services are", borrowed),
            Argument::Execution(borrowed) => (&mut execution, "execution is", borrowed),
            Argument::Receiver(_) | Argument::Parameter(_) => continue,
        };
        let typed = &borrowed.typed.ty;
        if let Some(owned) = executor.owned(borrowed) {
            let what = format!("a parameter is taken by value, so that `{}` becomes `{owned}`", code(typed));
            is_sound = fault(typed, what);
            continue;
        }
        if !borrowed.param.is_empty() {
            let what = format!("`{}` is borrowed, so that it is no parameter and has no rules", code(typed));
            is_sound = fault(typed, what);
        }
        is_sound &= is_shared(borrowed, executor.duty, &fault);
        if let Some(first) = first.replace(typed) {
            let what = format!(
                "the {what} taken twice, as `{}` and as `{}`; parameters are taken by value",
                code(first),
                code(typed)
            );
            is_sound = fault(typed, what);
        }
    }
    is_sound
}

/// `&T`, with a `T` that is one type: whether it is that of the services only rustc knows.
fn is_shared(borrowed: &Borrowed, duty: Duty, fault: &dyn Fn(&dyn ToTokens, String) -> bool) -> bool {
    let reference = &borrowed.reference;
    if let Some(mutability) = &reference.mutability {
        let what = "services and execution are shared between runs, and cannot be taken by `&mut`".to_owned();
        return fault(&mutability, what);
    }
    if let Some(lifetime) = &reference.lifetime {
        let what = format!("{} borrows for one run, and has no use for the lifetime `{lifetime}`", duty.one());
        return fault(lifetime, what);
    }
    let is_open = |typed: &Type| {
        matches!(typed, Type::TraitObject(_) | Type::ImplTrait(_) | Type::Infer(_) | Type::Never(_) | Type::Slice(_))
    };
    if !is_open(kind::peel(&reference.elem)) {
        return true;
    }
    let what = format!("{} borrows the services of its domain by their type, not `{}`", duty.one(), code(reference));
    fault(reference, what)
}

/// A parameter is read from JSON: it owns what it holds, and has one concrete type.
pub(super) fn are_owned(executor: &Executor, errors: &Errors) -> bool {
    let mut is_sound = true;
    for parameter in executor.parameters() {
        let typed = kind::peel(&parameter.typed.ty);
        let Some(what) = kind::unfit(typed) else {
            continue;
        };
        is_sound = false;
        let message = format!("`{}` {what}: {}", parameter.label(), write_signature(executor));
        errors.report(executor.duty.rule(), typed, message);
    }
    is_sound
}

/// What is recorded was held to its rules when it was proposed: rules elsewhere than on the executor would check nothing.
pub(super) fn have_no_rules(executor: &Executor, errors: &Errors) {
    for rule in executor.parameters().flat_map(|parameter| &parameter.rules) {
        let message = "the rules of a parameter stand on the executor alone: take this away";
        errors.report(executor.duty.rule(), &rule.tokens, message);
    }
}

/// The name of a parameter is its name in JSON.
pub(super) fn have_names(executor: &Executor, errors: &Errors) -> bool {
    let mut is_sound = true;
    let mut seen = HashSet::new();
    for parameter in executor.parameters() {
        let Some(name) = &parameter.name else {
            is_sound = false;
            let message =
                format!("a parameter needs a name, which is also its name in JSON: {}", write_signature(executor));
            errors.report(executor.duty.rule(), &parameter.typed.pat, message);
            continue;
        };
        if !seen.insert(plain(name)) {
            is_sound = false;
            let message = format!("`{name}` is declared twice: give one of the two another name");
            errors.report(executor.duty.rule(), name, message);
        }
    }
    is_sound
}

/// What nobody can review is no parameter list.
pub(super) fn are_not_too_many(executor: &Executor, errors: &Errors) -> bool {
    let count = executor.parameters().count();
    let Some(first) = executor.parameters().nth(MOST) else {
        return true;
    };
    let message = format!(
        "the {} `{}` takes {count} parameters and the most is {MOST}: put some of them into a struct",
        executor.duty.noun(),
        executor.signature.ident
    );
    errors.report(executor.duty.rule(), &first.typed, message);
    false
}

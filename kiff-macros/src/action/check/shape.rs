//! Rules about the fn itself: async, free-standing, one concrete type for everything.

use quote::ToTokens;
use syn::{Safety, Type};

use crate::action::duty::Duty;
use crate::action::kind;
use crate::action::model::{Argument, Executor, Further, Target};
use crate::action::sentence::code;
use crate::action::signature::write_signature;
use crate::errors::Errors;

/// A fn does one thing for one action, and the second attribute would find no fn any more.
pub(super) fn stands_for_one_action(executor: &Executor, errors: &Errors) -> bool {
    for further in &executor.further {
        let (noun, name) = (executor.duty.noun(), &executor.signature.ident);
        let message = if is_the_same(executor, further) {
            format!("the {noun} `{name}` has this action already: take one of the two attributes away")
        } else {
            format!("the {noun} `{name}` has its action already: write another fn for this one")
        };
        errors.report(executor.duty.rule(), &further.attribute, message);
    }
    executor.further.is_empty()
}

/// Whether the attribute names the action that the fn executes already.
fn is_the_same(executor: &Executor, further: &Further) -> bool {
    let path = |target: &Target| (code(&target.domain), target.action.to_string());
    let (own, other) = (executor.target.as_ref().map(path), further.target.as_ref().map(path));
    executor.duty == Duty::Execute && own.is_some() && own == other
}

/// An executor waits for the outside world, and the runtime must not be held up meanwhile.
pub(super) fn is_async(executor: &Executor, errors: &Errors) -> bool {
    let signature = &executor.signature;
    if signature.asyncness.is_none() {
        let message =
            format!("the {} `{}` is not async: {}", executor.duty.noun(), signature.ident, write_signature(executor));
        errors.report(executor.duty.rule(), signature.fn_token, message);
    }
    signature.asyncness.is_some()
}

/// Nobody calls an executor but the gate, so what says how others may call it says nothing.
pub(super) fn is_plain(executor: &Executor, errors: &Errors) -> bool {
    let signature = &executor.signature;
    let safety = match &signature.safety {
        Safety::Default => None,
        other => Some(other.to_token_stream()),
    };
    let words = [
        signature.constness.map(ToTokens::into_token_stream),
        safety,
        signature.abi.as_ref().map(ToTokens::to_token_stream),
        signature.variadic.as_ref().map(ToTokens::to_token_stream),
    ];
    let mut is_plain = true;
    for word in words.into_iter().flatten() {
        is_plain = false;
        let message = format!("{} is a plain async fn: {}", executor.duty.one(), write_signature(executor));
        errors.report(executor.duty.rule(), word, message);
    }
    is_plain
}

/// Parameters come as JSON, which chooses no types.
pub(super) fn is_not_generic(executor: &Executor, errors: &Errors) -> bool {
    let generics = &executor.signature.generics;
    let where_clause = &generics.where_clause;
    if !generics.params.is_empty() {
        let message = format!(
            "the {} `{}` is generic, but an agent's JSON chooses no type and no lifetime: {}",
            executor.duty.noun(),
            executor.signature.ident,
            write_signature(executor)
        );
        errors.report(executor.duty.rule(), generics, message);
    } else if let Some(where_clause) = where_clause {
        let message =
            format!("{} has nothing to bind with `where`: {}", executor.duty.one(), write_signature(executor));
        errors.report(executor.duty.rule(), where_clause, message);
    }
    generics.params.is_empty() && where_clause.is_none()
}

/// An executor is a free fn: what it needs besides its parameters are the services of its domain.
pub(super) fn has_no_receiver(executor: &Executor, errors: &Errors) -> bool {
    let mut has_none = true;
    for argument in &executor.arguments {
        if let Argument::Receiver(receiver) = argument {
            has_none = false;
            let message = format!(
                "{} is a free fn, outside of any `impl` and without `self`; what it needs are the services of its domain: {}",
                executor.duty.one(),
                write_signature(executor)
            );
            errors.report(executor.duty.rule(), receiver, message);
        }
    }
    has_none
}

/// An executor may fail, and must say whether something may have happened.
///
/// Whether the type is the right `Result` only rustc knows; here it is about what can be none.
pub(super) fn returns_a_result(executor: &Executor, errors: &Errors) -> bool {
    let (name, noun) = (&executor.signature.ident, executor.duty.noun());
    let event =
        executor.target.as_ref().map_or_else(|| "its action".to_owned(), |target| format!("`{}`", target.action));
    let instead = format!("{}, with the event that {event} emits", write_signature(executor));
    let Some(returned) = executor.returned() else {
        errors.report(executor.duty.rule(), name, format!("the {noun} `{name}` returns nothing: {instead}"));
        return false;
    };
    if matches!(kind::peel(returned), Type::Path(_) | Type::Macro(_)) {
        return true;
    }
    errors.report(executor.duty.rule(), returned, format!("the {noun} `{name}` returns no `Result`: {instead}"));
    false
}

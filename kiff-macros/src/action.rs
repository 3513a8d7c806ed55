//! `#[action]` and `#[reconcile]` on one screen: parse, check, expand; all errors of one fn are reported at once.

mod check;
mod duty;
mod editor;
mod expand;
mod kind;
mod model;
mod parse;
mod sentence;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use self::duty::Duty;
pub(crate) use self::sentence::code;
use crate::errors::{Diagnostics, Errors};
use crate::renamed::renamed;

/// Expands the fn that stands for one action, or finds everything that is wrong with it and expands to a stub.
pub(crate) fn action2(duty: Duty, attribute: TokenStream, item: TokenStream) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let hook = editor::hook(&attribute);
    let Some(executor) = parse::executor(duty, attribute, item.clone(), &errors) else {
        // What is no fn is none of this macro's business: it stays as it is.
        return ([hook, item].into_iter().collect(), errors.finish());
    };

    let shape = check::check(&executor, &errors);

    // The gate: only a fn without any fault is expanded with its rules.
    let diagnostics = errors.finish();
    let items = if diagnostics.is_empty() { expand::executor(&executor) } else { expand::stub(&executor, shape) };
    let items = quote!(#hook #items);
    let expansion = if executor.is_method() { expand::in_a_fn(&executor, &items) } else { items };
    (renamed(expansion, executor.kiff.as_ref()), diagnostics)
}

//! The whole pipeline: what is wrong, exactly where, and in which words.

mod arguments;
mod expansion;
mod reconcile;
mod rules;
mod shape;

use std::str::FromStr;

use proc_macro2::TokenStream;

use super::{Duty, action2};
use crate::marks::{self, Fault};

/// Checks that the errors of `source` are exactly `expected` (rule and sentence), each at its mark.
#[track_caller]
fn check(source: &str, expected: &[(&str, &str)]) {
    marks::check(source, expected, faults);
}

/// Checks a fn with these arguments for exactly these errors.
#[track_caller]
fn arguments(arguments: &str, expected: &[(&str, &str)]) {
    check(&format!("#[action(Refund::Run)]\nasync fn run({arguments}) -> Result<Ran, Failure> {{}}"), expected);
}

/// Which attribute it is, its tokens, and those of the fn.
fn divide(source: &str) -> (Duty, TokenStream, TokenStream) {
    let duty = if source.trim_start().starts_with("#[reconcile") { Duty::Reconcile } else { Duty::Execute };
    let tokens = TokenStream::from_str(source).expect("the test's source must consist of tokens");
    let mut attribute = TokenStream::new();
    let mut item = TokenStream::new();
    for (position, token) in tokens.into_iter().enumerate() {
        match token {
            proc_macro2::TokenTree::Group(group) if position == 1 => {
                if let Some(proc_macro2::TokenTree::Group(path)) = group.stream().into_iter().nth(1) {
                    attribute = path.stream();
                }
            }
            token if position > 1 => item.extend([token]),
            _ => {}
        }
    }
    (duty, attribute, item)
}

fn faults(source: &str) -> Vec<Fault> {
    let (duty, attribute, item) = divide(source);
    marks::faults(&action2(duty, attribute, item).1)
}

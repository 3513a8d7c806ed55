//! The whole pipeline: what is wrong, exactly where, and in which words.
//!
//! The tokens that an error must underline are marked with `«` and `»` in the source of each test.

mod arguments;
mod expansion;
mod reconcile;
mod rules;
mod shape;

use std::str::FromStr;

use proc_macro2::{LineColumn, TokenStream};

use super::{Duty, action2};

/// Line and column.
type Position = (usize, usize);

/// One error: the rule, its first and last place, and the sentence.
type Fault = (String, Position, Position, String);

/// Checks that the errors of `source` are exactly `expected` (rule and sentence), each at its mark.
#[track_caller]
fn check(source: &str, expected: &[(&str, &str)]) {
    let (plain, marks) = without_marks(source);
    let found = faults(&plain);
    assert_eq!(marks.len(), expected.len(), "one mark for each expected error, but found: {found:#?}");
    let expected: Vec<Fault> = expected
        .iter()
        .zip(marks)
        .map(|((rule, message), (start, end))| ((*rule).to_owned(), start, end, (*message).to_owned()))
        .collect();
    assert!(found == expected, "found {found:#?}\nexpected {expected:#?}");
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
    let (_, diagnostics) = action2(duty, attribute, item);
    let place = |place: LineColumn| (place.line, place.column);
    diagnostics
        .iter()
        .map(|fault| {
            let (start, end) = (place(fault.start.start()), place(fault.end.end()));
            (fault.rule.to_owned(), start, end, fault.message.clone())
        })
        .collect()
}

/// The source without its marks, and where they stood, in the order of the errors: by their starts.
fn without_marks(source: &str) -> (String, Vec<(Position, Position)>) {
    let (mut line, mut column) = (1, 0);
    let mut plain = String::new();
    let (mut open, mut marks) = (Vec::new(), Vec::new());
    for letter in source.chars() {
        match letter {
            '«' => open.push((line, column)),
            '»' => marks.extend(open.pop().map(|start| (start, (line, column)))),
            '\n' => {
                (line, column) = (line + 1, 0);
                plain.push(letter);
            }
            _ => {
                column += 1;
                plain.push(letter);
            }
        }
    }
    marks.sort_by_key(|(start, _)| *start);
    (plain, marks)
}

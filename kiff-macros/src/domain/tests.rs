//! The whole pipeline: what is wrong, exactly where, and in which words.
//!
//! The tokens that an error must underline are marked with `«` and `»` in the source of each test.

mod actions;
mod events;
mod expansion;
mod flow;
mod hints;
mod names;
mod promises;
mod roles;
mod syntax;
mod syntax_lines;
mod together;
mod unfinished;

use std::str::FromStr;

use proc_macro2::{LineColumn, TokenStream};

use super::domain2;

/// The reference domain, without a fault.
pub(super) const REFUND: &str = r"
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services RefundDesk;

    roles { Agent: agent, Operator: human, System: system }

    states { Created, Paid, final Refunded }

    events {
        OrderPlaced { total: Cents } reported by System;
        OrderPaid { payment_id: String };
        OrderRefunded { amount: Cents, reason: String };
    }

    transitions {
        OrderPlaced: new => Created;
        OrderPaid: Created => Paid;
        OrderRefunded: Paid => Refunded;
    }

    actions {
        MarkPaid { risk: low, by: Agent, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid];
        Paid => [RefundOrder];
    }

    never { Refunded without Operator }
";

/// One error: the rule, its first and last place, and the sentence.
type Fault = (String, Position, Position, String);

/// The reference domain with some of its text replaced; each `from` must stand there exactly once.
pub(super) fn refund(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(REFUND.to_owned(), |source, (from, to)| {
        assert_eq!(source.matches(from).count(), 1, "`{from}` does not stand there exactly once");
        source.replace(from, to)
    })
}

/// Checks that the errors of `source` are exactly `expected` (rule and sentence), each at its mark.
#[track_caller]
fn check(source: &str, expected: &[(&str, &str)]) {
    let (plain, marks) = without_marks(source);
    assert_eq!(marks.len(), expected.len(), "one mark for each expected error, but found: {:#?}", faults(&plain));
    let expected: Vec<Fault> = expected
        .iter()
        .zip(marks)
        .map(|((rule, message), (start, end))| ((*rule).to_owned(), start, end, (*message).to_owned()))
        .collect();
    let found = faults(&plain);
    assert!(found == expected, "found {found:#?}\nexpected {expected:#?}");
}

/// Checks the reference domain with one edit for exactly one error, at the mark in `to`.
#[track_caller]
fn one(from: &str, to: &str, rule: &str, message: &str) {
    check(&refund(&[(from, to)]), &[(rule, message)]);
}

/// Checks the reference domain with each of these edits (what is replaced, by what, and the sentence): each is one
/// typing error at its mark, and nothing else.
#[track_caller]
fn each(edits: &[(&str, &str, &str)]) {
    for (from, to, message) in edits {
        one(from, to, "syntax", message);
    }
}

fn faults(source: &str) -> Vec<Fault> {
    let tokens = TokenStream::from_str(source).expect("the test's source must consist of tokens");
    let (_, diagnostics) = domain2(&tokens);
    let place = |place: LineColumn| (place.line, place.column);
    diagnostics
        .iter()
        .map(|fault| {
            let (start, end) = (place(fault.start.start()), place(fault.end.end()));
            (fault.rule.to_owned(), start, end, fault.message.clone())
        })
        .collect()
}

/// Line and column.
type Position = (usize, usize);

/// The source without its marks, and where they stood.
fn without_marks(source: &str) -> (String, Vec<(Position, Position)>) {
    let (mut line, mut column) = (1, 0);
    let mut plain = String::new();
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for letter in source.chars() {
        match letter {
            '«' => starts.push((line, column)),
            '»' => ends.push((line, column)),
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
    assert_eq!(starts.len(), ends.len(), "each `«` needs its `»`");
    (plain, starts.into_iter().zip(ends).collect())
}

#[test]
fn the_reference_domain_has_no_fault() {
    check(REFUND, &[]);
}

#[test]
fn an_error_is_a_compile_error_beside_the_stub() {
    let tokens = TokenStream::from_str(&refund(&[("Paid => Refunded", "Paid => Refundd")])).unwrap();
    let (_, diagnostics) = domain2(&tokens);
    let rendered = diagnostics.into_compile_errors().to_string();
    assert_eq!(rendered, r#":: core :: compile_error ! { "unknown state `Refundd`: did you mean `Refunded`?" }"#);
}

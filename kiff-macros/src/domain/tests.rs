//! The whole pipeline: what is wrong, exactly where, and in which words.

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

use proc_macro2::TokenStream;

use super::domain2;
use crate::marks::{self, Fault};

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
    marks::check(source, expected, faults);
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
    marks::faults(&domain2(&tokens).1)
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

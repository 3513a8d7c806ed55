//! Blocks that are not finished: empty ones, and ones whose half is still to come.

use proc_macro2::{Group, TokenStream, TokenTree};

use super::{check, faults};

#[test]
fn an_empty_block_is_one_error() {
    let found: Vec<_> = faults("").into_iter().map(|fault| fault.message).collect();
    assert_eq!(found, ["the block is empty: begin with `domain Name governs Entity;`"]);
}

#[test]
fn a_first_line_alone_is_one_error() {
    check(
        "domain «Refund» governs Order;",
        &[(
            "syntax",
            "the sections `roles`, `states`, `events`, `transitions`, `actions` and `allow` are missing: \
             begin with `roles { … }`",
        )],
    );
    check("«domain»", &[("syntax", "expected the domain's name, as in `domain Refund governs Order;`")]);
}

#[test]
fn empty_sections_are_one_error_each() {
    check(
        "domain Refund governs Order; «roles» {} «states» {} «events» {} «transitions» {} «actions» {} «allow» {}",
        &[
            ("syntax", "`roles` is empty: declare who acts, as in `Agent: agent`"),
            ("syntax", "`states` is empty: declare a state, as in `Created`"),
            ("syntax", "`events` is empty: declare what can happen, as in `OrderPlaced reported by System;`"),
            ("syntax", "`transitions` is empty: say where each event leads, as in `OrderPlaced: new => Created;`"),
            (
                "syntax",
                "`actions` is empty: declare an action, as in `MarkPaid { risk: low, by: Agent, emits: OrderPaid };`",
            ),
            ("syntax", "`allow` is empty: say which state allows which actions, as in `Created => [MarkPaid];`"),
        ],
    );
}

#[test]
fn a_section_that_is_missing_is_one_error_and_nothing_else() {
    for section in ["roles", "states", "events", "transitions", "actions", "allow"] {
        let found = faults(&without(section));
        let messages: Vec<&str> = found.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages, [format!("the section `{section}` is missing: write `{section} {{ … }}`")]);
    }
}

#[test]
fn a_section_that_is_never_closed_swallows_nothing() {
    let source = super::refund(&[
        ("System: system }\n", "System: system\n"),
        ("states {", "«states» {"),
        ("never { Refunded without Operator }", "}"),
    ]);
    let found = faults(&source.replace(['«', '»'], ""));
    let messages: Vec<&str> = found.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages[0], "`states` cannot stand inside `roles`: close `roles` with `}` before it");
}

/// The reference domain without one section.
fn without(section: &str) -> String {
    let start = super::REFUND.find(&format!("    {section} {{")).unwrap();
    let rest = &super::REFUND[start..];
    let end = rest.find("\n    }\n").map_or(usize::MAX, |end| end + 6).min(rest.find(" }\n").unwrap() + 3);
    let one_line = rest.lines().next().unwrap().ends_with('}');
    let end = if one_line { rest.find('\n').unwrap() } else { rest.find("\n    }\n").map_or(end, |end| end + 6) };
    format!("{}{}", &super::REFUND[..start], &rest[end..])
}

/// The tokens with the one at `position` (groups count before what is in them) replaced by `copies` of it.
fn repeated(tokens: TokenStream, position: &mut isize, copies: usize) -> TokenStream {
    let mut changed = TokenStream::new();
    for token in tokens {
        *position -= 1;
        let here = if *position == -1 { copies } else { 1 };
        let token = match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), repeated(group.stream(), position, copies));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        };
        changed.extend(std::iter::repeat_n(token, here));
    }
    changed
}

/// The most errors for any one token that is left out or doubled, over all tokens of the reference domain.
fn most_errors(copies: usize) -> usize {
    let whole: TokenStream = super::REFUND.parse().unwrap();
    let mut most = 0;
    for token in 0.. {
        let mut position = token;
        let tokens = repeated(whole.clone(), &mut position, copies);
        if position >= 0 {
            return most;
        }
        let (_, diagnostics) = super::domain2(&tokens);
        most = most.max(diagnostics.iter().count());
    }
    most
}

#[test]
fn any_token_left_out_is_few_errors() {
    // Four where the name of a state is gone: the stray comma, and each of three uses.
    assert_eq!(most_errors(0), 4);
}

#[test]
fn any_token_doubled_is_few_errors() {
    assert_eq!(most_errors(2), 3);
}

//! What the tests of the macros ask: which errors there are, in which words, and exactly where.
//!
//! The tokens that an error must underline are marked with `«` and `»` in the source of each test.

use proc_macro2::LineColumn;

use crate::errors::Diagnostics;

/// Line and column.
type Position = (usize, usize);

/// One error: its rule, its first and last place, and the sentence.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    rule: String,
    start: Position,
    end: Position,
    pub(crate) message: String,
}

pub(crate) fn faults(diagnostics: &Diagnostics) -> Vec<Fault> {
    let position = |place: LineColumn| (place.line, place.column);
    let fault = diagnostics.iter().map(|own| Fault {
        rule: own.rule.to_owned(),
        start: position(own.start.start()),
        end: position(own.end.end()),
        message: own.message.clone(),
    });
    fault.collect()
}

/// Checks that the errors of `source` are exactly `expected` (rule and sentence), each at its mark.
#[track_caller]
pub(crate) fn check(source: &str, expected: &[(&str, &str)], faults: impl FnOnce(&str) -> Vec<Fault>) {
    let (plain, marks) = without_marks(source);
    let found = faults(&plain);
    assert_eq!(marks.len(), expected.len(), "one mark for each expected error, but found: {found:#?}");
    let fault = |((rule, message), (start, end)): (&(&str, &str), (Position, Position))| Fault {
        rule: (*rule).to_owned(),
        start,
        end,
        message: (*message).to_owned(),
    };
    let expected: Vec<Fault> = expected.iter().zip(marks).map(fault).collect();
    assert!(found == expected, "found {found:#?}\nexpected {expected:#?}");
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
    assert!(open.is_empty(), "each `«` needs its `»`");
    marks.sort_by_key(|(start, _)| *start);
    (plain, marks)
}

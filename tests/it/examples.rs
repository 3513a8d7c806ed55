//! The examples, run as a stranger runs them.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::programs::Program;

mod bridge;
mod data;
mod directory;
mod faults;
mod lending;
mod log;
pub(crate) mod parts;
mod python;
mod refund_agent;
mod schemathesis;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/refund/proposals.jsonl");

fn command(example: &'static str) -> Command {
    let mut command = Command::new(Program::Example(example).path());
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

/// The example that serves, at a free port; what it leaves behind where it is killed is below `place`.
fn server(place: &Path) -> Command {
    let mut server = command("server");
    server.args(["--address", "127.0.0.1:0"]).env("TMPDIR", place);
    server
}

/// What an example prints that ends well and complains of nothing.
pub(super) fn printed(example: &'static str, arguments: &[&str]) -> String {
    let output = command(example).args(arguments).output().unwrap();
    check(&output)
}

fn check(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_plain(&text);
    text
}

/// Nothing in it is obeyed by a terminal or hidden by it.
fn assert_plain(text: &str) {
    let obeyed = text.chars().find(|character| {
        (character.is_control() && *character != '\n')
            || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
    });
    assert_eq!(obeyed, None, "{text:?}");
}

/// The runner's output for these lines on its standard input.
fn served(lines: &[u8]) -> String {
    let mut runner = command("refund").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = runner.stdin.take().unwrap();
    let lines = lines.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&lines));
    let output = runner.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    check(&output)
}

/// What the runner prints under one heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let found = text.split("\n\n").find(|section| section.trim_start().starts_with(heading));
    found.unwrap_or_else(|| panic!("no section `{heading}` in:\n{text}"))
}

/// Whether the texts stand in this order.
fn in_order(text: &str, facts: &[&str]) {
    let mut rest = text;
    for fact in facts {
        let place = rest.find(fact).unwrap_or_else(|| panic!("`{fact}` is not where it should be in:\n{text}"));
        rest = &rest[place + fact.len()..];
    }
}

#[test]
fn the_tour_tells_the_whole_story() {
    let facts = [
        "reports that Order/ord-1001 was placed for 999.00",
        "executed: ORDER_PAID",
        "held: approval_required",
        "has paid back nothing",
        "blocked: permission_denied",
        "approval-1 is granted",
        "tries 9999.00 under approval-1",
        "held: approval_required",
        "approval `approval-1` is for other parameters",
        "executed: ORDER_REFUNDED",
        "tries the same again",
        "blocked: state_not_allowed",
        "has paid back 999.00",
        "in doubt: payment_unconfirmed",
        "blocked: action_in_progress",
        "has paid back 999.00 and 75.00",
        "action_started",
        "spends approval-1",
        "3 events alone lead to REFUNDED, as recorded",
    ];
    let text = printed("tour", &["--fast"]);
    in_order(&text, &facts);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_tour_is_coloured_where_colours_are_shown() {
    let output = command("tour").arg("--fast").env("CLICOLOR_FORCE", "1").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\u{1b}["), "{text}");
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_plain(&stripped);
    assert_eq!(stripped.lines().count(), printed("tour", &["--fast"]).lines().count());
}

#[test]
fn an_attempt_is_granted_and_another_denied() {
    let text = printed("mission", &[]);
    let granted = [
        "now SUBMITTED",
        "now ACTIVE",
        "now WAITING_APPROVAL",
        "held: approval_required",
        "approval-1 is granted: flat ground",
        "executed: HUMAN_APPROVAL_GRANTED",
        "approval-2 is granted: go",
        "approval `approval-2` is for other parameters",
        "executed: MOVE_EXECUTED by execution-4: now COMPLETED",
        "has driven 12 m in all",
        "5 events alone lead to COMPLETED, as recorded",
    ];
    let denied = [
        "now WAITING_APPROVAL",
        "approval-3 is denied: there is a crater",
        "approval `approval-3` was denied by `ada`",
        "blocked: state_not_allowed",
        "has driven 12 m in all",
        "3 events alone lead to WAITING_APPROVAL, as recorded",
    ];
    in_order(&text, &[&granted[..], &denied[..]].concat());
}

#[test]
fn the_runner_answers_every_line_of_the_sample() {
    let text = printed("refund", &[SAMPLE]);
    let answers = [
        (1, "executed: ORDER_PAID"),
        (2, "executed: ORDER_PAID"),
        (3, "executed: ORDER_PAID"),
        (4, "executed: ORDER_PAID"),
        (5, "held: approval_required"),
        (6, "held: approval_required"),
        (7, "held: approval_required"),
        (8, "held: approval_required"),
        (9, "blocked: action_in_progress"),
        (10, "blocked: state_not_allowed"),
        (11, "unreadable: empty_line"),
        (12, "unreadable: malformed_json"),
        (13, "unreadable: no_tool_call"),
        (14, "unreadable: no_tool_call"),
        (15, "unreadable: no_tool_call"),
        (16, "invalid: unknown_action"),
        (17, "invalid: unknown_action"),
        (18, "invalid: unknown_entity"),
        (19, "invalid: missing_parameter"),
        (20, "invalid: invalid_parameter"),
        (21, "invalid: invalid_parameter"),
        (22, "invalid: invalid_parameter"),
        (23, "invalid: invalid_parameter"),
        (24, "invalid: invalid_parameter"),
        (25, "invalid: invalid_parameter"),
        (26, "unreadable: malformed_json"),
        (27, "invalid: invalid_parameter"),
        (28, "unreadable: malformed_arguments"),
        (29, "unreadable: malformed_json"),
        (30, "unreadable: line_too_long"),
        (31, "invalid: unknown_action"),
        (32, "unreadable: no_order"),
        (33, "held: approval_required"),
        (34, "held: approval_required"),
        (35, "invalid: invalid_parameter"),
        (36, "blocked: state_not_allowed"),
        (37, "failed: payment_declined"),
        (38, "executed: ORDER_PAID"),
    ];
    for (line, answer) in answers {
        let sections = text.split("\n\n").filter(|section| {
            let heading = section.trim_start().lines().next().unwrap_or_default();
            heading.split(' ').take(2).eq(["line", line.to_string().as_str()])
        });
        let sections: Vec<&str> = sections.collect();
        assert!(!sections.is_empty(), "no answer to line {line}");
        assert!(sections.iter().all(|section| section.contains(answer)), "line {line}: {sections:?}");
    }
    let lines = std::fs::read_to_string(SAMPLE).unwrap().lines().count();
    assert_eq!(lines, answers.len());
}

#[test]
fn an_approval_pays_once_what_was_signed_off_and_nothing_else() {
    let text = printed("refund", &[SAMPLE]);
    in_order(
        section(&text, "line 5 "),
        &[
            "approval-1 is granted: 49.00 is within my limit",
            "1 cent more held: approval_required",
            "approval `approval-1` is for other parameters",
            "as granted  executed: ORDER_REFUNDED",
            "once more   blocked: state_not_allowed",
        ],
    );
    in_order(section(&text, "line 6 "), &["approval-2 is denied", "was denied by `nora`"]);
    let declined = ["as granted  failed: payment_declined", "approval `approval-3` was spent by execution"];
    in_order(section(&text, "line 7 "), &declined);
    in_order(section(&text, "line 8 "), &["in doubt: payment_unconfirmed", "blocked: action_in_progress"]);
    in_order(section(&text, "line 33 "), &["is denied: the reason hides characters"]);
    let summary = section(&text, "The counter closes").split_whitespace().collect::<Vec<_>>().join(" ");
    in_order(&summary, &["paid back 2 amounts, 124.00 in all", "6 of 6 journals replay as recorded"]);
}

#[test]
fn the_runner_goes_on_after_whatever_comes() {
    let mut lines = b"\xff\xfe\x00\r\n".to_vec();
    lines.extend(std::iter::repeat_n(b'[', 3_000_000));
    lines.extend(b"\n\n\x1b]0;owned\x07\n{\"type\":\"tool_use\",\"name\":7,\"input\":{}}\n");
    lines.extend(b"{\"name\":\"mark_paid\",\"arguments\":{\"order_id\":\"ord-1001\",\"payment_id\":\"pay-1\"}}");
    let text = served(&lines);
    for (heading, answer) in [
        ("line 1", "unreadable: not_utf_8"),
        ("line 2", "a line of 3000000 bytes: at most 65536 are allowed"),
        ("line 3", "unreadable: empty_line"),
        ("line 4", "unreadable: malformed_json"),
        ("line 5", "unreadable: no_tool_call"),
        ("line 6", "executed: ORDER_PAID"),
    ] {
        assert!(section(&text, heading).contains(answer), "{heading}: {text}");
    }
    assert!(served(b"").contains("0 lines got 0 answers"));
}

#[test]
fn wrong_arguments_are_told_in_a_sentence() {
    for (example, arguments) in
        [("refund", &[][..]), ("refund", &["a", "b"]), ("tour", &["--slow"]), ("mission", &["x"])]
    {
        let output = command(example).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{example} {arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("cargo run --example {example}")));
    }
    for path in ["examples/refund/none.jsonl", "examples/refund"] {
        let output = command("refund").arg(path).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.starts_with(&format!("{path}: ")) && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let mut runner = command("refund").arg(SAMPLE).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(runner.stdout.take());
    let mut complaint = String::new();
    runner.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(runner.wait().unwrap().success());
    assert_eq!(complaint, "");
}

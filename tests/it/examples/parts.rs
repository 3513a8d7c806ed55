//! The parts of the refund example by themselves: its reader of lines, its reader of tool calls, and its desk.

use std::io::{self, BufReader, Read};

use kiff::{Bounds, Call, Cents, ExecutionId, IdentifierError, Schema};

use domain::{DeskError, RefundDesk};
use lines::{Lines, Unreadable};
use tool_call::{Fault, Format, Request, ToolCall};

#[path = "../../../examples/refund/domain.rs"]
mod domain;
#[path = "../../../examples/refund/lines.rs"]
#[expect(unreachable_pub, reason = "these modules are public in the example")]
mod lines;
#[path = "../../../examples/refund/tool_call.rs"]
#[expect(unreachable_pub, reason = "these modules are public in the example")]
mod tool_call;

/// The domain as data.
pub(crate) fn schema() -> &'static Schema {
    domain::Refund::schema()
}

fn read(line: &str) -> Result<Vec<ToolCall>, Fault> {
    tool_call::read(line, &Bounds::DEFAULT)
}

/// The only tool call of a line.
fn only(line: &str) -> ToolCall {
    let mut calls = read(line).unwrap();
    assert_eq!(calls.len(), 1, "{line}");
    calls.remove(0)
}

fn refused(line: &str) -> (&'static str, String) {
    let fault = match read(line) {
        Err(fault) => fault,
        Ok(calls) => calls[0].request(&Bounds::DEFAULT).unwrap_err(),
    };
    assert!(!fault.remedy().is_empty());
    (fault.code(), fault.to_string())
}

#[test]
fn every_format_is_read_as_the_same_request() {
    let chat = r#"{"id":"c1","type":"function","function":{"name":"refund_order","arguments":"{\"order_id\":\"ord-1\",\"amount\":4900}"}}"#;
    let message = format!(r#"{{"role":"assistant","content":null,"tool_calls":[{chat}]}}"#);
    let open = r#"{"type":"tool_use","id":"c1","name":"REFUND_ORDER","input":{"amount":4900,"order_id":"ord-1"}}"#;
    let blocks = format!(r#"{{"role":"assistant","content":[{{"type":"text","text":"Sure."}},{open}]}}"#);
    let params = r#"{"name":"refund_order","arguments":{"order_id":"ord-1","amount":4900}}"#;
    let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let item = r#"{"type":"function_call","call_id":"c1","name":"refund_order","arguments":"{\"order_id\":\"ord-1\",\"amount\":4900}"}"#;
    let lines = [
        (chat, Format::OpenAiChat, Some("c1"), None),
        (&message, Format::OpenAiChat, Some("c1"), None),
        (item, Format::OpenAiResponses, Some("c1"), None),
        (open, Format::Anthropic, Some("c1"), None),
        (&blocks, Format::Anthropic, Some("c1"), Some("Sure.")),
        (params, Format::Mcp, None, None),
        (&request, Format::Mcp, Some("1"), None),
    ];
    for (line, format, id, rationale) in lines {
        let call = only(line);
        let told = call.id.as_ref().map(ToString::to_string);
        assert_eq!((call.format, told.as_deref(), call.rationale.as_deref()), (format, id, rationale), "{line}");
        let expected = Request { order: "ord-1".to_owned(), call: Call::new("REFUND_ORDER", r#"{"amount":4900}"#) };
        assert_eq!(call.request(&Bounds::DEFAULT).unwrap(), expected, "{line}");
        assert!(!format.to_string().is_empty());
    }
}

#[test]
fn a_message_can_hold_several_calls() {
    let one = r#"{"type":"tool_use","id":"c1","name":"a","input":{}}"#;
    let other = r#"{"type":"tool_use","id":"c2","name":"b","input":{}}"#;
    let calls = read(&format!(r#"{{"role":"assistant","content":[{one},{other}]}}"#)).unwrap();
    assert_eq!(calls.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_call_that_lacks_something_takes_none_with_it() {
    let broken = r#"{"type":"tool_use","id":"c1","name":"a"}"#;
    let whole = r#"{"type":"tool_use","id":"c2","name":"b","input":{"order_id":"ord-1"}}"#;
    let calls = read(&format!(r#"{{"role":"assistant","content":[{broken},{whole}]}}"#)).unwrap();
    let missing: Vec<Option<&str>> = calls.iter().map(|call| call.missing).collect();
    assert_eq!(missing, [Some("input"), None]);
    assert_eq!(calls[0].request(&Bounds::DEFAULT).unwrap_err().code(), "incomplete_tool_call");
    assert_eq!(calls[1].request(&Bounds::DEFAULT).unwrap().order, "ord-1");
}

#[test]
fn arguments_are_handed_on_as_they_were_written() {
    let call = only(r#"{"name":"Refund-Order","arguments":{"order_id":"ord-1","amount":1e3,"reason":"\u001b é"}}"#);
    let request = call.request(&Bounds::DEFAULT).unwrap();
    assert_eq!(request.call.action(), "Refund-Order");
    assert_eq!(request.call.parameters(), r#"{"amount":1e3,"reason":"\u001b é"}"#);
}

#[test]
fn some_who_imitate_open_ai_do_not_quote_the_arguments() {
    let line = r#"{"tool_calls":[{"function":{"name":"mark_paid","arguments":{"order_id":"ord-1"}}}]}"#;
    assert_eq!(only(line).request(&Bounds::DEFAULT).unwrap().order, "ord-1");
}

#[test]
fn every_fault_has_a_code_and_a_sentence() {
    let deep = format!(r#"{{"name":"a","arguments":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let cases = [
        ("{", "malformed_json", "EOF"),
        (r#"{"name":"a","name":"b"}"#, "malformed_json", "the key `name` stands twice"),
        (r#"{"name":"a","arguments":{"amount":9007199254740993}}"#, "malformed_json", "not exact for every reader"),
        (&deep, "malformed_json", "it nests deeper than 32"),
        ("[]", "no_tool_call", "no JSON object"),
        ("7", "no_tool_call", "no JSON object"),
        ("{}", "no_tool_call", "there is no tool call"),
        (r#"{"role":"assistant","content":"Done."}"#, "no_tool_call", "there is no tool call"),
        (r#"{"role":"assistant","content":[{"type":"text","text":"Done."}]}"#, "no_tool_call", "there is no tool call"),
        (r#"{"role":"assistant","content":7}"#, "no_tool_call", "there is no tool call"),
        (r#"{"tool_calls":[]}"#, "no_tool_call", "there is no tool call"),
        (r#"{"tool_calls":7}"#, "no_tool_call", "expected a sequence"),
        (r#"{"method":"tools/list"}"#, "no_tool_call", "the method is `tools/list`"),
        (r#"{"method":"tools/call"}"#, "incomplete_tool_call", "no `params`"),
        (r#"{"tool_calls":[{}]}"#, "incomplete_tool_call", "no `function`"),
        (r#"{"function":{"name":"a"}}"#, "incomplete_tool_call", "no `arguments`"),
        (r#"{"function":{"arguments":"{}"}}"#, "incomplete_tool_call", "no `name`"),
        (r#"{"type":"function_call","name":"a"}"#, "incomplete_tool_call", "no `arguments`"),
        (r#"{"type":"tool_use","name":"a"}"#, "incomplete_tool_call", "no `input`"),
        (r#"{"type":"tool_use","input":{}}"#, "incomplete_tool_call", "no `name`"),
        (r#"{"function":{"name":"a","arguments":"{"}}"#, "malformed_arguments", "EOF"),
        (r#"{"function":{"name":"a","arguments":"{\"x\":1,\"x\":2}"}}"#, "malformed_arguments", "`x` stands twice"),
        (r#"{"name":"a","arguments":[]}"#, "malformed_arguments", "no JSON object"),
        (r#"{"name":"a","arguments":{}}"#, "no_order", "no `order_id`"),
        (r#"{"name":"a","arguments":{"order_id":7}}"#, "no_order", "no string"),
    ];
    for (line, code, sentence) in cases {
        let (told, message) = refused(line);
        assert_eq!(told, code, "{line}: {message}");
        assert!(message.contains(sentence), "{line}: {message}");
    }
    assert_eq!(Fault::Order(IdentifierError::Empty).to_string(), "the `order_id` is none: an identifier is empty");
}

#[test]
fn lines_are_read_one_by_one_and_none_beyond_its_bound() {
    let read = |text: &[u8]| {
        // Three bytes at a time, so that lines and chunks end at different places.
        let mut lines = Lines::new(BufReader::with_capacity(3, text), 5);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.number, line.text));
        }
        found
    };
    let text = |text: &str| Ok(text.to_owned());
    assert_eq!(read(b""), []);
    assert_eq!(read(b"a\n\nb"), [(1, text("a")), (2, text("")), (3, text("b"))]);
    assert_eq!(read(b"a\r\n"), [(1, text("a"))]);
    assert_eq!(read(b"12345\n123456\n1\n"), [(1, text("12345")), (2, Err(Unreadable::TooLong(6))), (3, text("1"))]);
    assert_eq!(read(b"\xff\nb\n"), [(1, Err(Unreadable::NotText)), (2, text("b"))]);
    assert_eq!(read("\u{feff}a\n".as_bytes()), [(1, text("a"))]);
    let mut endless = Lines::new(BufReader::new(io::repeat(b'x').take(1 << 24)), 5);
    assert_eq!(endless.next_line().unwrap().unwrap().text, Err(Unreadable::TooLong(1 << 24)));
}

#[test]
fn the_desk_pays_once_for_one_key() {
    let desk = RefundDesk::default();
    let key = ExecutionId::new("execution-1").unwrap();
    desk.pay_back(&key, "ord-1", Cents(4_900)).unwrap();
    desk.pay_back(&key, "ord-1", Cents(4_900)).unwrap();
    assert_eq!(desk.paid_back(), [Cents(4_900)]);
}

#[test]
fn the_desk_can_decline_and_can_leave_without_an_answer() {
    let desk = RefundDesk::default();
    let key = |number: u32| ExecutionId::new(format!("execution-{number}")).unwrap();
    assert_eq!(desk.capture(&key(1), "ord-1", "pay-declined"), Err(DeskError::Declined));
    desk.capture(&key(2), "ord-2", "pay-no-refund").unwrap();
    assert_eq!(desk.pay_back(&key(3), "ord-2", Cents(100)), Err(DeskError::Declined));
    assert_eq!(desk.paid_back(), []);
    desk.capture(&key(4), "ord-3", "pay-timeout").unwrap();
    assert_eq!(desk.pay_back(&key(5), "ord-3", Cents(100)), Err(DeskError::NoAnswer));
    assert_eq!(desk.paid_back(), [Cents(100)]);
}

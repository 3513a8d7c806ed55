//! Every kind of record, with all that it can say and with as little as it can, written both ways.

use super::*;

/// A text with everything that JSON escapes, and more.
const STRANGE: &str = "\u{0}\u{8}\t\n\u{c}\r\u{1f} \" \\ / \u{7f} é \u{2028} 🦀";

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn id<T: std::str::FromStr<Err: fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Something where there may be nothing.
fn some<T>(is_full: bool, value: T) -> Option<T> {
    is_full.then_some(value)
}

fn reasons(is_full: bool) -> Rationale {
    let evidence = vec![
        Evidence { source: STRANGE.to_owned(), content: json("[]") },
        Evidence { source: "photo".to_owned(), content: json("{ }") },
    ];
    Rationale {
        rationale: some(is_full, STRANGE.to_owned()),
        confidence: some(is_full, Confidence::new(0.875).unwrap()),
        evidence: if is_full { evidence } else { Vec::new() },
    }
}

fn approvals(is_full: bool) -> [Fact; 6] {
    let parameters = json("[]");
    let digest = Digest::of(&[b"one"]);
    let binding =
        Binding { whole: digest, parameters: digest, contract: digest, evidence: some(is_full, Digest::of(&[])) };
    let reviewed = || ApprovalReviewed { approval: id("approval-1"), reason: some(is_full, STRANGE.to_owned()) };
    [
        ApprovalRequired {
            action: "REFUND".into(),
            parameters: parameters.clone(),
            approval: some(is_full, id("approval-1")),
            message: STRANGE.to_owned(),
        }
        .into(),
        ApprovalRecorded {
            approval: id("approval-1"),
            action: "REFUND".into(),
            parameters: parameters.clone(),
            reasons: reasons(is_full),
            binding,
            expires_at: Timestamp::default(),
        }
        .into(),
        Fact::ApprovalGranted(reviewed()),
        Fact::ApprovalDenied(reviewed()),
        Fact::ApprovalWithdrawn(reviewed()),
        ApprovalReviewRejected { approval: id("approval-1"), code: "error".into(), message: STRANGE.to_owned() }.into(),
    ]
}

/// One fact of each kind, with everything that it can say or with as little as it can.
fn facts(is_full: bool) -> Vec<Fact> {
    let parameters = json(r#"{ "amount" : 4200, "é\u00e9": [1.50, "\""] }"#);
    let reasons = reasons(is_full);
    let settled = some(is_full, Settled::Person { reason: STRANGE.to_owned() });
    let outcomes = [
        FailedOutcome::Blocked,
        FailedOutcome::Invalid,
        FailedOutcome::Refused,
        FailedOutcome::Unknown,
        FailedOutcome::Late,
    ];
    let failed = outcomes.into_iter().map(|outcome| {
        Fact::from(ActionFailed {
            action: STRANGE.into(),
            outcome,
            code: "error".into(),
            message: String::new(),
            parameters: some(is_full, parameters.clone()),
            execution: some(is_full, id("run-1")),
            settled: some(is_full, Settled::Reconcile),
        })
    });
    let others: [Fact; 8] = [
        EventIngested {
            event: "ORDER_PLACED".into(),
            payload: parameters.clone(),
            id: some(is_full, id("event-1")),
            source: some(is_full, id("shop \"north\"")),
            occurred_at: some(is_full, Timestamp::from_microseconds(1_795_435_200_000_001)),
        }
        .into(),
        StateChanged { from: some(is_full, "CREATED".into()), to: "PAID".into() }.into(),
        StateRebuilt { state: "PAID".into(), events: u64::MAX, matches: is_full }.into(),
        DecisionProposed {
            id: id("decision-1"),
            action: "REFUND".into(),
            parameters: some(is_full, parameters.clone()),
            reasons: reasons.clone(),
        }
        .into(),
        ActionValidated { action: "REFUND".into(), parameters: parameters.clone() }.into(),
        ActionStarted {
            action: "REFUND".into(),
            execution: id("run-1"),
            approval: some(is_full, id("approval-1")),
            key: some(is_full, id("key-1")),
        }
        .into(),
        ActionExecuted { action: "REFUND".into(), execution: id("run-1"), settled }.into(),
        ActionDeduplicated { action: "REFUND".into(), execution: id("run-1"), key: id("key-1") }.into(),
    ];
    let later = Unknown { kind: STRANGE.to_owned(), version: u32::MAX, data: parameters.clone() };
    others.into_iter().chain(approvals(is_full)).chain(failed).chain([Fact::Unknown(later)]).collect()
}

fn commit(is_full: bool, facts: Vec<Fact>) -> Content {
    let trace = Trace {
        trace_id: some(is_full, id("trace-1")),
        correlation_id: None,
        causation_id: some(is_full, id("cause \\ 1")),
    };
    Content {
        at: Timestamp::from_microseconds(1_795_435_200_000_001),
        actor: Actor::human("nora").unwrap(),
        trace: some(is_full, Box::new(trace)),
        cause: some(is_full, RecordId { commit: 7, place: 2 }),
        fold: some(is_full, Box::new(Digest::of(&[]))),
        facts: facts.into(),
    }
}

#[test]
fn a_commit_is_written_as_serde_writes_it() {
    for is_full in [false, true] {
        let whole = commit(is_full, facts(is_full));
        let kinds: std::collections::BTreeSet<_> = whole.facts.iter().map(Fact::kind).collect();
        assert!(Fact::KINDS.iter().all(|kind| kinds.contains(kind)), "a kind is missing: {kinds:?}");
        for content in [commit(is_full, Vec::new()), whole] {
            let written = String::from_utf8(super::content(&content)).unwrap();
            assert_eq!(written, serde_json::to_string(&content).unwrap());
            assert_eq!(serde_json::from_str::<Content>(&written).unwrap(), content);
        }
    }
}

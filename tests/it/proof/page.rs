//! What `docs/journal.md` says about checking without kiff, run as it stands there, and what is said of a journal that was changed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use kiff::journal::{
    ActionDeduplicated, ActionExecuted, ActionFailed, ActionStarted, ActionValidated, ApprovalRecorded,
    ApprovalRequired, ApprovalReviewRejected, ApprovalReviewed, DecisionProposed, EventIngested, FailedOutcome,
    Settled, StateChanged, StateRebuilt,
};
use kiff::proof::{Log, Sequencer, SigningKey};
use kiff::{
    Binding, Bounds, Cents, Confidence, Cursor, Digest, Evidence, Exported, Fact, Json, Proposal, Query, Rationale,
    Review, Store, Timestamp,
};
use pollster::block_on;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ledger::{Ledger, order};
use crate::shop::{self, RefundOrder};

const PAGE: &str = include_str!("../../../docs/journal.md");
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The program of that name, as it stands on the page.
fn program(name: &str) -> &'static str {
    let programs = PAGE.split("```python\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let first = format!("# {name}:");
    programs.into_iter().find(|program| program.starts_with(&first)).expect("the page has this program")
}

fn python(folder: &Path, name: &str, arguments: &[&str], input: &str) -> Output {
    let file = |name: &str| fs::File::open(folder.join(name)).unwrap();
    fs::write(folder.join(name), program(name)).unwrap();
    fs::write(folder.join("input"), input).unwrap();
    let mut command = Command::new("python3");
    command.arg(name).args(arguments).current_dir(folder).stdin(Stdio::from(file("input")));
    command.output().expect("python3 is missing: install Python 3.9 or later, on Debian with `apt-get install python3`")
}

/// What a program says that answers no.
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn export(ledger: &Ledger) -> Vec<String> {
    let positions = 1..=ledger.rows().len() as u64;
    positions.map(|position| Exported::new(position, ledger.commit(position)).unwrap().to_string()).collect()
}

/// A ledger whose log has a checkpoint and a few commits behind it.
fn scene(commits: u64) -> (TempDir, Ledger, SigningKey) {
    let (folder, ledger) = (TempDir::new().unwrap(), Ledger::of(commits, 3));
    ledger.note(&order(1), "é漢🦀 \\u00e9 \\\" \\\\ 9007199254740993");
    let key = SigningKey::generate("example.com/refunds").unwrap();
    block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    (folder, ledger, key)
}

#[test]
fn an_export_is_checked_in_python() {
    for commits in [0, 6, 63] {
        let (folder, ledger, _) = scene(commits);
        ledger.grow(2, 3);
        let lines = export(&ledger);
        let verify = |lines: &[String]| python(folder.path(), "verify.py", &["checkpoint"], &(lines.join("\n") + "\n"));
        let whole = verify(&lines);
        assert!(whole.status.success(), "{whole:?}");
        let said = String::from_utf8(whole.stdout).unwrap();
        let entities = block_on(ledger.entities(None, 9)).unwrap().len();
        let expected = format!("{} commits of {entities} entities are", lines.len());
        assert!(said.starts_with(&expected) && said.contains("example.com/refunds"), "{said} {expected}");
    }
}

#[test]
fn p8_what_was_changed_in_an_export_is_found_in_python() {
    let (folder, ledger, _) = scene(20);
    let verify = |lines: &[String]| refusal(&python(folder.path(), "verify.py", &["checkpoint"], &lines.join("\n")));
    let whole = export(&ledger);
    let mut edited = whole.clone();
    edited[7] = edited[7].replace("note 7", "note 8");
    assert!(verify(&edited).contains("commit 3 of ('default', 'Order', 'ord-2'), line 8: not what was written"));
    let mut missing = whole.clone();
    missing.remove(4);
    assert!(verify(&missing).contains("line 5"));
    let mut swapped = whole.clone();
    swapped.swap(10, 11);
    assert!(verify(&swapped).contains("line 11"));
    assert!(verify(&whole[..15]).contains("the journal ends at 15, and 21 commits were signed"));
    ledger.rewrite(&order(3), 2, "never said");
    assert!(verify(&export(&ledger)).contains("the first 21 commits are not those that were signed"));
}

/// An export of an order that was refunded under an approval.
fn refunded() -> Vec<String> {
    block_on(async {
        let (runtime, people) = (shop::open(), shop::people());
        let key = shop::paid(&runtime, "ord-1").await;
        let wish = || {
            let refund = RefundOrder { amount: Cents(4_200), reason: "é漢🦀 \" \\ /\n".into() };
            let shown = json!({"z": [1, 2.5, null], "lamp": {"is": "\"broken\"", "é": true}});
            Proposal::new(refund).evidence(Evidence::new("photo é", &shown).unwrap())
        };
        let asked = runtime.request_approval(&people.agent, &key, wish()).await.unwrap().into_result().unwrap();
        let granted = runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap();
        assert!(granted.is_allowed(), "{granted:?}");
        let done = runtime.execute(&people.agent, &key, wish()).await.unwrap();
        assert_eq!(done.outcome(), "executed");
        let found = runtime.store().search(&Query::default(), Cursor::FIRST, 99).await.unwrap();
        found.into_iter().map(|(position, commit)| Exported::new(position, commit).unwrap().to_string()).collect()
    })
}

#[test]
fn p3_that_a_run_had_what_was_approved_is_checked_in_python() {
    let (folder, whole) = (TempDir::new().unwrap(), refunded());
    let check = |lines: &[String]| python(folder.path(), "approvals.py", &[], &lines.join("\n"));
    let good = check(&whole);
    assert!(good.status.success(), "{good:?}");
    let said = String::from_utf8(good.stdout).unwrap();
    assert_eq!(said, "1 approvals are bound to what they show; 1 runs had what was approved\n");

    let place = |kind: &str| whole.iter().rposition(|line| line.contains(kind)).unwrap();
    let (asked, granted, run) = (place("approval_recorded"), place("approval_granted"), place("action_started"));
    let amount = (r#"\"amount\":4200"#, r#"\"amount\":4201"#);
    for (at, (from, to), told) in [
        (asked, amount, "is bound to something else than it shows"),
        (asked, ("lamp", "vase"), "is bound to something else than it shows"),
        (granted, ("human", "agent"), "was not to be given, or too late"),
        (granted, ("approval_granted", "approval_denied"), "that nobody had given"),
        (run, amount, "a run of something else than was approved"),
        (run, ("lamp", "vase"), "a run of something else than was approved"),
        (run, (r#"{\"at\":\"2"#, r#"{\"at\":\"3"#), "was not to be given, or too late"),
    ] {
        let mut edited = whole.clone();
        edited[at] = edited[at].replace(from, to);
        assert_ne!(edited, whole, "{from}");
        let refused = refusal(&check(&edited));
        assert!(refused.contains(told), "{from} in {}: {refused}", whole[at]);
    }
}

#[test]
fn a_receipt_is_checked_in_python() {
    let (folder, ledger, key) = scene(20);
    let log = Log::open(folder.path()).unwrap();
    let run = |receipt: &str| {
        fs::write(folder.path().join("receipt"), receipt).unwrap();
        python(folder.path(), "receipt.py", &["receipt"], "")
    };
    for position in [1, 2, 11, 16, 21] {
        let receipt = log.receipt(position, &ledger.commit(position)).unwrap().to_string();
        let proved = run(&receipt);
        assert!(proved.status.success(), "{proved:?}");
        assert_eq!(String::from_utf8(proved.stdout).unwrap(), log.checkpoint().to_string());
        let edited = run(&receipt.replace("NOTE_ADDED", "NOTE_ADDEE"));
        assert!(refusal(&edited).contains("is not in the tree"));
        let (here, elsewhere) = (format!("\"position\":{position},"), format!("\"position\":{},", position + 1));
        let renumbered = receipt.replacen(&here, &elsewhere, 1);
        assert!(refusal(&run(&renumbered)).contains("is not in the tree"));
        let moved = renumbered.replace(&format!("index {}", position - 1), &format!("index {position}"));
        assert!(refusal(&run(&moved)).contains("is not in the tree"));
    }
    let public = key.verifying_key().to_string();
    let signature = |text: &str, key: &str| {
        fs::write(folder.path().join("checkpoint"), text).unwrap();
        python(folder.path(), "signature.py", &["checkpoint", key], "")
    };
    let text = log.checkpoint().to_string();
    let openssl = "openssl is missing: on Debian install it with `apt-get install openssl`";
    assert!(Command::new("openssl").arg("version").output().expect(openssl).status.success());
    let good = signature(&text, &public);
    assert!(good.status.success(), "{good:?}");
    assert!(!signature(&text.replace("\n21\n", "\n22\n"), &public).status.success());
    let stranger = SigningKey::generate("example.com/refunds").unwrap().verifying_key().to_string();
    assert!(refusal(&signature(&text, &stranger)).contains("has not signed"));
}

#[test]
fn the_page_tells_every_kind_of_record() {
    for kind in Fact::KINDS {
        assert!(PAGE.contains(&format!("`{kind}`")), "docs/journal.md does not tell of `{kind}`");
    }
}

/// Every kind of record that is not about an approval, with everything that it can say.
fn of_runs() -> Vec<Fact> {
    let nothing = || Json::parse("{}", &Bounds::DEFAULT).unwrap();
    let settled = || Some(Settled::Person { reason: "the bank says so".into() });
    vec![
        EventIngested {
            event: "ORDER_PLACED".into(),
            payload: nothing(),
            id: Some("event-1".parse().unwrap()),
            source: Some("mail".parse().unwrap()),
            occurred_at: Some(Timestamp::default()),
        }
        .into(),
        StateChanged { from: Some("CREATED".into()), to: "PAID".into() }.into(),
        StateRebuilt { state: "PAID".into(), events: 2, matches: true }.into(),
        ActionValidated { action: "REFUND_ORDER".into(), parameters: nothing() }.into(),
        ActionStarted {
            action: "REFUND_ORDER".into(),
            execution: "run-1".parse().unwrap(),
            approval: Some("approval-1".parse().unwrap()),
            key: Some("wish-1".parse().unwrap()),
        }
        .into(),
        ActionExecuted { action: "REFUND_ORDER".into(), execution: "run-1".parse().unwrap(), settled: settled() }
            .into(),
        ActionFailed {
            action: "REFUND_ORDER".into(),
            outcome: FailedOutcome::Refused,
            code: "error".into(),
            message: "no".into(),
            parameters: Some(nothing()),
            execution: Some("run-1".parse().unwrap()),
            settled: settled(),
        }
        .into(),
        ActionDeduplicated {
            action: "REFUND_ORDER".into(),
            execution: "run-1".parse().unwrap(),
            key: "wish-1".parse().unwrap(),
        }
        .into(),
    ]
}

/// The others.
fn of_approvals() -> Vec<Fact> {
    let nothing = || Json::parse("{}", &Bounds::DEFAULT).unwrap();
    let reasons = || Rationale {
        rationale: Some("it is broken".into()),
        confidence: Some(Confidence::new(0.5).unwrap()),
        evidence: vec![Evidence { source: "photo".into(), content: nothing() }],
    };
    let (whole, parameters, contract) = (Digest::default(), Digest::default(), Digest::default());
    let reviewed = || ApprovalReviewed { approval: "approval-1".parse().unwrap(), reason: Some("seen".into()) };
    vec![
        DecisionProposed {
            id: "decision-1".parse().unwrap(),
            action: "REFUND_ORDER".into(),
            parameters: Some(nothing()),
            reasons: reasons(),
        }
        .into(),
        ApprovalRequired {
            action: "REFUND_ORDER".into(),
            parameters: nothing(),
            approval: Some("approval-1".parse().unwrap()),
            message: "nobody has approved it".into(),
        }
        .into(),
        ApprovalRecorded {
            approval: "approval-1".parse().unwrap(),
            action: "REFUND_ORDER".into(),
            parameters: nothing(),
            reasons: reasons(),
            binding: Binding { whole, parameters, contract, evidence: Some(Digest::default()) },
            expires_at: Timestamp::default(),
        }
        .into(),
        Fact::ApprovalGranted(reviewed()),
        Fact::ApprovalDenied(reviewed()),
        Fact::ApprovalWithdrawn(reviewed()),
        ApprovalReviewRejected {
            approval: "approval-1".parse().unwrap(),
            code: "error".into(),
            message: "too late".into(),
        }
        .into(),
    ]
}

/// Holds what stands under a name against the row of the page that tells of it.
fn expect_told(name: &str, said: &Value) {
    let (_, table) = PAGE.split_once("| In | Members |\n").unwrap();
    let of_it = |row: &&str| row.split('|').nth(1).is_some_and(|first| first.contains(&format!("`{name}`")));
    let rows: String = table.lines().take_while(|row| !row.is_empty()).filter(of_it).collect();
    for (member, value) in said.as_object().unwrap() {
        assert!(rows.contains(&format!("`{member}`")), "docs/journal.md does not tell of `{member}` in `{name}`");
        match value {
            Value::Object(_) => expect_told(member, value),
            Value::Array(items) => {
                for item in items {
                    expect_told(member, item);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn the_page_tells_every_member_of_every_record() {
    let facts = [of_runs(), of_approvals()].concat();
    assert!(Fact::KINDS.iter().all(|kind| facts.iter().any(|fact| fact.kind() == *kind)), "a kind is missing");
    for fact in &facts {
        let record: Value = serde_json::from_str(&serde_json::to_string(fact).unwrap()).unwrap();
        expect_told(fact.kind(), &record["data"]);
    }
}

#[test]
fn what_is_told_of_a_commit_that_was_changed_stands_among_what_can_be_wrong() {
    let ledger = Ledger::of(3, 1);
    ledger.rows()[1].body[0] ^= 1;
    let told = block_on(ledger.read(&order(1), 0, 9)).unwrap_err().to_string();
    let (_, problem) = told.split_once("is broken at commit 2: ").unwrap();
    let row = OPERATIONS.lines().find(|line| line.starts_with("| the journal of … is broken at commit …: "));
    assert!(row.unwrap().contains(problem), "docs/operations.md does not tell of `{problem}`");
}

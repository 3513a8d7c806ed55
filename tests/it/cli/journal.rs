//! The commands that read journals, on every sort of store.

use std::fmt::Write as _;
use std::fs;
use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Waker};

use kiff::journal::{ActionFailed, ActionStarted, Content, Fact, FailedOutcome, StateChanged};
use kiff::{
    Actor, Appended, Commit, Cursor, Exported, MemoryStore, PostgresStore, Query, Review, Runtime, Sealed, SqliteStore,
    Store, Verdict,
};
use kiff_test::{SequentialIdentifiers, block_on};

use super::{Ran, folder, kiff, no_room};
use crate::cluster;
use crate::programs::Program;
use crate::shop::{Desk, MarkPaid, Mood, OrderPlaced, Refund, SharedClock, order, people, policy, refund};

/// Leaves in a store what a day leaves: an order that is refunded with an approval, and one of which nobody knows whether it
/// is. The clock stands still.
pub(super) fn a_day<S: Store>(store: S) {
    let runtime = Runtime::<Refund, S>::new(store, policy(), Desk::default())
        .with_clock(SharedClock::default())
        .with_identifiers(SequentialIdentifiers::new());
    let people = people();
    block_on(async {
        for id in ["ord-1", "ord-2"] {
            let key = order(id);
            let placed = OrderPlaced { total: kiff::Cents(99_900) };
            assert!(runtime.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
            let payment = MarkPaid { payment_id: "pay-1".into() };
            assert_eq!(runtime.execute(&people.agent, &key, payment).await.unwrap().outcome(), "executed");
            let asked = runtime.request_approval(&people.agent, &key, refund(4_900)).await.unwrap();
            let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
            let review = Review::grant().because("it is broken");
            assert!(runtime.review(&people.nora, &key, &asked.id, review).await.unwrap().is_allowed());
            runtime.services().be(if id == "ord-1" { Mood::Willing } else { Mood::Silent });
            let _done_or_in_doubt = runtime.execute(&people.agent, &key, refund(4_900)).await.unwrap();
        }
    });
}

/// The lines of the export of that day.
fn lines() -> String {
    let store = Arc::new(MemoryStore::new());
    a_day(Arc::clone(&store));
    exported_lines(&store)
}

fn exported_lines(store: &MemoryStore) -> String {
    let commits = block_on(store.search(&Query::default(), Cursor::FIRST, usize::MAX)).unwrap();
    commits.into_iter().fold(String::new(), |mut lines, (position, commit)| {
        writeln!(lines, "{}", Exported::new(position, commit).unwrap()).unwrap();
        lines
    })
}

/// A folder with that export.
pub(super) fn exported(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    fs::write(folder.join("day.jsonl"), lines()).unwrap();
    folder
}

/// The lines of the export of a store that was put back to the first commits of that day, and has gone on.
pub(super) fn restored(commits: usize) -> String {
    let store = Arc::new(MemoryStore::new());
    block_on(async {
        for line in lines().lines().take(commits) {
            let sealed = line.parse::<Exported>().unwrap().sealed().unwrap();
            assert_eq!(store.append(sealed).await.unwrap(), Appended::Written);
        }
        let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        for id in ["ord-3", "ord-4"] {
            let placed = OrderPlaced { total: kiff::Cents(99_900) };
            assert!(runtime.ingest(&people().shop, &order(id), placed).await.unwrap().is_allowed());
        }
    });
    exported_lines(&store)
}

/// What every store answers alike.
pub(super) fn answers(folder: &Path, store: &str) {
    let told = kiff(folder, &["timeline", store, "Order/ord-1"]).well();
    let rows: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row[2]).collect();
    assert_eq!(
        kinds,
        [
            "event_ingested",
            "state_changed",
            "action_validated",
            "action_started",
            "action_executed",
            "event_ingested",
            "state_changed",
            "approval_recorded",
            "approval_granted",
            "action_validated",
            "action_started",
            "action_executed",
            "event_ingested",
            "state_changed",
        ],
        "{told}"
    );
    let granted = kiff(folder, &["timeline", store, "Order/ord-1", "--kind", "approval_granted", "--json"]).well();
    let granted: serde_json::Value = serde_json::from_str(&granted).unwrap();
    assert_eq!((&granted["actor_id"], &granted["kind"]), (&"nora".into(), &"approval_granted".into()));
    assert_eq!(kiff(folder, &["timeline", store]).well(), "Order/ord-1\nOrder/ord-2\n");

    let verified = kiff(folder, &["verify", store]).well();
    let (sound, head) = verified.split_once('\n').unwrap();
    assert_eq!(sound, "14 commits of 2 entities are what was written");
    let head = head.trim_end().strip_prefix("write this head down elsewhere, to check against it later: ").unwrap();
    assert!(head.starts_with("14:"), "{head}");
    let confirmed = kiff(folder, &["verify", store, "--head", head]).well();
    assert!(confirmed.starts_with("what was signed is whole: 14 commits"), "{confirmed}");
    let later = head.replacen("14:", "15:", 1);
    let cut = kiff(folder, &["verify", store, "--head", &later]).ended_with(1);
    assert!(cut.contains("truncated") || cut.contains("cut"), "{cut}");

    let doubt = kiff(folder, &["doubt", store, "--strict"]).ended_with(1);
    let head = "Order/ord-2: REFUND_ORDER as execution-4\n  started by agent-7 at ";
    assert!(doubt.starts_with(head) && doubt.ends_with("\n  in doubt: no answer from the bank\n"), "{doubt}");
    assert_eq!(kiff(folder, &["export", store]).well(), lines());
}

#[test]
fn an_export_is_a_journal_like_any_other() {
    answers(&exported("journal-export"), "day.jsonl");
}

#[test]
fn a_file_is_read_while_it_is_in_use() {
    let folder = folder("journal-sqlite");
    let store = Arc::new(SqliteStore::open(folder.join("day.db")).unwrap());
    a_day(Arc::clone(&store));
    answers(&folder, "day.db");
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    kiff(&folder, &["log", "advance", "day.db", "log", "--key", "log.key"]).well();
    kiff(&folder, &["receipt", "day.db", "Order/ord-1", "--log", "log", "--out", "last.receipt"]).well();
    kiff(&folder, &["receipt", "verify", "last.receipt", "--key", "log.key.pub"]).well();
    drop(store);
    answers(&folder, "day.db");
}

#[test]
fn a_database_is_made_and_read() {
    let (folder, cluster) = (folder("journal-postgres"), cluster::shared());
    cluster.sql("postgres", "CREATE DATABASE day OWNER owner");
    let (owner, writer) = (cluster.url("owner", "day"), cluster.url("writer", "day"));
    let told = kiff(&folder, &["verify", &owner]).not_done();
    assert!(told.contains("there is no journal in the schema `kiff`"), "{told}");
    let made = kiff(&folder, &["migrate", &owner, "--grant", "writer"]).well();
    assert!(made.starts_with("made the journal's tables, version "), "{made}");
    let again = kiff(&folder, &["migrate", &owner]).well();
    assert!(again.contains("which is the newest"), "{again}");
    let store = Arc::new(block_on(PostgresStore::connect(&writer)).unwrap());
    a_day(Arc::clone(&store));
    answers(&folder, &writer);
    let told = kiff(&folder, &["migrate", "day.db"]).not_done();
    assert!(told.starts_with("error: only a journal in PostgreSQL is migrated\n"), "{told}");
}

#[test]
fn an_export_goes_on_where_the_last_one_ended() {
    let folder = exported("journal-continue");
    kiff(&folder, &["export", "day.jsonl", "--out", "copy.jsonl"]).well();
    assert_eq!(fs::read_to_string(folder.join("copy.jsonl")).unwrap(), lines());
    let told = kiff(&folder, &["export", "day.jsonl", "--out", "copy.jsonl"]).not_done();
    assert!(
        told.starts_with("error: cannot make `copy.jsonl`: ") && told.contains("nothing is written over"),
        "{told}"
    );
    let rest = kiff(&folder, &["export", "day.jsonl", "--after", "12"]).well();
    assert_eq!(rest, lines().lines().skip(12).fold(String::new(), |rest, line| rest + line + "\n"));
    assert_eq!(kiff(&folder, &["export", "day.jsonl", "--after", "14"]).well(), "");
}

#[test]
fn an_export_of_a_store_that_was_put_back_does_not_go_on_with_the_old_one() {
    let folder = exported("journal-put-back");
    let cut: String = lines().lines().take(12).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.join("restored.jsonl"), cut).unwrap();
    fs::write(folder.join("empty.jsonl"), "").unwrap();
    for (store, end) in [("restored.jsonl", "ends at position 12"), ("empty.jsonl", "ends at position 0")] {
        let told = kiff(&folder, &["export", store, "--after", "14", "--out", "rest.jsonl"]).not_done();
        assert!(told.contains(end) && told.contains("was a backup restored?"), "{told}");
        assert!(!folder.join("rest.jsonl").exists());
    }
}

#[test]
fn an_export_that_fails_leaves_nothing_and_is_made_again() {
    let folder = exported("journal-part");
    let there = || {
        let mut names: Vec<String> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let export = ["export", "day.jsonl", "--out", "copy.jsonl"];
    let told = no_room(&folder, 4, &export).not_done();
    assert!(told.starts_with("error: cannot write `copy.jsonl`: "), "{told}");
    assert_eq!(there(), ["day.jsonl"]);

    // What a killed one has left is in nobody's way.
    fs::write(folder.join("copy.jsonl.0.part"), "{").unwrap();
    kiff(&folder, &export).well();
    assert_eq!(fs::read_to_string(folder.join("copy.jsonl")).unwrap(), lines());
    assert_eq!(there(), ["copy.jsonl", "copy.jsonl.0.part", "day.jsonl"]);
}

#[test]
fn an_export_is_not_seen_before_it_is_whole() {
    let folder = exported("journal-whole");
    let whole = lines().len() as u64;
    for round in 0..20 {
        let out = format!("{round}.jsonl");
        let mut command = Command::new(Program::CommandLine.path());
        let mut kiff = command.args(["export", "day.jsonl", "--out", &out]).current_dir(&folder).spawn().unwrap();
        // Another process looks for it all the time.
        let seen = loop {
            match fs::metadata(folder.join(&out)) {
                Ok(file) => break file.len(),
                Err(_) => assert!(kiff.try_wait().unwrap().is_none_or(|ended| ended.success())),
            }
        };
        assert!(kiff.wait().unwrap().success());
        assert_eq!(seen, whole, "it was seen before it was whole");
    }
}

#[test]
fn what_a_journal_says_moves_no_terminal() {
    let folder = folder("journal-terminal");
    let action = "\u{1b}[2JREFUND".into();
    let started = ActionStarted { action, execution: "x-1".parse().unwrap(), approval: None, key: None };
    let unknown = ActionFailed {
        action: "REFUND".into(),
        outcome: FailedOutcome::Unknown,
        code: "unknown".into(),
        message: "no \u{1b}[31manswer".to_owned(),
        parameters: None,
        execution: Some("x-1".parse().unwrap()),
        settled: None,
    };
    let (at, actor) = ("2026-11-23T10:00:00Z".parse().unwrap(), Actor::agent("agent-7").unwrap());
    let facts = Box::new([started.into(), unknown.into()]);
    let content = Content { at, actor, trace: None, cause: None, fold: None, facts };
    let sealed = Sealed::new(order("ord-1"), 1, Commit::GENESIS, content);
    fs::write(folder.join("day.jsonl"), format!("{}\n", Exported::new(1, sealed.commit().clone()).unwrap())).unwrap();
    let told = kiff(&folder, &["doubt", "day.jsonl"]).well();
    assert!(told.starts_with(r"Order/ord-1: \u{1b}[2JREFUND as x-1"), "{told:?}");
    assert!(told.ends_with("in doubt: no \\u{1b}[31manswer\n"), "{told:?}");

    // Nor does what a store lists.
    let store = SqliteStore::open(folder.join("day.db")).unwrap();
    assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written);
    drop(store);
    let change = "UPDATE open_matters SET id = 'x' || char(27) || '[2J'";
    rusqlite::Connection::open(folder.join("day.db")).unwrap().execute_batch(change).unwrap();
    for told in [kiff(&folder, &["doubt", "day.db"]).well(), kiff(&folder, &["verify", "day.db"]).ended_with(1)] {
        assert!(told.contains(r"x\u{1b}[2J") && !told.contains('\u{1b}'), "{told:?}");
    }
}

#[test]
fn what_an_executor_says_long_after_the_start_is_found() {
    let folder = folder("journal-long");
    let (execution, action) = ("x-1".parse::<kiff::ExecutionId>().unwrap(), "REFUND_ORDER");
    let started = ActionStarted { action: action.into(), execution: execution.clone(), approval: None, key: None };
    let unknown = ActionFailed {
        action: action.into(),
        outcome: FailedOutcome::Unknown,
        code: "unknown".into(),
        message: "no answer".to_owned(),
        parameters: None,
        execution: Some(execution),
        settled: None,
    };
    let store = Arc::new(MemoryStore::new());
    let mut previous = Commit::GENESIS;
    for number in 1..=1_100 {
        // Behind the start and two full pages.
        let facts: Box<[Fact]> = match number {
            1 => Box::new([started.clone().into()]),
            1_100 => Box::new([unknown.clone().into()]),
            _ => Box::new([StateChanged { from: None, to: "PAID".into() }.into()]),
        };
        let (at, actor) = ("2026-11-23T10:00:00Z".parse().unwrap(), Actor::agent("agent-7").unwrap());
        let content = Content { at, actor, trace: None, cause: None, fold: None, facts };
        let sealed = Sealed::new(order("ord-1"), number, previous, content);
        previous = sealed.commit().hash();
        assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written);
    }
    fs::write(folder.join("day.jsonl"), exported_lines(&store)).unwrap();
    let told = kiff(&folder, &["doubt", "day.jsonl"]).well();
    assert!(told.starts_with("Order/ord-1: REFUND_ORDER as x-1\n  started by agent-7 at "), "{told}");
    assert!(told.ends_with("\n  in doubt: no answer\n"), "{told}");
}

#[test]
fn what_is_no_journal_and_no_entity_is_told_in_a_sentence() {
    let folder = exported("journal-wrong");
    fs::write(folder.join("notes"), "mine").unwrap();
    let told = kiff(&folder, &["verify", "notes"]).not_done();
    assert!(told.starts_with("error: `notes` is no journal\n  = help: name "), "{told}");
    assert_eq!(kiff(&folder, &["verify", "none.db"]).not_done(), "error: cannot read `none.db`: there is none\n");
    let told = kiff(&folder, &["timeline", "day.jsonl", "ord-\u{1b}[2J9"]).not_done();
    assert!(told.starts_with("error: there is no entity `ord-\\u{1b}[2J9`\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "Order/"]).not_done();
    assert!(told.starts_with("error: `Order/` is no entity: an identifier is empty\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "Order/ord-9"]).not_done();
    assert!(told.starts_with("error: there is no entity `Order/ord-9`\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "Order/ord-1", "--kind", "refunds"]).not_done();
    assert!(told.contains("there is no kind of record `refunds`") && told.contains("approval_granted"), "{told}");
    let told = kiff(&folder, &["verify", "day.jsonl", "--head", "12"]).not_done();
    assert!(told.starts_with("error: `12` is no head\n"), "{told}");
}

#[test]
fn what_comes_through_a_pipe_is_not_called_tampered_with() {
    let folder = exported("journal-pipe");
    for command in ["verify", "timeline", "export"] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(lines().as_bytes()).unwrap();
        drop(writer);
        let mut kiff = Command::new(Program::CommandLine.path());
        kiff.args([command, "/dev/stdin"]).current_dir(&folder).env_remove("CLICOLOR_FORCE").stdin(reader);
        let told = Ran::of(&kiff.output().unwrap()).not_done();
        assert!(told.starts_with("error: cannot read `/dev/stdin`: it is no file\n  = help: "), "{told}");
        assert!(told.contains("write what comes through a pipe into a file first"), "{told}");
    }
}

#[test]
fn the_export_of_an_empty_store_holds_no_commit_and_is_well() {
    let folder = folder("journal-empty");
    drop(SqliteStore::open(folder.join("day.db")).unwrap());
    kiff(&folder, &["export", "day.db", "--out", "day.jsonl"]).well();
    assert_eq!(fs::read(folder.join("day.jsonl")).unwrap(), b"");
    // So is a copy that was cut at its beginning.
    for (store, empty) in [("day.db", ""), ("day.jsonl", ": the file is empty")] {
        let told = kiff(&folder, &["verify", store]).well();
        assert!(told.starts_with(&format!("0 commits of 0 entities are what was written{empty}\n")), "{told}");
        assert_eq!(kiff(&folder, &["timeline", store]).well(), "");
    }
    // Where there were some once, that is told as for every other journal.
    fs::write(folder.join("full.jsonl"), lines()).unwrap();
    let told = kiff(&folder, &["verify", "full.jsonl"]).well();
    let head = told.trim_end().rsplit(' ').next().unwrap();
    let cut = kiff(&folder, &["verify", "day.jsonl", "--head", head]).ended_with(1);
    assert!(cut.starts_with("truncated: the store ends at position 0, and 14 commits were signed\n"), "{cut}");
    assert!(cut.contains("1 fault was found: the file is empty\n"), "{cut}");
}

#[test]
fn an_entity_of_any_tenant_is_found_as_it_is_printed_or_by_its_tenant() {
    let folder = folder("journal-tenants");
    let store = Arc::new(MemoryStore::new());
    let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
    runtime.services().be(Mood::Silent);
    let tenants = [("eu:acme", "pay-1"), ("eu/acme", "pay-2")];
    for (tenant, payment_id) in tenants {
        let key = order("ord-1").in_tenant(tenant).unwrap();
        let placed = OrderPlaced { total: kiff::Cents(99_900) };
        assert!(block_on(runtime.ingest(&people().shop, &key, placed)).unwrap().is_allowed());
        let payment = MarkPaid { payment_id: payment_id.into() };
        assert_eq!(block_on(runtime.execute(&people().agent, &key, payment)).unwrap().outcome(), "failed");
    }
    fs::write(folder.join("day.jsonl"), exported_lines(&store)).unwrap();
    let doubt = kiff(&folder, &["doubt", "day.jsonl"]).well();
    assert!(doubt.contains("eu:acme:Order/ord-1: MARK_PAID"), "{doubt}");

    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    for (tenant, payment_id) in tenants {
        let printed = kiff(&folder, &["timeline", "day.jsonl", &format!("{tenant}:Order/ord-1")]).well();
        assert!(printed.contains(payment_id), "{printed}");
        let of_tenant = ["day.jsonl", "Order/ord-1", "--tenant", tenant];
        let timeline = kiff(&folder, &[&["timeline"], &of_tenant[..]].concat()).well();
        assert!(timeline.contains(payment_id), "{timeline}");
        let listed = kiff(&folder, &["timeline", "day.jsonl", "--tenant", tenant]).well();
        assert_eq!(listed, format!("{tenant}:Order/ord-1\n"));
        let signed = ["--log", "log", "--key", "log.key"];
        let receipt = kiff(&folder, &[&["receipt"], &of_tenant[..], &signed[..]].concat()).well();
        assert!(receipt.contains(&format!("\"tenant\":\"{tenant}\"")), "{receipt}");
    }
}

#[test]
fn what_may_still_run_is_told_from_what_is_in_doubt_by_its_age() {
    let folder = folder("journal-age");
    let store = Arc::new(MemoryStore::new());
    let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
    let people = people();
    for (id, mood) in [("ord-1", Mood::Silent), ("ord-2", Mood::Stuck)] {
        let key = order(id);
        let placed = OrderPlaced { total: kiff::Cents(99_900) };
        assert!(block_on(runtime.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
        runtime.services().be(mood);
        let payment = MarkPaid { payment_id: "pay-1".into() };
        let asked = pin!(runtime.execute(&people.agent, &key, payment)).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(asked.is_pending(), id == "ord-2");
    }
    fs::write(folder.join("day.jsonl"), exported_lines(&store)).unwrap();
    let listed = |arguments: &[&str]| {
        let told = kiff(&folder, &[&["doubt", "day.jsonl"], arguments].concat()).well();
        ["ord-1", "ord-2"].map(|id| told.contains(&format!("Order/{id}: MARK_PAID")))
    };
    assert_eq!(listed(&[]), [true, true]);
    assert_eq!(listed(&["--older-than", "1h"]), [true, false], "its executor has said that it does not know");
    assert_eq!(listed(&["--older-than", "0s"]), [true, true]);
}

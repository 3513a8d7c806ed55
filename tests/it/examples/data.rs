//! The refund example on a file: it goes on where it stopped, and what was done is not done again.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use kiff::{Cursor, Query, SqliteStore, Store, Verification};
use kiff_test::block_on;

use super::{SAMPLE, check, command};

/// How often each order was paid for and paid back, by the ledger of the desk.
fn postings(data: &Path) -> BTreeMap<String, usize> {
    let ledger = std::fs::read_to_string(data.with_added_extension("desk")).unwrap_or_default();
    let mut postings = BTreeMap::new();
    for line in ledger.lines() {
        let [_, what, order, how]: [String; 4] = serde_json::from_str(line).unwrap();
        *postings.entry(format!("{what} {order} {how}")).or_default() += 1;
    }
    postings
}

fn run(data: &Path) -> String {
    check(&command("refund").arg("--data").arg(data).arg(SAMPLE).output().unwrap())
}

#[test]
fn p6_the_runner_on_a_file_does_nothing_twice() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = folder.path().join("refunds.db");
    let first = run(&data);
    assert!(first.contains("accepted: Order/ord-1001") && first.contains("executed: ORDER_REFUNDED"), "{first}");
    let done = postings(&data);
    assert!(done.len() > 4, "{done:?}");
    let again = run(&data);
    assert!(again.contains("found: Order/ord-1001") && again.contains("done before: ORDER_PAID"), "{again}");
    assert!(again.contains("in doubt: action_in_progress"), "{again}");
    // What could not be done the first time may be possible now.
    let both = postings(&data);
    assert!(
        both.values().all(|times| *times == 1) && done.keys().all(|posting| both.contains_key(posting)),
        "{both:?}"
    );
}

#[test]
fn p7_the_runner_is_killed_at_every_line_and_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (data, whole) = (folder.path().join("refunds.db"), folder.path().join("whole.db"));
    for lines in (1..120).step_by(6) {
        let mut runner = command("refund")
            .arg("--data")
            .arg(&data)
            .arg(SAMPLE)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(runner.stdout.take().unwrap());
        assert_eq!(output.lines().take(lines).flatten().count(), lines);
        runner.kill().unwrap();
        runner.wait().unwrap();
    }
    run(&data);
    run(&whole);
    let done = postings(&data);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    let store = SqliteStore::open(&data).unwrap();
    let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
    assert!(report.is_sound(), "{report}");
    let placed = Query::default().actor("shop".parse().unwrap()).kind("event_ingested");
    assert_eq!(block_on(store.search(&placed, Cursor::FIRST, 100)).unwrap().len(), 6, "each order is taken in once");
    // What one run does without being killed is done in the end, but for what a kill has left in doubt.
    let missing = postings(&whole).into_keys().filter(|posting| !done.contains_key(posting)).count();
    let doubts = Store::open(&store, kiff::Matter::Execution, None, kiff::Timestamp::default(), None, 100);
    let doubts = block_on(doubts).unwrap();
    // One in doubt holds its order up, of which a whole run takes the payment and pays it back.
    assert!(missing <= 2 * doubts.len(), "{missing} postings are missing, {} are in doubt", doubts.len());
}

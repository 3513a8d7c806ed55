//! Journals that somebody has changed behind kiff's back: `kiff verify` says which commit and what was done to it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kiff::journal::{ActionStarted, Content};
use kiff::{Actor, Appended, Commit, PostgresStore, Sealed, SqliteStore, Store};
use kiff_test::block_on;
use rusqlite::Connection;

use super::journal::{a_day, exported};
use super::{Ran, folder, kiff};
use crate::cluster;
use crate::shop::order;

/// What was done, and how it begins what is said of it.
const FLIPPED: &str = "edited: commit 3 of `Order/ord-1`: its hash does not fit what it says\n";
const DELETED: &str = "missing: commit 4 of `Order/ord-1`\nremoved: there is no commit at position 4\n";
const SWAPPED: &str = "swapped: commit 3 of `Order/ord-1` and commit 4 of `Order/ord-1` stand in each other's place\n";
const SWAPPED_ACROSS: &str =
    "swapped: commit 3 of `Order/ord-1` and commit 3 of `Order/ord-2` stand in each other's place\n";
const CUT: &str = "truncated: the store ends at position 12, and 14 commits were signed\n";
/// The same where the store has a list of what is open, from which nothing was cut.
const CUT_AND_LISTED: &str = "mislaid: commit 6 of `Order/ord-2`: the execution `execution-4` is listed as open since then, and is not\n\
                              truncated: the store ends at position 12, and 14 commits were signed\n";

/// The head of a journal that nobody has touched.
fn head(folder: &Path, store: &str) -> String {
    let verified = kiff(folder, &["verify", store]).well();
    verified.trim_end().rsplit(' ').next().unwrap().to_owned()
}

#[track_caller]
fn told(folder: &Path, store: &str, head: &str, expected: &str) {
    let told = kiff(folder, &["verify", store, "--head", head]).ended_with(1);
    assert!(told.starts_with(expected), "{told}");
    let faults = expected.lines().count();
    let counted =
        if faults == 1 { "and 1 fault was found".to_owned() } else { format!("and {faults} faults were found") };
    // What may have come of a restored backup leads to the page about that, and nothing else does.
    let (report, help) =
        told.split_once("\nhelp: where a backup was restored").map_or((&*told, false), |(report, _)| (report, true));
    assert!(report.trim_end().ends_with(&counted), "{told}");
    assert_eq!(help, expected.contains("truncated: "), "{told}");
}

#[test]
fn p8_what_was_changed_in_a_file_is_told() {
    let folder = folder("tampered-sqlite");
    let swapped = |ours: &str, theirs: &str| {
        format!(
            "CREATE TEMP TABLE old AS SELECT * FROM bodies;
             UPDATE bodies SET body = (SELECT body FROM old WHERE old.position = {theirs} - bodies.position)
             WHERE position IN ({ours})"
        )
    };
    let changes = [
        ("UPDATE bodies SET body = CAST(replace(body, 'T', 'S') AS BLOB) WHERE position = 3".to_owned(), FLIPPED),
        ("DELETE FROM commits WHERE position = 4; DELETE FROM bodies WHERE position = 4".to_owned(), DELETED),
        (swapped("3, 4", "7"), SWAPPED),
        (swapped("3, 10", "13"), SWAPPED_ACROSS),
        (
            "UPDATE commits SET number = number + 90 WHERE position IN (3, 4);
             UPDATE commits SET number = 97 - number WHERE number > 90"
                .to_owned(),
            SWAPPED,
        ),
        ("DELETE FROM commits WHERE position > 12; DELETE FROM bodies WHERE position > 12".to_owned(), CUT_AND_LISTED),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let file = format!("{number}.db");
        a_day(SqliteStore::open(folder.join(&file)).unwrap());
        let head = head(&folder, &file);
        Connection::open(folder.join(&file)).unwrap().execute_batch(&change).unwrap();
        told(&folder, &file, &head, expected);
    }
}

#[test]
fn a_journal_that_somebody_has_changed_hides_no_doubt_about_another() {
    let folder = folder("tampered-doubt");
    let store = Arc::new(SqliteStore::open(folder.join("day.db")).unwrap());
    let started =
        ActionStarted { action: "REFUND_ORDER".into(), execution: "x-1".parse().unwrap(), approval: None, key: None };
    let (at, actor) = ("1970-01-01T00:00:00Z".parse().unwrap(), Actor::agent("agent-7").unwrap());
    let content = Content { at, actor, trace: None, cause: None, fold: None, facts: Box::new([started.into()]) };
    let sealed = Sealed::new(order("ord-0"), 1, Commit::GENESIS, content);
    assert_eq!(block_on(store.append(sealed)).unwrap(), Appended::Written);
    a_day(Arc::clone(&store));
    drop(store);
    let change = "UPDATE bodies SET body = CAST(replace(body, 'REFUND', 'REPAIR') AS BLOB) WHERE position = 1";
    Connection::open(folder.join("day.db")).unwrap().execute_batch(change).unwrap();
    let Ran { code, said, complained } = kiff(&folder, &["doubt", "day.db"]);
    assert!(said.starts_with("Order/ord-2: REFUND_ORDER as ") && said.matches("Order/").count() == 1, "{said}");
    assert!(complained.starts_with("error: the journal of `Order/ord-0` is broken at commit 1: "), "{complained}");
    assert_eq!(code, Some(1));
}

#[test]
fn what_was_changed_before_an_action_started_hides_no_doubt_about_it() {
    let folder = folder("tampered-before");
    a_day(SqliteStore::open(folder.join("day.db")).unwrap());
    let change = "UPDATE bodies SET body = CAST(replace(body, 'ORDER', 'OTHER') AS BLOB) WHERE position = 8";
    Connection::open(folder.join("day.db")).unwrap().execute_batch(change).unwrap();
    let said = kiff(&folder, &["doubt", "day.db"]).well();
    assert!(said.starts_with("Order/ord-2: REFUND_ORDER as ") && said.contains("started by agent-7"), "{said}");
    let told = kiff(&folder, &["verify", "day.db"]).ended_with(1);
    assert!(told.contains("edited: commit 1 of `Order/ord-2`: "), "{told}");
}

#[test]
fn p8_what_was_changed_in_a_database_is_told() {
    let (folder, cluster) = (folder("tampered-postgres"), cluster::shared());
    let body = |of: &str| format!("UPDATE kiff.commits c SET body = o.body FROM kiff.commits o WHERE {of}");
    let changes = [
        ("UPDATE kiff.commits SET body = set_byte(body, 9, get_byte(body, 9) # 1) WHERE entity_id = 'ord-1' AND number = 3"
             .to_owned(), FLIPPED),
        ("DELETE FROM kiff.commits WHERE entity_id = 'ord-1' AND number = 4".to_owned(), DELETED),
        (body("c.entity_id = 'ord-1' AND o.entity_id = 'ord-1' AND c.number IN (3, 4) AND o.number = 7 - c.number"), SWAPPED),
        (body("c.entity_id <> o.entity_id AND c.number = 3 AND o.number = 3"), SWAPPED_ACROSS),
        ("DELETE FROM kiff.commits c USING kiff.positions p WHERE p.position > 12 AND (c.entity_id, c.number) = (p.entity_id, \
          p.number); DELETE FROM kiff.positions WHERE position > 12".to_owned(), CUT_AND_LISTED),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let database = format!("tampered_{number}");
        cluster.sql("postgres", &format!("CREATE DATABASE {database} OWNER owner"));
        let owner = cluster.url("owner", &database);
        kiff(&folder, &["migrate", &owner]).well();
        a_day(block_on(PostgresStore::connect(&owner)).unwrap());
        let head = head(&folder, &owner);
        // Whoever owns the tables can.
        let open = "ALTER TABLE kiff.commits DISABLE TRIGGER ALL; ALTER TABLE kiff.positions DISABLE TRIGGER ALL";
        cluster.sql(&database, &format!("{open}; {change}"));
        told(&folder, &owner, &head, expected);
    }
}

#[test]
fn p8_what_was_changed_in_an_export_is_told_by_its_line() {
    let folder = exported("tampered-export");
    let right = fs::read_to_string(folder.join("day.jsonl")).unwrap();
    let lines: Vec<String> = right.lines().map(str::to_owned).collect();
    let head = head(&folder, "day.jsonl");
    let found = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        fs::write(folder.join("day.jsonl"), changed.join("\n")).unwrap();
        let Ran { code, complained, .. } = kiff(&folder, &["verify", "day.jsonl"]);
        assert_eq!(code, Some(1), "{complained}");
        complained.lines().next().unwrap().to_owned()
    };
    let body = |line: &str| line.split_once("\"body\":").unwrap().1.to_owned();
    let told = found(&|lines| lines[3] = lines[3].replace("4900", "4901"));
    assert!(told.contains("line 4 of `day.jsonl`: ") && told.ends_with("its hash does not fit what it says"), "{told}");
    let told = found(&|lines| {
        let (four, six) = (body(&lines[3]), body(&lines[5]));
        lines[3] = lines[3].replace(&four, &six);
        lines[5] = lines[5].replace(&six, &four);
    });
    assert!(told.contains("line 4 of `day.jsonl`: "), "{told}");
    assert!(told.ends_with("; what it says and what line 6 says were swapped"), "{told}");
    let told = found(&|lines| drop(lines.remove(5)));
    assert!(
        told.ends_with("line 6 of `day.jsonl`: it is the commit at position 7; the commit at position 6 is missing"),
        "{told}"
    );
    let told = found(&|lines| lines.swap(0, 3));
    assert!(
        told.ends_with("line 1 of `day.jsonl`: it is the commit at position 4; lines 1 and 4 were swapped"),
        "{told}"
    );
    let told = found(&|lines| lines[..3].rotate_left(1));
    let expected = "line 1 of `day.jsonl`: it is the commit at position 2; the commit at position 1 stands in line 3";
    assert!(told.ends_with(expected), "{told}");
    fs::write(folder.join("day.jsonl"), lines[..12].join("\n")).unwrap();
    self::told(&folder, "day.jsonl", &head, CUT);
}

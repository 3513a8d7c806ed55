//! What is told about a file that cannot be used, and that what is healthy in it stays readable.

use std::fs;
use std::path::Path;

use kiff::{Cents, Proposal, Runtime, SqliteStore, Store, Verification};
use kiff_test::block_on;
use rusqlite::Connection;

use super::{Fresh, everything, fill, folder, next, order, path_of};
use crate::shop::{self, Desk, MarkPaid, Mood, OrderPlaced, Refund, people, policy, refund};

#[test]
fn p7_what_was_appended_is_there_when_the_file_is_opened_again() {
    let store = Fresh::new();
    (0..5).for_each(|entity| fill(&*store, &order(entity), 4));
    let before = everything(&*store);
    assert_eq!(before.len(), 20);
    let store = store.reopened();
    assert_eq!(everything(&*store), before);
    fill(&*store, &order(0), 1);
    assert_eq!(everything(&*store.reopened()).len(), 21);
}

#[test]
fn a_second_writer_is_told_who_has_the_file() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.is_in_use());
    let said = error.to_string();
    assert!(said.contains(&format!("in use: process {} writes to it", std::process::id())), "{said}");
    drop(store);
    SqliteStore::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_has_one_writer_by_way_of_a_link_that_was_there_before_it() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let path = path_of(folder.path());
    fs::create_dir(folder.path().join("links")).unwrap();
    let [first, second] = ["first.db", "links/second.db"].map(|name| folder.path().join(name));
    symlink("links/second.db", &first).unwrap();
    symlink("../journal.db", &second).unwrap();
    let store = SqliteStore::open(&first).unwrap();
    assert!(path.is_file());
    for path in [&path, &first, &second] {
        assert!(SqliteStore::open(path).unwrap_err().is_in_use(), "{}", path.display());
    }
    drop(store);
    SqliteStore::open(&path).unwrap();

    symlink("circle.db", folder.path().join("circle.db")).unwrap();
    let said = SqliteStore::open(folder.path().join("circle.db")).unwrap_err().to_string();
    assert!(said.contains("they lead in a circle"), "{said}");
}

#[test]
fn a_reader_beside_the_writer_sees_what_is_appended_and_appends_nothing() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    let reader = SqliteStore::open_read_only(&path).unwrap();
    for count in 1..20 {
        fill(&store, &order(1), 1);
        assert_eq!(everything(&reader).len(), count);
    }
    assert!(reader.is_shared() && !store.is_shared());
    let refused = block_on(reader.append(next(&order(2), None, "one"))).unwrap_err().to_string();
    assert!(refused.contains("was opened read-only"), "{refused}");
    drop(store);
    assert_eq!(everything(&reader).len(), 19);
}

#[test]
fn p7_nothing_is_answered_that_went_into_a_file_that_is_not_there_any_more() {
    for replaced in [false, true] {
        let folder = folder();
        let (path, away) = (path_of(folder.path()), folder.path().join("away.db"));
        let store = SqliteStore::open(&path).unwrap();
        fill(&store, &order(1), 1);
        fs::rename(&path, &away).unwrap();
        if replaced {
            fs::copy(&away, &path).unwrap();
        }
        for _ in 0..2 {
            let told = block_on(store.append(next(&order(2), None, "one"))).unwrap_err().to_string();
            assert!(told.contains("was moved, replaced or removed while it was in use"), "{told}");
        }
    }
}

#[cfg(unix)]
#[test]
fn p8_whoever_reads_is_answered_from_the_file_that_stands_there_now() {
    let folder = folder();
    let (path, other) = (path_of(folder.path()), folder.path().join("other.db"));
    written(&path, 2);
    written(&other, 3);
    let reader = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(everything(&reader).len(), 6);
    fs::rename(&other, &path).unwrap();
    assert_eq!(everything(&reader).len(), 9);
    fs::remove_file(&path).unwrap();
    let told = block_on(reader.read(&order(1), 0, 10)).unwrap_err().to_string();
    assert!(told.contains("there is no file"), "{told}");
}

#[test]
fn tables_that_contradict_each_other_are_told_as_damage() {
    let folder = folder();
    let path = path_of(folder.path());
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, &order(1), 1);
    let planted = "INSERT INTO bodies SELECT position + 1, previous, hash, body FROM bodies";
    assert_eq!(Connection::open(&path).unwrap().execute(planted, []).unwrap(), 1);
    let told = block_on(store.append(next(&order(2), None, "one"))).unwrap_err().to_string();
    assert!(told.contains("is damaged") && told.contains("UNIQUE") && told.contains("restore a backup"), "{told}");
}

#[test]
fn p7_a_copy_that_was_made_by_vacuum_is_written_ahead_like_any_other() {
    let folder = folder();
    let (path, copy) = (path_of(folder.path()), folder.path().join("copy.db"));
    let store = SqliteStore::open(&path).unwrap();
    (0..5).for_each(|entity| fill(&store, &order(entity), 4));
    Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let restored = SqliteStore::open(&copy).unwrap();
    assert_eq!(everything(&restored), everything(&store));

    // Somebody reads and does not come to an end: nobody who writes waits for that.
    let reader = Connection::open(&copy).unwrap();
    let mut reading = reader.prepare("SELECT * FROM commits").unwrap();
    let mut rows = reading.query([]).unwrap();
    assert!(rows.next().unwrap().is_some());
    fill(&restored, &order(0), 1);
    let mode: String = Connection::open(&copy).unwrap().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// What opening the file says, to write and to read.
fn said(path: &Path) -> [String; 2] {
    let (write, read) = (SqliteStore::open(path), SqliteStore::open_read_only(path));
    [write.unwrap_err().to_string(), read.unwrap_err().to_string()]
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_as_it_is() {
    let folder = folder();
    let [notes, other, later, early] =
        ["notes.txt", "other.db", "later.db", "early.db"].map(|name| folder.path().join(name));
    fs::write(
        &notes,
        "not a database at all, but long enough to have a header of one hundred bytes, were it one. ".repeat(9),
    )
    .unwrap();
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE people (name TEXT)").unwrap();
    drop(SqliteStore::open(&later).unwrap());
    Connection::open(&later).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    drop(SqliteStore::open(&early).unwrap());
    let earlier = "DROP INDEX reviews_of_tenant; ALTER TABLE open_matters DROP COLUMN tenant";
    Connection::open(&early).unwrap().execute_batch(earlier).unwrap();
    for (path, expected) in [
        (&notes, "is no SQLite database"),
        (&other, "is not a kiff journal"),
        (&later, "was written by a later kiff (its schema has version 7, this one knows 1)"),
        (&early, "was made by a kiff from before its first release"),
    ] {
        let before = fs::read(path).unwrap();
        assert!(said(path).iter().all(|said| said.contains(expected)), "{:?}", said(path));
        assert_eq!(fs::read(path).unwrap(), before);
    }
    let missing = folder.path().join("missing.db");
    let said = SqliteStore::open_read_only(&missing).unwrap_err().to_string();
    assert!(said.starts_with("there is no file"), "{said}");
    assert!(!missing.exists());
    assert!(SqliteStore::open(folder.path().join("no such folder/journal.db")).is_err());
}

/// A closed file with commits of many entities.
fn written(path: &Path, entities: usize) {
    let store = SqliteStore::open(path).unwrap();
    (0..entities).for_each(|entity| fill(&store, &order(entity), 3));
}

/// How many entities can be read, and what is said of the others.
fn readable(store: &SqliteStore, entities: usize) -> (usize, Vec<String>) {
    let read = (0..entities).map(|entity| block_on(store.read(&order(entity), 0, 10)));
    let (fine, broken): (Vec<_>, Vec<_>) = read.partition(|read| read.as_ref().is_ok_and(|read| read.len() == 3));
    (fine.len(), broken.into_iter().map(|broken| broken.unwrap_err().to_string()).collect())
}

#[test]
fn p8_one_flipped_byte_breaks_one_entity_and_is_named() {
    let folder = folder();
    let path = path_of(folder.path());
    written(&path, 40);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute("UPDATE bodies SET body = CAST(replace(body, 'state 1', 'state 7') AS BLOB) WHERE position = 8", [])
        .unwrap();
    drop(connection);
    let store = SqliteStore::open(&path).unwrap();
    let (fine, broken) = readable(&store, 40);
    assert_eq!((fine, broken.len()), (39, 1), "{broken:?}");
    assert!(broken[0].contains("`Order/ord-2` is broken at commit 2: its hash does not fit"), "{broken:?}");
    // Its neighbours can be written to as before.
    fill(&store, &order(3), 1);
    let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
    assert_eq!(report.faults.len(), 1, "{report}");
}

#[test]
fn p8_a_deleted_row_and_swapped_rows_are_found() {
    let folder = folder();
    let path = path_of(folder.path());
    for (change, expected) in [
        ("DELETE FROM commits WHERE position = 8", "missing"),
        ("DELETE FROM bodies WHERE position = 8", "what it says is missing"),
        ("UPDATE commits SET number = 9 - number WHERE position IN (10, 11, 12)", "commit"),
    ] {
        let _ = fs::remove_file(&path);
        written(&path, 5);
        Connection::open(&path).unwrap().execute(change, []).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
        assert!(!report.is_sound() && report.to_string().contains(expected), "{change}: {report}");
    }
}

#[test]
fn a_damaged_page_leaves_the_other_entities_readable() {
    let folder = folder();
    let path = path_of(folder.path());
    written(&path, 200);
    let mut bytes = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let page: u16 = connection.query_row("SELECT page_size FROM pragma_page_size", [], |row| row.get(0)).unwrap();
    let page = usize::from(page);
    let hash: Vec<u8> =
        connection.query_row("SELECT hash FROM bodies WHERE position = 300", [], |row| row.get(0)).unwrap();
    drop(connection);
    let place = bytes.windows(hash.len()).position(|window| window == hash).unwrap();
    bytes[place / page * page..][..page].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let (fine, broken) = readable(&store, 200);
    assert!(fine > 150 && !broken.is_empty(), "{fine} are readable");
    assert!(broken.iter().all(|said| said.contains("is damaged") && said.contains("restore a backup")), "{broken:?}");
}

/// A file with a key that was used, a request that waits, and an action in doubt.
fn in_use(path: &Path) {
    block_on(async {
        let (people, store) = (people(), SqliteStore::open(path).unwrap());
        let runtime = Runtime::<Refund, _>::new(store, policy(), Desk::default());
        let pay = || Proposal::new(MarkPaid { payment_id: "pay-1".into() });
        let (one, other) = (shop::order("ord-1"), shop::order("ord-2"));
        for key in [&one, &other] {
            assert!(runtime.ingest(&people.shop, key, OrderPlaced { total: Cents(5) }).await.unwrap().is_allowed());
        }
        let wish = pay().idempotency_key("wish-1".parse().unwrap());
        assert!(runtime.execute(&people.agent, &one, wish).await.unwrap().executed().is_some());
        assert!(runtime.request_approval(&people.agent, &one, refund(7)).await.unwrap().is_allowed());
        runtime.services().be(Mood::Silent);
        assert_eq!(runtime.execute(&people.agent, &other, pay()).await.unwrap().outcome(), "failed");
    });
}

#[test]
fn a_key_that_leads_nowhere_is_an_error_at_once() {
    let folder = folder();
    let path = path_of(folder.path());
    in_use(&path);
    for (number, expected) in [
        (999, "is broken at commit 999: the key `wish-9` leads to it, and it is not there"),
        (1, "is broken at commit 1: it does not start an action under the key `wish-9`"),
    ] {
        let planted = "INSERT OR REPLACE INTO keys SELECT entity, 'wish-9', ?1 FROM keys WHERE key = 'wish-1'";
        assert_eq!(Connection::open(&path).unwrap().execute(planted, [number]).unwrap(), 1);
        let runtime = Runtime::<Refund, _>::new(SqliteStore::open(&path).unwrap(), policy(), Desk::default());
        let wish = Proposal::new(refund(7)).idempotency_key("wish-9".parse().unwrap());
        let error = block_on(runtime.execute(&people().agent, &shop::order("ord-1"), wish)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn p8_what_commits_are_looked_up_by_is_held_against_what_they_say() {
    let folder = folder();
    let path = path_of(folder.path());
    for (change, expected) in [
        ("DELETE FROM snapshots", None),
        ("DELETE FROM keys", Some("mislaid: commit 2 of `Order/ord-1`: the key `wish-1` does not lead to it")),
        ("UPDATE keys SET number = 3", Some("commit 2 of `Order/ord-1`: the key `wish-1` does not lead to it")),
        ("DELETE FROM open_matters WHERE matter = 'execution'", Some("` is not listed as open")),
        ("DELETE FROM open_matters WHERE matter = 'review'", Some("` is not listed as open")),
        ("UPDATE open_matters SET expires = 1 WHERE matter = 'review'", Some("` is not listed as open")),
        ("UPDATE open_matters SET tenant = 'nobody' WHERE matter = 'review'", Some("` is not listed as open")),
        ("UPDATE open_matters SET tenant = 'nobody' WHERE matter = 'execution'", Some("` is not listed as open")),
        (
            "UPDATE open_matters SET id = 'x-9' WHERE matter = 'execution'",
            Some("the execution `x-9` is listed as open"),
        ),
        ("DELETE FROM approvals", Some("` does not lead to it")),
    ] {
        let _ = fs::remove_file(&path);
        in_use(&path);
        Connection::open(&path).unwrap().execute(change, []).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let report = block_on(Verification::of(&store).run(|_| ())).unwrap();
        match expected {
            Some(expected) => assert!(report.to_string().contains(expected), "{change}: {report}"),
            None => assert!(report.is_sound(), "{report}"),
        }
    }
}

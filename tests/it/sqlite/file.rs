//! What is told about a file that cannot be used, and that one which can be is kept.

use kiff::SqliteStore;

use super::{Fresh, everything, fill, folder, order, path_of};

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

//! What the server that is an example says of its work: nothing while all is well, who is not let in, and more where it is asked to.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use super::{assert_plain, server};
use crate::wire;

/// What it has logged by the time that it has turned a stranger away.
fn logged(levels: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    server.stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    server.envs(levels.map(|levels| ("RUST_LOG", levels)));
    let mut process = server.spawn().unwrap();
    let (mut out, mut told) = (BufReader::new(process.stdout.take().unwrap()), String::new());
    while !told.contains("Listening on ") && out.read_line(&mut told).unwrap() > 0 {}
    if let Some((_, address)) = told.split_once("Listening on http://") {
        let answer = wire::ask(address.split(';').next().unwrap(), "GET", "/entities", &[], "");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        process.kill().unwrap();
        let key = folder.path().join(format!("kiff-server-{}.log.key", process.id()));
        assert!(key.exists(), "it keeps its key elsewhere");
    }
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    process.wait().unwrap();
    log
}

#[test]
fn a_server_whose_journal_is_not_the_one_that_was_signed_serves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("refunds.db");
    let started = || {
        let mut server = server(folder.path());
        server.arg("--data").arg(&data).env_remove("RUST_LOG");
        let mut process = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut out, mut told) = (BufReader::new(process.stdout.take().unwrap()), String::new());
        while !told.contains("Listening on ") && out.read_line(&mut told).unwrap() > 0 {}
        let _ = process.kill();
        process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        process.wait().unwrap();
        told
    };
    // What the first has written, the second signs before it serves.
    for _ in 0..2 {
        let told = started();
        assert!(told.contains("Listening on "), "{told}");
    }
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("refunds.db{end}")));
    }
    let told = started();
    assert!(!told.contains("Listening on ") && told.contains("does not fit the journal: "), "{told}");
}

#[test]
fn a_server_says_on_standard_error_what_it_is_asked_to_and_who_is_not_let_in() {
    let log = logged(None);
    assert!(log.contains(" WARN kiff::http: a request was refused") && log.lines().count() == 1, "{log}");
    assert_plain(&log);
    let log = logged(Some("off,kiff::record=info"));
    let seeded = log.lines().filter(|line| line.contains(" INFO kiff::record: ")).count();
    assert!(log.contains("kind=\"approval_recorded\"") && seeded == log.lines().count(), "{log}");
    let refused = logged(Some("kiff=loud"));
    assert!(refused.starts_with("`RUST_LOG`: ") && refused.lines().count() == 1, "{refused}");
}

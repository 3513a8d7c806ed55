//! `kiff serve --readonly`: the pages over a journal, and nothing that changes it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kiff::{PostgresStore, SqliteStore};
use kiff_test::block_on;
use rusqlite::Connection;
use serde_json::Value;

use super::journal::{a_day, exported};
use super::{folder, kiff};
use crate::cluster;
use crate::http::server::Client;
use crate::programs::Program;

/// A server that is killed with its test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `kiff serve`, and signs in by the link that it prints.
fn serve(folder: &Path, arguments: &[&str]) -> (Serving, Client) {
    let mut command = Command::new(Program::CommandLine.path());
    command.args(["serve", "--json", "--readonly"]).args(arguments).current_dir(folder).env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let serving = Serving(child);
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    let address: SocketAddr = told["address"].as_str().unwrap().parse().unwrap();
    let (_, token) = told["link"].as_str().unwrap().split_once("link=").unwrap();
    let stranger = Client::at(address);
    assert_eq!(stranger.get("/admin").headers["location"], "/admin/sign-in");
    let form = stranger.header("content-type: application/x-www-form-urlencoded");
    let signed = form.post("/admin/sign-in", &format!("link={token}"));
    let cookie = signed.headers["set-cookie"].split(';').next().unwrap().to_owned();
    assert_eq!(form.post("/admin/sign-in", &format!("link={token}")).status, 403, "a link signs in once");
    (serving, form.header(&format!("cookie: {cookie}")))
}

/// What `kiff serve` tells a person.
fn told(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(Program::CommandLine.path());
    command.args(["serve", "--readonly"]).args(arguments).current_dir(folder).stdout(Stdio::piped());
    let mut serving = Serving(command.spawn().unwrap());
    let lines = BufReader::new(serving.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.take_while(|line| !line.starts_with("Stop with")).collect()
}

#[track_caller]
fn page(client: &Client, path: &str) -> String {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(answer.headers["content-security-policy"].starts_with("default-src 'none'"));
    answer.body
}

/// Looks at every page over the day, and tries to change what it says.
fn look(client: &Client) {
    let inbox = page(client, "/admin");
    for words in
        ["What is on record", "href=\"/admin/entities/Order/ord-1\"", "/admin/search", "signed in as <strong>reader"]
    {
        assert!(inbox.contains(words), "no `{words}` in {inbox}");
    }
    assert!(!inbox.contains("Nothing waits for you"), "{inbox}");
    let entity = page(client, "/admin/entities/Order/ord-1?verify=yes");
    for words in
        ["REFUNDED", "ORDER_PAID", "Its domain is not here", "Every one of its 7 commits follows", "it is broken"]
    {
        assert!(entity.contains(words), "no `{words}` in {entity}");
    }
    assert!(!entity.contains("<svg") && !entity.contains("Nothing can be done with it"), "{entity}");
    assert!(page(client, "/admin/domains").contains("Order: journals whose domain is not here."));
    assert_eq!(client.get("/admin/domains/Order").status, 404);
    let all = page(client, "/admin/search?entity_type=Order");
    assert!(all.contains("Order/ord-1") && all.contains("Order/ord-2"), "{all}");
    assert!(page(client, "/admin/search?actor=nora").contains("approval_granted"));
    let doubts = page(client, "/admin/doubt");
    assert!(doubts.contains("/admin/doubt/Order/ord-2"), "{doubts}");
    let doubt = page(client, "/admin/doubt/Order/ord-2");
    assert!(doubt.contains("It cannot be settled here") && !doubt.contains("Settle it"), "{doubt}");
    let csrf = inbox.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap();
    let settle = format!("csrf={csrf}&execution=execution-4&became=not&reason=because");
    let refused = client.post("/admin/doubt/Order/ord-2", &settle);
    assert_eq!((refused.status, refused.body.contains("nothing can be changed")), (409, true), "{}", refused.body);
    let asked = client.post("/admin/doubt/Order/ord-2", &settle.replace("became=not", "became=ask"));
    assert_eq!(asked.status, 409, "{}", asked.body);
    // Nobody gets in beside the pages.
    assert_eq!(client.get("/entities").status, 401);
}

#[test]
fn a_journal_is_shown_without_its_domain_and_cannot_be_changed() {
    let folder = folder("serve");
    a_day(SqliteStore::open(folder.join("refunds.db")).unwrap());
    let before = kiff(&folder, &["export", "refunds.db"]).well();
    let (mut serving, client) = serve(&folder, &["refunds.db"]);
    look(&client);
    serving.0.kill().unwrap();
    let mut log = String::new();
    serving.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    // Who came beside the pages, and the link that was used again.
    assert_eq!(log.matches(" WARN kiff::http: ").count(), 2, "{log}");
    assert_eq!(kiff(&folder, &["export", "refunds.db"]).well(), before);
}

#[test]
fn a_database_is_shown_and_its_password_is_not() {
    let (folder, cluster) = (folder("serve-postgres"), cluster::shared());
    cluster.sql("postgres", "CREATE DATABASE served OWNER owner");
    let url = cluster.url("owner", "served").replacen("owner@", "owner:hunter2@", 1);
    kiff(&folder, &["migrate", &url]).well();
    a_day(block_on(PostgresStore::connect(&url)).unwrap());
    let (serving, client) = serve(&folder, &[&url]);
    look(&client);
    drop(serving);

    let told = told(&folder, &[&url]);
    assert!(told[0].starts_with("The journal is only read") && told[2].contains("sign-in?link="), "{told:?}");
    assert!(!told.concat().contains("hunter2"), "{told:?}");
}

#[test]
fn a_journal_that_is_broken_hides_nothing_of_the_others() {
    let folder = folder("serve-broken");
    a_day(SqliteStore::open(folder.join("refunds.db")).unwrap());
    let change = "UPDATE bodies SET body = CAST(replace(body, 'PAID', 'LOST') AS BLOB) WHERE position IN
                  (SELECT position FROM journal WHERE entity_id = 'ord-2')";
    Connection::open(folder.join("refunds.db")).unwrap().execute_batch(change).unwrap();
    let (_serving, client) = serve(&folder, &["refunds.db"]);
    assert!(page(&client, "/admin/doubt").contains("Nothing is in doubt"));
    assert!(page(&client, "/admin").contains("Order/ord-1"));
    assert!(page(&client, "/admin/entities/Order/ord-1").contains("REFUNDED"));
}

#[test]
fn an_export_is_shown_as_its_store_is_with_receipts_from_its_log() {
    let folder = exported("serve-export");
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    kiff(&folder, &["log", "advance", "day.jsonl", "log", "--key", "log.key"]).well();
    let (_serving, client) = serve(&folder, &["day.jsonl", "--log", "log"]);
    look(&client);
    let receipt = client.get("/admin/entities/Order/ord-1/receipt?execution=execution-2");
    fs::write(folder.join("refund.receipt"), &receipt.body).unwrap();
    let told = kiff(&folder, &["receipt", "verify", "refund.receipt", "--key", "log.key.pub"]).well();
    assert!(told.starts_with("this is commit 7 of `Order/ord-1`"), "{told}");
}

#[test]
fn another_tenant_is_shown_by_its_name_alone() {
    let folder = folder("serve-tenant");
    a_day(SqliteStore::open(folder.join("refunds.db")).unwrap());
    let (_serving, client) = serve(&folder, &["refunds.db", "--tenant", "acme"]);
    assert_eq!(client.get("/admin/entities/Order/ord-1").status, 404);
    assert!(!page(&client, "/admin/search?entity_type=Order").contains("ord-1"));
}

#[test]
fn whoever_listens_beyond_this_machine_is_told_what_belongs_in_front() {
    let folder = exported("serve-beyond");
    for (address, is_told) in [("127.0.0.1:0", false), ("[::1]:0", false), ("0.0.0.0:0", true)] {
        let told = told(&folder, &["day.jsonl", "--address", address]);
        assert!(!told.is_empty(), "nothing listens at {address}");
        assert_eq!(told.concat().contains("a proxy that ends TLS in front of it"), is_told, "{address}: {told:?}");
    }
}

#[test]
fn what_cannot_be_served_is_told() {
    let folder = folder("serve-not");
    assert!(kiff(&folder, &["serve", "--readonly", "nothing.db"]).not_done().contains("nothing.db"));
    fs::write(folder.join("notes"), "no journal").unwrap();
    assert!(kiff(&folder, &["serve", "--readonly", "notes"]).not_done().contains("`notes` is no journal"));
    a_day(SqliteStore::open(folder.join("refunds.db")).unwrap());
    let told = kiff(&folder, &["serve", "--readonly", "refunds.db", "--log", "nolog"]).not_done();
    assert!(told.starts_with("error: there is no log in `nolog`"), "{told}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = kiff(&folder, &["serve", "--readonly", "refunds.db", "--address", &address]).not_done();
    assert!(told.contains("cannot listen on") && told.contains("--address"), "{told}");
}

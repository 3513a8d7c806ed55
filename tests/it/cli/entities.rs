//! Entities whose tenants, types and ids hold what stands between them where a key is shown.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use kiff::journal::{ActionStarted, Content};
use kiff::{Actor, Commit, EntityKey, Exported, Fact, Sealed};

use super::{folder, kiff};

/// Entities by their tenant, their type and their id.
const KEYS: [(&str, &str, &str); 8] = [
    ("default", "billing/invoice", "in-1"),
    ("default", "eu:order", "ord-1"),
    ("eu/acme", "Order", "ord-1"),
    ("acme", "billing/invoice", "a/b"),
    // Two and two that are shown alike.
    ("default", "acme:order", "ord-1"),
    ("acme", "order", "ord-1"),
    ("default", "parcel", "box/p-1"),
    ("default", "parcel/box", "p-1"),
];

/// A folder with the export of a journal of these entities, each with one run that has the number of its place.
fn journal(name: &str) -> PathBuf {
    let folder = folder(name);
    let mut lines = String::new();
    for (position, (tenant, kind, id)) in (1..).zip(KEYS) {
        let key = EntityKey::new(kind, id).and_then(|key| key.in_tenant(tenant)).unwrap();
        let execution = format!("run-{position}").parse().unwrap();
        let started = ActionStarted { action: "PAY".into(), execution, approval: None, key: None };
        let (at, actor) = ("2026-11-23T10:00:00Z".parse().unwrap(), Actor::agent("agent-7").unwrap());
        let facts = Box::new([Fact::from(started)]);
        let content = Content { at, actor, trace: None, cause: None, fold: None, facts };
        let sealed = Sealed::new(key, 1, Commit::GENESIS, content);
        writeln!(lines, "{}", Exported::new(position, sealed.commit().clone()).unwrap()).unwrap();
    }
    fs::write(folder.join("day.jsonl"), lines).unwrap();
    folder
}

#[test]
fn an_entity_is_found_as_it_is_printed_whatever_its_type_holds() {
    let folder = journal("entities-printed");
    let listed = kiff(&folder, &["timeline", "day.jsonl"]).well();
    for (number, shown) in [
        (1, "billing/invoice/in-1"),
        (2, "eu:order/ord-1"),
        (3, "eu/acme:Order/ord-1"),
        (4, "acme:billing/invoice/a/b"),
    ] {
        assert!(listed.lines().any(|line| line == shown), "no `{shown}` in:\n{listed}");
        let told = kiff(&folder, &["timeline", "day.jsonl", shown]).well();
        assert!(told.lines().count() == 1 && told.contains(&format!("as run-{number}\n")), "{shown}: {told}");
    }
    let told = kiff(&folder, &["timeline", "day.jsonl", "billing/invoice/a/b", "--tenant", "acme"]).well();
    assert!(told.contains("as run-4\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "acme:order/ord-9"]).not_done();
    assert!(told.starts_with("error: there is no entity `acme:order/ord-9`\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "--type", "billing/invoice"]).well();
    assert_eq!(told, "acme:billing/invoice/a/b\nbilling/invoice/in-1\n");
}

#[test]
fn an_id_is_enough_where_one_entity_has_it() {
    let folder = journal("entities-id");
    let asked = |arguments: &[&str]| kiff(&folder, &[&["timeline", "day.jsonl"], arguments].concat());
    for (number, arguments) in [(1, &["in-1"][..]), (8, &["p-1"][..]), (6, &["ord-1", "--tenant", "acme"][..])] {
        let told = asked(arguments).well();
        assert!(told.lines().count() == 1 && told.contains(&format!("as run-{number}\n")), "{arguments:?}: {told}");
    }
    assert_eq!(
        asked(&["ord-1"]).not_done(),
        "error: there are 2 entities `ord-1`\n  = help: say which: `ord-1` with `--tenant default --type acme:order`, \
         or `ord-1` with `--tenant default --type eu:order`\n"
    );
    let told = asked(&["in-1", "--tenant", "acme"]).not_done();
    assert!(told.starts_with("error: there is no entity `in-1`\n"), "{told}");
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    let receipt = kiff(&folder, &["receipt", "day.jsonl", "in-1", "--log", "log", "--key", "log.key"]).well();
    assert!(receipt.contains(r#"\"run-1\""#), "{receipt}");
}

#[test]
fn where_two_entities_are_printed_alike_it_is_asked_which() {
    let folder = journal("entities-alike");
    let told = kiff(&folder, &["timeline", "day.jsonl", "acme:order/ord-1"]).not_done();
    assert_eq!(
        told,
        "error: there are 2 entities `acme:order/ord-1`\n  = help: say which: `ord-1` with `--tenant default --type acme:order`, \
         or `ord-1` with `--tenant acme --type order`\n"
    );
    let told = kiff(&folder, &["timeline", "day.jsonl", "parcel/box/p-1", "--tenant", "default"]).not_done();
    assert!(told.starts_with("error: there are 2 entities `parcel/box/p-1`\n"), "{told}");

    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    for (number, (tenant, kind, id)) in (1..).zip(KEYS) {
        let asked = ["day.jsonl", id, "--tenant", tenant, "--type", kind];
        let told = kiff(&folder, &[&["timeline"], &asked[..]].concat()).well();
        assert!(told.lines().count() == 1 && told.contains(&format!("as run-{number}\n")), "{told}");
        let signed = ["--log", "log", "--key", "log.key"];
        let receipt = kiff(&folder, &[&["receipt"], &asked[..], &signed[..]].concat()).well();
        assert!(receipt.contains(&format!(r#"\"run-{number}\""#)), "{receipt}");
    }
    // Without a tenant it is one of the default tenant.
    let told = kiff(&folder, &["timeline", "day.jsonl", "ord-1", "--type", "acme:order"]).well();
    assert!(told.contains("as run-5\n"), "{told}");
    let told = kiff(&folder, &["timeline", "day.jsonl", "ord-1", "--type", "order"]).not_done();
    assert!(told.starts_with("error: there is no entity `order/ord-1`\n"), "{told}");
}

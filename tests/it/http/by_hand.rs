//! The lines in the page about HTTP do what they say, and what it shows of answers is what there is in them.

use std::process::Command;

use kiff::http::NewKey;
use serde_json::Value;

use super::server::Server;
use super::stream::Events;
use crate::shop::people;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md")).unwrap()
}

#[test]
fn the_lines_in_the_page_lead_from_a_wish_to_a_refund() {
    let page = page();
    let lines = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let server = Server::open();
    server.everybody().paid("ord-1001");
    let key = |actor| server.keys.create(NewKey::new(actor)).unwrap().1;
    let mut answers = Vec::new();
    for line in lines.lines() {
        let output = Command::new("sh")
            .args(["-c", line])
            .env("KIFF", format!("http://{}", server.address))
            .env("AGENT", key(people().agent))
            .env("NORA", key(people().nora))
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        answers.push(String::from_utf8(output.stdout).unwrap());
    }
    assert!(answers[1].contains("request_approval"), "{}", answers[1]);
    assert!(answers[4].contains("REFUNDED"), "{}", answers[4]);
    assert_eq!(server.shop.services().done().len(), 2);
}

/// The names in a value, whatever stands under them; of a list, those in its first item.
fn names(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), names(value))).collect(),
        Value::Array(items) => items.first().map_or(Value::Null, names),
        _ => Value::Null,
    }
}

#[test]
fn what_the_page_shows_of_an_entity_is_what_there_is_in_the_answers() {
    let page = page();
    let (_, section) = page.split_once("\n### What an entity is\n").unwrap();
    let section = section.split("\n### ").next().unwrap();
    let blocks = section.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    let shown: Vec<Value> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1001");
    let answer = |route: &str| everybody.nora.get(&format!("/entities/ord-1001{route}")).expect(200);
    let answers = ["", "/allowed-actions", "/timeline?limit=1"].map(answer);
    assert_eq!(shown.iter().map(names).collect::<Vec<_>>(), answers.iter().map(names).collect::<Vec<_>>());

    let (id, kind, data) = Events::open(&everybody.nora, "/events?after=0").next();
    assert_eq!(data, answers[2]["timeline"][0]);
    let event = format!("id: {id}\nevent: {kind}\ndata: {{\"id\":{},", data["id"]);
    assert!(page.contains(&event), "the page does not show:\n{event}");
}

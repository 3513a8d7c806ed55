//! The lines in the page about HTTP do what they say.

use std::process::Command;

use kiff::http::NewKey;

use super::server::Server;
use crate::shop::people;

#[test]
fn the_lines_in_the_page_lead_from_a_wish_to_a_refund() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md")).unwrap();
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

//! How much an answer has room for: whoever writes much does not decide how large it is, and nothing is left out for it.

use std::sync::Arc;

use kiff::http::{Api, Limits};
use kiff::{
    Bounds, Call, Domain, EntityKey, Evidence, Failure, MemoryStore, Proposal, RolePolicy, Runtime, action, domain,
};
use pollster::block_on;
use serde_json::{Value, json};

use super::page::Browser;
use super::server::{Client, Server};
use super::stream::Events;
use crate::shop::people;

domain! {
    /// Letters that somebody has to read before they are sent.
    pub domain Post governs Letter;
    roles { Writer: agent, Reader: human, Desk: system }
    states { Begun, final Sent }
    events {
        LetterBegun reported by Desk;
        LetterSent { text: String };
    }
    transitions {
        LetterBegun: new => Begun;
        LetterSent: Begun => Sent;
    }
    actions { SendLetter { risk: high, by: Writer, emits: LetterSent, approval: Reader }; }
    allow { Begun => [SendLetter]; }
}

/// Sends the letter.
#[action(Post::SendLetter)]
async fn send_letter(text: String) -> Result<LetterSent, Failure> {
    Ok(LetterSent { text })
}

/// As many bytes as an answer has, and a little for what is around them.
const ROOM: usize = 1024 * 1024 + 4096;

/// A post of its own store beside the shop.
fn post() -> (Server, Arc<Runtime<Post>>) {
    bounded(Bounds::DEFAULT)
}

fn bounded(bounds: Bounds) -> (Server, Arc<Runtime<Post>>) {
    let policy = RolePolicy::new()
        .assign(people().agent.id().clone(), PostRole::Writer)
        .assign(people().nora.id().clone(), PostRole::Reader)
        .assign(people().shop.id().clone(), PostRole::Desk);
    let post = Arc::new(Runtime::new(MemoryStore::new(), policy, ()).with_bounds(bounds));
    let served = Arc::clone(&post);
    (Server::with(Limits::DEFAULT, move |api: Api| api.domain(served)), post)
}

fn begun(post: &Runtime<Post>, id: &str) -> EntityKey {
    let letter = Post::entity(id).unwrap();
    assert!(block_on(post.ingest(&people().shop, &letter, LetterBegun)).unwrap().is_allowed());
    letter
}

/// As much as an agent can propose at once; its last words are its number.
fn long(number: usize) -> Proposal<Call> {
    let text = format!("{} the end of {number}", "<\"".repeat(15_000));
    let evidence = format!("{} evidence of {number}", "x".repeat(8_000));
    let proposal = Proposal::new(Call::new("SEND_LETTER", json!({ "text": text }).to_string()));
    // A rationale is told twice, and what cannot be shown takes six times as much.
    let proposal = proposal.because("\u{1}".repeat(4_000));
    (0..16).fold(proposal, |proposal, _| proposal.evidence(Evidence::new("a mail", &evidence).unwrap()))
}

/// An agent that tries again and again what it may not.
fn flooded(post: &Runtime<Post>, letter: &EntityKey, times: usize) {
    for number in 0..times {
        let outcome = block_on(post.execute(&people().agent, letter, long(number))).unwrap();
        assert_eq!(outcome.outcome(), "approval_required");
    }
}

/// All parts of a list, and how many there are.
fn parts(client: &Client, path: &str, list: &str) -> (Vec<Value>, usize) {
    let (mut found, mut after) = (Vec::new(), String::new());
    for count in 1..1_000 {
        let answer = client.get(&format!("{path}?{after}"));
        assert!(answer.body.len() < ROOM, "{path}: {} bytes", answer.body.len());
        let part = answer.expect(200);
        let items = part[list].as_array().unwrap();
        assert!(!items.is_empty(), "{path}: a part without an item");
        found.extend(items.iter().cloned());
        let Value::String(next) = &part["next"] else { return (found, count) };
        after = format!("after={next}");
    }
    panic!("the list does not end");
}

#[test]
fn p10_a_timeline_comes_in_parts_that_are_no_larger_than_others() {
    let (server, post) = post();
    let letter = begun(&post, "letter-1");
    flooded(&post, &letter, 20);
    let nora = server.everybody().nora;
    let (lines, count) = parts(&nora, "/entities/letter-1/timeline", "timeline");
    let whole = block_on(post.timeline(&letter)).unwrap();
    assert_eq!(Value::from(lines), serde_json::to_value(&whole).unwrap());
    assert!(count > 3, "{count} parts");
    // The same over the stream, which makes them ready bit by bit.
    let mut events = Events::open(&nora, "/events?after=0&entity_type=Letter");
    for line in whole.lines() {
        assert_eq!(events.next().2["id"], line.record().id().to_string());
    }
}

#[test]
fn p10_a_record_that_is_larger_than_a_part_comes_alone() {
    let large = Bounds { parameters: 4 * 1024 * 1024, ..Bounds::DEFAULT };
    let (server, post) = bounded(large);
    let letter = begun(&post, "letter-1");
    let text = "x".repeat(2 * 1024 * 1024);
    let call = Call::new("SEND_LETTER", json!({ "text": text }).to_string());
    for _ in 0..2 {
        let outcome = block_on(post.execute(&people().agent, &letter, call.clone())).unwrap();
        assert_eq!(outcome.outcome(), "approval_required");
    }
    let nora = server.everybody().nora;
    let part = nora.get("/entities/letter-1/timeline?after=1.2").expect(200);
    let lines = part["timeline"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["id"], &part["next"]), (1, &json!("2.1"), &json!("2.1")));
    let part = nora.get("/entities/letter-1/timeline?after=2.1").expect(200);
    assert_eq!((&part["timeline"][0]["id"], &part["next"]), (&json!("3.1"), &Value::Null));
}

#[test]
fn a_timeline_of_small_records_is_as_long_as_it_was() {
    let (server, post) = post();
    let letter = begun(&post, "letter-1");
    for _ in 0..150 {
        let call = Call::new("SEND_LETTER", r#"{"text": "x"}"#);
        assert!(block_on(post.execute(&people().agent, &letter, call)).unwrap().executed().is_none());
    }
    let part = server.everybody().nora.get("/entities/letter-1/timeline").expect(200);
    assert_eq!(part["timeline"], serde_json::to_value(block_on(post.timeline(&letter)).unwrap()).unwrap());
    assert_eq!(part["next"], Value::Null);
}

#[test]
fn p10_what_waits_comes_in_parts_that_are_no_larger_than_others() {
    let (server, post) = post();
    let asked = |letter: &EntityKey, number| {
        assert!(block_on(post.request_approval(&people().agent, letter, long(number))).unwrap().is_allowed());
    };
    let letter = begun(&post, "letter-all");
    (0..12).for_each(|number| asked(&letter, number));
    (12..24).for_each(|number| asked(&begun(&post, &format!("letter-{number}")), number));
    let nora = server.everybody().nora;
    let ends = |path: &str| {
        let (approvals, count) = parts(&nora, path, "approvals");
        assert!(count > approvals.len() / 10, "{path}: {count} parts");
        let text = |approval: &Value| approval["parameters"]["text"].as_str().unwrap().to_owned();
        let end = |text: String| text.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
        approvals.iter().map(text).map(end).collect::<Vec<_>>()
    };
    assert_eq!(ends("/approvals"), (0..24).collect::<Vec<_>>());
    assert_eq!(ends("/entities/letter-all/approvals"), (0..12).collect::<Vec<_>>());
}

#[test]
fn p10_a_card_shows_the_whole_of_what_is_approved_and_the_beginnings_of_what_was() {
    let (server, post) = post();
    let letter = begun(&post, "letter-1");
    flooded(&post, &letter, 40);
    let asked = block_on(post.request_approval(&people().agent, &letter, long(40))).unwrap();
    let kiff::Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let nora = Browser::of(&server, &people().nora);
    let card = nora.get(&format!("/admin/approvals/Letter/letter-1/{}", approval.id));
    assert!(card.len() < 2 * ROOM, "{} bytes", card.len());
    assert_eq!(card.matches("the end of 40").count(), 1, "the parameters, and not the record of them");
    assert_eq!(card.matches("evidence of 40").count(), 16);
    assert!(card.contains("This is the beginning of it."));
    // Everything is to be had, part by part.
    let (mut place, mut rows) = ("/admin/entities/Letter/letter-1".to_owned(), 0);
    loop {
        let page = nora.get(&place);
        assert!(page.len() < 2 * ROOM, "{} bytes", page.len());
        rows += page.matches("data-label=\"record\"").count();
        let Some((before, _)) = page.split_once("\" rel=\"prev\"") else { break };
        let earlier = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
        earlier.split('#').next().unwrap().clone_into(&mut place);
    }
    assert_eq!(rows, block_on(post.timeline(&letter)).unwrap().kinds().len());
}

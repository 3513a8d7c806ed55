//! The stream of records: in order, once each, from where its client left, and only what it may see.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiff::http::{Limits, NewKey};
use kiff::{Actor, MemoryStore, Policy, PolicyError, Question, RolePolicy, Runtime};
use pollster::block_on;
use serde_json::Value;

use super::page::Browser;
use super::server::{Client, Server};
use crate::shop::{self, Desk, people};

/// What comes out of a stream, event by event.
pub(super) struct Events(BufReader<TcpStream>);

impl Events {
    pub(super) fn open(client: &Client, path: &str) -> Self {
        // So that whoever reads to the end does not wait for the server to give up on a next request.
        let stream = client.begin("GET", path, None, "connection: close\r\n");
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        Self(reader)
    }

    /// Waits until an open page is told that something has changed.
    fn changed(&mut self) {
        let mut line = String::new();
        while line.trim_end() != "event: changed" {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
        }
    }

    /// The next event: its id, its kind and its data.
    pub(super) fn next(&mut self) -> (String, String, Value) {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(text) = line.strip_prefix("id: ") {
                text.trim_end().clone_into(&mut id);
            } else if let Some(text) = line.strip_prefix("event: ") {
                text.trim_end().clone_into(&mut kind);
            } else if let Some(text) = line.strip_prefix("data: ") {
                return (id, kind, serde_json::from_str(text).unwrap());
            }
        }
    }
}

#[test]
fn records_come_in_order_and_a_client_goes_on_where_it_left() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let mut events = Events::open(&everybody.nora, "/events?after=0");
    let first: Vec<_> = (0..7).map(|_| events.next()).collect();
    let timeline = everybody.nora.get("/entities/ord-1/timeline").expect(200);
    let told: Vec<_> = first.iter().map(|(_, _, data)| data.clone()).collect();
    assert_eq!(&told, timeline["timeline"].as_array().unwrap());
    assert!(first.iter().all(|(_, kind, data)| data["kind"] == kind.as_str()));
    everybody.place("ord-2");
    let (_, kind, data) = events.next();
    assert_eq!((kind.as_str(), &data["entity_id"]), ("event_ingested", &"ord-2".into()));

    // From the middle of a commit: nothing twice, nothing left out.
    let resumed = everybody.nora.clone().header(&format!("last-event-id: {}", first[3].0));
    let mut events = Events::open(&resumed, "/events");
    let rest: Vec<_> = (0..3).map(|_| events.next()).collect();
    assert_eq!(rest, first[4..]);
    assert_eq!(events.next().2["entity_id"], "ord-2");

    // Some clients add where they were to the address with which they have begun. What is said last counts, and the header most.
    let resumed = format!("/events?after=0&lastEventId={}", first[0].0.replace(':', "%3A"));
    assert_eq!(Events::open(&everybody.nora, &resumed).next(), first[1]);
    let by_header = everybody.nora.clone().header(&format!("last-event-id: {}", first[4].0));
    assert_eq!(Events::open(&by_header, &resumed).next(), first[5]);

    for bad in ["/events?after=x", "/events?after=refund:x", "/events?after=0&lastEventId=x"] {
        everybody.nora.get(bad).expect(400);
    }
}

#[test]
fn a_stream_shows_only_what_was_asked_for_and_may_be_seen() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.paid("ord-1");
    everybody.paid("ord-2");
    let mut events = Events::open(&everybody.nora, "/events?after=0&entity_id=ord-2&kind=state_changed");
    let (one, other) = (events.next(), events.next());
    for (_, kind, data) in [&one, &other] {
        assert_eq!((kind.as_str(), &data["entity_id"]), ("state_changed", &"ord-2".into()));
    }
    // Neither somebody without a role nor another tenant sees what is written before what they may see.
    let acme = |actor| server.bearing(&server.keys.create(NewKey::new(actor).in_tenant("acme")).unwrap().1);
    let mut theirs = Events::open(&acme(people().nora), "/events?after=0");
    let placed = r#"{"type": "ORDER_PLACED", "entity_id": "of-acme", "entity_type": "Order", "payload": {"total": 5}}"#;
    acme(people().shop).post("/events/raw", placed).expect(201);
    assert_eq!(theirs.next().2["entity_id"], "of-acme");
}

#[test]
fn p4_a_stream_shows_nothing_to_whoever_holds_no_role() {
    let server = Server::with(Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT }, |api| api);
    server.everybody().paid("ord-1");
    let mallory = server.client(&Actor::human("mallory").unwrap());
    let mut told = String::new();
    Events::open(&mallory, "/events?after=0").0.read_to_string(&mut told).unwrap();
    assert!(!told.contains("data:") && !told.contains("ord-1"), "{told}");
    // It has been past all that there is.
    assert!(told.contains("id: refund:3"), "{told}");
}

#[test]
fn p4_nobody_learns_by_asking_for_an_entity_how_much_there_is_of_it() {
    let server = Server::with(Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT }, |api| api);
    let key = block_on(shop::place(&server.shop, "ord-1"));
    for number in 0..70 {
        let note = shop::AddNote { text: number.to_string() };
        assert!(block_on(server.shop.execute(&people().agent, &key, note)).unwrap().executed().is_some());
    }
    let stranger = Actor::human("mallory").unwrap();
    let mallory = server.client(&stranger);
    let told = |id: &str| {
        let mut told = String::new();
        let mut events = Events::open(&mallory, &format!("/events?after=0&entity_id={id}"));
        events.0.read_to_string(&mut told).unwrap();
        told.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told("ord-1"), told("ord-2"));
    // Nor by how far a search has got on the pages.
    let mallory = Browser::of(&server, &stranger);
    let found = |id: &str| {
        let page = mallory.get(&format!("/admin/search?actor=agent-7&entity={id}"));
        (page.contains("Nothing was found."), page.contains("rel=\"next\""))
    };
    assert_eq!((found("ord-1"), found("ord-2")), ((true, false), (true, false)));
    let nora = Browser::of(&server, &people().nora);
    assert!(nora.get("/admin/search?actor=agent-7&entity=ord-1").contains("rel=\"next\""));
}

#[test]
fn a_principal_has_so_many_streams_and_they_end_when_the_server_stops() {
    let limits = Limits { streams: 2, ..Limits::DEFAULT };
    let mut server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.paid("ord-1");
    let streams = [Events::open(&everybody.nora, "/events"), Events::open(&everybody.nora, "/events")];
    everybody.nora.get("/events").expect(429);
    drop(Events::open(&everybody.omar, "/events"));
    let mallory = server.client(&Actor::human("mallory").unwrap());
    let silent = Events::open(&mallory, "/events?after=0");
    server.stop();
    for mut stream in streams.into_iter().chain([silent]) {
        let mut line = String::new();
        while stream.0.read_line(&mut line).unwrap_or(0) > 0 {}
        assert!(!line.contains("data:"), "{line}");
    }
    server.stopped();
}

#[test]
fn a_stream_ends_after_its_time_and_its_client_comes_again() {
    let limits = Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    let mut events = Events::open(&everybody.nora, "/events?after=0");
    let rest = |events: &mut Events| {
        events.0.get_ref().set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut rest = String::new();
        events.0.read_to_string(&mut rest).unwrap();
        rest
    };
    // Also while there is more to come; but each time it gets on.
    let (id, kind, data) = events.next();
    assert_eq!((kind.as_str(), &data["entity_id"]), ("event_ingested", &"ord-1".into()));
    let ended = rest(&mut events);
    assert!(!ended.contains("data:") && ended.ends_with("0\r\n\r\n"), "{ended}");
    let mut resumed = Events::open(&everybody.nora.clone().header(&format!("last-event-id: {id}")), "/events");
    assert_eq!(resumed.next().1, "state_changed");
    let mut of_another_kind = Events::open(&everybody.nora, "/events?after=0&kind=approval_denied");
    assert!(!rest(&mut of_another_kind).contains("data:"));
}

#[test]
fn a_client_that_is_cut_off_before_anything_has_happened_misses_nothing() {
    let server = Server::with(Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT }, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    let mut told = String::new();
    Events::open(&everybody.nora, "/events").0.read_to_string(&mut told).unwrap();
    assert!(!told.contains("data:"), "{told}");
    let id = told.lines().find_map(|line| line.strip_prefix("id: ")).expect("where it has begun");
    // What comes while nobody is connected is there when it comes back.
    everybody.place("ord-2");
    let mut events = Events::open(&everybody.nora.clone().header(&format!("last-event-id: {id}")), "/events");
    let (_, kind, data) = events.next();
    assert_eq!((kind.as_str(), &data["entity_id"]), ("event_ingested", &"ord-2".into()));
}

#[test]
fn p4_a_stream_does_not_tell_when_others_write() {
    let server = Server::open();
    let everybody = server.everybody();
    let acme = |actor| server.bearing(&server.keys.create(NewKey::new(actor).in_tenant("acme")).unwrap().1);
    let (mut theirs, mut ours) =
        (Events::open(&acme(people().nora), "/events"), Events::open(&everybody.nora, "/events"));
    // Each time that one stream has looked, so has the other.
    for number in 0..8 {
        everybody.place(&format!("ord-{number}"));
        assert_eq!((ours.next().1.as_str(), ours.next().1.as_str()), ("event_ingested", "state_changed"));
    }
    let placed = r#"{"type": "ORDER_PLACED", "entity_id": "of-acme", "entity_type": "Order", "payload": {"total": 5}}"#;
    acme(people().shop).post("/events/raw", placed).expect(201);
    let (mut line, mut ids) = (String::new(), 0);
    while !line.starts_with("data: ") {
        line.clear();
        assert!(theirs.0.read_line(&mut line).unwrap() > 0, "the stream ended");
        ids += usize::from(line.starts_with("id: "));
    }
    assert!(line.contains("of-acme"), "{line}");
    // That of the beginning and its own, and where it is, seldom.
    assert!(ids <= 4, "{ids} ids");
}

#[test]
fn p4_an_open_page_does_not_tell_when_others_write() {
    let mut server = Server::open();
    let everybody = server.everybody();
    let listen = |actor: &Actor| Events::open(&Browser::of(&server, actor).client, "/admin/live");
    let (mut theirs, mut ours) = (listen(&Actor::human("mallory").unwrap()), listen(&people().nora));
    // When one page is told for the second time, the other has looked at what was written first.
    for id in ["ord-1", "ord-2"] {
        everybody.place(id);
        ours.changed();
    }
    server.stop();
    let mut told = String::new();
    theirs.0.read_to_string(&mut told).unwrap();
    assert!(!told.contains("changed"), "{told}");
    server.stopped();
}

#[test]
fn a_stream_gets_on_past_what_is_not_for_it() {
    let server = Server::with(Limits { stream_time: Duration::ZERO, ..Limits::DEFAULT }, |api| api);
    let everybody = server.everybody();
    for number in 0..130 {
        block_on(shop::place(&server.shop, &format!("ord-{number}")));
    }
    // Of more than is looked at in one go, none is wanted: its client is told where to go on.
    let (mut place, mut rounds) = ("0".to_owned(), 0);
    while place != "refund:130" {
        let mut events = Events::open(&everybody.nora, &format!("/events?kind=approval_denied&after={place}"));
        let mut told = String::new();
        events.0.read_to_string(&mut told).unwrap();
        place = told.lines().find_map(|line| line.strip_prefix("id: ")).expect("where it is").to_owned();
        rounds += 1;
        assert!(rounds < 9 && !told.contains("data:"), "{place}: {told}");
    }
    // However long it may go on: what one entity says does not wait for what the others do.
    let server = Server::with(Limits { stream_time: Duration::MAX, ..Limits::DEFAULT }, |api| api);
    let everybody = server.everybody();
    for number in 0..130 {
        block_on(shop::place(&server.shop, &format!("ord-{number}")));
    }
    let mut events = Events::open(&everybody.nora, "/events?after=0&entity_id=ord-129");
    assert_eq!(events.next().2["entity_id"], "ord-129");
}

/// It cannot say who holds what on one order, as long as it is told so.
struct Wavering(RolePolicy, Arc<AtomicBool>);

impl Policy for Wavering {
    fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
        if question.entity.id() == "ord-2" && self.1.load(Ordering::SeqCst) {
            return Err(PolicyError::new("the directory does not answer"));
        }
        self.0.holds(question)
    }
}

#[test]
fn p9_what_cannot_be_decided_now_is_there_for_a_client_that_comes_again() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let policy = Wavering(shop::policy(), Arc::clone(&is_silent));
    let shop = Arc::new(Runtime::new(MemoryStore::new(), policy, Desk::default()));
    let server = Server::of(shop, Limits::DEFAULT, |api| api);
    let everybody = server.everybody();
    for id in ["ord-1", "ord-2", "ord-3"] {
        everybody.place(id);
    }
    is_silent.store(true, Ordering::SeqCst);
    let told = |client: &Client, path: &str| {
        let mut told = String::new();
        Events::open(client, path).0.read_to_string(&mut told).unwrap();
        told
    };
    // It ends by itself, before what nobody can decide.
    let begun = told(&everybody.nora, "/events?after=0");
    assert!(begun.contains("ord-1") && !begun.contains("ord-2") && !begun.contains("ord-3"), "{begun}");
    let id = begun.lines().rev().find_map(|line| line.strip_prefix("id: ")).expect("where it has got to");
    let resumed = everybody.nora.clone().header(&format!("last-event-id: {id}"));
    let again = told(&resumed, "/events");
    assert!(!again.contains("data:"), "{again}");
    let of_one = told(&everybody.nora, "/events?after=0&entity_id=ord-2");
    assert!(!of_one.contains("data:") && !of_one.contains("id: refund"), "{of_one}");

    is_silent.store(false, Ordering::SeqCst);
    let mut events = Events::open(&resumed, "/events");
    let ids: Vec<_> = (0..4).map(|_| events.next().2["entity_id"].clone()).collect();
    assert_eq!(ids, ["ord-2", "ord-2", "ord-3", "ord-3"]);
}

#[test]
fn p9_an_open_page_is_told_of_what_stands_behind_what_cannot_be_decided() {
    let store = Arc::new(MemoryStore::new());
    let policy = Wavering(shop::policy(), Arc::new(AtomicBool::new(true)));
    let shop = Arc::new(Runtime::new(Arc::clone(&store), policy, Desk::default()));
    let limits = Limits { stream_time: Duration::from_mins(1), ..Limits::DEFAULT };
    let server = Server::of(shop, limits, |api| api);
    let (_, token) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let nora = Browser::at(&server.stranger(), &format!("key={token}")).unwrap_or_else(|answer| panic!("{answer:?}"));
    let mut open = Events::open(&nora.client, "/admin/live");
    // Written by another process, which knows who may place them.
    let elsewhere = Runtime::new(store, shop::policy(), Desk::default());
    for id in ["ord-2", "ord-3"] {
        block_on(shop::place(&elsewhere, id));
    }
    open.changed();
}

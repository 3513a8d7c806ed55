//! What one client may take, and stopping.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use kiff::http::{Limits, serve};
use kiff::{Bounds, Domain, MemoryStore, Runtime};
use pollster::block_on;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::page::Browser;
use super::server::{Answer, Client, Server, on_its_own_thread};
use crate::mcp::two_domains::{ParcelPacked, ParcelState, Shipping, depot};
use crate::shop::{Desk, Mood, people, policy};

const PAY: &str = "/entities/ord-1/actions/MARK_PAID/execute";
const BODY: &str = r#"{"parameters": {"payment_id": "pay-1"}}"#;
/// Longer than any test waits.
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn p10_a_body_over_the_bound_is_refused_before_it_is_read() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let huge = 100 * 1024 * 1024;
    let stream = everybody.agent.begin("POST", PAY, Some(huge), "");
    Answer::read(&mut BufReader::new(stream)).expect(413);

    // One that does not say how long it is is read up to the bound.
    let mut stream = everybody.agent.begin("POST", PAY, None, "transfer-encoding: chunked\r\n");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..64 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = String::new();
    // The server closes while the client still writes: what was answered may be lost, and nothing else comes.
    if stream.read_to_string(&mut answer).is_ok() && !answer.is_empty() {
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    everybody.agent.post(PAY, BODY).expect(200);
}

#[test]
fn p10_a_head_over_the_bound_is_refused() {
    let server = Server::open();
    let much = |kibibytes: usize| format!("x-much: {}", "x".repeat(kibibytes * 1024));
    server.client(&people().agent).header(&much(60)).get("/entities").expect(200);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{}\r\n\r\n", much(70));
    let mut answer = String::new();
    // The server closes while the client still writes: what was answered may be lost, and nothing else comes.
    if stream.write_all(head.as_bytes()).is_ok() && stream.read_to_string(&mut answer).is_ok() && !answer.is_empty() {
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[test]
fn limits_that_are_meant_as_none_break_nothing() {
    let limits = Limits {
        body: usize::MAX,
        header_time: Duration::MAX,
        request_time: Duration::MAX,
        write_time: Duration::MAX,
        connections: usize::MAX,
        connections_per_address: usize::MAX,
        streams: usize::MAX,
        stream_time: Duration::MAX,
        rate: NonZeroU32::MAX,
        burst: NonZeroU32::MAX,
        grace: Duration::MAX,
    };
    let bounds = Bounds { json_depth: usize::MAX, ..Bounds::DEFAULT };
    let shop = Runtime::new(MemoryStore::new(), policy(), Desk::default()).with_bounds(bounds);
    let server = Server::of(Arc::new(shop), limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    everybody.agent.post(PAY, BODY).expect(200);
}

#[test]
fn p10_the_forms_of_the_pages_have_the_same_bound() {
    let server = Server::with(Limits { body: 1024, ..Limits::DEFAULT }, |api| api);
    let form = |size: usize| format!("key={}", "x".repeat(size));
    let sign_in = |size| {
        let stranger = server.stranger().header("content-type: application/x-www-form-urlencoded");
        stranger.post("/admin/sign-in", &form(size)).status
    };
    assert_eq!((sign_in(900), sign_in(1100)), (403, 413));
}

#[test]
fn a_body_that_comes_in_parts_is_one() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let mut stream = everybody.agent.begin("POST", PAY, None, "transfer-encoding: chunked\r\n");
    for part in BODY.as_bytes().chunks(7).chain([b"".as_slice()]) {
        let part = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        stream.write_all(&part).unwrap();
    }
    Answer::read(&mut BufReader::new(stream)).expect(200);
}

#[test]
fn a_client_that_does_not_end_its_head_is_shut_out_while_others_go_on() {
    let limits = Limits { header_time: Duration::from_millis(200), connections: 8, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    let slow: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
            stream
        })
        .collect();
    // There is no place left until the slow ones are shut out.
    everybody.place("ord-1");
    for mut stream in slow {
        let mut answer = Vec::new();
        // Either an end or a reset: the connection is over.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

#[test]
fn a_client_that_takes_nothing_is_shut_out() {
    let limits = Limits { write_time: Duration::from_millis(200), connections: 1, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    // Far more answers than the system keeps for a client that reads none of them.
    let mut greedy = everybody.nora.begin("GET", "/openapi.json", None, "");
    let token = server.keys.create(kiff::http::NewKey::new(people().nora)).unwrap().1;
    let request = format!("GET /openapi.json HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    greedy.write_all(request.repeat(500).as_bytes()).unwrap();
    // It holds the only place there is, until it is shut out.
    everybody.nora.get("/entities/ord-1").expect(200);
    drop(greedy);
}

#[test]
fn one_principal_that_asks_too_often_does_not_hold_up_another() {
    let few = NonZeroU32::new(2).unwrap();
    let limits = Limits { rate: NonZeroU32::MIN, burst: few, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    let answers: Vec<_> = (0..6).map(|_| everybody.agent.get("/entities")).collect();
    assert!(answers[..2].iter().all(|answer| answer.status == 200));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1 && refused.json()["error"].is_string());
    everybody.nora.get("/entities").expect(200);
    // Whoever looks at the pages asks as often as over the API.
    let omar = Browser::of(&server, &people().omar);
    let statuses: Vec<_> = (0..6).map(|_| omar.client.get("/admin").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn a_server_that_stops_finishes_what_has_started() {
    let mut server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let body = r#"{"parameters": {"text": "n"}}"#;
    let note = "/entities/ord-1/actions/ADD_NOTE/execute";
    let mut stream = everybody.agent.begin("POST", note, Some(body.len()), "expect: 100-continue\r\n");
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    // The server has taken the request up, and is then told to stop.
    Answer::read(&mut reader);
    server.stop();
    stream.write_all(body.as_bytes()).unwrap();
    Answer::read(&mut reader).expect(200);
    let shop = Arc::clone(&server.shop);
    server.stopped();
    assert_eq!(shop.services().done(), ["noted n"]);
}

/// Tells a server to stop; the receiver hears when it has.
fn stopping(server: Server) -> mpsc::Receiver<()> {
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        server.stopped();
        let _ = end.send(());
    });
    ended
}

/// Lets it hear of what was sent: it does so no later than it has answered others.
fn hears(server: &Server) {
    for _ in 0..50 {
        assert_eq!(server.stranger().get("/healthz").status, 200);
    }
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_head_that_does_not_come() {
    let server = Server::with(Limits { header_time: HOUR, grace: HOUR, ..Limits::DEFAULT }, |api| api);
    let mut first = TcpStream::connect(server.address).unwrap();
    let mut second = server.stranger().begin("GET", "/healthz", None, "");
    assert_eq!(Answer::read(&mut BufReader::new(&second)).status, 200);
    for stream in [&mut first, &mut second] {
        stream.write_all(b"GET /heal").unwrap();
    }
    hears(&server);
    stopping(server).recv_timeout(Duration::from_mins(1)).expect("it stops");
}

#[test]
fn a_server_that_stops_lets_a_slow_client_take_its_answer() {
    /// Far more than the system keeps for a client that takes nothing.
    const LARGE: usize = 64 << 20;
    let (close, closed) = oneshot::channel::<()>();
    let ((listening, address), (end, ended)) = (mpsc::channel(), mpsc::channel());
    on_its_own_thread(move || async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listening.send(listener.local_addr().unwrap()).unwrap();
        let router = axum::Router::new().route("/", axum::routing::get(|| async { vec![b'x'; LARGE] }));
        let limits = Limits { write_time: HOUR, grace: HOUR, ..Limits::DEFAULT };
        let closed = async {
            let _ = closed.await;
        };
        serve(listener, router, limits, closed).await.unwrap();
        let _ = end.send(());
    });
    let mut slow = Client::at(address.recv().unwrap()).begin("GET", "/", None, "");
    slow.read_exact(&mut [0; 8]).unwrap();
    drop(close);
    assert!(ended.recv_timeout(Duration::from_secs(1)).is_err(), "it waits");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > LARGE, "{}", rest.len());
    ended.recv_timeout(Duration::from_mins(1)).expect("it stops");
}

#[test]
fn an_action_goes_on_when_its_client_has_left_or_waits_no_longer() {
    let limits = Limits { request_time: Duration::from_secs(2), grace: Duration::ZERO, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    server.shop.services().be(Mood::Stuck);
    everybody.agent.post(PAY, BODY).expect(504);
    // It still runs, so that it is not in doubt, and nothing else may begin.
    let entity = everybody.nora.get("/entities/ord-1").expect(200)["entity"].clone();
    assert_eq!((&entity["running"]["action"], &entity["in_doubt"]), (&"MARK_PAID".into(), &false.into()));
    assert_eq!(everybody.agent.post(PAY, BODY).expect(409)["reason"], "action_in_progress");
    assert_eq!(server.shop.services().done(), ["captured pay-1"]);
}

#[test]
fn p7_a_server_that_stops_waits_for_an_action_whether_its_client_has_left_or_waits() {
    for has_left in [true, false] {
        let answer = stopped_while_it_runs(has_left);
        assert_eq!(answer.map(|answer| answer.status), (!has_left).then_some(200));
    }
}

/// What a client that has not left is answered by a server that is told to stop while an action runs.
fn stopped_while_it_runs(has_left: bool) -> Option<Answer> {
    let (depot, parcel) = (depot(0), Shipping::entity("one").unwrap());
    let packed = block_on(depot.ingest(&people().shop, &parcel, ParcelPacked { weight: 7 })).unwrap();
    assert!(packed.is_allowed());
    let parcels = Arc::clone(&depot);
    let server = Server::with(Limits::DEFAULT, |api| api.domain(parcels));
    let body = r#"{"parameters": {"entity_id": "one", "rationale": "it is packed"}}"#;
    let agent = server.client(&people().agent);
    let mut stream = agent.begin("POST", "/entities/one/actions/SEND_PARCEL/execute", Some(body.len()), "");
    stream.write_all(body.as_bytes()).unwrap();
    block_on(depot.services().seen.acquire()).unwrap().forget();
    let waiting = (!has_left).then_some(stream);
    hears(&server);
    let ended = stopping(server);
    assert!(ended.recv_timeout(Duration::from_secs(1)).is_err(), "it waits");
    depot.services().open.add_permits(1);
    let answer = waiting.map(|stream| Answer::read(&mut BufReader::new(stream)));
    ended.recv().unwrap();
    assert_eq!(block_on(depot.entity(&parcel)).unwrap().state(), Some(ParcelState::Sent));
    answer
}

#[test]
fn every_answer_tells_a_browser_to_do_nothing_with_it() {
    let server = Server::open();
    let agent = server.client(&people().agent);
    for answer in [agent.get("/entities"), agent.get("/nowhere"), server.stranger().get("/entities")] {
        assert!(answer.headers["content-security-policy"].starts_with("default-src 'none'"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
    }
}

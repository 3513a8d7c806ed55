//! Clients that send slowly, take nothing or come in crowds change nothing for the others.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use kiff::http::Limits;
use kiff::{EntityKey, Outcome};
use pollster::block_on;
use tokio::net::TcpSocket;

use super::server::{Answer, Server};
use crate::shop::{self, AddNote, people};

/// A connection from another address of this machine.
fn from_another_address(server: SocketAddr) -> TcpStream {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = tokio.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(server).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

fn healthy(mut stream: TcpStream) -> bool {
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Whether something has come already.
fn has_answer(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_ok()
}

#[test]
fn a_client_that_does_not_end_its_body_is_shut_out_while_others_go_on() {
    let limits = Limits { request_time: Duration::from_secs(2), connections: 8, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    let slow: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = everybody.agent.begin("POST", "/entities/ord-1/actions/ADD_NOTE/execute", Some(1_000), "");
            stream.write_all(b"{\"parameters\": ").unwrap();
            stream
        })
        .collect();
    // They hold every place there is, until they are shut out.
    everybody.nora.get("/entities/ord-1").expect(200);
    assert!(slow.iter().any(has_answer), "there was a place beside all of them");
    for stream in slow {
        assert_eq!(Answer::read(&mut BufReader::new(stream)).status, 504);
    }
    assert!(server.shop.services().done().is_empty());
}

#[test]
fn a_crowd_from_one_address_takes_no_place_from_another() {
    let limits = Limits { connections: 8, connections_per_address: 4, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    // They say nothing, and are waited for.
    let crowd: Vec<_> = (0..4).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    for _ in 0..100 {
        assert!(!healthy(TcpStream::connect(server.address).unwrap()), "more than its share");
    }
    assert!(healthy(from_another_address(server.address)));
    // Whoever goes makes room.
    drop(crowd);
    while !healthy(TcpStream::connect(server.address).unwrap()) {}
}

#[test]
fn a_stream_that_nobody_reads_is_cut_off_and_holds_nobody_up() {
    let limits = Limits { write_time: Duration::from_millis(200), streams: 1, ..Limits::DEFAULT };
    let server = Server::with(limits, |api| api);
    let everybody = server.everybody();
    everybody.place("ord-1");
    let unread = everybody.nora.begin("GET", "/events?after=0", None, "");
    while everybody.nora.get("/events?after=0").status != 429 {}
    // More than the system keeps for a client that takes none of it.
    let (order, text): (EntityKey, String) = (shop::order("ord-1"), "x".repeat(15_000));
    for _ in 0..1_000 {
        let note = AddNote { text: text.clone() };
        let noted = block_on(server.shop.execute(&people().agent, &order, note)).unwrap();
        assert!(matches!(noted, Outcome::Executed(_)), "{noted:?}");
    }
    everybody.agent.get("/entities/ord-1").expect(200);
    // Its place is free again as soon as it is cut off.
    let head = |mut stream: TcpStream| {
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        line == *b"HTTP/1.1 200"
    };
    while !head(everybody.nora.begin("GET", "/events", None, "")) {}
    drop(unread);
}

#[test]
fn p10_a_body_that_nests_without_end_is_refused() {
    let server = Server::open();
    let everybody = server.everybody();
    everybody.place("ord-1");
    let deep = format!("{{\"parameters\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let refused = everybody.agent.post("/entities/ord-1/actions/ADD_NOTE/execute", &deep).expect(400);
    assert_eq!(refused["error"], "invalid json body");
}

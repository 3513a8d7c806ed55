//! What comes in over the standard streams, line by line.

use std::sync::Arc;

use kiff::mcp::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::with_tokio;
use crate::shop::{open, people, place};

#[test]
fn a_line_that_can_be_read_in_two_ways_is_no_call() {
    with_tokio(async {
        let runtime = Arc::new(open());
        place(&runtime, "ord-1").await;
        let server = Server::new(people().agent).domain(Arc::clone(&runtime));
        let (here, there) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(there);
        tokio::spawn(server.serve(input, output));
        let (mut answers, mut calls) = tokio::io::split(here);
        let start = r#"{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}}"#;
        let started = r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#;
        let call = |id: u8, payment: &str| {
            let params = format!(r#"{{"name": "MARK_PAID", "arguments": {{"entity_id": "ord-1", {payment}}}}}"#);
            format!(r#"{{"jsonrpc": "2.0", "id": {id}, "method": "tools/call", "params": {params}}}"#)
        };
        let twice = call(1, r#""payment_id": "pay-1", "payment_id": "pay-2""#);
        let once = call(2, r#""payment_id": "pay-3""#);
        calls.write_all(format!("{start}\n{started}\n{twice}\n{once}\n").as_bytes()).await.unwrap();
        let mut told = String::new();
        while !told.contains("\"id\":2") {
            let mut bytes = [0; 4096];
            let read = answers.read(&mut bytes).await.unwrap();
            assert_ne!(read, 0, "{told}");
            told.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        assert!(told.contains("-32600") && !told.contains("\"id\":1"), "{told}");
        assert_eq!(runtime.services().done(), ["captured pay-3"]);
    });
}

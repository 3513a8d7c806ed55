//! A server on a port of its own, and a client that writes what it is told byte by byte.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use kiff::http::{Api, Keys, Limits, NewKey, serve};
use kiff::{Actor, MemoryStore, Runtime, Store};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::shop::{self, People, Refund, people};

/// A runtime for the server's thread.
pub(crate) fn on_its_own_thread<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work());
    })
}

/// An open shop behind a port, and a key for each of its people.
pub(crate) struct Server<S: Store = MemoryStore> {
    pub(crate) address: SocketAddr,
    pub(crate) shop: Arc<Runtime<Refund, S>>,
    pub(crate) keys: Arc<Keys>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn open() -> Self {
        Self::with(Limits::DEFAULT, |api| api)
    }

    pub(crate) fn with(limits: Limits, change: impl FnOnce(Api) -> Api + Send + 'static) -> Self {
        let shop = Arc::new(Runtime::new(MemoryStore::new(), shop::policy(), shop::Desk::default()));
        Self::of(shop, limits, change)
    }
}

impl<S: Store> Server<S> {
    pub(crate) fn of(
        shop: Arc<Runtime<Refund, S>>,
        limits: Limits,
        change: impl FnOnce(Api) -> Api + Send + 'static,
    ) -> Self {
        Self::known_by(Keys::in_memory(), shop, limits, change)
    }

    /// One whose people are known by these keys.
    pub(crate) fn known_by(
        keys: Keys,
        shop: Arc<Runtime<Refund, S>>,
        limits: Limits,
        change: impl FnOnce(Api) -> Api + Send + 'static,
    ) -> Self {
        let keys = Arc::new(keys);
        let api = Api::new().limits(limits).domain(Arc::clone(&shop)).authenticate(Arc::clone(&keys));
        let (close, closed) = oneshot::channel();
        let (listening, address) = std::sync::mpsc::channel();
        let thread = on_its_own_thread(move || async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listening.send(listener.local_addr().unwrap()).unwrap();
            let router = change(api).router();
            let closed = async {
                // A server whose test is over stops as well.
                let _ = closed.await;
            };
            serve(listener, router, limits, closed).await.unwrap();
        });
        Self { address: address.recv().unwrap(), shop, keys, stop: Some(close), thread: Some(thread) }
    }

    /// A client with a key of its own.
    pub(crate) fn client(&self, actor: &Actor) -> Client {
        let (_, token) = self.keys.create(NewKey::new(actor.clone())).unwrap();
        self.bearing(&token)
    }

    /// A client that shows this token.
    pub(crate) fn bearing(&self, token: &str) -> Client {
        Client { address: self.address, headers: vec![format!("authorization: Bearer {token}")] }
    }

    /// A client that shows nothing.
    pub(crate) fn stranger(&self) -> Client {
        Client::at(self.address)
    }

    pub(crate) fn everybody(&self) -> Everybody {
        let People { agent, nora, omar, auditor, shop } = people();
        Everybody {
            agent: self.client(&agent),
            nora: self.client(&nora),
            omar: self.client(&omar),
            auditor: self.client(&auditor),
            shop: self.client(&shop),
        }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until it has.
    pub(crate) fn stopped(mut self) {
        self.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A client for each of the shop's people.
pub(crate) struct Everybody {
    pub(crate) agent: Client,
    pub(crate) nora: Client,
    pub(crate) omar: Client,
    pub(crate) auditor: Client,
    pub(crate) shop: Client,
}

impl Everybody {
    /// Places an order.
    pub(crate) fn place(&self, id: &str) {
        let body = format!(
            r#"{{"type": "ORDER_PLACED", "entity_id": "{id}", "entity_type": "Order", "payload": {{"total": 99900}}}}"#
        );
        self.shop.post("/events/raw", &body).expect(201);
    }

    /// Places an order and has it paid.
    pub(crate) fn paid(&self, id: &str) {
        self.place(id);
        let body = r#"{"parameters": {"payment_id": "pay-1"}}"#;
        self.agent.post(&format!("/entities/{id}/actions/MARK_PAID/execute"), body).expect(200);
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    headers: Vec<String>,
}

impl Client {
    /// A client of whatever listens there, that shows nothing.
    pub(crate) const fn at(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut stream = self.begin(method, path, body.map(str::len), "connection: close\r\n");
        stream.write_all(body.unwrap_or_default().as_bytes()).unwrap();
        Answer::read(&mut BufReader::new(stream))
    }

    /// Sends the head of a request.
    pub(crate) fn begin(&self, method: &str, path: &str, length: Option<usize>, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = length.map_or_else(String::new, |length| format!("content-length: {length}\r\n"));
        let mut headers = self.headers.clone();
        if !headers.iter().any(|line| line.starts_with("host: ")) {
            headers.insert(0, format!("host: {}", self.address));
        }
        let headers = headers.join("\r\n");
        let head = format!("{method} {path} HTTP/1.1\r\n{headers}\r\n{length}{more}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn read(stream: &mut impl BufRead) -> Self {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_owned(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        Self { status, headers, body: String::from_utf8(body).unwrap() }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

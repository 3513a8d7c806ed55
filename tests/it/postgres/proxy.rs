//! What stands between a store and its server: it counts, and it cuts the line where a test wants it cut.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// When the line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Never,
    /// Not at all: the store hears in the server's place that the statement took too long.
    Refused,
    /// When a commit is sent: the server never sees it.
    Before,
    /// When the answer to a commit comes: the store never sees it.
    After,
}

struct State {
    /// What becomes of the next commits, in turn.
    cuts: Mutex<VecDeque<Cut>>,
    /// Whether new connections are refused.
    closed: AtomicBool,
    round_trips: AtomicUsize,
    appends: AtomicUsize,
    sequences: AtomicUsize,
    named: AtomicUsize,
    was_cut: Sender<()>,
}

/// A line to a server.
pub(super) struct Proxy {
    port: u16,
    state: Arc<State>,
    was_cut: Receiver<()>,
}

impl Proxy {
    pub(super) fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, was_cut) = channel();
        let state = Arc::new(State {
            cuts: Mutex::default(),
            closed: AtomicBool::new(false),
            round_trips: AtomicUsize::new(0),
            appends: AtomicUsize::new(0),
            sequences: AtomicUsize::new(0),
            named: AtomicUsize::new(0),
            was_cut: sender,
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if shared.closed.load(Ordering::Acquire) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                join(client, server, &shared);
            }
        });
        Self { port, state, was_cut }
    }

    /// How the writer reaches the server through it.
    pub(super) fn url(&self) -> String {
        format!("postgres://writer@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Cuts the line at the next commits, each in turn; nobody gets through afterwards until [`Proxy::open`].
    pub(super) fn cut(&self, cuts: impl IntoIterator<Item = Cut>) {
        self.state.cuts.lock().unwrap().extend(cuts);
    }

    /// Waits until the line was cut.
    pub(super) fn wait(&self) {
        self.was_cut.recv().unwrap();
    }

    pub(super) fn open(&self) {
        self.state.closed.store(false, Ordering::Release);
    }

    /// How often a store waited for the server until now, but for the order of all commits, which is kept beside.
    pub(super) fn round_trips(&self) -> usize {
        self.state.round_trips.load(Ordering::Acquire)
    }

    /// How many statements appended something.
    pub(super) fn appends(&self) -> usize {
        self.state.appends.load(Ordering::Acquire)
    }

    /// How many statements gave positions to commits.
    pub(super) fn sequences(&self) -> usize {
        self.state.sequences.load(Ordering::Acquire)
    }

    /// How many statements got a name.
    pub(super) fn named(&self) -> usize {
        self.state.named.load(Ordering::Acquire)
    }
}

impl State {
    /// Whether this message is where the line is to be cut.
    fn look(&self, kind: u8, body: &[u8]) -> Cut {
        if kind == b'S' {
            self.round_trips.fetch_add(1, Ordering::AcqRel);
        }
        if kind != b'P' {
            return Cut::Never;
        }
        if body.first() != Some(&0) {
            self.named.fetch_add(1, Ordering::AcqRel);
        }
        let statement = String::from_utf8_lossy(body);
        if statement.contains(".sequence()") {
            self.sequences.fetch_add(1, Ordering::AcqRel);
            self.round_trips.fetch_sub(1, Ordering::AcqRel);
        }
        if !statement.contains(".append(") {
            return Cut::Never;
        }
        self.appends.fetch_add(1, Ordering::AcqRel);
        let cut = self.cuts.lock().unwrap().pop_front().unwrap_or(Cut::Never);
        if matches!(cut, Cut::Before | Cut::After) {
            self.closed.store(true, Ordering::Release);
        }
        cut
    }
}

/// Passes on what two say to each other, until one of them has gone.
fn join(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let mute = Arc::new(AtomicBool::new(false));
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (muted, told) = (Arc::clone(&mute), state.was_cut.clone());
    thread::spawn(move || {
        let mut bytes = vec![0; 65536];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            if muted.load(Ordering::Acquire) {
                // It has answered, so that it has done it.
                let _ = told.send(());
                break;
            }
            if to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let state = Arc::clone(state);
    thread::spawn(move || {
        let _ = pass(&client, &server, &state, &mute);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// Passes on what a client says, message by message.
fn pass(mut client: &TcpStream, mut server: &TcpStream, state: &State, mute: &AtomicBool) -> std::io::Result<()> {
    // The first message has no kind.
    let first = message(&mut client)?;
    server.write_all(&first)?;
    loop {
        let mut kind = [0];
        client.read_exact(&mut kind)?;
        let message = message(&mut client)?;
        match state.look(kind[0], &message[4..]) {
            Cut::Never => {}
            Cut::Before => {
                let _ = state.was_cut.send(());
                return Ok(());
            }
            Cut::After => mute.store(true, Ordering::Release),
            Cut::Refused => {
                refuse(&mut client)?;
                continue;
            }
        }
        server.write_all(&[&kind[..], &message].concat())?;
    }
}

/// Answers a statement in the server's place: it was cancelled because it took too long.
fn refuse(client: &mut &TcpStream) -> std::io::Result<()> {
    let mut kind = [0];
    while kind != *b"S" {
        client.read_exact(&mut kind)?;
        message(client)?;
    }
    let fields = b"SERROR\0VERROR\0C57014\0Mcanceling statement due to statement timeout\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    let ready = [b'Z', 0, 0, 0, 5, b'I'];
    client.write_all(&[&b"E"[..], &length, fields, &ready].concat())
}

/// A message with its length.
fn message(client: &mut &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let size = usize::try_from(u32::from_be_bytes(length)).unwrap();
    let mut message = vec![0; size];
    message[..4].copy_from_slice(&length);
    client.read_exact(&mut message[4..])?;
    Ok(message)
}

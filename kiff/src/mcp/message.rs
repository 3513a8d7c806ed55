//! Messages that everybody reads alike: of a name that stands twice the protocol's reader takes the last one, and whoever looks at
//! a message before kiff does may take the first.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rmcp::RoleServer;
#[cfg(feature = "http")]
use rmcp::model::ClientJsonRpcMessage;
use rmcp::model::{ErrorData, JsonRpcError, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde::de::IgnoredAny;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::bounds::Bounds;
#[cfg(feature = "http")]
use crate::json::JsonError;
use crate::json::{Json, Object};

/// The longest message that is read, in bytes: there is room for the largest parameters and what is around them.
const LONGEST: usize = 1024 * 1024;

/// What is answered to a message of JSON that can be read in two ways; what is no JSON at all is for the protocol's reader to tell.
fn ambiguity(message: &[u8], longest: usize) -> Option<JsonRpcError> {
    /// How many levels of JSON the protocol has around an object of parameters.
    const AROUND: usize = 8;
    let bounds = Bounds { payload: longest, json_depth: Bounds::DEFAULT.json_depth + AROUND, ..Bounds::DEFAULT };
    // The protocol's reader passes over it.
    let message = message.strip_prefix("\u{feff}".as_bytes()).unwrap_or(message);
    let message = str::from_utf8(message).ok()?;
    let error = Json::check(message, &bounds).err()?;
    let is_json = serde_json::from_str::<IgnoredAny>(message).is_ok();
    is_json.then(|| JsonRpcError::new(id(message), ErrorData::invalid_request(error.to_string(), None)))
}

/// What is answered to what is no message: it is ambiguous, no JSON at all, or JSON of another sort.
#[cfg(feature = "http")]
pub(crate) fn fault(message: &[u8], longest: usize) -> Option<JsonRpcError> {
    if let Some(ambiguous) = ambiguity(message, longest) {
        return Some(ambiguous);
    }
    let error = serde_json::from_slice::<ClientJsonRpcMessage>(message).err()?;
    Some(if error.is_data() {
        let needs =
            "the body is no message of JSON-RPC 2.0, which has a `method`, and an `id` where it wants an answer";
        JsonRpcError::new(str::from_utf8(message).ok().and_then(id), ErrorData::invalid_request(needs, None))
    } else {
        let error = format!("the body is no JSON: {}", JsonError::syntax(error));
        JsonRpcError::new(None, ErrorData::parse_error(error, None))
    })
}

/// The id of a message, where it stands there once.
fn id(message: &str) -> Option<RequestId> {
    let Object(members) = serde_json::from_str::<Object<'_>>(message).ok()?;
    let mut ids = members.iter().filter(|(name, _)| name == "id");
    match (ids.next(), ids.next()) {
        (Some((_, id)), None) => serde_json::from_str(id.get()).ok(),
        _ => None,
    }
}

/// The messages of a client, a line each, and the answers to it. An ambiguous message and one that is too long are answered here.
pub(super) struct Messages<R: AsyncRead + Unpin, W: AsyncWrite> {
    lines: AsyncRwTransport<RoleServer, Unambiguous<R>, W>,
    refused: UnboundedReceiver<JsonRpcError>,
    /// An answer that is on its way: whoever receives may let go of it half done.
    answer: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
}

impl<R, W> Messages<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(super) fn new(input: R, output: W) -> Self {
        let (tells, refused) = unbounded_channel();
        let lines = AsyncRwTransport::new_server(Unambiguous::new(input, tells), output);
        Self { lines, refused, answer: None }
    }
}

impl<R, W> Transport<RoleServer> for Messages<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.lines.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(answer) = &mut self.answer {
                let is_sent = answer.await.is_ok();
                self.answer = None;
                if !is_sent {
                    return None;
                }
            }
            let refused = tokio::select! {
                biased;
                Some(refused) = self.refused.recv() => refused,
                message = self.lines.receive() => match message {
                    Some(message) => return Some(message),
                    // What was refused just before the end is answered as well.
                    None => self.refused.try_recv().ok()?,
                },
            };
            self.answer = Some(Box::pin(self.lines.send(JsonRpcMessage::Error(refused))));
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.lines.close().await
    }
}

/// A stream of messages, a line each, without those that nobody is to read.
#[derive(Debug)]
struct Unambiguous<R> {
    input: R,
    /// The beginning of a line.
    line: Vec<u8>,
    /// Whether that line is one that is longer than anybody reads.
    is_long: bool,
    /// What is to be given out, and how much of it was.
    ready: Vec<u8>,
    given: usize,
    /// Where it is told what was left out.
    refuses: UnboundedSender<JsonRpcError>,
}

impl<R> Unambiguous<R> {
    const fn new(input: R, refuses: UnboundedSender<JsonRpcError>) -> Self {
        Self { input, line: Vec::new(), is_long: false, ready: Vec::new(), given: 0, refuses }
    }

    /// Takes in what was read; at the end of the stream, what is left of a line.
    fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.is_long {
                self.line.extend_from_slice(part);
            }
            if self.line.len() > LONGEST {
                self.line.clear();
                self.is_long = true;
                self.refuse(too_long());
            }
            if part.ends_with(b"\n") {
                self.is_long = false;
                match ambiguity(&self.line, LONGEST) {
                    Some(error) => self.refuse(error),
                    None => self.ready.extend_from_slice(&self.line),
                }
                self.line.clear();
            }
        }
    }

    fn refuse(&self, error: JsonRpcError) {
        // Where nobody takes it any more, nobody answers it.
        let _ = self.refuses.send(error);
    }
}

/// Its id is not known: what was read of it is not kept.
fn too_long() -> JsonRpcError {
    let message = format!("a message is longer than {LONGEST} bytes: send less in one");
    JsonRpcError::new(None, ErrorData::invalid_request(message, None))
}

impl<R: AsyncRead + Unpin> AsyncRead for Unambiguous<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        const CHUNK: usize = 8 * 1024;
        let this = self.get_mut();
        loop {
            if let Some(left @ [_, ..]) = this.ready.get(this.given..) {
                let (now, _) = left.split_at(left.len().min(out.remaining()));
                out.put_slice(now);
                this.given += now.len();
                return Poll::Ready(Ok(()));
            }
            this.ready.clear();
            this.given = 0;
            let mut space = [0; CHUNK];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.input).poll_read(context, &mut read))?;
            match read.filled() {
                // A line without an end is no message.
                [] => return Poll::Ready(Ok(())),
                bytes => this.take(bytes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given out, and what is told of the rest.
    fn through(parts: &[&[u8]]) -> (Vec<u8>, Vec<JsonRpcError>) {
        let (tells, mut refused) = unbounded_channel();
        let mut lines = Unambiguous::new((), tells);
        for part in parts {
            lines.take(part);
        }
        (lines.ready, std::iter::from_fn(|| refused.try_recv().ok()).collect())
    }

    #[test]
    fn only_what_can_be_read_in_two_ways_is_left_out_and_told() {
        let right: &[u8] = b"{\"a\": {\"b\": 1}}\r\nnot json\n";
        assert_eq!(through(&[right]), (right.to_owned(), Vec::new()));
        let (given, told) = through(&[b"{\"a\": 1, \"", b"a\": 2}\n{\"b\": 1}\n{\"c"]);
        assert_eq!((given.as_slice(), told.len()), (b"{\"b\": 1}\n".as_slice(), 1));
    }

    #[test]
    fn a_mark_of_the_byte_order_hides_nothing() {
        let (given, told) = through(&[b"\xef\xbb\xbf{\"a\": 1, \"a\": 2}\n"]);
        assert_eq!((given.len(), told.len()), (0, 1));
        let right: &[u8] = b"\xef\xbb\xbf{\"a\": 1}\n";
        assert_eq!(through(&[right]), (right.to_owned(), Vec::new()));
    }

    #[test]
    fn what_is_refused_is_answered_under_its_id_where_that_is_clear() {
        let id = |members: &str| {
            let message = format!(r#"{{"a": 1, "a": 2, {members}}}"#);
            ambiguity(message.as_bytes(), LONGEST).unwrap().id
        };
        assert_eq!(id(r#""id": 7"#), Some(RequestId::Number(7)));
        assert_eq!(id(r#""id": "seven", "params": {"id": 8}"#), Some(RequestId::String("seven".into())));
        for members in [r#""id": 7, "id": 8"#, r#""id": null"#, r#""id": [7]"#, r#""id": 7.5"#, r#""b": 1"#] {
            assert_eq!(id(members), None, "{members}");
        }
    }

    #[test]
    fn a_line_that_nobody_reads_is_not_kept_and_told_once() {
        let long = vec![b'x'; LONGEST + 1];
        let (given, told) = through(&[&long, b"y", b"y\n{\"b\": 1}\n"]);
        assert_eq!((given.as_slice(), told.len()), (b"{\"b\": 1}\n".as_slice(), 1));
        assert!(told[0].error.message.contains("longer than"), "{told:?}");
        let most = [vec![b'x'; LONGEST - 1], b"\n".to_vec()].concat();
        assert_eq!(through(&[&most]), (most, Vec::new()));
    }
}

//! Messages that everybody reads alike: of a name that stands twice the protocol's reader takes the last one, and whoever looks at
//! a message before kiff does may take the first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::IgnoredAny;
use tokio::io::{AsyncRead, ReadBuf};

use crate::bounds::Bounds;
use crate::json::{Json, JsonError};

/// The longest message that is read, in bytes.
pub(super) const LONGEST: usize = 1024 * 1024;

/// In which way a message of JSON can be read in two ways; what is no JSON at all is for the protocol's reader to tell.
pub(crate) fn ambiguity(message: &[u8], longest: usize) -> Option<JsonError> {
    /// How many levels of JSON the protocol has around an object of parameters.
    const AROUND: usize = 8;
    let bounds = Bounds { payload: longest, json_depth: Bounds::DEFAULT.json_depth + AROUND, ..Bounds::DEFAULT };
    // The protocol's reader passes over it.
    let message = message.strip_prefix("\u{feff}".as_bytes()).unwrap_or(message);
    let error = Json::check(str::from_utf8(message).ok()?, &bounds).err()?;
    serde_json::from_slice::<IgnoredAny>(message).is_ok().then_some(error)
}

/// A stream of messages, a line each. In place of an ambiguous one it gives one that the protocol's reader refuses.
#[derive(Debug)]
pub(super) struct Unambiguous<R> {
    input: R,
    /// The beginning of a line.
    line: Vec<u8>,
    /// Whether that line has begun with more than anybody reads, which was handed on.
    is_long: bool,
    /// What is to be given out, and how much of it was.
    ready: Vec<u8>,
    given: usize,
}

/// JSON, and no message.
const REFUSED: &[u8] = b"{}\n";

impl<R> Unambiguous<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, line: Vec::new(), is_long: false, ready: Vec::new(), given: 0 }
    }

    /// Takes in what was read; at the end of the stream, what is left of a line.
    fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let is_refused = !self.is_long && ambiguity(&self.line, LONGEST).is_some();
                self.ready.extend_from_slice(if is_refused { REFUSED } else { &self.line });
                self.line.clear();
                self.is_long = false;
            } else if self.line.len() > LONGEST {
                self.is_long = true;
            }
            if self.is_long {
                self.ready.append(&mut self.line);
            }
        }
    }
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

    fn through(parts: &[&[u8]]) -> Vec<u8> {
        let mut lines = Unambiguous::new(());
        for part in parts {
            lines.take(part);
        }
        lines.ready
    }

    #[test]
    fn only_what_can_be_read_in_two_ways_is_another() {
        let right: &[u8] = b"{\"a\": {\"b\": 1}}\r\nnot json\n";
        assert_eq!(through(&[right]), right);
        assert_eq!(through(&[b"{\"a\": 1, \"", b"a\": 2}\n{\"b\": 1}\n{\"c"]), b"{}\n{\"b\": 1}\n");
    }

    #[test]
    fn a_mark_of_the_byte_order_hides_nothing() {
        assert_eq!(through(&[b"\xef\xbb\xbf{\"a\": 1, \"a\": 2}\n"]), b"{}\n");
        let right: &[u8] = b"\xef\xbb\xbf{\"a\": 1}\n";
        assert_eq!(through(&[right]), right);
    }

    #[test]
    fn a_line_that_nobody_reads_is_not_kept() {
        let long = vec![b'x'; LONGEST + 1];
        let mut lines = Unambiguous::new(());
        lines.take(&long);
        assert!(lines.line.is_empty() && lines.ready.len() > LONGEST);
        lines.take(b"y\n{\"a\": 1, \"a\": 2}\n");
        assert!(lines.ready.ends_with(b"y\n{}\n"));
    }
}

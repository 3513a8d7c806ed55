//! Lines of unknown length, read one at a time and none of them held beyond its bound.

use std::io::{self, BufRead};

/// The lines of a reader, none of which is kept beyond `bound` bytes.
pub struct Lines<R> {
    reader: R,
    bound: usize,
    number: u64,
}

/// One line.
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub text: Result<String, Unreadable>,
}

/// Why there is no text to a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is longer than the bound; its length in bytes.
    TooLong(u64),
    /// It is not UTF-8.
    NotText,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `reader`.
    pub const fn new(reader: R, bound: usize) -> Self {
        Self { reader, bound, number: 0 }
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The reader's.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let (mut kept, mut length, mut ended) = (Vec::new(), 0_u64, false);
        while !ended {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            length += part.len() as u64;
            if length <= self.bound as u64 {
                kept.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(end.is_some());
            ended = end.is_some();
            self.reader.consume(consumed);
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, text: self.text(kept, length) }))
    }

    fn text(&self, kept: Vec<u8>, length: u64) -> Result<String, Unreadable> {
        if length > self.bound as u64 {
            return Err(Unreadable::TooLong(length));
        }
        let text = String::from_utf8(kept).map_err(|_| Unreadable::NotText)?;
        // Files with a byte order mark are often joined, so that it can stand before any line.
        Ok(text.trim_start_matches('\u{feff}').trim().to_owned())
    }
}

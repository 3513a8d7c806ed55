//! Names in addresses and in identifiers of events, where not every letter may stand.

use std::fmt::Write as _;

/// A part of a path, a query or an id, of the letters, digits and signs that stand anywhere as they are.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}

/// What was encoded; none where nothing is written like that. What needs no encoding may stand there as it is.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => (digit(bytes.next()?)? << 4) | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_link_cannot_leave_it() {
        assert_eq!(encoded("a/b?c=\"d\" é"), "a%2Fb%3Fc%3D%22d%22%20%C3%A9");
    }

    #[test]
    fn what_was_encoded_is_read_again() {
        for text in ["", "refund", "acme:ausgänge", "100%,~/.", "\u{202e}"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
        assert_eq!(decoded("acme:ausgänge").as_deref(), Some("acme:ausgänge"));
        for bad in ["%", "%4", "%4g", "%+4", "%ff"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}

//! Signed notes (C2SP signed-note): a text with the signatures of those who vouch for it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::{self, SigningKey, VerifyingKey};
use crate::json::is_hidden;

/// A text and its signatures, of which nothing is to be believed before [`Note::verify`].
///
/// Signatures of keys that nobody knows here are kept and not looked at, so that witnesses can add theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Note {
    /// The largest note that is read, in bytes: room for 16 signatures of the longest kind that is in use.
    pub(super) const LARGEST: usize = 128 * 1024;

    /// A text of whole lines, signed by each of `keys`.
    pub(super) fn sign<'k>(text: String, keys: impl IntoIterator<Item = &'k SigningKey>) -> Self {
        let sign = |key: &SigningKey| Signature {
            name: key.name().to_owned(),
            id: key.id(),
            bytes: key.sign(text.as_bytes()).to_vec(),
        };
        let signatures = keys.into_iter().map(sign).collect();
        Self { text, signatures }
    }

    /// The keys among `trusted` that have signed it: at least one.
    pub(super) fn verify<'k>(&self, trusted: &'k [VerifyingKey]) -> Result<Vec<&'k VerifyingKey>, NoteError> {
        let mut vouching = Vec::new();
        for signature in &self.signatures {
            for key in trusted.iter().filter(|key| key.name() == signature.name && key.id() == signature.id) {
                if !key.verifies(self.text.as_bytes(), &signature.bytes) {
                    return Err(NoteError::Forged { key: signature.to_string() });
                }
                vouching.push(key);
            }
        }
        if vouching.is_empty() {
            return Err(NoteError::Untrusted { keys: self.signatures.iter().map(ToString::to_string).collect() });
        }
        Ok(vouching)
    }

    /// What stands as signature of this key, which may be wrong.
    pub(super) fn signatures_of(&self, name: &str, id: u32) -> impl Iterator<Item = &[u8]> {
        let own = self.signatures.iter().filter(move |signature| signature.name == name && signature.id == id);
        own.map(|signature| signature.bytes.as_slice())
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, self.id)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { name, id, bytes } in &self.signatures {
            let signature = STANDARD.encode([&id.to_be_bytes(), bytes.as_slice()].concat());
            writeln!(f, "— {name} {signature}")?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > Self::LARGEST {
            return Err(NoteError::Malformed("it is too large"));
        }
        // What it says of its log and its keys is shown to people.
        if note.chars().any(|letter| is_hidden(letter) && letter != '\n') {
            return Err(NoteError::Malformed("it holds a character that is not shown"));
        }
        // The text may hold empty lines: the last one ends it.
        let (text, signatures) =
            note.rsplit_once("\n\n").ok_or(NoteError::Malformed("no empty line parts its text from its signatures"))?;
        let signatures =
            signatures.strip_suffix('\n').ok_or(NoteError::Malformed("its last line is not a whole one"))?;
        let signatures = signatures.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

impl FromStr for Signature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        const MALFORMED: NoteError = NoteError::Malformed("a signature is written `— name base64`");
        let (name, bytes) = line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(MALFORMED)?;
        let bytes = STANDARD.decode(bytes).map_err(|_| MALFORMED)?;
        let (id, bytes) = bytes.split_first_chunk().ok_or(MALFORMED)?;
        if !key::is_name(name) || bytes.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

/// Why a signed text is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoteError {
    Malformed(&'static str),
    Forged { key: String },
    Untrusted { keys: Vec<String> },
}

#[cfg(test)]
mod tests {
    use super::*;

    // The note, the keys and the signatures with which the makers of the format test theirs.
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
    const BY_PETER: &str = "— PeterNeumann \
        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const BY_ENOCH: &str = "— EnochRoot \
        rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    fn key(text: &str) -> VerifyingKey {
        text.parse().unwrap()
    }

    #[test]
    fn a_note_of_the_standard_is_signed_and_read() {
        let secret: SigningKey = SECRET.parse().unwrap();
        let signed = Note::sign(TEXT.to_owned(), [&secret]);
        assert_eq!(signed.to_string(), format!("{TEXT}\n{BY_PETER}"));
        let both: Note = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}").parse().unwrap();
        assert_eq!(both.to_string(), format!("{TEXT}\n{BY_PETER}{BY_ENOCH}"));
        assert_eq!(both.verify(&[key(PETER)]).unwrap(), [&key(PETER)]);
        assert_eq!(both.verify(&[key(ENOCH), key(PETER)]).unwrap().len(), 2);
    }

    #[test]
    fn a_note_that_nobody_trusted_has_signed_is_not_believed() {
        let note: Note = format!("{TEXT}\n{BY_PETER}").parse().unwrap();
        let untrusted = NoteError::Untrusted { keys: vec!["PeterNeumann+c74f20a3".to_owned()] };
        assert_eq!(note.verify(&[key(ENOCH)]), Err(untrusted.clone()));
        assert_eq!(note.verify(&[]), Err(untrusted));
        let edited: Note = format!("{}\n{BY_PETER}{BY_ENOCH}", TEXT.replace("then", "than")).parse().unwrap();
        assert!(matches!(edited.verify(&[key(PETER)]), Err(NoteError::Forged { .. })));
    }

    #[test]
    fn what_is_no_note_is_not_read() {
        let faults = [
            TEXT.to_owned(),
            format!("\n{TEXT}"),
            format!("{TEXT}\n{}", BY_PETER.trim_end()),
            format!("{TEXT}\n{BY_PETER}\n"),
            format!("\u{1}{TEXT}\n{BY_PETER}"),
            format!("\u{9b}{TEXT}\n{BY_PETER}"),
            format!("{TEXT}\u{202e}\n\n{BY_PETER}"),
            format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Peter Neumann")),
            format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Peter+Neumann")),
            format!("{TEXT}\n{}", BY_PETER.replace('=', "")),
            format!("{TEXT}\n{}", BY_PETER.replace("nAM=", "nAN=")),
            format!("{TEXT}\n— PeterNeumann x08gow==\n"),
            format!("{}{TEXT}\n{BY_PETER}", "a line\n".repeat(Note::LARGEST / 7)),
        ];
        for fault in faults {
            assert!(matches!(fault.parse::<Note>(), Err(NoteError::Malformed(_))), "{fault}");
        }
    }
}

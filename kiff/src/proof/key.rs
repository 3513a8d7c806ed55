//! The keys that checkpoints are signed with (Ed25519), in the text formats of signed notes.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use sha2::{Digest as _, Sha256};
use tempfile::Builder;

use crate::folder;
use crate::json::visible;

/// What Ed25519 is called in keys and signatures.
const ED25519: u8 = 1;

/// The secret key of a log.
///
/// Its name is the log's: by convention the log's address without the scheme, as in `example.com/refunds`. Keys that follow
/// one another have the same name.
///
/// ```
/// use kiff::proof::{SigningKey, VerifyingKey};
///
/// let key = SigningKey::generate("example.com/refunds")?;
/// let public: VerifyingKey = key.verifying_key().to_string().parse()?;
/// assert_eq!(public.name(), "example.com/refunds");
/// # Ok::<(), kiff::proof::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    public: VerifyingKey,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError`] when the name cannot be one, or the system has no randomness.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random(error.into()))?;
        Self::from_seed(name, &seed)
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        Ok(Self { public: VerifyingKey::new(name, secret.verifying_key())?, secret })
    }

    /// Reads the key from a file, and makes one for a log of this name where there is no such file yet: with its public half beside it, in
    /// a file of the same name and `.pub`, where that is not there.
    ///
    /// A file that is there is taken as it is, whichever log's key it holds. A key that is made in the place of one that was lost signs
    /// nothing: [`Sequencer::open`](super::Sequencer::open) refuses it.
    ///
    /// # Errors
    /// [`KeyError`] as for [`SigningKey::read`], [`SigningKey::generate`] and [`SigningKey::write`].
    pub fn read_or_generate(path: impl AsRef<Path>, name: &str) -> Result<Self, KeyError> {
        let path = path.as_ref();
        match Self::read(path) {
            Err(KeyError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        let key = Self::generate(name)?;
        match key.write(path) {
            // Another process was quicker, and a log has one key.
            Err(KeyError::File { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Self::read(path);
            }
            written => written?,
        }
        match key.public.write(path.with_added_extension("pub")) {
            // It is that of a key that was lost, and may be put back.
            Err(KeyError::File { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => Ok(key),
            written => written.map(|()| key),
        }
    }

    /// Reads the key from a file.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be read or holds no key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        read(path.as_ref())
    }

    /// Writes the key to a new file, which only its owner may read (on Unix).
    ///
    /// # Errors
    /// [`KeyError::File`] when the file cannot be written, or is there already: a key is never overwritten.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), KeyError> {
        write(path.as_ref(), &self.secret_text(), 0o600)
    }

    /// The key as text, for a keeper of secrets: whoever has it can sign in the log's name.
    #[must_use]
    pub fn secret_text(&self) -> String {
        let VerifyingKey { name, id, .. } = &self.public;
        let bytes = STANDARD.encode([&[ED25519], self.secret.as_bytes().as_slice()].concat());
        format!("PRIVATE+KEY+{name}+{id:08x}+{bytes}")
    }

    /// The public half, which everybody may know.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The log's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.public.name()
    }

    pub(super) const fn id(&self) -> u32 {
        self.public.id
    }

    pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.secret.sign(text).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const MALFORMED: KeyError = KeyError::Malformed("a secret key is written `PRIVATE+KEY+name+id+base64`");
        let (name, id, seed) = parts(text.strip_prefix("PRIVATE+KEY+").ok_or(MALFORMED)?, ED25519).ok_or(MALFORMED)?;
        let key = Self::from_seed(name, &seed)?;
        if key.public.id == id { Ok(key) } else { Err(KeyError::OtherId) }
    }
}

/// The public key of a log: what a third party needs to check its checkpoints and receipts.
///
/// As text it is `name+id+base64`, the verifier key of signed notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: Box<str>,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name(visible(name)));
        }
        Ok(Self { name: name.into(), id: id_of(name, ED25519, &key), key })
    }

    /// Reads the key from a file.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be read or holds no key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        read(path.as_ref())
    }

    /// Writes the key to a new file.
    ///
    /// # Errors
    /// [`KeyError::File`] when the file cannot be written, or is there already.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), KeyError> {
        write(path.as_ref(), &self.to_string(), 0o666)
    }

    /// The log's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, &self.name, self.id, ED25519, &self.key)
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const MALFORMED: KeyError = KeyError::Malformed("a public key is written `name+id+base64`");
        if text.starts_with("PRIVATE+KEY+") {
            return Err(KeyError::Secret);
        }
        let (name, id, bytes) = parts(text, ED25519).ok_or(MALFORMED)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| MALFORMED)?;
        let key = Self::new(name, key)?;
        if key.id == id { Ok(key) } else { Err(KeyError::OtherId) }
    }
}

/// The keys that a log signs with: its own, and during a rotation the one that follows it.
///
/// A rotation has three steps. Sign with both keys, hand the new public key to those who verify, and when all of them trust
/// it, sign with the new key alone.
///
/// ```
/// use kiff::proof::{Signers, SigningKey};
///
/// let (old, new) = (SigningKey::generate("example.com/refunds")?, SigningKey::generate("example.com/refunds")?);
/// let both = Signers::from(old).and(new)?;
/// assert_eq!(both.verifying_keys().len(), 2);
/// assert!(both.and(SigningKey::generate("example.com/missions")?).is_err());
/// # Ok::<(), kiff::proof::KeyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signers(Vec<SigningKey>);

impl From<SigningKey> for Signers {
    fn from(key: SigningKey) -> Self {
        Self(vec![key])
    }
}

impl Signers {
    /// The same, and one key more.
    ///
    /// # Errors
    /// [`KeyError::OtherLog`] when its name is another.
    pub fn and(mut self, key: SigningKey) -> Result<Self, KeyError> {
        if key.name() != self.origin() {
            return Err(KeyError::OtherLog { log: self.origin().to_owned(), key: key.name().to_owned() });
        }
        self.0.push(key);
        Ok(self)
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        // INVARIANT: there is a first key.
        self.0.first().map_or("", SigningKey::name)
    }

    /// The public halves.
    #[must_use]
    pub fn verifying_keys(&self) -> Vec<VerifyingKey> {
        self.0.iter().map(|key| key.verifying_key().clone()).collect()
    }

    pub(super) fn keys(&self) -> &[SigningKey] {
        &self.0
    }
}

/// Whether a text can be the name of a key.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
}

/// The number of a key, as signed notes count.
pub(super) fn id_of(name: &str, algorithm: u8, key: &ed25519_dalek::VerifyingKey) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([b'\n', algorithm]);
    hasher.update(key.as_bytes());
    let [first, second, third, fourth, ..]: [u8; 32] = hasher.finalize().into();
    u32::from_be_bytes([first, second, third, fourth])
}

/// Writes a public key as text.
pub(super) fn show(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    id: u32,
    algorithm: u8,
    key: &ed25519_dalek::VerifyingKey,
) -> fmt::Result {
    let bytes = STANDARD.encode([&[algorithm], key.as_bytes().as_slice()].concat());
    write!(f, "{name}+{id:08x}+{bytes}")
}

/// The name, the number and the 32 bytes of a key for this algorithm.
pub(super) fn parts(text: &str, algorithm: u8) -> Option<(&str, u32, [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (id, bytes) = rest.split_once('+')?;
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if id.len() != 8 || !id.bytes().all(is_digit) {
        return None;
    }
    let bytes = STANDARD.decode(bytes).ok()?;
    let (own, bytes) = bytes.split_first()?;
    if *own != algorithm {
        return None;
    }
    Some((name, u32::from_str_radix(id, 16).ok()?, bytes.try_into().ok()?))
}

/// Reads a key of any sort from a file.
pub(super) fn read<K: FromStr<Err = KeyError>>(path: &Path) -> Result<K, KeyError> {
    let failed = |error| KeyError::File { path: path.to_owned(), error };
    std::fs::read_to_string(path).map_err(failed)?.trim().parse()
}

/// Writes a new file beside its place and puts it there at once, so that nobody ever meets a part of a key. It is there for good before
/// anything is signed by it: a checkpoint that outlasted its key would be the last of its log.
fn write(
    path: &Path,
    text: &str,
    #[cfg_attr(not(unix), expect(unused_variables, reason = "only Unix has modes"))] mode: u32,
) -> Result<(), KeyError> {
    let failed = |error| KeyError::File { path: path.to_owned(), error };
    let folder = folder::of(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let mut beside = Builder::new();
    beside.prefix(&name).suffix(".part");
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut file = beside.tempfile_in(folder).map_err(failed)?;
    writeln!(file, "{text}").and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map_err(|refused| failed(refused.error))?;
    folder::keep_names(folder).map_err(failed)
}

/// A key cannot be made, read or written.
#[non_exhaustive]
pub enum KeyError {
    /// The text is no key; how one is written.
    Malformed(&'static str),
    /// The text cannot be the name of a key.
    Name(String),
    /// The number in the text is not that of the key in it.
    OtherId,
    /// Keys of one log have one name.
    OtherLog {
        /// The log.
        log: String,
        /// The name of the key.
        key: String,
    },
    /// A public key was asked for, and this is a secret one.
    Secret,
    /// The file cannot be read or written.
    File {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// The system has no randomness.
    Random(io::Error),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "this is no key: {how}"),
            Self::Name(name) => write!(
                f,
                "`{name}` cannot be the name of a key: write one without spaces and `+`, such as `example.com/refunds`"
            ),
            Self::OtherId => f.write_str("the number in the key is not its own: a part of it was changed"),
            Self::OtherLog { log, key } => {
                write!(f, "the key of `{key}` cannot sign for `{log}`: generate one with the log's name")
            }
            Self::Secret => f.write_str("this is a secret key: give the public one, and keep this one to yourself"),
            Self::File { path, error } => write!(f, "the key file `{}`: {error}", path.display()),
            Self::Random(error) => write!(f, "the system has no randomness for a key: {error}"),
        }
    }
}

crate::debug::debug_as_message!(KeyError);

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } | Self::Random(error) => error.source(),
            _ => None,
        }
    }
}

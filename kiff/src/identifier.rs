//! What things are called: checked identifiers, and the key of an entity.

use std::borrow::Borrow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::bounds::Bounds;
use crate::json::{Excerpt, is_hidden};

/// Why a text cannot be an identifier.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentifierError {
    /// It has no characters.
    Empty,
    /// It is longer than [`Bounds::IDENTIFIER`]; its length in bytes.
    TooLong(usize),
    /// It holds a control character or one that is not shown; an excerpt of it.
    Hidden(String),
    /// It is `.` or `..`, which stand for a step in a path and not for a name.
    Step(String),
}

impl fmt::Display for IdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an identifier is empty"),
            Self::TooLong(size) => {
                write!(f, "an identifier of {size} bytes: at most {} are allowed", Bounds::IDENTIFIER)
            }
            Self::Hidden(excerpt) => write!(f, "the identifier `{excerpt}` holds a character that is not shown"),
            Self::Step(step) => {
                write!(f, "the identifier `{step}` is a step in a path: no address can lead to what it names")
            }
        }
    }
}

crate::debug::debug_as_message!(IdentifierError);

impl std::error::Error for IdentifierError {}

fn check(text: &str) -> Result<(), IdentifierError> {
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if text.len() > Bounds::IDENTIFIER {
        return Err(IdentifierError::TooLong(text.len()));
    }
    // Nearly every identifier is plain ASCII, which is told at once.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_plain && text.chars().any(is_hidden) {
        return Err(IdentifierError::Hidden(Excerpt(text).to_string()));
    }
    Ok(())
}

/// Refuses what no browser can be led to. It is asked where names come in, and not where they are read: journals may hold one.
#[cfg(any(feature = "http", feature = "mcp"))]
pub(crate) fn check_address(text: &str) -> Result<(), IdentifierError> {
    if matches!(text, "." | "..") { Err(IdentifierError::Step(text.to_owned())) } else { Ok(()) }
}

macro_rules! identifier {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text and keeps it.
            ///
            /// # Errors
            /// [`IdentifierError`] when it is empty, too long, or holds a character that is not shown.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdentifierError> {
                check(text.as_ref())?;
                Ok(Self(Arc::from(text.as_ref())))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<Arc<str>> for $name {
            type Error = IdentifierError;

            fn try_from(text: Arc<str>) -> Result<Self, Self::Error> {
                check(&text).map(|()| Self(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(text).map_err(de::Error::custom)
            }
        }
    };
}

identifier! {
    /// Who acts, as the edge's authentication knows them.
    ///
    /// ```
    /// let id = kiff::ActorId::new("agent-7")?;
    /// assert!(kiff::ActorId::new("agent\u{202e}7").is_err());
    /// # Ok::<(), kiff::IdentifierError>(())
    /// ```
    ActorId
}

identifier! {
    /// One request for a human's sign-off.
    ApprovalId
}

identifier! {
    /// One event, as its source numbers it.
    EventId
}

identifier! {
    /// One recorded decision.
    DecisionId
}

identifier! {
    /// One run of one executor: hand it to the outside world as its idempotency key.
    ExecutionId
}

identifier! {
    /// What an actor calls one wish, so that asking twice does it once.
    ///
    /// ```
    /// let key = kiff::IdempotencyKey::new("refund-of-ord-1")?;
    /// # assert_eq!(key.as_str(), "refund-of-ord-1");
    /// # Ok::<(), kiff::IdentifierError>(())
    /// ```
    IdempotencyKey
}

identifier! {
    /// An identifier that comes from outside and that kiff only hands on: a trace, a correlation, a cause.
    TraceId
}

/// The key of one entity: tenant, entity type and id.
///
/// ```
/// use kiff::EntityKey;
///
/// let order = EntityKey::new("Order", "ord-1")?;
/// assert_eq!(order.to_string(), "Order/ord-1");
/// assert_eq!(order.in_tenant("acme")?.to_string(), "acme:Order/ord-1");
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Clone)]
pub struct EntityKey(Arc<Parts>);

/// The three texts in one allocation, and their hash, because a key is looked up many times and made once.
struct Parts {
    text: Box<str>,
    tenant_end: usize,
    entity_type_end: usize,
    hash: u64,
}

impl Parts {
    fn new(tenant: &str, entity_type: &str, id: &str) -> Self {
        /// Seeded anew in every process, so that nobody can choose keys that collide.
        static SEED: OnceLock<RandomState> = OnceLock::new();
        let text = [tenant, entity_type, id].concat().into_boxed_str();
        let (tenant_end, entity_type_end) = (tenant.len(), tenant.len() + entity_type.len());
        let hash = SEED.get_or_init(RandomState::new).hash_one((&text, tenant_end, entity_type_end));
        Self { text, tenant_end, entity_type_end, hash }
    }
}

impl EntityKey {
    /// The tenant of a key that names none.
    pub const DEFAULT_TENANT: &'static str = "default";

    /// The key of the entity `id` of `entity_type`, of the default tenant.
    ///
    /// # Errors
    /// [`IdentifierError`] when a part is empty, too long, or holds a character that is not shown.
    pub fn new(entity_type: &str, id: &str) -> Result<Self, IdentifierError> {
        check(entity_type)?;
        check(id)?;
        Ok(Self(Arc::new(Parts::new(Self::DEFAULT_TENANT, entity_type, id))))
    }

    /// The same entity of another tenant.
    ///
    /// # Errors
    /// [`IdentifierError`] as for [`EntityKey::new`].
    pub fn in_tenant(&self, tenant: &str) -> Result<Self, IdentifierError> {
        if tenant == self.tenant() {
            return Ok(self.clone());
        }
        check(tenant)?;
        Ok(Self(Arc::new(Parts::new(tenant, self.entity_type(), self.id()))))
    }

    /// Whose entity it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.part(0, self.0.tenant_end)
    }

    /// What sort of entity it is.
    #[must_use]
    pub fn entity_type(&self) -> &str {
        self.part(self.0.tenant_end, self.0.entity_type_end)
    }

    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> &str {
        self.part(self.0.entity_type_end, self.0.text.len())
    }

    fn part(&self, start: usize, end: usize) -> &str {
        // INVARIANT: the ends were taken from whole texts, so they lie on the borders of characters.
        self.0.text.get(start..end).unwrap_or_default()
    }

    fn parts(&self) -> (&str, &str, &str) {
        (self.tenant(), self.entity_type(), self.id())
    }
}

impl PartialEq for EntityKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.parts() == other.parts())
    }
}

impl Eq for EntityKey {}

impl PartialOrd for EntityKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntityKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl Hash for EntityKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.hash);
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tenant() != Self::DEFAULT_TENANT {
            write!(f, "{}:", self.tenant())?;
        }
        write!(f, "{}/{}", self.entity_type(), self.id())
    }
}

impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Where a runtime gets new identifiers from; a test hands in a source that counts.
pub trait Identifiers: Send + Sync + 'static {
    /// An identifier that was never given before; `kind` says of what, in a word such as `execution`.
    fn next(&self, kind: &'static str) -> Arc<str>;
}

/// A source that others draw from as well.
impl<I: Identifiers + ?Sized> Identifiers for Arc<I> {
    fn next(&self, kind: &'static str) -> Arc<str> {
        I::next(self, kind)
    }
}

/// Identifiers that are unique everywhere and sort by time, to a quarter of a microsecond: UUID version 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidIdentifiers;

impl Identifiers for UuidIdentifiers {
    fn next(&self, _kind: &'static str) -> Arc<str> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = since.as_secs() * 1000 + u64::from(since.subsec_millis());
        let fraction = u64::from(since.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
        // RFC 9562: 48 bits of milliseconds, the version, 12 bits of their fraction, the variant, and 62 random bits.
        let text = written((milliseconds << 16) | (7 << 12) | fraction, (0b10 << 62) | (random() >> 2));
        Arc::from(str::from_utf8(&text).unwrap_or_default())
    }
}

/// The halves of a UUID as everybody writes them: `01932c07-209c-7e1a-9f2b-0c8d4e5f6a7b`.
fn written(high: u64, low: u64) -> [u8; 36] {
    let (high, low) = (digits(high), digits(low));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&high[..8]);
    text[9..13].copy_from_slice(&high[8..12]);
    text[14..18].copy_from_slice(&high[12..]);
    text[19..23].copy_from_slice(&low[..4]);
    text[24..].copy_from_slice(&low[4..]);
    text
}

/// The hexadecimal digits of a number, all at once: each half of a byte gets a byte of its own.
fn digits(number: u64) -> [u8; 16] {
    const EACH: u128 = u128::MAX / 0xff;
    let mut halves = u128::from(number);
    for (shift, kept) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
    ] {
        halves = (halves | halves << shift) & kept;
    }
    // Six more than nine is sixteen.
    let letters = ((halves + EACH * 6) >> 4) & EACH;
    (halves + EACH * u128::from(b'0') + letters * u128::from(b'a' - b'9' - 1)).to_be_bytes()
}

/// 64 bits that nobody foretells, without a system call each time: a count, hashed under a key that the system drew at
/// random for this thread.
fn random() -> u64 {
    thread_local! {
        static DRAWN: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
    }
    DRAWN.with(|(key, count)| {
        count.set(count.get().wrapping_add(1));
        key.hash_one(count.get())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_many_threads_are_all_different_and_of_version_7() {
        let draw = || (0..10_000).map(|_| UuidIdentifiers.next("execution")).collect::<Vec<_>>();
        let threads = [std::thread::spawn(draw), std::thread::spawn(draw), std::thread::spawn(draw)];
        let drawn: Vec<Arc<str>> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let is_version_7 = |id: &Arc<str>| {
            let groups: Vec<&str> = id.split('-').collect();
            let is_hexadecimal = |group: &&str| group.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
                && groups.iter().all(is_hexadecimal)
                && groups[2].starts_with('7')
                && groups[3].starts_with(['8', '9', 'a', 'b'])
        };
        assert!(drawn.iter().all(is_version_7));
        let different: std::collections::HashSet<_> = drawn.iter().collect();
        assert_eq!(different.len(), 30_000);
    }

    #[test]
    fn every_bit_of_an_identifier_is_written_in_its_place() {
        let (high, low) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
        assert_eq!(written(high, low), *b"01234567-89ab-cdef-fedc-ba9876543210");
    }

    #[test]
    fn p10_identifiers_that_are_not_shown_as_they_are_are_refused() {
        assert!(ActorId::new("agent-7").is_ok() && ActorId::new("Åse").is_ok());
        for hidden in ["agent\u{7}", "agent\u{7f}", "agent\u{202e}7", "a\nb"] {
            assert!(matches!(ActorId::new(hidden), Err(IdentifierError::Hidden(_))), "{hidden:?}");
        }
    }
}

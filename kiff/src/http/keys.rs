//! API keys: a small file of digests, from which nobody can make a key.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use subtle::ConstantTimeEq;

use crate::actor::{Actor, ActorKind};
use crate::digest::Digest;
use crate::identifier::{EntityKey, IdentifierError};
use crate::time::Timestamp;

use super::identity::{Authenticate, Credentials, Principal, Unauthenticated};
use super::seen::Seen;

mod file;

/// How every key begins, so that a scanner for secrets knows one where it should not be.
const PREFIX: &str = "kiff_";

/// API keys, kept in a file or in memory.
///
/// A key is 256 random bits, shown once when it is made. What is kept of it is a SHA-256 digest: to bits that nobody can guess
/// a slow digest adds nothing. A process that has the file open sees what another one changes in it.
///
/// ```
/// use kiff::Actor;
/// use kiff::http::{Keys, NewKey};
///
/// let keys = Keys::in_memory();
/// let (key, secret) = keys.create(NewKey::new(Actor::agent("agent-7")?).note("the night shift"))?;
/// assert!(secret.starts_with("kiff_"));
/// assert_eq!(keys.list()?.len(), 1);
/// keys.revoke(&key.id)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Keys {
    path: Option<PathBuf>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<String, Key>,
    /// Who shows each key, made once and not at every request.
    principals: BTreeMap<String, Principal>,
    /// What the file looked like when it was read.
    seen: Option<Seen>,
}

impl Known {
    fn new(keys: BTreeMap<String, Key>, seen: Option<Seen>) -> Self {
        let principals = keys.iter().filter_map(|(id, key)| Some((id.clone(), key.principal().ok()?))).collect();
        Self { keys, principals, seen }
    }
}

/// One API key: whoever shows it is this actor.
///
/// It is written as JSON without the digest that is kept of it, and can be listed to whoever looks after keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The key's number, which is no secret.
    pub id: String,
    /// Who shows it.
    pub actor: Actor,
    /// Whose entities they see and act on.
    pub tenant: String,
    /// Whether they may name another actor in a request.
    pub acts_for_others: bool,
    /// What somebody wrote down beside it.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to be good; none where it never does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    #[serde(skip_serializing)]
    digest: Digest,
}

impl Key {
    fn check(&self, secret: &str, now: Timestamp) -> Result<(), String> {
        let shown = digest(&self.id, secret);
        if !bool::from(shown.as_bytes().ct_eq(self.digest.as_bytes())) {
            return Err(format!("the secret is not that of key `{}`", self.id));
        }
        if let Some(revoked) = self.revoked_at {
            return Err(format!("key `{}` of `{}` was revoked at {revoked}", self.id, self.actor.id()));
        }
        if let Some(expired) = self.expires_at.filter(|expires| *expires <= now) {
            return Err(format!("key `{}` of `{}` expired at {expired}", self.id, self.actor.id()));
        }
        Ok(())
    }

    fn principal(&self) -> Result<Principal, IdentifierError> {
        let principal = Principal::new(self.actor.clone()).in_tenant(&self.tenant)?;
        Ok(if self.acts_for_others { principal.acting_for_others() } else { principal })
    }
}

fn digest(id: &str, secret: &str) -> Digest {
    Digest::of(&[b"kiff/key/1", id.as_bytes(), secret.as_bytes()])
}

/// A key that is to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    actor: Actor,
    tenant: String,
    acts_for_others: bool,
    note: String,
    expires_at: Option<Timestamp>,
}

impl NewKey {
    /// A key of `actor`, for the default tenant, that is good until it is revoked.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let tenant = EntityKey::DEFAULT_TENANT.to_owned();
        Self { actor, tenant, acts_for_others: false, note: String::new(), expires_at: None }
    }

    /// The same for another tenant.
    #[must_use]
    pub fn in_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// The same, whose holder may name another actor in a request; see [`Principal::acting_for_others`]. Only a service or a system
    /// has such a key.
    #[must_use]
    pub fn acting_for_others(mut self) -> Self {
        self.acts_for_others = true;
        self
    }

    /// The same with something written down beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The same, good until `at`.
    #[must_use]
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

impl Keys {
    /// Keys that are gone with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { path: None, known: RwLock::default() }
    }

    /// The keys of a file, or none yet where there is no such file; it is made, readable by its owner alone, with the
    /// first key.
    ///
    /// # Errors
    /// [`KeysError`] when the file cannot be read, is not one of keys, or can be read or written by others.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let keys = Self { path: Some(path.into()), known: RwLock::default() };
        keys.refresh()?;
        Ok(keys)
    }

    /// Makes a key. The text is its secret: it is shown here and never again.
    ///
    /// # Errors
    /// [`KeysError`] when it cannot be kept, the tenant's name is none, or it is to act for others and is of somebody who never does.
    pub fn create(&self, new: NewKey) -> Result<(Key, String), KeysError> {
        let principal = Principal::new(new.actor.clone()).in_tenant(&new.tenant).map_err(KeysError::Tenant)?;
        if new.acts_for_others && !principal.acting_for_others().acts_for_others() {
            return Err(KeysError::ActsForOthers(new.actor.kind()));
        }
        let id = format!("{:016x}", u64::from_be_bytes(random()?));
        let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let key = Key {
            digest: digest(&id, &secret),
            id,
            actor: new.actor,
            tenant: new.tenant,
            acts_for_others: new.acts_for_others,
            note: new.note,
            created_at: SystemTime::now().into(),
            expires_at: new.expires_at,
            revoked_at: None,
        };
        let token = format!("{PREFIX}{}_{secret}", key.id);
        self.change(|keys| keys.insert(key.id.clone(), key.clone()))?;
        Ok((key, token))
    }

    /// The keys, the oldest first, those that are revoked or expired too.
    ///
    /// # Errors
    /// [`KeysError`] when the file cannot be read.
    pub fn list(&self) -> Result<Vec<Key>, KeysError> {
        self.refresh()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<Key> = known.keys.values().cloned().collect();
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    /// Makes a key worthless from now on; none when there is no key of that number. One that was revoked before stays as
    /// it is.
    ///
    /// # Errors
    /// [`KeysError`] when that cannot be kept.
    pub fn revoke(&self, id: &str) -> Result<Option<Key>, KeysError> {
        self.change(|keys| {
            let key = keys.get_mut(id)?;
            key.revoked_at.get_or_insert_with(|| SystemTime::now().into());
            Some(key.clone())
        })
    }

    /// Changes the keys, in the file first.
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Key>) -> T) -> Result<T, KeysError> {
        self.refresh()?;
        let Some(path) = &self.path else {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let mut keys = std::mem::take(&mut known.keys);
            let changed = change(&mut keys);
            *known = Known::new(keys, None);
            return Ok(changed);
        };
        // Another process may have the file for long, and meanwhile whoever asks is to be answered: nobody is kept from looking.
        let changed = file::change(path, change)?;
        // Read anew, because others may have changed it since. What cannot be read is told at the next look.
        self.known.write().unwrap_or_else(PoisonError::into_inner).seen = None;
        drop(self.refresh());
        Ok(changed)
    }

    /// Reads the file where it is no longer as it was. What was read before never counts again: a key may be revoked since.
    fn refresh(&self) -> Result<(), KeysError> {
        let Some(path) = &self.path else { return Ok(()) };
        let seen = file::look(path)?;
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.seen == Some(seen) {
                return Ok(());
            }
            if seen == Seen::NOTHING && !known.keys.is_empty() {
                let gone = "it is gone, and with it the keys that were in it: put it back";
                return Err(KeysError::file(path)(io::Error::new(io::ErrorKind::NotFound, gone)));
            }
        }
        let keys = file::read(path, seen)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::new(keys, Some(seen));
        Ok(())
    }

    fn check(&self, token: &str) -> Result<Principal, Unauthenticated> {
        self.refresh().map_err(|error| Unauthenticated::undecided(error.to_string()))?;
        self.find(token).map_err(Unauthenticated::new)
    }

    fn find(&self, token: &str) -> Result<Principal, String> {
        let (id, secret) = token.split_once('_').ok_or("a key is written like `kiff_<number>_<secret>`")?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = known.keys.get(id).ok_or("there is no such key")?;
        key.check(secret, SystemTime::now().into())?;
        let principal = known.principals.get(id).cloned();
        principal.ok_or_else(|| format!("the tenant of key `{id}` has no name that can be one"))
    }
}

impl Authenticate for Keys {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        let token = credentials.bearer().and_then(|token| token.strip_prefix(PREFIX));
        token.map(|token| self.check(token)).transpose()
    }

    async fn ready(&self) -> Result<(), Unauthenticated> {
        self.refresh().map_err(|error| Unauthenticated::undecided(error.to_string()))
    }
}

/// So many random bytes.
fn random<const BYTES: usize>() -> Result<[u8; BYTES], KeysError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| KeysError::Random(error.into()))?;
    Ok(bytes)
}

/// The keys cannot be read or kept.
#[non_exhaustive]
pub enum KeysError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// The file is not one of keys.
    Shape(PathBuf, serde_json::Error),
    /// Others than its owner can read or write the file; its mode.
    Open(PathBuf, u32),
    /// The file belongs to somebody else, and what is written in its place cannot be given to them.
    Owner(PathBuf, io::Error),
    /// The name of a tenant is none.
    Tenant(IdentifierError),
    /// An actor of this kind never acts for others.
    ActsForOthers(ActorKind),
    /// The system gives no random bytes.
    Random(io::Error),
}

impl KeysError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File(path.to_owned(), error)
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Shape(path, error) => write!(f, "`{}` is no file of keys: {error}", path.display()),
            Self::Open(path, mode) => write!(
                f,
                "others can reach the keys in `{path}` (mode {mode:o}): run `chmod 600 {path}`",
                path = path.display()
            ),
            Self::Owner(path, error) => write!(
                f,
                "`{path}` is left as it is: what is written in its place cannot be given to its owner ({error}); run this as the owner",
                path = path.display()
            ),
            Self::Tenant(error) => write!(f, "the tenant: {error}"),
            Self::ActsForOthers(kind) => {
                write!(f, "an actor of kind `{kind}` never acts for others: only a service or a system can")
            }
            Self::Random(error) => write!(f, "the system gives no random bytes: {error}"),
        }
    }
}

crate::debug::debug_as_message!(KeysError);

impl std::error::Error for KeysError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, error) | Self::Owner(_, error) | Self::Random(error) => error.source(),
            Self::Shape(..) | Self::Open(..) | Self::Tenant(_) | Self::ActsForOthers(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_whoever_asks_is_answered_also_while_the_file_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path().join("keys.json")).unwrap();
        let (_, token) = keys.create(NewKey::new(Actor::agent("agent-7").unwrap())).unwrap();
        let token = token.strip_prefix(PREFIX).unwrap();
        let is_answered = keys.change(|_| {
            let is_free = keys.known.try_read().is_ok();
            is_free && keys.check(token).is_ok()
        });
        assert!(is_answered.unwrap());
    }
}

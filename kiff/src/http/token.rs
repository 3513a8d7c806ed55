//! Bearer tokens of an identity provider: JSON Web Tokens, held to issuer, audience and time.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use crate::actor::{Actor, ActorKind};
use crate::identifier::ActorId;

use super::identity::{Authenticate, Credentials, Principal, Unauthenticated};
use super::seen::Seen;

/// Tokens of one issuer, for one audience, signed with a key of a file (JWKS) that may be replaced at any time.
///
/// Of several issuers each has its own: a token that names another one is left to the next authenticator. What one of them calls
/// `nora` is to the policy whoever another one calls so, unless a [`prefix`](Self::prefix) tells the two apart.
///
/// Only signatures with a public key count: RSA, ECDSA and Ed25519. A token must expire. Its `sub` is the actor's id,
/// and a claim says the actor's kind: a token that leaves it open is refused, because a program must not pass for a human.
///
/// ```no_run
/// use kiff::http::Tokens;
///
/// let tokens = Tokens::new("https://login.example.com", "kiff", "/etc/kiff/jwks.json")?.tenant_claim("org");
/// # Ok::<(), kiff::http::TokensError>(())
/// ```
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    leeway: Duration,
    kind_claim: String,
    kind: Option<ActorKind>,
    prefix: String,
    tenant_claim: Option<String>,
    path: PathBuf,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    keys: JwkSet,
    seen: Seen,
}

/// What is read of a token; the rest of it stays as it is.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Who a token says that it is of.
#[derive(Debug, Deserialize)]
struct Named {
    iss: String,
}

/// The signatures that count: whoever can check one of them cannot make one.
const SIGNATURES: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

impl Tokens {
    /// Tokens that `issuer` gives out for `audience`, signed with one of the keys in a file.
    ///
    /// # Errors
    /// [`TokensError`] when the file cannot be read, is no set of keys, or can be written by others.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<PathBuf>,
    ) -> Result<Self, TokensError> {
        let path = keys.into();
        let known = read(&path)?;
        Ok(Self {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: Duration::from_secs(30),
            kind_claim: "kiff_kind".to_owned(),
            kind: None,
            prefix: String::new(),
            tenant_claim: None,
            path,
            known: RwLock::new(known),
        })
    }

    /// The same, where the clocks of the issuer and of this machine may differ by so much; half a minute otherwise.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The same, where this claim says the actor's kind; `kiff_kind` otherwise.
    #[must_use]
    pub fn kind_claim(mut self, claim: impl Into<String>) -> Self {
        self.kind_claim = claim.into();
        self
    }

    /// The same, where all tokens are of actors of one kind, also those without that claim: one whose claim says another kind is
    /// refused.
    #[must_use]
    pub fn kind(mut self, kind: ActorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same, where an actor's id is this and then the token's `sub`: so that whom this issuer names is nobody whom another one
    /// names. With `agents:` the actor of `sub` `nora` is `agents:nora`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The same, where this claim says the tenant; a token without it is then refused. Otherwise it is the default tenant.
    #[must_use]
    pub fn tenant_claim(mut self, claim: impl Into<String>) -> Self {
        self.tenant_claim = Some(claim.into());
        self
    }

    /// Reads the keys again where the file is no longer as it was. While it cannot be read, the keys are those of before;
    /// where it is gone, or others can write it, nobody can tell.
    fn refresh(&self) -> Result<(), Unauthenticated> {
        let seen = look(&self.path).map_err(|error| Unauthenticated::undecided(error.to_string()))?;
        if self.known.read().unwrap_or_else(PoisonError::into_inner).seen == seen {
            return Ok(());
        }
        match read(&self.path) {
            Ok(known) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = known,
            Err(error) => tracing::error!(target: "kiff::http", %error, "the keys of the issuer are those of before"),
        }
        Ok(())
    }

    /// Whether a token says that another issuer gave it out. It is not believed yet: its signature decides for whoever takes it up.
    fn is_of_another(&self, token: &str) -> bool {
        let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
        let named: Option<Named> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
        named.is_some_and(|named| named.iss != self.issuer)
    }

    fn check(&self, token: &str) -> Result<Principal, String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        if !SIGNATURES.contains(&header.alg) {
            return Err(format!("a token signed by {:?} does not count", header.alg));
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = match &header.kid {
            Some(kid) => known.keys.find(kid),
            // INVARIANT: without a number there is no choice, so there must be only one key.
            None => known.keys.keys.first().filter(|_| known.keys.keys.len() == 1),
        };
        let key = key.ok_or("the token is signed with a key that is not in the file")?;
        let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = self.leeway.as_secs();
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| error.to_string())?.claims;
        self.principal(&claims)
    }

    fn principal(&self, claims: &Claims) -> Result<Principal, String> {
        // A prefix makes nobody of somebody who is not named.
        let id = ActorId::new(&claims.sub).and_then(|id| ActorId::new(format!("{}{id}", self.prefix)));
        let id = id.map_err(|error| error.to_string())?;
        let principal = Principal::new(Actor::new(id, self.kind_of(claims)?));
        let Some(claim) = &self.tenant_claim else { return Ok(principal) };
        let tenant = claims.others.get(claim).and_then(Value::as_str).ok_or_else(|| format!("`{claim}` is missing"))?;
        principal.in_tenant(tenant).map_err(|error| error.to_string())
    }

    fn kind_of(&self, claims: &Claims) -> Result<ActorKind, String> {
        let claim = &self.kind_claim;
        let said = claims.others.get(claim).map(ActorKind::deserialize).transpose();
        match (said.map_err(|error| format!("`{claim}`: {error}"))?, self.kind) {
            (Some(said), Some(kind)) if said != kind => {
                Err(format!("`{claim}` says `{said}`, and all tokens of this issuer are of the kind `{kind}`"))
            }
            (Some(kind), _) | (None, Some(kind)) => Ok(kind),
            (None, None) => Err(format!("`{claim}` is missing")),
        }
    }
}

impl Authenticate for Tokens {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        // Three parts and two dots: whatever else somebody bears is for somebody else to look at.
        let is_ours = |token: &&str| token.matches('.').count() == 2 && !self.is_of_another(token);
        let Some(token) = credentials.bearer().filter(is_ours) else { return Ok(None) };
        self.refresh()?;
        self.check(token).map(Some).map_err(Unauthenticated::new)
    }

    async fn ready(&self) -> Result<(), Unauthenticated> {
        self.refresh()
    }
}

fn look(path: &Path) -> Result<Seen, TokensError> {
    let metadata = std::fs::metadata(path).map_err(TokensError::file(path))?;
    kept(path, &metadata)?;
    Ok(Seen::of(&metadata))
}

/// Whoever can change the file makes themselves tokens of anybody.
#[cfg(unix)]
fn kept(path: &Path, metadata: &Metadata) -> Result<(), TokensError> {
    let mode = std::os::unix::fs::MetadataExt::mode(metadata) & 0o777;
    if mode & 0o022 == 0 { Ok(()) } else { Err(TokensError::Open(path.to_owned(), mode)) }
}

#[cfg(not(unix))]
fn kept(_: &Path, _: &Metadata) -> Result<(), TokensError> {
    Ok(())
}

fn read(path: &Path) -> Result<Known, TokensError> {
    // Looked at before it is read: a file that changes in between is read again.
    let seen = look(path)?;
    let text = std::fs::read(path).map_err(TokensError::file(path))?;
    let keys = serde_json::from_slice(&text).map_err(|error| TokensError::Shape(path.to_owned(), error))?;
    Ok(Known { keys, seen })
}

/// The keys of an issuer cannot be read.
#[non_exhaustive]
pub enum TokensError {
    /// The file cannot be read.
    File(PathBuf, io::Error),
    /// The file is no set of keys.
    Shape(PathBuf, serde_json::Error),
    /// Others than its owner can write the file; its mode.
    Open(PathBuf, u32),
}

impl TokensError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File(path.to_owned(), error)
    }
}

impl fmt::Display for TokensError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Shape(path, error) => write!(f, "`{}` is no set of keys: {error}", path.display()),
            Self::Open(path, mode) => write!(
                f,
                "others can change the keys in `{path}` (mode {mode:o}), and so make tokens of anybody: run `chmod go-w {path}`",
                path = path.display()
            ),
        }
    }
}

crate::debug::debug_as_message!(TokensError);

impl std::error::Error for TokensError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, error) => error.source(),
            Self::Shape(..) | Self::Open(..) => None,
        }
    }
}

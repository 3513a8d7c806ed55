//! Who asks: what a request shows, who that is, and for whom it may act.

use std::fmt;
use std::future::{self, Future};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, header};

use crate::actor::{Actor, ActorKind};
use crate::domain::Domain;
use crate::identifier::{EntityKey, IdentifierError, check_address};

/// What a request shows of who sends it.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    headers: &'a HeaderMap,
    peer: Option<SocketAddr>,
}

impl<'a> Credentials<'a> {
    /// What a request with these headers shows, which comes from `peer`: for the tests of an [`Authenticate`] of your own.
    #[must_use]
    pub const fn new(headers: &'a HeaderMap, peer: Option<SocketAddr>) -> Self {
        Self { headers, peer }
    }

    /// The token of `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(&self) -> Option<&'a str> {
        let (scheme, token) = self.only(header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// A header, where it is a plain text and stands there once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.only(name)
    }

    fn only(&self, name: impl AsHeaderName) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    /// Whether a header is there at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether a header is there whose name begins like that, in small letters.
    pub(super) fn has_like(&self, beginning: &str) -> bool {
        self.headers.keys().any(|name| name.as_str().starts_with(beginning))
    }

    /// The machine that the connection comes from; none where the server does not tell.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip())
    }
}

/// Who sends a request, as the edge has established.
///
/// ```
/// use kiff::Actor;
/// use kiff::http::Principal;
///
/// let nora = Principal::new(Actor::human("nora")?).in_tenant("acme")?;
/// assert_eq!(nora.actor().id().as_str(), "nora");
/// # Ok::<(), kiff::IdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<Who>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Who {
    actor: Actor,
    tenant: Arc<str>,
    acts_for: ActsFor,
}

/// For whom a principal may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ActsFor {
    Itself,
    Others,
    /// For whomever its requests name: it is nobody itself.
    Anybody,
}

impl Principal {
    /// Somebody who acts for themselves, on entities of the default tenant.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        Self::acting(actor, ActsFor::Itself)
    }

    /// The same principal on entities of another tenant, and of no other.
    ///
    /// # Errors
    /// [`IdentifierError`] when the tenant's name is none.
    pub fn in_tenant(mut self, tenant: &str) -> Result<Self, IdentifierError> {
        EntityKey::new("tenant", "tenant")?.in_tenant(tenant)?;
        Arc::make_mut(&mut self.0).tenant = tenant.into();
        Ok(self)
    }

    /// The same principal, who may name another actor in a request and is then believed: a program that has
    /// authenticated its own users.
    ///
    /// It holds for services and systems alone. An agent never acts for a human, and neither does a human for another.
    #[must_use]
    pub fn acting_for_others(mut self) -> Self {
        if matches!(self.actor().kind(), ActorKind::Service | ActorKind::System) {
            Arc::make_mut(&mut self.0).acts_for = ActsFor::Others;
        }
        self
    }

    pub(super) fn anybody(actor: Actor) -> Self {
        Self::acting(actor, ActsFor::Anybody)
    }

    fn acting(actor: Actor, acts_for: ActsFor) -> Self {
        Self(Arc::new(Who { actor, tenant: EntityKey::DEFAULT_TENANT.into(), acts_for }))
    }

    /// Who it is.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// Whose entities it sees and acts on.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.0.tenant
    }

    /// The key of one entity of a domain, as an entity of its tenant.
    ///
    /// # Errors
    /// [`IdentifierError`] when the id is none, or cannot stand in an address.
    pub fn entity<D: Domain>(&self, id: &str) -> Result<EntityKey, IdentifierError> {
        self.key(&D::schema().entity_type, id)
    }

    pub(super) fn key(&self, entity_type: &str, id: &str) -> Result<EntityKey, IdentifierError> {
        check_address(id)?;
        EntityKey::new(entity_type, id)?.in_tenant(self.tenant())
    }

    /// Whether it may name another actor in a request.
    #[must_use]
    pub fn acts_for_others(&self) -> bool {
        self.0.acts_for != ActsFor::Itself
    }

    /// Whether it is nobody itself, because its requests are believed.
    pub(super) fn is_anybody(&self) -> bool {
        self.0.acts_for == ActsFor::Anybody
    }
}

/// Establishes who sends a request.
///
/// An error says which of two things it is: what was shown is not good ([`Unauthenticated::new`], 401), or nobody can tell at the
/// moment, because what it is looked up in cannot be read ([`Unauthenticated::undecided`], 503).
///
/// It may read what a browser shows by itself, such as a cookie: what a page of another origin sends is refused, unless it is a `GET` or
/// has a bearer token. A proxy in front has to hand on the `Host` of its clients, by which an old browser's `Origin` is judged.
///
/// ```
/// use axum::http::HeaderMap;
/// use kiff::Actor;
/// use kiff::http::{Authenticate, Credentials, Principal, Unauthenticated};
///
/// /// A proxy in front has signed the user in and says who it is.
/// struct Proxy;
///
/// impl Authenticate for Proxy {
///     async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
///         let Some(user) = credentials.header("x-forwarded-user") else {
///             return Ok(None);
///         };
///         if credentials.peer().is_none_or(|peer| !peer.is_loopback()) {
///             return Err(Unauthenticated::new("only the proxy may name a user"));
///         }
///         let actor = Actor::human(user).map_err(|error| Unauthenticated::new(error.to_string()))?;
///         Ok(Some(Principal::new(actor)))
///     }
/// }
///
/// # pollster::block_on(async {
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-user", "nora".parse()?);
/// let proxy = "127.0.0.1:4711".parse()?;
/// let nora = Proxy.authenticate(Credentials::new(&headers, Some(proxy))).await?;
/// assert_eq!(nora, Some(Principal::new(Actor::human("nora")?)));
/// assert!(Proxy.authenticate(Credentials::new(&headers, None)).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Who it is; none when the request shows nothing that this one knows, so that the next is asked.
    ///
    /// # Errors
    /// [`Unauthenticated`] when it shows something that is not good, or of which nobody can tell whether it is; nobody else is
    /// asked then.
    fn authenticate(
        &self,
        credentials: Credentials<'_>,
    ) -> impl Future<Output = Result<Option<Principal>, Unauthenticated>> + Send;

    /// Whether it can tell at the moment who somebody is, for `/readyz`, which asks at most once a second and waits no longer than
    /// that for all of them.
    ///
    /// # Errors
    /// [`Unauthenticated`] when it cannot, with a sentence for the log.
    fn ready(&self) -> impl Future<Output = Result<(), Unauthenticated>> + Send {
        future::ready(Ok(()))
    }
}

impl<T: Authenticate> Authenticate for Arc<T> {
    fn authenticate(
        &self,
        credentials: Credentials<'_>,
    ) -> impl Future<Output = Result<Option<Principal>, Unauthenticated>> + Send {
        T::authenticate(self, credentials)
    }

    fn ready(&self) -> impl Future<Output = Result<(), Unauthenticated>> + Send {
        T::ready(self)
    }
}

/// What an authenticator answers, on its way.
type Authenticating<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unauthenticated>> + Send + 'a>>;

/// An [`Authenticate`] of whatever type.
pub(super) trait AnyAuthenticate: Send + Sync {
    fn ask<'a>(&'a self, credentials: Credentials<'a>) -> Authenticating<'a, Option<Principal>>;

    fn ask_ready(&self) -> Authenticating<'_, ()>;
}

impl<A: Authenticate> AnyAuthenticate for A {
    fn ask<'a>(&'a self, credentials: Credentials<'a>) -> Authenticating<'a, Option<Principal>> {
        Box::pin(self.authenticate(credentials))
    }

    fn ask_ready(&self) -> Authenticating<'_, ()> {
        Box::pin(self.ready())
    }
}

/// Why a request's credentials are not good, or why nobody can tell. It goes to the log; the client is told only which of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unauthenticated {
    message: String,
    is_undecided: bool,
}

impl Unauthenticated {
    /// The credentials are not good, with a sentence for the log.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_undecided: false }
    }

    /// Nobody can tell whether they are good, with a sentence for the log: what they are looked up in cannot be read.
    #[must_use]
    pub fn undecided(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_undecided: true }
    }

    /// Whether nobody can tell.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        self.is_undecided
    }
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unauthenticated {}

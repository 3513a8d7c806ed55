//! A domain over HTTP: for clients in any language, behind authentication and within limits.
//!
//! ```no_run
//! # use std::sync::{Arc, OnceLock};
//! # use kiff::{Executable, Runtime};
//! use axum::Router;
//! use axum::routing::get;
//! use kiff::http::{Api, Keys, Limits, serve, until_stopped};
//!
//! # async fn open<D: Executable>(runtime: Arc<Runtime<D>>) -> Result<(), Box<dyn std::error::Error>> {
//! let api = Api::new().domain(runtime).authenticate(Keys::open("keys.json")?);
//! // Your own routes stand before those of kiff, which has all others.
//! let app = Router::new().route("/orders", get(|| async { "yours" })).fallback_service(api.router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, app, Limits::DEFAULT, until_stopped()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Every request is authenticated, but for `/healthz`, `/readyz`, what says where tokens come from (`Api::protected_resource`), and the
//! page on which people sign in with its files. Who asks, and of which kind, comes from the credentials, and from the body only where the
//! key acts for others. Who holds no role of a domain does not see its entities.

mod action;
mod answers;
mod approval;
mod around;
mod authenticators;
mod cursor;
mod describe;
mod doubt;
mod entity;
mod envelope;
mod event;
#[cfg(feature = "proof")]
mod follow;
mod guard;
mod guarded;
mod headers;
mod identity;
mod keys;
mod kind;
mod limits;
#[cfg(feature = "mcp")]
mod mcp;
mod metrics;
mod open;
mod openapi;
mod origin;
mod page;
mod percent;
mod problem;
#[cfg(feature = "proof")]
mod receipt;
mod request;
#[cfg(feature = "mcp")]
mod resource;
mod search;
mod seats;
mod seen;
mod serve;
mod sign_in;
mod stop;
mod stream;
#[cfg(feature = "jwt")]
mod token;
mod trust;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::{Router, routing};
use serde_json::Value;

use crate::actor::Actor;
use crate::adapter::Adapter;
use crate::bounds::Bounds;
use crate::executor::Executable;
use crate::identifier::EntityKey;
use crate::runtime::Runtime;
use crate::served::{Recorded, Served};
use crate::store::{Store, StoreError};

use answers::Answers;
use guard::{Rates, Readiness};
use guarded::{Unguarded, get, post};
use page::Sessions;
use problem::Problem;
use request::{Caller, entity_key};
use search::Searches;
use seats::Seats;

pub use authenticators::Authenticators;
pub use identity::{Authenticate, Credentials, Principal, Unauthenticated};
pub use keys::{Key, Keys, KeysError, NewKey};
pub use limits::Limits;
pub use metrics::{Metrics, MetricsError};
#[cfg(feature = "mcp")]
pub use resource::ResourceError;
pub use serve::serve;
pub use sign_in::SignInLinks;
pub use stop::until_stopped;
#[cfg(feature = "jwt")]
pub use token::{Tokens, TokensError};
pub use trust::{TrustBody, TrustError};

/// The HTTP face of one or several domains, as it is put together.
///
/// One without an authenticator lets nobody in.
#[derive(Default)]
pub struct Api {
    domains: Vec<Arc<dyn Served>>,
    authenticators: Authenticators,
    adapters: BTreeMap<String, Box<dyn Adapter>>,
    metrics: Option<Metrics>,
    limits: Limits,
    sessions: Arc<Sessions>,
    logs: Vec<PathBuf>,
    #[cfg(feature = "mcp")]
    resource: Option<resource::Resource>,
}

impl Api {
    /// A face without a domain, that knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same face, which serves one more domain. Two domains govern two sorts of entity: of those that govern the same none is
    /// served, and the log says so as an error when the [`router`](Self::router) is made.
    #[must_use]
    pub fn domain<D: Executable, S: Store>(mut self, runtime: Arc<Runtime<D, S>>) -> Self {
        self.domains.push(runtime);
        self
    }

    /// The same face, which shows the journals of a store whose domains are not here: what they say, and nothing of them can be
    /// changed. Sorts of entity that the store gets later are not shown, nor those that a domain here governs, whichever of the two was
    /// given first.
    ///
    /// Without a domain nobody holds a role: whoever is let in sees all these journals of their tenant.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn journals<S: Store>(mut self, store: S) -> Result<Self, StoreError> {
        for recorded in Recorded::all(&Arc::new(store)).await? {
            self.domains.push(Arc::new(recorded));
        }
        Ok(self)
    }

    /// The same face, which asks one more authenticator who sends a request, after those that it has.
    #[must_use]
    pub fn authenticate(mut self, authenticator: impl Authenticate) -> Self {
        self.authenticators.push(authenticator);
        self
    }

    /// The same face, which reads events that name `adapter` in this way. Others are taken as they are.
    #[must_use]
    pub fn adapter(mut self, name: impl Into<String>, adapter: impl Adapter + 'static) -> Self {
        self.adapters.insert(name.into(), Box::new(adapter));
        self
    }

    /// The same face, which shows what the process counts at `/metrics`.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The same face, which hands out receipts from the signed log in this folder.
    ///
    /// Whoever signs the log may be this process ([`Sequencer::follow`](crate::proof::Sequencer::follow)) or another one
    /// (`kiff log advance`). Where the domains have several stores, each has a log of its own.
    #[cfg(feature = "proof")]
    #[must_use]
    pub fn log(mut self, directory: impl Into<PathBuf>) -> Self {
        self.logs.push(directory.into());
        self
    }

    /// The same face, which tells clients of `/mcp` that have no token yet where they get one: `resource` is the address of `/mcp`
    /// as they know it, and the authorization servers are those whose tokens an authenticator of this face takes.
    ///
    /// It is told to everybody in the way of OAuth (RFC 9728), at `/.well-known/oauth-protected-resource` and at the same with `/mcp`
    /// behind it, and a 401 of `/mcp` leads there.
    ///
    /// # Errors
    /// [`ResourceError`] when one of them is no whole address, or when no authorization server is named.
    #[cfg(feature = "mcp")]
    pub fn protected_resource<T: Into<String>>(
        mut self,
        resource: &str,
        authorization_servers: impl IntoIterator<Item = T>,
    ) -> Result<Self, ResourceError> {
        let servers: Vec<String> = authorization_servers.into_iter().map(Into::into).collect();
        self.resource = Some(resource::Resource::new(resource, &servers)?);
        Ok(self)
    }

    /// The same face with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What makes links that sign somebody in at the pages of this face, also when it is a router already.
    #[must_use]
    pub fn sign_in_links(&self) -> SignInLinks {
        SignInLinks::new(Arc::clone(&self.sessions))
    }

    /// What tells routes of your own who asks: the authenticators that this face has by now.
    #[must_use]
    pub fn authenticators(&self) -> Authenticators {
        self.authenticators.clone()
    }

    /// The routes: those for programs, and at `/admin` the pages for people.
    ///
    /// Beside routes of your own it is their [`fallback_service`](Router::fallback_service): what you have a route for is yours, also
    /// `/healthz` or `/events`, and all else is kiff's, which answers what it does not know with 404. To
    /// [`merge`](Router::merge) the two takes that neither path nor fallback is in both.
    ///
    /// The pages lead to one another by where they stand. Nested below a path they answer only that they cannot be nested.
    pub fn router(self) -> Router {
        let shared = Shared(Arc::new(Parts {
            rates: Rates::new(&self.limits),
            domains: told_apart(&self.domains),
            authenticators: self.authenticators,
            adapters: self.adapters,
            limits: self.limits,
            streams: Seats::default(),
            searches: Searches::new(),
            by_name: Searches::by_name(),
            sessions: self.sessions,
            logs: self.logs,
            #[cfg(feature = "mcp")]
            resource: self.resource,
            metrics: self.metrics,
            answers: Answers::default(),
            readiness: Readiness::default(),
            openapi: OnceLock::new(),
        }));
        let routes = routes();
        #[cfg(feature = "mcp")]
        let routes = routes.route("/mcp", mcp::route(&shared)).merge(resource::routes(&shared));
        #[cfg(feature = "proof")]
        let routes = routes.route("/entities/{id}/receipt", get(receipt::of_entity));
        routes
            .route("/healthz", routing::get(Unguarded(guard::healthy)))
            .route("/readyz", routing::get(Unguarded(guard::ready)))
            .merge(page::routes(&shared))
            .fallback(Unguarded(guard::no_route))
            .method_not_allowed_fallback(Unguarded(guard::no_method))
            .with_state(shared)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domains: Vec<_> = self.domains.iter().map(|served| served.schema().domain.as_ref()).collect();
        f.debug_struct("Api").field("domains", &domains).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Those of the domains that are served. A domain that governs a sort of entity says who sees it, and no journal beside it; where several
/// do, nobody can tell which of them says so.
fn told_apart(domains: &[Arc<dyn Served>]) -> Vec<Arc<dyn Served>> {
    let governing = |entity_type: &str| {
        let governs = |served: &&Arc<dyn Served>| !served.is_recorded() && served.schema().entity_type == entity_type;
        domains.iter().filter(governs).count()
    };
    let is_served = |served: &&Arc<dyn Served>| {
        let entity_type = &*served.schema().entity_type;
        match governing(entity_type) {
            0 => true,
            1 => !served.is_recorded(),
            _ => {
                let problem = "several domains govern one sort of entity, and none of them is served";
                tracing::error!(target: "kiff::http", entity_type, "{problem}: give each sort to one");
                false
            }
        }
    };
    domains.iter().filter(is_served).map(Arc::clone).collect()
}

fn routes() -> Router<Shared> {
    Router::new()
        .route("/events/raw", post(event::ingest))
        .route("/entities", get(entity::all))
        .route("/entities/{id}", get(entity::one))
        .route("/entities/{id}/timeline", get(entity::timeline))
        .route("/entities/{id}/allowed-actions", get(action::allowed))
        .route("/entities/{id}/approvals", get(approval::of_entity))
        .route("/entities/{id}/approvals/{approval}", get(approval::one))
        .route("/entities/{id}/actions/{action}/evaluate", post(action::evaluate))
        .route("/entities/{id}/actions/{action}/validate", post(action::validate))
        .route("/entities/{id}/actions/{action}/execute", post(action::execute))
        .route("/entities/{id}/actions/{action}/approvals", post(action::request_approval))
        .route("/entities/{id}/executions/{execution}/settle", post(doubt::settle))
        .route("/entities/{id}/reconcile", post(doubt::reconcile))
        .route("/doubts", get(doubt::all))
        .route("/approvals", get(approval::pending))
        .route("/approvals/{id}/grant", post(approval::grant))
        .route("/approvals/{id}/deny", post(approval::deny))
        .route("/approvals/{id}/withdraw", post(approval::withdraw))
        .route("/events", get(stream::events))
        .route("/domains", get(describe::domains))
        .route("/metrics", get(describe::metrics))
        .route("/openapi.json", get(describe::openapi))
        .route("/tools/{file}", get(describe::tools))
}

/// What every route sees.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Parts>);

pub(crate) struct Parts {
    domains: Vec<Arc<dyn Served>>,
    authenticators: Authenticators,
    adapters: BTreeMap<String, Box<dyn Adapter>>,
    limits: Limits,
    rates: Rates,
    /// How many streams each principal has.
    streams: Seats<Principal>,
    searches: Searches,
    by_name: Searches,
    sessions: Arc<Sessions>,
    /// The folders of the signed logs.
    logs: Vec<PathBuf>,
    /// What is told of `/mcp` to clients that have no token yet.
    #[cfg(feature = "mcp")]
    resource: Option<resource::Resource>,
    metrics: Option<Metrics>,
    answers: Answers,
    readiness: Readiness,
    /// The `OpenAPI` document, once somebody has asked for it.
    openapi: OnceLock<Option<Value>>,
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Shared {
    /// The domains, or the one that governs such entities.
    pub(crate) fn domains<'a>(&'a self, entity_type: Option<&'a str>) -> impl Iterator<Item = &'a Arc<dyn Served>> {
        self.0
            .domains
            .iter()
            .filter(move |served| entity_type.is_none_or(|wanted| wanted == served.schema().entity_type))
    }

    /// The sort of entity that a client names, where it names one; refused where no domain here governs it.
    pub(crate) fn governed<'n>(&self, named: Option<&'n str>) -> Result<Option<&'n str>, Problem> {
        if named.is_none() || self.domains(named).next().is_some() { Ok(named) } else { Err(self.which_domain(named)) }
    }

    /// The only domain that governs an action; none where there is no such domain, or are several.
    fn governing<'a>(&'a self, action: &str, entity_type: Option<&'a str>) -> Option<&'a Arc<dyn Served>> {
        let mut domains = self.domains(entity_type).filter(|served| served.schema().action(action).is_some());
        domains.next().filter(|_| domains.next().is_none())
    }

    /// Refuses to list the actions of domains, or of the one that governs such entities, where two of them have one name.
    fn check_names(&self, entity_type: Option<&str>) -> Result<(), Problem> {
        let mut names = HashSet::new();
        let mut actions = self.domains(entity_type).flat_map(|served| served.schema().actions.iter());
        match actions.find(|action| !names.insert(&action.name)) {
            Some(action) => Err(self.which(&format!("two domains have an action `{}`", action.name))),
            None => Ok(()),
        }
    }

    /// As [`Shared::find`], for the caller itself.
    pub(crate) async fn locate(
        &self,
        caller: &Caller,
        id: &str,
        entity_type: Option<&str>,
    ) -> Result<(Arc<dyn Served>, EntityKey), Problem> {
        self.find(caller, caller.principal.actor(), id, entity_type).await
    }

    /// An entity that an actor may see, for whom the caller asks, and its domain. Where several domains are served and
    /// none is named, it is the one that has such an entity.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &str,
        entity_type: Option<&str>,
    ) -> Result<(Arc<dyn Served>, EntityKey), Problem> {
        let mut found: Vec<(Arc<dyn Served>, EntityKey)> = Vec::new();
        let several = self.domains(entity_type).nth(1).is_some();
        for served in self.domains(entity_type) {
            let key = entity_key(&caller.principal, &served.schema().entity_type, id)?;
            if !several {
                caller.check_access(&**served, actor, &key)?;
                return Ok((Arc::clone(served), key));
            }
            if caller.may_read(&**served, actor, &key)? && served.standing(&key).await?.number > 0 {
                found.push((Arc::clone(served), key));
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(found), true) => Ok(found),
            (Some(_), false) => Err(self.which_domain(entity_type)),
            (None, _) => Err(Problem::not_found(format!("there is no entity `{}`", crate::json::visible(id)))),
        }
    }

    /// What is told to a client that has to say which domain it means.
    fn which_domain(&self, entity_type: Option<&str>) -> Problem {
        self.which(&match entity_type {
            Some(entity_type) => format!("no domain here governs `{}`", crate::json::visible(entity_type)),
            None => "several domains are served here".to_owned(),
        })
    }

    fn which(&self, problem: &str) -> Problem {
        let served: Vec<_> = self.0.domains.iter().map(|served| format!("`{}`", served.schema().entity_type)).collect();
        if served.is_empty() {
            return Problem::bad_request("no domain is served here");
        }
        Problem::bad_request(format!("{problem}: say by `entity_type` which of {} is meant", served.join(", ")))
    }

    /// How a body is read: with room for what is around the parameters.
    fn body_bounds(&self) -> Bounds {
        /// The levels of a body around an action's parameters or a piece of evidence.
        const AROUND: usize = 4;
        let deepest = self.0.domains.iter().map(|served| served.bounds().json_depth).max().unwrap_or_default();
        Bounds { payload: self.0.limits.body, json_depth: deepest.saturating_add(AROUND), ..Bounds::DEFAULT }
    }
}

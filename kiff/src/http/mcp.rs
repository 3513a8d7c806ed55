//! The route of agents that speak the Model Context Protocol.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::mcp::{Agent, Catalogue, Handler, Host, ServerError, fault};
use crate::served::Served;

use super::Shared;
use super::around::around;
use super::guarded::any;
use super::identity::Credentials;
use super::limits::Limits;
use super::origin::names_another_origin;
use super::problem::{About, Problem, answer};
use super::request::{Caller, Said, Sort, read};
use super::resource::challenging;

/// `/mcp`: the actions of the domains as tools, or those of the one that the address names, for whoever the request is of.
pub(super) fn route(shared: &Shared) -> MethodRouter<Shared> {
    let (domains, limits) = (&*shared.domains, shared.limits);
    let entity_types: BTreeSet<&str> = domains.iter().map(|served| &*served.schema().entity_type).collect();
    let each = entity_types.into_iter().map(|entity_type| {
        let governs = |served: &&Arc<dyn Served>| served.schema().entity_type == entity_type;
        (entity_type.to_owned(), Tools::of(domains.iter().filter(governs).map(Arc::clone).collect()))
    });
    let agents = Arc::new(Agents { all: Tools::of(domains.into()), each: each.collect(), limits });
    agents.tell_what_is_wrong();
    let route = any(move |State(shared): State<Shared>, caller: Caller, Said(sort): Said<Sort>, request: Request| {
        let agents = Arc::clone(&agents);
        async move { agents.answer(shared, caller, &sort, request).await }
    });
    if shared.resource.is_some() { route.layer(around(shared, challenging)) } else { route }
}

/// Domains, and what there is to call in them.
struct Tools {
    domains: Arc<[Arc<dyn Served>]>,
    catalogue: Result<Arc<Catalogue>, ServerError>,
}

impl Tools {
    fn of(domains: Arc<[Arc<dyn Served>]>) -> Self {
        let catalogue = Catalogue::new(&domains).map(Arc::new);
        Self { domains, catalogue }
    }
}

/// One request of an agent, for which the server goes on.
struct Asked {
    shared: Shared,
    caller: Caller,
}

impl Host for Asked {
    /// A wait holds a connection as a stream does, and counts as one.
    fn seat(&self) -> Result<Box<dyn Any + Send + Sync>, usize> {
        let most = self.shared.limits.streams;
        let seat = self.shared.streams.take(self.caller.principal.clone(), most).ok_or(most)?;
        Ok(Box::new(seat))
    }

    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.caller.working.closing())
    }
}

struct Agents {
    all: Tools,
    /// Those of each sort of entity alone.
    each: BTreeMap<String, Tools>,
    limits: Limits,
}

/// How much sooner than the server would a call gives up, so that its client hears that it waited; at most half of that time.
const SOONER: Duration = Duration::from_secs(5);

impl Agents {
    fn tell_what_is_wrong(&self) {
        let mut is_well = true;
        for (entity_type, tools) in &self.each {
            if let Err(error) = &tools.catalogue {
                is_well = false;
                tracing::error!(target: "kiff::http", entity_type, %error, "agents cannot be served");
            }
        }
        if let (Err(error), true) = (&self.all.catalogue, is_well) {
            tracing::warn!(target: "kiff::http", %error, "agents have to say by `entity_type` whose tools they mean");
        }
    }

    async fn answer(&self, shared: Shared, caller: Caller, sort: &Sort, request: Request) -> Response {
        // The guard lets a page of another origin ask with a bearer token; that none may is the protocol's own demand.
        if names_another_origin(Credentials::new(request.headers(), None)) {
            let error = "a page of another origin has sent this: the tools are for pages of this origin, and for what is no page";
            return Problem::forbidden(&About::NOTHING, error).into_response();
        }
        let (tools, catalogue) = match self.meant(&shared, sort.entity_type.as_deref()) {
            Ok(meant) => meant,
            Err(problem) => return problem.into_response(),
        };
        let request = match self.unambiguous(request).await {
            Ok(request) => request,
            Err(refused) => return refused,
        };
        if caller.principal.is_anybody() {
            let error = "a tool call names no actor: send a key of the agent's own";
            return Problem::new(StatusCode::UNAUTHORIZED, error).into_response();
        }
        let agent = Agent {
            actor: caller.principal.actor().clone(),
            tenant: caller.principal.tenant().into(),
            trace: caller.trace.clone(),
        };
        let longest = self.limits.request_time;
        let handler = Handler::new(Arc::clone(&tools.domains), catalogue, agent)
            .waiting_at_most(longest.saturating_sub(SOONER.min(longest / 2)))
            .within(Arc::new(Asked { shared, caller }));
        // Each request is authenticated by itself, so that there is no session that another principal could take over.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(self.limits.body)
            .disable_allowed_hosts();
        let service =
            StreamableHttpService::new(move || Ok(handler.clone()), Arc::new(NeverSessionManager::default()), config);
        service.handle(request).await.map(Body::new)
    }

    /// The tools that are meant, where they can be called.
    fn meant(&self, shared: &Shared, entity_type: Option<&str>) -> Result<(&Tools, Arc<Catalogue>), Problem> {
        let tools = match entity_type {
            Some(wanted) => self.each.get(wanted).ok_or_else(|| shared.which_domain(Some(wanted)))?,
            None => &self.all,
        };
        match &tools.catalogue {
            Ok(catalogue) => Ok((tools, Arc::clone(catalogue))),
            Err(error) => {
                shared.check_names(entity_type)?;
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
            }
        }
    }

    /// The request, where it has a message that everybody reads alike.
    async fn unambiguous(&self, request: Request) -> Result<Request, Response> {
        // No other method has one, and what becomes of those is for the protocol's server to tell.
        if request.method() != Method::POST {
            return Ok(request);
        }
        let (parts, body) = request.into_parts();
        let most = self.limits.body;
        let bytes = read(body, None, most).await.map_err(IntoResponse::into_response)?;
        match fault(&bytes, most) {
            Some(fault) => Err(answer(StatusCode::BAD_REQUEST, &fault)),
            None => Ok(Request::from_parts(parts, Body::from(bytes))),
        }
    }
}

//! What a server does with each message of its client.

use std::any::Any;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::actor::Actor;
use crate::event::Trace;
use crate::identifier::EntityKey;
use crate::json::visible;
use crate::served::Served;
use crate::verdict::{ReasonCode, Refusal};

use super::answer;
use super::arguments::{Arguments, invalid};
use super::catalogue::{Catalogue, Own};

/// A server while it serves.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(super) domains: Arc<[Arc<dyn Served>]>,
    pub(super) catalogue: Arc<Catalogue>,
    agent: Agent,
    unfinished: Unfinished,
    patience: Duration,
}

/// Who calls, and whose entities they see.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) actor: Actor,
    pub(crate) tenant: Arc<str>,
    pub(crate) trace: Trace,
}

/// What has started and is to be finished, also when its client is gone.
#[derive(Clone, Default)]
pub(super) struct Unfinished {
    started: Arc<RwLock<()>>,
    host: Option<Arc<dyn Host>>,
}

/// The server around this one, which goes on as long as it is held.
pub(crate) trait Host: Send + Sync {
    /// A place to wait in, given back when it is dropped; or how many a caller may have, where it has all of them.
    fn seat(&self) -> Result<Box<dyn Any + Send + Sync>, usize>;

    /// Waits until the server is told to stop.
    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// One piece of work that has started.
pub(super) struct Started {
    _started: OwnedRwLockReadGuard<()>,
    _host: Option<Arc<dyn Host>>,
}

impl Unfinished {
    pub(super) async fn start(&self) -> Started {
        let started = Arc::clone(&self.started).read_owned().await;
        Started { _started: started, _host: self.host.clone() }
    }

    /// Waits until nothing is left to be finished.
    pub(super) async fn finished(&self) {
        drop(self.started.write().await);
    }
}

/// What a tool answers, or why it was not asked.
pub(super) type Told = Result<CallToolResult, Refusal>;

impl Handler {
    /// A server of these domains for one caller.
    pub(crate) fn new(domains: Arc<[Arc<dyn Served>]>, catalogue: Arc<Catalogue>, agent: Agent) -> Self {
        let patience = Duration::from_secs(super::wait::LONGEST);
        Self { domains, catalogue, agent, unfinished: Unfinished::default(), patience }
    }

    /// The same server, which lets its client wait for a decision, or for the end of an action, no longer than this in one call.
    #[cfg(feature = "http")]
    pub(crate) fn waiting_at_most(mut self, patience: Duration) -> Self {
        self.patience = self.patience.min(patience);
        self
    }

    /// The same server within another one, which is held as long as something that this one has started goes on.
    #[cfg(feature = "http")]
    pub(crate) fn within(mut self, host: Arc<dyn Host>) -> Self {
        self.unfinished.host = Some(host);
        self
    }

    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// A place to wait in, where there is a server around this one that counts them; or how many there are, where all are taken.
    pub(super) fn seat(&self) -> Result<Option<Box<dyn Any + Send + Sync>>, usize> {
        self.unfinished.host.as_ref().map(|host| host.seat()).transpose()
    }

    /// Waits until the server around this one is told to stop.
    pub(super) async fn closing(&self) {
        match &self.unfinished.host {
            Some(host) => host.closing().await,
            None => pending().await,
        }
    }

    pub(super) fn unfinished(&self) -> Unfinished {
        self.unfinished.clone()
    }

    pub(super) const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The domain that a tool of the server's own is about, and the entity in it.
    pub(super) fn locate(&self, arguments: &mut Arguments) -> Result<(&Arc<dyn Served>, EntityKey), Refusal> {
        let served = if let [only] = &*self.domains {
            only
        } else {
            let entity_type = arguments.required("entity_type")?;
            let found = self.domains.iter().find(|served| served.schema().entity_type == entity_type);
            found.ok_or_else(|| invalid(format!("no domain here governs `{}`", visible(&entity_type))))?
        };
        let key = arguments.entity("entity_id", &served.schema().entity_type, &self.agent.tenant)?;
        self.check_access(&**served, &key)?;
        Ok((served, key))
    }

    /// Refuses an actor who holds no role on the entity, whether or not there is one.
    pub(super) fn check_access(&self, served: &dyn Served, key: &EntityKey) -> Result<(), Refusal> {
        let actor = &self.agent.actor;
        let refused = |code, message| Err(Refusal { code, message, remedy: None });
        match served.may_read(actor, key) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let domain = &served.schema().domain;
                tracing::warn!(target: "kiff::mcp", domain = &**domain, entity = %key, actor_id = actor.id().as_str(),
                    "an actor without a role was refused");
                let message = format!("`{}` holds no role of `{domain}` on `{}`", actor.id(), key.id());
                refused(ReasonCode::PermissionDenied, message)
            }
            Err(_) => {
                let message = "who may see this could not be decided: try again later".to_owned();
                refused(ReasonCode::Error, message)
            }
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let domains = self.domains.iter().map(|served| served.schema().domain.to_string());
        let name = domains.collect::<Vec<_>>().join("+");
        let title = self.domains.iter().map(|served| served.schema().entity_type.as_ref()).collect::<Vec<_>>();
        let implementation = Implementation::new(name, env!("CARGO_PKG_VERSION"))
            .with_title(format!("{}, governed by kiff", title.join(" and ")));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation)
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.catalogue.tools().iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.catalogue.tools().to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Arguments::new(request.arguments);
        let told = match (self.catalogue.governing(&request.name), Own::from_name(&request.name)) {
            (Some(governing), _) => self.act(&request.name, governing, arguments, &context).await,
            (None, Some(Own::AllowedActions)) => self.allowed_actions(arguments).await,
            (None, Some(Own::Evaluate)) => self.evaluate(arguments).await,
            (None, Some(Own::Timeline)) => self.timeline(arguments).await,
            (None, Some(Own::WaitForDecision)) => self.wait_for_decision(arguments, &context).await,
            (None, None) => {
                let message = format!("there is no tool `{}`: ask for the list of tools", visible(&request.name));
                return Err(ErrorData::invalid_params(message, None));
            }
        };
        Ok(told.unwrap_or_else(|refusal| answer::refused(&refusal)).into())
    }

    /// A call that is not written as the protocol says comes here, as the request of a method that it does not have.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "tools/call" {
            return Err(ErrorData::invalid_params(miswritten(request.params.as_ref()), None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None))
    }
}

/// What is wrong with the parameters of a call.
fn miswritten(params: Option<&Value>) -> &'static str {
    let Some(params) = params.and_then(Value::as_object) else {
        return "`params` must be an object that has the `name` of a tool and its `arguments`";
    };
    if params.get("name").and_then(Value::as_str).is_none() {
        "`name` must be the name of a tool, as a text"
    } else if params.get("arguments").is_some_and(|arguments| !arguments.is_object()) {
        "`arguments` must be an object that has each argument of the tool under its name"
    } else {
        "beside `name` and `arguments`, `params` has something that the protocol has otherwise"
    }
}

/// What a client tells its model about the server.
const INSTRUCTIONS: &str = "\
Every tool here whose name is an action asks a gate before anything happens. Look at `outcome` in its answer. \
`executed`: it is done. `approval_required`: a human has to sign it off. With a `next_step` one has been asked: make that call, which \
waits for the decision, and when it is granted the call in its `next_step`, exactly as it stands: made twice, it is done once. Without a \
`next_step` nobody has been asked, and `remedy` says why. `blocked` and `invalid`: nothing happened; `message` says why and `remedy` what would help. `failed` with a remedy that says so: it may \
have happened, do not try again. Say in `rationale` why you want something: people read it before they decide.";

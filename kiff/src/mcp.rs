//! A domain for agents that speak the Model Context Protocol: each action is a tool.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use kiff::{Actor, Executable, Runtime};
//! use kiff::mcp::Server;
//!
//! # async fn open<D: Executable>(runtime: Arc<Runtime<D>>) -> Result<(), Box<dyn std::error::Error>> {
//! // Who acts is said here, by whoever starts the server, and never by the client.
//! Server::new(Actor::agent("agent-7")?).domain(runtime).stdio().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A tool takes the parameters of its action and, beside them, `entity_id`, and where the agent wants `rationale`, `approval_id` and
//! `idempotency_key`. It answers what became of it as structured content: `outcome`, and with a refusal its `reason`, a `message` and
//! a `remedy`. An action that a human has to sign off is asked for at once, and the answer says under which number, who may
//! approve it and until when. Where the call names an approval that does not wait, or a human has said no to this very wish before,
//! nobody is asked: then there is no `next_step`, and the `remedy` says why. Nothing here approves anything: that is done where humans
//! are signed in.
//!
//! Beside the actions there are `allowed_actions`, `evaluate`, `timeline` and `wait_for_decision`.

mod act;
mod answer;
mod arguments;
mod catalogue;
mod handler;
mod hold;
mod look;
mod message;
mod output;
mod progress;
mod wait;

use std::fmt;
use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::transport::io::stdio_pipes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::actor::Actor;
use crate::event::Trace;
use crate::executor::Executable;
use crate::identifier::{EntityKey, IdentifierError};
use crate::runtime::Runtime;
use crate::served::Served;
use crate::store::Store;
use crate::tool::ToolError;

pub(crate) use catalogue::Catalogue;
#[cfg(feature = "http")]
pub(crate) use handler::Host;
pub(crate) use handler::{Agent, Handler};
use message::Messages;
#[cfg(feature = "http")]
pub(crate) use message::fault;

/// A server for one agent, which acts on one or several domains.
pub struct Server {
    domains: Vec<Arc<dyn Served>>,
    actor: Actor,
    tenant: Arc<str>,
}

impl Server {
    /// A server of no domain yet. Whatever its client asks for, `actor` asks for it.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        Self { domains: Vec::new(), actor, tenant: EntityKey::DEFAULT_TENANT.into() }
    }

    /// The same server, which serves one more domain. Two domains govern two sorts of entity: where two govern the same, the
    /// server does not start.
    #[must_use]
    pub fn domain<D: Executable, S: Store>(mut self, runtime: Arc<Runtime<D, S>>) -> Self {
        self.domains.push(runtime);
        self
    }

    /// The same server on entities of another tenant, and of no other.
    ///
    /// # Errors
    /// [`IdentifierError`] when the tenant's name is none.
    pub fn in_tenant(mut self, tenant: &str) -> Result<Self, IdentifierError> {
        EntityKey::new("tenant", "tenant")?.in_tenant(tenant)?;
        self.tenant = tenant.into();
        Ok(self)
    }

    /// Serves the client that has started this program, until it closes the standard input. What has started by then is
    /// finished.
    ///
    /// The standard output belongs to the protocol: write whatever else there is to say to the standard error.
    ///
    /// # Errors
    /// [`ServerError`] when the actions cannot be tools, or when the client does not speak the protocol.
    pub async fn stdio(self) -> Result<(), ServerError> {
        let (input, output) = stdio_pipes();
        self.serve(input, output).await
    }

    /// As [`Server::stdio`], on any pair of streams.
    ///
    /// # Errors
    /// As for [`Server::stdio`].
    pub async fn serve<R, W>(self, input: R, output: W) -> Result<(), ServerError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let catalogue = Catalogue::new(&self.domains)?;
        let agent = Agent { actor: self.actor, tenant: self.tenant, trace: Trace::default() };
        let handler = Handler::new(self.domains.into(), Arc::new(catalogue), agent);
        let unfinished = handler.unfinished();
        let served = match handler.serve(Messages::new(input, output)).await {
            Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| ServerError::broken(&error)),
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(ServerError::broken(&error)),
        };
        unfinished.finished().await;
        served
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domains: Vec<_> = self.domains.iter().map(|served| served.schema().domain.as_ref()).collect();
        let actor = self.actor.to_string();
        f.debug_struct("Server").field("domains", &domains).field("actor", &actor).finish_non_exhaustive()
    }
}

/// A server cannot start, or cannot go on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerError {
    /// An action cannot be a tool.
    Tool(ToolError),
    /// Two domains govern the same sort of entity.
    TwoDomains(String),
    /// Two tools would have the same name.
    TwoTools(String),
    /// The client does not speak the protocol, or the connection broke.
    Broken(String),
}

impl ServerError {
    fn broken(error: &dyn std::error::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ToolError> for ServerError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(f),
            Self::TwoDomains(entity_type) => {
                write!(f, "several domains here govern `{entity_type}`: give each sort of entity to one")
            }
            Self::TwoTools(name) => {
                write!(
                    f,
                    "two tools would be called `{name}`: give one of the actions another name on the wire, or serve their domains apart"
                )
            }
            Self::Broken(problem) => write!(f, "the client cannot be served: {problem}"),
        }
    }
}

crate::debug::debug_as_message!(ServerError);

impl std::error::Error for ServerError {}

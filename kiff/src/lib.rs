//! Trust infrastructure for AI-operated systems: agents propose, kiff decides, humans approve, the journal proves.
//!
//! A *domain* is one block that says who there is, what an entity can be, what can happen to it, what can be done with it, who
//! may do that, and what needs a human. [`domain!`] proves it at build time; a [`Runtime`] enforces it; the [`journal`] keeps
//! every step.
//!
//! ```
//! use kiff::{Actor, Call, Cents, Domain, Failure, MemoryStore, Review, RolePolicy, Runtime, action, domain};
//!
//! domain! {
//!     /// Orders and their refunds.
//!     pub domain Refund governs Order;
//!     roles { Agent: agent, Operator: human, Shop: system }
//!     states { Paid, final Refunded }
//!     events {
//!         OrderPaid     { total: Cents } reported by Shop;
//!         OrderRefunded { amount: Cents };
//!     }
//!     transitions {
//!         OrderPaid:     new  => Paid;
//!         OrderRefunded: Paid => Refunded;
//!     }
//!     actions { RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }; }
//!     allow { Paid => [RefundOrder]; }
//!     never { Refunded without Operator }
//! }
//!
//! /// Pays the customer back.
//! #[action(Refund::RefundOrder)]
//! async fn refund_order(#[param(range(min = 1, max = 1_000_000))] amount: Cents) -> Result<OrderRefunded, Failure> {
//!     Ok(OrderRefunded { amount })
//! }
//!
//! # pollster::block_on(async {
//! let (agent, nora, shop) = (Actor::agent("agent-7")?, Actor::human("nora")?, Actor::system("shop")?);
//! let policy = RolePolicy::new()
//!     .assign(&agent, RefundRole::Agent)
//!     .assign(&nora, RefundRole::Operator)
//!     .assign(&shop, RefundRole::Shop);
//! let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, ());
//! let order = Refund::entity("ord-1")?;
//! runtime.ingest(&shop, &order, OrderPaid { total: Cents(99_900) }).await?.into_result()?;
//!
//! // A model's tool call, as it came. Nothing runs: a human has to see it first.
//! let refund = Call::new("REFUND_ORDER", r#"{"amount": 99900}"#);
//! let held = runtime.execute(&agent, &order, refund.clone()).await?;
//! assert_eq!(held.outcome(), "approval_required");
//!
//! let asked = runtime.request_approval(&agent, &order, refund.clone()).await?.into_result()?;
//! let yes = Review::grant().because("it arrived broken");
//! runtime.review(&nora, &order, &asked.id, yes).await?.into_result()?;
//! let done = runtime.execute(&agent, &order, refund).await?;
//! assert_eq!(done.outcome(), "executed");
//! println!("{}", runtime.timeline(&order).await?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to start
//!
//! - [`domain!`] and [`action`](macro@action): the language.
//! - [`Runtime`]: the loop, from [`ingest`](Runtime::ingest) to [`timeline`](Runtime::timeline).
//! - [`Proposal`] and [`Call`]: what can be proposed; [`Outcome`] and [`Refusal`]: what is answered.
//! - [`Policy`]: who holds which role; [`Store`]: where journals are kept.
//!
//! # Features
//!
//! None is on by itself. What is always there: the language, the gate, the runtime, [`MemoryStore`], exports and the check of a store.
//!
//! | Feature | What it gives | Chapter |
//! |---|---|---|
//! | `sqlite` | `SqliteStore`: journals in one file | `operations.md` |
//! | `postgres` | `PostgresStore`: journals in a database that several servers share | `operations.md` |
//! | `http` | `kiff::http`: domains over HTTP, and the pages on which people decide; with `tools` | `http.md`, `page.md` |
//! | `jwt` | `http::Tokens`: tokens of an identity provider; with `http` | `http.md` |
//! | `mcp` | `kiff::mcp`: domains for agents that speak the Model Context Protocol; with `tools` | `agents.md` |
//! | `tools` | `kiff::tools`: tool definitions for `OpenAI`, Anthropic and MCP | `agents.md` |
//! | `proof` | `kiff::proof`: a signed log over a store, and receipts for third parties | `journal.md` |
//! | `cli` | the program `kiff`, and `kiff::format`, the layout of blocks | `command-line.md` |
//!
//! The chapters lie in the folder `docs` of kiff's repository and not in this package. `build-a-domain.md` leads from nothing to a
//! governed agent, `dsl.md` has every part of the language and every message of it, `architecture.md` says how it is built and what
//! each word means.
//!
//! # What is promised
//!
//! An executor runs only with a [`Permit`], and only [`judge`] makes one. An approval authorises one execution of what a
//! human saw. The caller asserts nothing: state and approvals come from the journal, roles from the policy. Whatever cannot be
//! decided is refused, and a refusal is a value, not an error.
//!
//! Each module of this crate uses only those above it in `lib.rs`, which is also the order to read them in.

// Where the documentation is built for all, each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod debug;
mod bounds;
mod json;
mod time;
mod identifier;
mod digest;
mod money;
mod actor;
mod event;
mod schema;
mod parameter;
mod probe;
mod domain;
mod permission;
mod action;
mod decision;
mod approval;
pub mod journal;
mod entity;
mod verdict;
mod signature;
mod executor;
#[cfg(feature = "tools")]
mod tool;
mod timeline;
mod sharded;
mod store;
mod remembered;
mod matters;
mod export;
mod merkle;
mod verification;
#[cfg(any(feature = "http", feature = "proof"))]
mod folder;
#[cfg(feature = "proof")]
pub mod proof;
mod adapter;
mod runtime;
mod handle;
#[cfg(any(feature = "http", feature = "mcp"))]
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "agents are not told all that people are"))]
mod served;
#[cfg(feature = "mcp")]
pub mod mcp;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(feature = "cli", test))]
pub mod format;
#[doc(hidden)]
pub mod __private;

pub use action::{Action, Declared, Failure, Governed, Named};
pub use actor::{Actor, ActorKind, ActorKindError};
pub use adapter::{Adapter, AdapterError, Mapping, Passthrough, RawEvent};
pub use approval::{Approval, ApprovalStatus, Binding, Review, Signature};
pub use bounds::{Bounds, OverBound};
pub use decision::{Call, Confidence, ConfidenceError, Decision, Evidence, Proposal, Rationale};
pub use digest::{Digest, DigestError};
pub use domain::{Domain, Emitted, Event, State};
pub use entity::{Entity, Running};
pub use event::{Envelope, Reported, Trace};
pub use executor::{Executable, Executes, Execution, Executor, Finding, Outside, Reconciled, Reconciles};
pub use export::{ExportError, Exported};
pub use handle::{AllowedIn, Any, Handle, InState, Moved};
pub use identifier::{
    ActorId, ApprovalId, DecisionId, EntityKey, EventId, ExecutionId, IdempotencyKey, IdentifierError, Identifiers,
    TraceId, UuidIdentifiers,
};
pub use journal::{BrokenJournal, Commit, Cursor, Fact, Matter, Open, Query, Record, RecordId, Sealed, Snapshot};
pub use json::{Json, JsonError, visible};
pub use kiff_macros::{action, domain, executors, reconcile};
pub use merkle::TreeHead;
pub use money::Cents;
pub use parameter::{Measured, ParameterFault, Ranged, Textual};
pub use permission::{Policy, PolicyError, Question, RolePolicy};
pub use probe::{EventField, Value};
pub use runtime::{
    Doubt, Error, Executed, Failed, Incoming, Ingested, Inquiry, Outcome, Pending, Propose, Rebuilt, Replayed, Runtime,
    Settlement, Unexecuted, replay,
};
pub use schema::{
    Alteration, ApprovalRule, Consequence, Contract, Difference, Effect, EventSchema, FieldSchema, List, Never,
    Parameter, Permission, Risk, Role, RoleSchema, Rule, Schema, SchemaError, SchemaPart, StateSchema, Text,
    Transition,
};
pub use signature::{Reply, Serves};
pub use store::{Appended, MemoryStore, Store, StoreError};
#[cfg(feature = "postgres")]
pub use store::{Migrated, PostgresError, PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use store::{SqliteError, SqliteStore};
pub use time::{Clock, SystemClock, Timestamp, TimestampError};
pub use timeline::{Line, Phase, Timeline};
#[cfg(feature = "tools")]
pub use tool::{Dialect, DialectError, ToolError, Tools, tools};
pub use verdict::{Case, Judged, Permit, ReasonCode, Refusal, Verdict, judge};
pub use verification::{Fault, Progress, Report, Verification};

/// The crate's own tests declare domains, whose code names the crate as everybody does.
#[cfg(test)]
extern crate self as kiff;

/// The code in the pages compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/build-a-domain.md")]
#[doc = include_str!("../../docs/dsl.md")]
struct Pages;

/// The code in the page about agents compiles.
#[cfg(all(doctest, feature = "mcp"))]
#[doc = include_str!("../../docs/agents.md")]
struct PageOfAgents;

//! Trust infrastructure for AI-operated systems: agents propose, kiff decides, humans approve, the journal proves.
//!
//! Each module uses only those above it in this list, so that the list is also the order to read them in.

mod bounds;
mod json;
mod time;
mod identifier;
mod digest;
mod money;
mod actor;
mod event;
mod schema;
mod domain;
mod permission;
mod parameter;
mod action;
mod decision;
mod approval;
pub mod journal;
mod entity;
mod verdict;
mod signature;
mod executor;
mod timeline;
mod sharded;
mod store;
mod adapter;
mod runtime;
mod handle;
#[doc(hidden)]
pub mod __private;

pub use action::{Action, Declared, Failure};
pub use actor::{Actor, ActorKind};
pub use adapter::{Adapter, AdapterError, Mapping, Passthrough, RawEvent};
pub use approval::{Answer, Approval, ApprovalStatus, Binding, Review, Signature};
pub use bounds::{Bounds, OverBound};
pub use decision::{Call, Confidence, ConfidenceError, Decision, Evidence, Proposal, Rationale};
pub use digest::{Digest, DigestError};
pub use domain::{Domain, Emitted, Event, State};
pub use entity::{Entity, Running};
pub use event::{Envelope, Trace};
pub use executor::{Executable, Execution, Executor};
pub use handle::{AllowedIn, Any, Handle, InState, Moved};
pub use identifier::{
    ActorId, ApprovalId, DecisionId, EntityKey, EventId, ExecutionId, IdentifierError, Identifiers, TraceId,
    UuidIdentifiers,
};
pub use journal::{BrokenJournal, Commit, Fact, Record, RecordId, Sealed};
pub use json::{Json, JsonError};
pub use kiff_macros::{action, domain};
pub use money::Cents;
pub use parameter::{Measured, ParameterFault, Ranged, Textual};
pub use permission::{Policy, PolicyError, Question, RolePolicy};
pub use runtime::{Error, Executed, Failed, Incoming, Ingested, Outcome, Propose, Rebuilt, Runtime, replay};
pub use schema::{
    ApprovalRule, Contract, Effect, EventSchema, FieldSchema, List, Never, Parameter, Permission, Risk, Role,
    RoleSchema, Rule, Schema, StateSchema, Text, Transition,
};
pub use signature::{Reply, Serves, Value};
pub use store::{Appended, MemoryStore, Store, StoreError};
pub use time::{Clock, SystemClock, Timestamp, TimestampError};
pub use timeline::{Line, Phase, Timeline};
pub use verdict::{Case, Permit, ReasonCode, Refusal, Verdict, admit, judge, review};

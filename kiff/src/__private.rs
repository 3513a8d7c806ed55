//! What generated code names, and nobody else: nothing here is stable.

pub use kiff_macros::runnable;
pub use serde;

pub use crate::action::{Action, Declared, Declares, Failure, Governed, Named};
pub use crate::actor::ActorKind;
pub use crate::bounds::Bounds;
pub use crate::domain::{Domain, Emitted, Empty, Event, State};
pub use crate::executor::{
    Asks, AsksNobody, Entry, Executable, Executed, ExecutedWith, Executes, Execution, Executor, Finding, Outside,
    Reconciled, Reconciles, Recorded, recorded,
};
pub use crate::handle::{AllowedIn, Allows, Any, Handle, InState};
pub use crate::json::{Json, JsonError};
pub use crate::parameter::{
    Fields, Measured, Members, ParameterFault, Pattern, Ranged, Textual, check_length, check_pattern, check_range,
};
pub use crate::runtime::{Arrival, Incoming};
pub use crate::schema::{
    ApprovalRule, Contract, Effect, EventSchema, FieldSchema, List, Never, Parameter, Permission, Risk, Role,
    RoleSchema, Rule, Schema, StateSchema, Text, Transition,
};
pub use crate::shape::{Probe, Shapes};
pub use crate::signature::{EventField, Float, NoFloat, Reply, Same, Serves, Value};
pub use crate::verdict::Permit;

//! What generated code names, and nobody else: nothing here is stable.

pub use kiff_macros::runnable;
pub use serde;

pub use crate::action::{Action, Declared, Declares, Failure, Governed, Named};
pub use crate::actor::ActorKind;
pub use crate::bounds::Bounds;
pub use crate::domain::{Domain, Emitted, Empty, Event, State};
pub use crate::executor::{
    Asks, AsksNobody, Entry, Executable, Executes, Execution, Executor, Finding, Outside, Reconciled, Reconciles,
    Recorded, RunsAlone, RunsWith, recorded, taken,
};
pub use crate::handle::{AllowedIn, Allows, Any, Handle, InState};
pub use crate::json::{Json, JsonError};
pub use crate::parameter::{Checks, Fields, Measured, Members, ParameterFault, Pattern, Ranged, Textual};
pub use crate::probe::{BinaryFloat, CarriedField, EventField, Float, NoFloat, Probe, Shapes, Value, show};
pub use crate::runtime::{Arrival, Incoming};
pub use crate::schema::constant::{
    beginning, contract, event_schema, field_schema, list, parameter, permission, role_schema, state_schema, text,
    transition,
};
pub use crate::schema::{ApprovalRule, Contract, Effect, Never, Parameter, Risk, Role, Rule, Schema, Text};
pub use crate::signature::{Reply, Same, Serves, replied};
pub use crate::verdict::Permit;

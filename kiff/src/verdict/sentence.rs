//! What a refusal says to people, and what it says would allow the thing.

use std::{fmt, iter};

use crate::actor::Actor;
use crate::approval::{Approval, ApprovalStatus, Binding};
use crate::bounds::OverBound;
use crate::entity::Running;
use crate::identifier::{EntityKey, ExecutionId, IdempotencyKey};
use crate::json::{Excerpt, JsonError, visible};
use crate::parameter::{ParameterFault, limits};
use crate::schema::{Contract, EventSchema, Permission, Role, Rule, Schema};
use crate::time::Timestamp;

use super::{ReasonCode, Refusal};

pub(crate) fn unknown_entity(key: &EntityKey) -> Refusal {
    Refusal {
        code: ReasonCode::UnknownEntity,
        message: format!("there is no entity `{key}`"),
        remedy: Some("report the event that brings it into being first".to_owned()),
    }
}

pub(crate) fn key_reused(key: &IdempotencyKey) -> Refusal {
    Refusal {
        code: ReasonCode::IdempotencyKeyReused,
        message: format!("the idempotency key `{key}` was used before, for something else or by somebody else"),
        remedy: Some("use another key".to_owned()),
    }
}

pub(crate) fn in_progress(running: &Running) -> Refusal {
    let (action, execution) = (&running.action, &running.execution);
    let (message, remedy) = if running.unknown {
        (format!("`{action}` is in doubt: execution `{execution}` may have happened"), way_out(execution, false))
    } else {
        (
            format!("`{action}` has started and not ended: execution `{execution}`"),
            "try again when it has ended".to_owned(),
        )
    };
    Refusal { code: ReasonCode::ActionInProgress, message, remedy: Some(remedy) }
}

/// How a doubt ends: the outside world is asked, where the action has a fn that does, or a person gives their word.
pub(crate) fn way_out(execution: &ExecutionId, can_ask: bool) -> String {
    if can_ask {
        format!("call `reconcile`, which asks what became of execution `{execution}`, or settle it")
    } else {
        format!("find out whether execution `{execution}` happened, and settle it")
    }
}

pub(super) fn state_not_allowed(contract: &Contract, state: &str) -> Refusal {
    let allowed = one_of(&contract.allowed_in, |state, f| write!(f, "`{state}`"));
    Refusal {
        code: ReasonCode::StateNotAllowed,
        message: format!("`{}` is not allowed in state `{state}`", contract.name),
        remedy: Some(format!("it is allowed in {allowed}")),
    }
}

/// An action that is asked for in a state that the entity is in no more.
pub(crate) fn moved_on(contract: &Contract, expected: &str, state: &str) -> Refusal {
    Refusal {
        code: ReasonCode::StateNotAllowed,
        message: format!("`{}` was asked for in state `{expected}`, and the entity is in `{state}` now", contract.name),
        remedy: Some("look at the entity again".to_owned()),
    }
}

pub(super) fn event_not_allowed(schema: &Schema, event: &str, state: Option<&str>) -> Refusal {
    let place =
        |state: Option<&str>| state.map_or_else(|| "a new entity".to_owned(), |state| format!("state `{state}`"));
    let steps: Vec<_> = schema.transitions.iter().filter(|step| step.event == event).collect();
    let from = one_of(&steps, |step, f| f.write_str(&place(step.from.as_deref())));
    Refusal {
        code: ReasonCode::StateNotAllowed,
        message: format!("`{event}` leads nowhere from {}", place(state)),
        remedy: Some(format!("it leads on from {from}")),
    }
}

pub(super) fn invalid_payload(event: &EventSchema, error: &JsonError) -> Refusal {
    let fields: Vec<_> = event.fields.iter().map(|field| format!("`{}`: `{}`", field.name, field.type_name)).collect();
    let remedy = if fields.is_empty() { "it has no fields".to_owned() } else { format!("give {}", fields.join(", ")) };
    Refusal {
        code: ReasonCode::InvalidParameter,
        message: format!("the payload of `{}` is invalid: {error}", event.name),
        remedy: Some(remedy),
    }
}

pub(crate) fn unknown_event(schema: &Schema, name: &str) -> Refusal {
    let events = schema.events.iter().filter(|event| !event.report.roles.is_empty());
    Refusal {
        code: ReasonCode::UnknownAction,
        message: format!("`{}` has no event `{}`", schema.domain, Excerpt(name)),
        remedy: Some(suggestion("event", "events that can be reported", name, events.map(|event| event.name.as_ref()))),
    }
}

pub(crate) fn unknown_action(schema: &Schema, name: &str) -> Refusal {
    Refusal {
        code: ReasonCode::UnknownAction,
        message: format!("`{}` has no action `{}`", schema.domain, Excerpt(name)),
        remedy: Some(suggestion("action", "actions", name, schema.actions.iter().map(|action| action.name.as_ref()))),
    }
}

/// An action that none of several domains has; the names of those that they have.
#[cfg(feature = "mcp")]
pub(crate) fn no_such_action<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Refusal {
    Refusal {
        code: ReasonCode::UnknownAction,
        message: format!("there is no action `{}`", Excerpt(name)),
        remedy: Some(suggestion("action", "actions", name, known)),
    }
}

pub(crate) fn other_type(schema: &Schema, key: &EntityKey) -> Refusal {
    Refusal {
        code: ReasonCode::UnknownEntity,
        message: format!("`{}` governs `{}`, not `{}`", schema.domain, schema.entity_type, Excerpt(key.entity_type())),
        remedy: Some(format!("name a `{}`", schema.entity_type)),
    }
}

pub(crate) fn over_bound(over: &OverBound) -> Refusal {
    Refusal { code: ReasonCode::InvalidContract, message: over.to_string(), remedy: Some("send less".to_owned()) }
}

/// So many requests of an entity are open that nobody is asked for one more.
pub(crate) fn too_many_open(over: &OverBound) -> Refusal {
    let remedy = "let one be answered or withdrawn first".to_owned();
    Refusal { remedy: Some(remedy), ..over_bound(over) }
}

pub(super) fn parameters(fault: &ParameterFault, contract: &Contract) -> Refusal {
    let (code, remedy) = amended(fault, contract);
    Refusal { code, message: fault.to_string(), remedy: Some(remedy) }
}

/// What to do about a fault. Of several, the first one says what sort of refusal it is.
fn amended(fault: &ParameterFault, contract: &Contract) -> (ReasonCode, String) {
    match fault {
        ParameterFault::Missing(name) => (ReasonCode::MissingParameter, format!("add {}", described(contract, name))),
        ParameterFault::Invalid { name, .. } => {
            (ReasonCode::InvalidParameter, format!("give {}", described(contract, name)))
        }
        ParameterFault::Unknown(name) => {
            let known = contract.parameters.iter().map(|parameter| parameter.name.as_ref());
            (ReasonCode::InvalidParameter, suggestion("parameter", "parameters", name, known))
        }
        ParameterFault::Unreadable(_) => {
            let needed = contract.parameters.iter().filter(|parameter| !parameter.optional);
            let members: Vec<_> = needed.map(|parameter| format!("\"{}\": …", parameter.name)).collect();
            (ReasonCode::InvalidParameter, format!("send one JSON object, as in `{{{}}}`", members.join(", ")))
        }
        ParameterFault::Several { told, .. } => {
            let each: Vec<_> = told.iter().map(|fault| amended(fault, contract)).collect();
            let code = each.first().map_or(ReasonCode::InvalidParameter, |(code, _)| *code);
            let mut remedies: Vec<String> = Vec::new();
            for (_, remedy) in each {
                if !remedies.contains(&remedy) {
                    remedies.push(remedy);
                }
            }
            let together = |all: String, next: String| {
                let between = if all.ends_with('?') { " " } else { "; " };
                all + between + &next
            };
            (code, remedies.into_iter().reduce(together).unwrap_or_default())
        }
    }
}

/// A parameter with its type and its rules: "`amount`: `Cents`, from 1 to 1000000".
fn described(contract: &Contract, name: &str) -> String {
    let Some(parameter) = contract.parameters.iter().find(|parameter| parameter.name == name) else {
        return format!("`{name}`");
    };
    let rules = parameter.rules.iter().filter_map(|rule| match rule {
        Rule::Range { min, max } => limits(min.as_ref(), max.as_ref(), ""),
        Rule::Length { min, max } => limits(min.as_ref(), max.as_ref(), " long"),
        Rule::Pattern { pattern } => Some(format!("matching `{pattern}`")),
        Rule::Float { .. } => None,
    });
    let typed = format!("`{name}`: `{}`", parameter.type_name);
    iter::once(typed).chain(rules).collect::<Vec<_>>().join(", ")
}

/// What to write instead of a name that nobody knows: the one that is close, or all that there are.
fn suggestion<'a>(one: &str, many: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    /// From how alike on, from 0 to 1, a name is taken for a slip.
    const CLOSE: f64 = 0.85;
    let closest = known
        .clone()
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .max_by(|(likeness, _), (other, _)| likeness.total_cmp(other));
    match closest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None if known.clone().next().is_none() => format!("there are no {many}: leave the {one} out"),
        None => format!("the {many} are {}", list(known)),
    }
}

pub(super) fn permission_denied(actor: &Actor, permission: &Permission) -> Refusal {
    let remedy = if permission.roles.is_empty() {
        None
    } else {
        Some(format!("an actor who holds the role {} may", roles(&permission.roles)))
    };
    Refusal {
        code: ReasonCode::PermissionDenied,
        message: format!("`{}` ({}) does not have `{}`", actor.id(), actor.kind(), permission.name),
        remedy,
    }
}

/// A policy that could not say yes or no.
pub(super) fn undecided(actor: &Actor, permission: &Permission) -> Refusal {
    Refusal {
        code: ReasonCode::Error,
        message: format!("whether `{}` ({}) has `{}` could not be decided", actor.id(), actor.kind(), permission.name),
        remedy: Some("try again later; the log says why the policy could not decide".to_owned()),
    }
}

pub(super) fn needs_approval(contract: &Contract, latest: Option<&Approval>, now: Timestamp) -> String {
    let before = latest.and_then(|approval| match &approval.status {
        ApprovalStatus::Pending if approval.has_expired(now) => Some(format!("approval `{}` has expired", approval.id)),
        ApprovalStatus::Spent(_) => Some(format!("approval `{}` is spent", approval.id)),
        _ => became(approval),
    });
    let before = before.map_or_else(String::new, |before| format!("; {before}"));
    format!(
        "`{}` is of {} risk and needs an approval of exactly these parameters{before}",
        contract.name, contract.risk
    )
}

/// Somebody may not answer who asked, or is no human.
pub(super) fn not_by_them(message: String, permission: &Permission) -> Refusal {
    let remedy = format!("a person who holds the role {} and did not ask for it may", roles(&permission.roles));
    Refusal { code: ReasonCode::PermissionDenied, message, remedy: Some(remedy) }
}

pub(super) fn ask_for_approval(permission: &Permission) -> String {
    format!("request an approval: a person who holds the role {} may grant it", roles(&permission.roles))
}

pub(super) fn wait_for_review(waiting: &Approval, permission: &Permission) -> String {
    let (id, roles) = (&waiting.id, roles(&permission.roles));
    format!("wait for the answer to approval `{id}`: a person who holds the role {roles} may give it")
}

/// What has become of an approval that is not granted.
fn became(approval: &Approval) -> Option<String> {
    let id = &approval.id;
    match &approval.status {
        ApprovalStatus::Pending => Some(format!("approval `{id}` waits for a review")),
        ApprovalStatus::Granted(_) => None,
        ApprovalStatus::Denied(by) => Some(format!("approval `{id}` was denied by `{}`", by.by.id())),
        ApprovalStatus::Spent(execution) => Some(format!("approval `{id}` was spent by execution `{execution}`")),
        ApprovalStatus::Withdrawn(by) => {
            Some(format!("the grant of approval `{id}` was withdrawn by `{}`", by.by.id()))
        }
    }
}

/// An approval that was asked for under a contract that is no more.
pub(super) fn contract_changed(approval: &Approval) -> String {
    format!("the contract of `{}` has changed since approval `{}` was asked for", approval.action, approval.id)
}

/// Why an approval does not cover what is proposed now; none when it does.
pub(super) fn drift(approval: &Approval, contract: &Contract, binding: &Binding, now: Timestamp) -> Option<String> {
    let id = &approval.id;
    if approval.action != contract.name {
        return Some(format!("approval `{id}` is for `{}`, not for `{}`", approval.action, contract.name));
    }
    let waits = approval.status == ApprovalStatus::Pending;
    if let Some(became) = became(approval).filter(|_| !waits) {
        return Some(became);
    }
    if approval.has_expired(now) {
        return Some(format!("approval `{id}` expired at {}", approval.expires_at));
    }
    if approval.binding.parameters != binding.parameters {
        return Some(format!("approval `{id}` is for other parameters: {}", visible(approval.parameters.as_str())));
    }
    if approval.binding.contract != binding.contract {
        return Some(contract_changed(approval));
    }
    if binding.evidence.is_some() && approval.binding.evidence != binding.evidence {
        return Some(format!("approval `{id}` was asked for with other evidence"));
    }
    // INVARIANT: an approval whose parts all fit can only be of another entity, whose journal this is not.
    if approval.binding.whole != binding.whole {
        return Some(format!("approval `{id}` is of another entity"));
    }
    // What waits authorises nothing, however well it fits.
    became(approval)
}

/// Roles in a sentence: `agent` (agent) or `operator` (human).
pub(super) fn roles(roles: &[Role]) -> impl fmt::Display {
    one_of(roles, |role, f| write!(f, "`{}` ({})", role.name, role.kind))
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn one_of<T>(items: &[T], show: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        for (place, item) in items.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " or " })?;
            show(item, f)?;
        }
        Ok(())
    })
}

//! The route of events from outside.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::ActorKind;
use crate::adapter::{Adapter, AdapterError, Passthrough, RawEvent};
use crate::event::{Envelope, Trace};
use crate::identifier::{ActorId, EntityKey};
use crate::json::Json;
use crate::time::Timestamp;

use super::Shared;
use super::envelope::Under;
use super::problem::{About, Problem, answer};
use super::request::{Body, Caller, NamedActor, acting, entity_key};

/// What stands in an event beside the event itself.
#[derive(Debug, Deserialize)]
struct Beside {
    #[serde(default)]
    adapter: Option<String>,
    #[serde(default)]
    actor_id: Option<String>,
    #[serde(default)]
    actor_type: Option<String>,
}

/// An event that was accepted, as a client is told of it.
#[derive(Debug, Serialize)]
struct EventView<'a> {
    id: String,
    #[serde(rename = "type")]
    event: &'a str,
    entity_id: &'a str,
    entity_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    actor_id: &'a ActorId,
    occurred_at: Timestamp,
    metadata: &'a Trace,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Json>,
    current_state: &'static str,
}

/// `POST /events/raw`
pub(super) async fn ingest(
    State(shared): State<Shared>,
    caller: Caller,
    Body(json): Body<Json>,
) -> Result<Response, Problem> {
    let raw = said(&json)?;
    // Systems say more than is wanted, and that is passed over; but not who they mean that it is of, or that it comes once.
    if raw.get("actor").is_some() {
        return Err(Problem::bad_request("an event names its actor by `actor_id`, and its kind by `actor_type`"));
    }
    if caller.idempotency_key.is_some() || raw.get("idempotency_key").is_some() {
        return Err(Problem::bad_request(
            "an event has no idempotency key: leave it out, and before you report an event again look at its entity",
        ));
    }
    let body: Beside = serde_json::from_value(raw.clone()).map_err(|error| misshapen(&error))?;
    let (key, mut envelope) = adapt(&shared, body.adapter.as_deref(), raw)?;
    let key = entity_key(&caller.principal, key.entity_type(), key.id())?;
    let entity_type = Some(key.entity_type());
    let served = shared.domains(entity_type).next().ok_or_else(|| shared.which_domain(entity_type))?;
    let about = About::entity(&key);
    let named = body.actor_id.map(|id| NamedActor::new(id, body.actor_type));
    let actor = acting(&caller.principal, named.as_ref(), ActorKind::System, &about)?;
    caller.check_access(&**served, &actor, &key)?;
    if envelope.trace.is_empty() {
        envelope.trace = caller.trace.clone();
    }
    let verdict = served.ingest(&actor, &key, envelope.clone()).await?;
    let accepted = match verdict.decided() {
        Ok(accepted) => accepted,
        Err((outcome, refusal)) => {
            let state = served.standing(&key).await?.state;
            return Err(Problem::refused(outcome, refusal, &about.in_state(state)));
        }
    };
    let event = EventView {
        id: envelope.id.as_ref().map_or_else(|| accepted.record.to_string(), ToString::to_string),
        event: &envelope.event,
        entity_id: key.id(),
        entity_type: key.entity_type(),
        source: envelope.source.as_ref().map(crate::identifier::TraceId::as_str),
        actor_id: actor.id(),
        occurred_at: envelope.occurred_at.unwrap_or_else(|| served.now()),
        metadata: &envelope.trace,
        payload: accepted.payload.as_ref(),
        current_state: accepted.state,
    };
    Ok(answer(StatusCode::CREATED, &Under("event", event)))
}

fn misshapen(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("not an event: {error}"))
}

/// What a body says. Clients that write every field say nothing by an empty text, or by a time before all times.
fn said(body: &Json) -> Result<Value, Problem> {
    const NO_TIME: &str = "0001-01-01T00:00:00Z";
    let mut members: Map<String, Value> = body.decode().map_err(|error| Problem::no_json(&error))?;
    let is_said = |_: &String, value: &mut Value| {
        !value.is_null() && value.as_str().is_none_or(|text| !text.is_empty() && text != NO_TIME)
    };
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(is_said);
    }
    members.retain(is_said);
    Ok(Value::Object(members))
}

/// What the adapter that the body names, or the one for systems that speak the domain's words, makes of an event.
fn adapt(shared: &Shared, adapter: Option<&str>, raw: Value) -> Result<(EntityKey, Envelope), Problem> {
    let raw: RawEvent = serde_json::from_value(raw).map_err(|error| misshapen(&error))?;
    let understood = match adapter.and_then(|name| shared.adapters.get(name)) {
        Some(adapter) => adapter.adapt(raw),
        None => Passthrough.adapt(raw),
    };
    understood.map_err(|error: AdapterError| Problem::bad_request(error.to_string()))
}

//! The routes of the demo, beside kiff's own: what the agent sees and what it can ask for.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use kiff::{
    Actor, Call, Cents, Domain, EntityKey, Error, Outcome, Proposal, ReasonCode, Refusal, Runtime, SqliteStore,
    State as Named, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{AUTO_REFUND_MOST, Support};

/// The orders that the shop has sold, in cents.
pub const ORDERS: [(&str, i64); 3] = [("ord-1", 4_200), ("ord-2", 99_900), ("ord-3", 25_000)];

/// A governed shop and the agent for which these routes ask. They decide nothing: whoever reaches them is no more than that
/// agent.
pub struct Demo {
    /// The shop.
    pub runtime: Arc<Runtime<Support, SqliteStore>>,
    /// For whom these routes ask.
    pub agent: Actor,
    /// Who has a journal replayed.
    pub shop: Actor,
}

type Shared = State<Arc<Demo>>;
type Answer = (StatusCode, Json<Value>);

/// The routes.
pub fn router(demo: Demo) -> Router {
    Router::new()
        .route("/demo/orders", get(orders))
        .route("/demo/agent/refund", post(refund))
        .route("/demo/agent/waive", post(waive))
        .route("/demo/rebuild", get(rebuild))
        .with_state(Arc::new(demo))
}

async fn orders(State(demo): Shared) -> Answer {
    let mut listed = Vec::new();
    for (id, total) in ORDERS {
        let state = match entity(id) {
            Ok(key) => demo.runtime.entity(&key).await.map(|entity| entity.state().map(Named::name)),
            Err(answer) => return answer,
        };
        let state = match state {
            Ok(state) => state,
            Err(error) => return broken(&error),
        };
        let paid_back = demo.runtime.services().paid_back(id);
        listed.push(json!({ "id": id, "total_cents": total, "refunded_cents": paid_back, "state": state }));
    }
    (StatusCode::OK, Json(json!({ "orders": listed })))
}

#[derive(Deserialize)]
struct RefundAsked {
    order_id: String,
    amount_cents: i64,
    reason: String,
    approval_id: Option<String>,
}

/// Small refunds are one action, all others another: the agent does not choose which.
async fn refund(State(demo): Shared, asked: Result<Json<RefundAsked>, JsonRejection>) -> Answer {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(error) => return bad_request(&error.body_text()),
    };
    let action = if asked.amount_cents <= AUTO_REFUND_MOST { "AUTO_REFUND" } else { "REFUND_ORDER" };
    let parameters = json!({ "amount": Cents(asked.amount_cents), "reason": asked.reason });
    demo.act(&asked.order_id, action, &parameters, asked.approval_id).await
}

#[derive(Deserialize)]
struct WaiverAsked {
    order_id: String,
    fee_cents: i64,
    reason: String,
    approval_id: Option<String>,
}

async fn waive(State(demo): Shared, asked: Result<Json<WaiverAsked>, JsonRejection>) -> Answer {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(error) => return bad_request(&error.body_text()),
    };
    let parameters = json!({ "fee": Cents(asked.fee_cents), "reason": asked.reason });
    demo.act(&asked.order_id, "WAIVE_FEE", &parameters, asked.approval_id).await
}

impl Demo {
    async fn act(&self, order: &str, action: &str, parameters: &Value, approval: Option<String>) -> Answer {
        let key = match entity(order) {
            Ok(key) => key,
            Err(answer) => return answer,
        };
        let named = match approval.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose() {
            Ok(named) => named,
            Err(error) => return bad_request(&format!("`approval_id`: {error}")),
        };
        let mut proposal = Proposal::new(Call::new(action, parameters.to_string()));
        if let Some(named) = named {
            proposal = proposal.approval(named);
        }
        match self.runtime.execute(&self.agent, &key, proposal.clone()).await {
            Err(error) => broken(&error),
            Ok(Outcome::Executed(done)) => {
                let done = json!({ "outcome": "executed", "action": action, "entity_id": key.id(), "state": done.state.name() });
                (StatusCode::OK, Json(done))
            }
            Ok(Outcome::Failed(failed)) => {
                let failure = &failed.failure;
                let told = json!({ "outcome": "failed", "reason": failure.code(), "error": failure.message() });
                (StatusCode::CONFLICT, Json(told))
            }
            Ok(Outcome::ApprovalRequired(refusal)) => self.held(&key, proposal, &refusal).await,
            Ok(outcome @ (Outcome::Blocked(_) | Outcome::Invalid(_))) => refused(&outcome),
        }
    }

    /// Asks for the sign-off, unless the proposal names one that does not cover it.
    async fn held(&self, key: &EntityKey, proposal: Proposal<Call>, refusal: &Refusal) -> Answer {
        let mut told = json!({ "outcome": "approval_required", "reason": refusal.code, "error": refusal.message });
        let action = proposal.action().action().to_owned();
        if proposal.named_approval().is_none() {
            match self.runtime.request_approval(&self.agent, key, proposal).await {
                Ok(Verdict::Allowed(approval)) => merge(&mut told, json!({ "approval_id": approval.id })),
                Ok(_) => {}
                Err(error) => return broken(&error),
            }
        }
        merge(&mut told, json!({ "action": action, "entity_id": key.id() }));
        (StatusCode::CONFLICT, Json(told))
    }
}

#[derive(Deserialize)]
struct Entity {
    entity: String,
}

async fn rebuild(State(demo): Shared, Query(asked): Query<Entity>) -> Answer {
    let key = match entity(&asked.entity) {
        Ok(key) => key,
        Err(answer) => return answer,
    };
    match demo.runtime.rebuild(&demo.shop, &key).await {
        Ok(Verdict::Allowed(rebuilt)) => {
            let (state, events) = (rebuilt.state.name(), rebuilt.events);
            let told = json!({ "entity_id": key.id(), "state": state, "events": events, "matches": rebuilt.matches });
            (StatusCode::OK, Json(told))
        }
        Ok(refused) => {
            let message = refused.refusal().map(|refusal| refusal.message.clone());
            (StatusCode::NOT_FOUND, Json(json!({ "error": message })))
        }
        Err(error) => broken(&error),
    }
}

fn refused<T>(outcome: &Outcome<T>) -> Answer {
    let Some(refusal) = outcome.refusal() else {
        return bad_request("it was not refused");
    };
    let status = match refusal.code {
        ReasonCode::PermissionDenied => StatusCode::FORBIDDEN,
        ReasonCode::UnknownEntity => StatusCode::NOT_FOUND,
        ReasonCode::ActionInProgress => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    };
    let told = json!({ "outcome": outcome.outcome(), "reason": refusal.code, "error": refusal.message, "remedy": refusal.remedy });
    (status, Json(told))
}

fn entity(id: &str) -> Result<EntityKey, Answer> {
    Support::entity(id).map_err(|error| bad_request(&error.to_string()))
}

fn bad_request(error: &str) -> Answer {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
}

fn broken(error: &Error) -> Answer {
    eprintln!("{error}");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "something broke on the server" })))
}

fn merge(told: &mut Value, more: Value) {
    if let (Value::Object(told), Value::Object(more)) = (told, more) {
        told.extend(more);
    }
}

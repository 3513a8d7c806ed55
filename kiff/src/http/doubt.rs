//! The routes of actions in doubt: which there are, asking the outside world, and a person's word.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::actor::ActorKind;
use crate::entity::Running;
use crate::identifier::ExecutionId;
use crate::json::Json;
use crate::runtime::Doubt;
use crate::served::{Became, Found, Told};
use crate::time::Timestamp;

use super::Shared;
use super::action::unknown;
use super::cursor;
use super::envelope::{Listed, Under};
use super::open::Part;
use super::problem::{About, Problem, answer};
use super::request::{Body, Caller, Named, NamedActor, Page, Said, Sort, acting, identifier};

/// An action in doubt, as a client is told of it.
#[derive(Debug, Serialize)]
struct DoubtView {
    entity_id: String,
    entity_type: String,
    #[serde(flatten)]
    run: RunView,
}

impl DoubtView {
    fn of(doubt: Doubt) -> Self {
        Self {
            entity_id: doubt.open.key.id().to_owned(),
            entity_type: doubt.open.key.entity_type().to_owned(),
            run: doubt.running.into(),
        }
    }
}

/// An action that has started and not ended, as a client is told of it.
#[derive(Debug, Serialize)]
pub(super) struct RunView {
    action_name: String,
    execution_id: ExecutionId,
    since: Timestamp,
    /// Whether the executor itself has said that it does not know.
    unknown: bool,
}

impl From<Running> for RunView {
    fn from(running: Running) -> Self {
        Self {
            action_name: running.action.into_owned(),
            execution_id: running.execution,
            since: running.since,
            unknown: running.unknown,
        }
    }
}

/// `GET /doubts`
pub(super) async fn all(
    State(shared): State<Shared>,
    caller: Caller,
    Said(page): Said<Page>,
) -> Result<Response, Problem> {
    let after = page.after.as_deref().map(cursor::read).transpose()?;
    let part: Part<Doubt> = shared.open(&caller, page.open(after.as_ref()), |_, _| true).await?;
    let next = part.next.as_ref().map(cursor::of_open);
    let doubts = part.items.into_iter().map(|(_, doubt)| DoubtView::of(doubt)).collect();
    Ok(answer(StatusCode::OK, &Listed { name: "doubts", items: doubts, next, undecided: part.undecided }))
}

/// What a person says became of a run, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettleBody {
    #[serde(default)]
    actor: Option<NamedActor>,
    #[serde(default)]
    entity_type: Option<String>,
    happened: bool,
    /// What happened, where the action makes something happen.
    #[serde(default)]
    event: Option<EventBody>,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventBody {
    #[serde(rename = "type")]
    event: String,
    /// None says as much as an object without members.
    payload: Option<Json>,
}

impl EventBody {
    fn told(self) -> (String, Json) {
        (self.event, self.payload.unwrap_or_else(Json::empty_object))
    }
}

/// `POST /entities/{id}/executions/{execution}/settle`
pub(super) async fn settle(
    State(shared): State<Shared>,
    caller: Caller,
    Named((id, execution)): Named<(String, String)>,
    Body(body): Body<SettleBody>,
) -> Result<Response, Problem> {
    let execution: ExecutionId = identifier("execution id", &execution)?;
    let became = match (body.happened, body.event) {
        (true, event) => Became::Happened(event.map(EventBody::told)),
        (false, None) => Became::DidNotHappen,
        (false, Some(_)) => return Err(Problem::bad_request("what did not happen has no `event`")),
    };
    let about = About { id: &id, action: None, state: None };
    let actor = acting(&caller.principal, body.actor.as_ref(), ActorKind::Human, &about)?;
    let entity_type = shared.governed(body.entity_type.as_deref())?;
    let (served, key) = shared.find(&caller, &actor, &id, entity_type).await?;
    let told = Told { became, reason: body.reason, trace: caller.trace.clone() };
    let verdict = served.settle(&actor, &key, &execution, told).await?;
    let state = verdict.decided().map_err(|(outcome, refusal)| Problem::refused(outcome, refusal, &about))?;
    let settled = json!({ "execution_id": execution, "entity_id": key.id(), "current_state": state });
    Ok(answer(StatusCode::OK, &Under("settled", settled)))
}

/// `POST /entities/{id}/reconcile`: asks the outside world, where the action has a way to ask.
pub(super) async fn reconcile(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(sort): Said<Sort>,
) -> Result<Response, Problem> {
    let entity_type = shared.governed(sort.entity_type.as_deref())?;
    let (served, key) = shared.locate(&caller, &id, entity_type).await?;
    if served.standing(&key).await?.number == 0 {
        return Err(unknown(&key));
    }
    let actor = caller.principal.actor().clone();
    let asked = key.clone();
    let found = caller.working.finish(async move { served.reconcile(&actor, &asked).await }).await?;
    let (outcome, detail, until) = match found {
        Found::Settled(state) => ("settled", Some(state.to_owned()), None),
        Found::StillUnknown(why) => ("still_unknown", Some(why), None),
        Found::MayStillRun(until) => {
            ("may_still_run", Some("another process may still be at it".to_owned()), Some(until))
        }
        Found::NobodyToAsk => ("nobody_to_ask", None, None),
        Found::NothingInDoubt => ("nothing_in_doubt", None, None),
    };
    Ok(answer(StatusCode::OK, &FoundView { entity_id: key.id(), outcome, detail, until }))
}

/// What came of asking the outside world, as a client is told of it.
#[derive(Debug, Serialize)]
struct FoundView<'a> {
    entity_id: &'a str,
    outcome: &'static str,
    detail: Option<String>,
    /// When to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

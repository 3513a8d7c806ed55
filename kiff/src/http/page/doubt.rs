//! Doubt: actions that have started and not ended, and the ways to settle what became of them.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::actor::{Actor, ActorKind};
use crate::entity::Running;
use crate::identifier::{EntityKey, ExecutionId};
use crate::journal::Fact;
use crate::json::{Json, visible};
use crate::permission::PolicyError;
use crate::runtime::{Doubt, Error};
use crate::schema::{Contract, Schema};
use crate::served::{Became, Found, Served, Told};

use super::super::Shared;
use super::super::cursor;
use super::super::open::{Part, READING_ON, Wanted};
use super::super::problem::Problem;
use super::super::request::{Caller, Named};
use super::form;
use super::frame::{self, Place, encoded};
use super::parameter;
use super::session::Signed;
use super::sorry::Sorry;
use super::timeline::Filter;

/// How many doubts are shown at once.
const SHOWN: usize = 50;

/// How many commits are read at once to find what was heard of a run.
const PAGE: usize = 64;

/// What stands in a form before the name of an event, which may be any word.
const EVENT: &str = "event:";

/// The way to an entity's doubt.
pub(super) fn doubt_path(key: &EntityKey) -> String {
    format!("/admin/doubt/{}/{}", encoded(key.entity_type()), encoded(key.id()))
}

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Behind this place.
    after: Option<String>,
}

/// `GET /admin/doubt`.
pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Sorry> {
    let after = asked.after.as_deref().map(cursor::read).transpose()?;
    let wanted =
        Wanted { entity_type: None, after: after.as_ref(), limit: SHOWN, room: usize::MAX, patience: READING_ON };
    let part: Part<Doubt> = shared.open(&caller, wanted, |_, _| true).await?;
    let main = html! {
        p { "These actions have started, and nobody knows how they ended. Until somebody says so, their entities wait." }
        (frame::undecided(part.undecided))
        @if part.items.is_empty() && part.next.is_none() { p { strong { "Nothing is in doubt." } } } @else {
            div.scroll {
                table.stack aria-label="In doubt" {
                    thead { tr { th { "Action" } th { "Of" } th { "Since" } th { "Asked by" } } }
                    tbody {
                        @for (served, Doubt { open, running }) in &part.items {
                            tr {
                                td { a href=(doubt_path(&open.key)) { strong { (visible(&running.action)) } } }
                                td data-label="of" { (frame::entity_link(&open.key)) }
                                td data-label="since" { (frame::ago(running.since, served.now())) }
                                td data-label="asked by" { (frame::who(&running.by)) }
                            }
                        }
                    }
                }
            }
        }
        (frame::onward(part.next.map(|next| format!("/admin/doubt?after={}", cursor::of_open(&next))), "More in doubt"))
    };
    Ok(frame::page(&signed, Place::Doubt, "Doubt", &main))
}

/// Which entity.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    entity_type: String,
    id: String,
}

/// `GET /admin/doubt/{entity_type}/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Named(which): Named<Which>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(&caller, &which.id, Some(&which.entity_type)).await?;
    card(&*served, &signed, &key, StatusCode::OK, None).await
}

/// What somebody says became of it.
#[derive(Debug, Deserialize)]
pub(super) struct Settled {
    csrf: String,
    execution: String,
    became: String,
    #[serde(default)]
    payload: String,
    #[serde(default, deserialize_with = "form::text")]
    reason: String,
}

/// `POST /admin/doubt/{entity_type}/{id}`.
pub(super) async fn settle(
    State(shared): State<Shared>,
    signed: Signed,
    caller: Caller,
    Named(which): Named<Which>,
    Form(settled): Form<Settled>,
) -> Result<Response, Sorry> {
    let (served, key) = shared.locate(&caller, &which.id, Some(&which.entity_type)).await?;
    let refused = |status, problem: String| card(&*served, &signed, &key, status, Some((problem, &settled)));
    if !signed.sent(&settled.csrf) {
        return refused(StatusCode::FORBIDDEN, "This form is not of your session: send it again.".to_owned()).await;
    }
    if settled.became == "ask" {
        let (asked, actor, entity) = (Arc::clone(&served), signed.actor().clone(), key.clone());
        // What the outside world has answered goes on the record also when nobody waits for it any more.
        let found = caller.working.finish(async move { asked.reconcile(&actor, &entity).await }).await?;
        let why = match found {
            Found::Settled(_) | Found::NothingInDoubt => {
                return Ok(Redirect::to(&frame::entity_path(&key)).into_response());
            }
            Found::StillUnknown(why) => why,
            Found::MayStillRun(until) => format!("Another process may still be at it: ask again at {until}."),
            Found::NobodyToAsk => "This action has nobody to ask: somebody has to settle it.".to_owned(),
        };
        return refused(StatusCode::CONFLICT, why).await;
    }
    let became = match became(&*served, &settled) {
        Ok(became) => became,
        Err(problem) => return refused(StatusCode::BAD_REQUEST, problem).await,
    };
    let execution =
        ExecutionId::new(&settled.execution).map_err(|_| Problem::not_found("there is no such execution"))?;
    let told = Told { became, reason: settled.reason.clone(), trace: caller.trace.clone() };
    let verdict = served.settle(signed.actor(), &key, &execution, told).await?;
    match verdict.refusal() {
        None => Ok(Redirect::to(&frame::entity_path(&key)).into_response()),
        Some(refusal) => refused(StatusCode::CONFLICT, refusal.message.clone()).await,
    }
}

/// What a form says: `not`, `done`, or the event that happened.
fn became(served: &dyn Served, settled: &Settled) -> Result<Became, String> {
    match settled.became.as_str() {
        "not" => Ok(Became::DidNotHappen),
        "done" => Ok(Became::Happened(None)),
        said => {
            let Some(event) = said.strip_prefix(EVENT) else { return Err("Say what became of it.".to_owned()) };
            let payload = if settled.payload.trim().is_empty() { "{}" } else { settled.payload.trim() };
            let payload =
                Json::parse(payload, served.bounds()).map_err(|error| format!("What the event says: {error}"))?;
            Ok(Became::Happened(Some((event.to_owned(), payload))))
        }
    }
}

async fn card(
    served: &dyn Served,
    signed: &Signed,
    key: &EntityKey,
    status: StatusCode,
    refused: Option<(String, &Settled)>,
) -> Result<Response, Sorry> {
    let running = served.doubt(key).await?;
    let last = served.standing(key).await?.number;
    let part = Filter::default().part(served, key, last).await?;
    let main = html! {
        @if let Some((problem, _)) = &refused { (frame::refused(problem)) }
        @match &running {
            None => p { "Nothing of " (frame::entity_link(key)) " is in doubt." }
            Some(running) => {
                (facts(served, key, running))
                (tried(served, key, running).await?)
                @if served.is_recorded() {
                    p.notice { "It cannot be settled here: only the journal is open. It is settled where its domain is." }
                } @else {
                    @match may_settle(served, signed.actor(), key, running) {
                        Ok(true) => (forms(served.schema(), signed, key, running, refused.as_ref().map(|(_, settled)| *settled))),
                        Ok(false) => p.notice {
                            "You cannot settle this: somebody who holds the permission and did not ask for the run has to."
                        }
                        Err(_) => p.notice.warn { "Whether you may settle this could not be decided: try again later." }
                    }
                }
            }
        }
        h2 { "What happened so far" }
        (Filter::default().shown(&part, false))
    };
    let not_settled = if refused.is_some() { "Not settled: " } else { "" };
    let title = format!("{not_settled}Doubt about {}", frame::named(key));
    Ok(frame::page_with(status, signed, Place::Doubt, &title, &main))
}

fn facts(served: &dyn Served, key: &EntityKey, running: &Running) -> Markup {
    let schema = served.schema();
    html! {
        dl {
            dt { "Action" } dd { strong { (visible(&running.action)) } " on " (frame::entity_link(key)) }
            dt { "Execution" } dd { code { (visible(running.execution.as_str())) } }
            dt { "Started" } dd { (frame::ago(running.since, served.now())) ", asked for by " (frame::who(&running.by)) }
            @if let Some(contract) = schema.action(&running.action) {
                dt { "Who settles it" } dd { (contract.settlement(schema).holders()) ", but not who asked for it" }
            }
        }
    }
}

/// What was tried, and what was heard of it last.
async fn tried(served: &dyn Served, key: &EntityKey, running: &Running) -> Result<Markup, Sorry> {
    let contract = served.schema().action(&running.action);
    let start = served.read(key, running.record.commit.saturating_sub(1), 1).await?;
    let parameters = start.first().and_then(|start| start.starts()).and_then(|(_, parameters)| parameters);
    let told = if running.unknown { heard(served, key, running).await? } else { None };
    Ok(html! {
        @if let Some(parameters) = parameters { (parameter::table(parameters, contract)) }
        @if let Some(told) = told { p { "Last heard: " q { (frame::lines(&told)) } } }
    })
}

/// What the executor has said, which is on the record behind the start and behind all that was refused while it ran.
async fn heard(served: &dyn Served, key: &EntityKey, running: &Running) -> Result<Option<String>, Error> {
    let mut number = running.record.commit;
    loop {
        let commits = served.read(key, number, PAGE).await?;
        let told = commits.iter().flat_map(|commit| commit.facts()).find_map(|fact| match fact {
            Fact::ActionFailed(failed) if failed.execution.as_ref() == Some(&running.execution) => {
                Some(failed.message.clone())
            }
            _ => None,
        });
        match commits.last() {
            Some(last) if told.is_none() => number = last.number(),
            _ => return Ok(told),
        }
    }
}

/// Whether `actor` is somebody whose word would count, as far as can be said before.
fn may_settle(served: &dyn Served, actor: &Actor, key: &EntityKey, running: &Running) -> Result<bool, PolicyError> {
    let Some(contract) = served.schema().action(&running.action) else { return Ok(false) };
    let is_another_human = actor.kind() == ActorKind::Human && actor.id() != running.by.id();
    Ok(is_another_human && served.may(actor, key, &contract.settlement(served.schema()))?)
}

/// The two ways to settle it; in the form still stands what was sent in vain.
fn forms(schema: &Schema, signed: &Signed, key: &EntityKey, running: &Running, sent: Option<&Settled>) -> Markup {
    // What was said of another run says nothing of this one.
    let sent = sent.filter(|sent| sent.execution == running.execution.as_str());
    let (became, payload, reason) =
        sent.map_or(("", "", ""), |sent| (sent.became.as_str(), sent.payload.as_str(), sent.reason.as_str()));
    html! {
        form.card method="post" action=(doubt_path(key)) {
            (signed.csrf_field())
            p { "If the action can ask the outside world itself, let it:" }
            input type="hidden" name="execution" value=(running.execution.as_str());
            button type="submit" name="became" value="ask" { "Ask the outside world" }
        }
        form.card method="post" action=(doubt_path(key)) {
            (signed.csrf_field())
            input type="hidden" name="execution" value=(running.execution.as_str());
            fieldset {
                legend { "What became of it?" }
                label.choice {
                    input type="radio" name="became" value="not" required checked[became == "not"];
                    "It did not happen: it may be tried again"
                }
                (events(schema, schema.action(&running.action), became))
            }
            label for="payload" { "What the event says, as JSON" }
            textarea #payload name="payload" { (payload) }
            label for="reason" { "How do you know?" }
            textarea #reason name="reason" required maxlength="2000" { (reason) }
            p.quiet { "It goes on the record, with your name." }
            div.choices { button type="submit" { "Settle it" } }
        }
    }
}

/// The events that may have happened, each with the fields that it says.
fn events(schema: &Schema, contract: Option<&Contract>, chosen: &str) -> Markup {
    let emits = contract.map(|contract| &contract.emits);
    html! {
        @if let Some(emits) = emits {
            @if emits.is_empty() {
                label.choice {
                    input type="radio" name="became" value="done" checked[chosen == "done"];
                    "It happened"
                }
            }
            @for event in emits.iter() {
                label.choice {
                    @let is_chosen = chosen.strip_prefix(EVENT) == Some(&**event);
                    input type="radio" name="became" value={ (EVENT) (event) } checked[is_chosen];
                    span {
                        "It happened: " code { (event) }
                        @if let Some(known) = schema.event(event) {
                            " { " @for field in known.fields.iter() { code { (field.name) ": " (field.type_name) } " " } "}"
                        }
                    }
                }
            }
        }
    }
}

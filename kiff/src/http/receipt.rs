//! The routes of receipts: one commit of an entity, with the proof that it is in the signed log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::identifier::{EntityKey, ExecutionId};
use crate::journal::{Commit, Cursor, Fact, Query};
use crate::proof::{Log, LogError};
use crate::served::Served;

use super::Shared;
use super::problem::Problem;
use super::request::{Caller, Named, Said, identifier};

/// Which commit of an entity, as a client says it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    entity_type: Option<String>,
    /// The commit of this number.
    commit: Option<u64>,
    /// The commit that ends this run.
    execution: Option<String>,
    /// The last commit in which this event happened.
    event: Option<String>,
}

/// Which commit is meant.
enum Which {
    /// The one that led to where the entity stands; its last one where none changed its state.
    Standing,
    Number(u64),
    EndOf(ExecutionId),
    LastWith(String),
}

impl Wanted {
    fn which(&self) -> Result<Which, Problem> {
        match (self.commit, self.execution.as_deref(), self.event.as_deref()) {
            (None, None, None) => Ok(Which::Standing),
            (Some(number), None, None) => Ok(Which::Number(number)),
            (None, Some(execution), None) => Ok(Which::EndOf(identifier("execution", execution)?)),
            (None, None, Some(event)) => Ok(Which::LastWith(event.to_owned())),
            _ => Err(Problem::bad_request("a receipt is of one commit: say one of `commit`, `execution` and `event`")),
        }
    }
}

/// `GET /entities/{id}/receipt`
pub(super) async fn of_entity(
    State(shared): State<Shared>,
    caller: Caller,
    Named(id): Named<String>,
    Said(wanted): Said<Wanted>,
) -> Result<Response, Problem> {
    let entity_type = shared.governed(wanted.entity_type.as_deref())?;
    let (served, key) = shared.locate(&caller, &id, entity_type).await?;
    shared.receipt(&caller, &served, &key, &wanted).await
}

impl Shared {
    /// The receipt, as a file to be kept.
    pub(super) async fn receipt(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        key: &EntityKey,
        wanted: &Wanted,
    ) -> Result<Response, Problem> {
        if self.logs.is_empty() {
            return Err(Problem::not_found("no signed log is kept here, so that there are no receipts"));
        }
        let commit = commit(self, caller, served, key, wanted).await?;
        let position = position(self, caller, served, &commit).await?;
        let number = commit.number();
        let shared = self.clone();
        // Files are read where that may take its time.
        let read = tokio::task::spawn_blocking(move || shared.prove(position, &commit)).await;
        let text = read.map_err(|error| Problem::broken(&error))??;
        let name = format!("{}-{}-{number}.receipt", plain(key.entity_type()), plain(key.id()));
        let kept = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
        let kept = kept.map_err(|error| Problem::broken(&error))?;
        let text_type = HeaderValue::from_static("text/plain; charset=utf-8");
        Ok(([(header::CONTENT_TYPE, text_type), (header::CONTENT_DISPOSITION, kept)], text).into_response())
    }

    /// The receipt by the log that has this very commit at this position. Each store has a log of its own.
    fn prove(&self, position: u64, commit: &Arc<Commit>) -> Result<String, Problem> {
        let mut last = None;
        for log in &self.logs {
            match prove(log, position, commit) {
                Ok(receipt) => return Ok(receipt),
                // Another store's log has another commit there: what a log says that is only behind counts more.
                Err(error) if last.as_ref().is_none_or(|last| !is_behind(last)) => last = Some(error),
                Err(_) => {}
            }
        }
        Err(last.as_ref().map_or_else(|| Problem::not_found("no signed log is kept here"), problem))
    }
}

fn prove(log: &Path, position: u64, commit: &Arc<Commit>) -> Result<String, LogError> {
    Ok(Log::open(log)?.receipt(position, commit)?.to_string())
}

/// Whether a log will have the commit in a moment.
const fn is_behind(error: &LogError) -> bool {
    matches!(error, LogError::NoLog { .. } | LogError::NotYet { .. })
}

fn problem(error: &LogError) -> Problem {
    if is_behind(error) {
        let message = "there is no receipt yet: ask again when the log's next checkpoint is signed";
        return Problem::not_found(message);
    }
    if let LogError::OtherCommit { .. } = error {
        tracing::error!(target: "kiff::http", %error, "a receipt was refused");
        return Problem::new(StatusCode::CONFLICT, error.to_string());
    }
    Problem::broken(error)
}

/// How many commits are read at once.
const PAGE: usize = 64;

/// The commit that is wanted.
async fn commit(
    shared: &Shared,
    caller: &Caller,
    served: &Arc<dyn Served>,
    key: &EntityKey,
    wanted: &Wanted,
) -> Result<Arc<Commit>, Problem> {
    let found = match wanted.which()? {
        Which::Standing => match newest(shared, caller, served, key, "state_changed", |_| true).await? {
            None => numbered(served, key, served.standing(key).await?.number).await?,
            found => found,
        },
        Which::Number(number) => numbered(served, key, number).await?,
        Which::EndOf(execution) => end_of(shared, caller, served, key, &execution).await?,
        Which::LastWith(event) => {
            let is_event = |fact: &Fact| matches!(fact, Fact::EventIngested(ingested) if *ingested.event == *event);
            let has_event = |commit: &Commit| commit.facts().iter().any(is_event);
            newest(shared, caller, served, key, "event_ingested", has_event).await?
        }
    };
    found.ok_or_else(|| Problem::not_found(format!("`{key}` has no such commit")))
}

async fn numbered(served: &Arc<dyn Served>, key: &EntityKey, number: u64) -> Result<Option<Arc<Commit>>, Problem> {
    let Some(before) = number.checked_sub(1) else { return Ok(None) };
    Ok(served.read(key, before, 1).await?.pop())
}

/// The newest commit that has a record of this kind and fits.
async fn newest(
    shared: &Shared,
    caller: &Caller,
    served: &Arc<dyn Served>,
    key: &EntityKey,
    kind: &'static str,
    fits: impl Fn(&Commit) -> bool,
) -> Result<Option<Arc<Commit>>, Problem> {
    let query = Query::default().entity(key.clone()).kind(kind);
    let (mut cursor, mut limit) = (Cursor::LAST, 1);
    loop {
        let page = shared.looked_up(caller, served, query.clone(), cursor, limit).await?;
        let Some((oldest, _)) = page.last() else { return Ok(None) };
        // The newest is mostly the one.
        (cursor, limit) = (Cursor::Before(*oldest), PAGE);
        if let Some((_, found)) = page.into_iter().find(|(_, commit)| fits(commit)) {
            return Ok(Some(found));
        }
    }
}

/// The commit that ends a run. Runs are asked for soon after they have ended: it is looked for from the last commit back, and no further
/// than to where the run starts.
async fn end_of(
    shared: &Shared,
    caller: &Caller,
    served: &Arc<dyn Served>,
    key: &EntityKey,
    execution: &ExecutionId,
) -> Result<Option<Arc<Commit>>, Problem> {
    let starts = |commit: &Commit| commit.starts().is_some_and(|(started, _)| started.execution == *execution);
    let mut end = served.standing(key).await?.number;
    while end > 0 {
        let start = end.saturating_sub(PAGE as u64);
        let page = shared.read_apart(caller, served, key.clone(), start, PAGE).await?;
        for commit in page.into_iter().rev() {
            if commit.ends(execution) {
                return Ok(Some(commit));
            }
            if starts(&commit) {
                return Ok(None);
            }
        }
        end = start;
    }
    Ok(None)
}

/// Where a commit stands in the one order of its store.
async fn position(shared: &Shared, caller: &Caller, served: &Arc<dyn Served>, commit: &Commit) -> Result<u64, Problem> {
    // Its time leads to it, and to what the same entity was given at the same moment.
    let query = Query::default().entity(commit.key().clone()).from(commit.at());
    let query = query.until(commit.at().after(Duration::from_micros(1)));
    let mut cursor = Cursor::FIRST;
    loop {
        let page = shared.looked_up(caller, served, query.clone(), cursor, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Err(Problem::not_found("the store has no such commit"));
        };
        cursor = Cursor::After(*last);
        if let Some((position, _)) = page.iter().find(|(_, found)| found.number() == commit.number()) {
            return Ok(*position);
        }
    }
}

/// A name as it may stand in that of a file.
fn plain(text: &str) -> String {
    let fit = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    text.chars().take(64).map(fit).collect()
}

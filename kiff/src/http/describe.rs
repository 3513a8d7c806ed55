//! The routes that describe: the domains, and their actions as tools for agents.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::tool::{Dialect, ToolError, Tools};

use super::Shared;
use super::envelope::Under;
use super::openapi;
use super::problem::{Problem, answer};
use super::request::{Caller, Named, Said};

/// Which tools an agent is to be told of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Those of which domain, where several are served.
    entity_type: Option<String>,
    /// The property of each tool by which the agent says which entity it means.
    entity: Option<String>,
}

/// `GET /tools/{dialect}.json`
pub(super) async fn tools(
    State(shared): State<Shared>,
    _: Caller,
    Named(file): Named<String>,
    Said(wanted): Said<Wanted>,
) -> Result<Response, Problem> {
    let dialect = file.strip_suffix(".json").and_then(|name| name.parse::<Dialect>().ok());
    let dialect = dialect.ok_or_else(|| {
        let files = Dialect::ALL.map(|dialect| format!("`{dialect}.json`"));
        Problem::not_found(format!("there are {}", files.join(", ")))
    })?;
    let entity_type = shared.governed(wanted.entity_type.as_deref())?;
    shared.check_names(entity_type)?;
    let mut told = Vec::new();
    for served in shared.domains(entity_type) {
        // It says which name it is: a log would say no more.
        let unfit = |error: ToolError| Problem::new(StatusCode::CONFLICT, error.to_string());
        let mut tools = served.tools(dialect).map_err(unfit)?;
        if let Some(entity) = &wanted.entity {
            tools = tools.with_entity(entity).map_err(|error: ToolError| Problem::bad_request(error.to_string()))?;
        }
        told.push(tools);
    }
    let list: Vec<_> = told.iter().flat_map(Tools::written).collect();
    Ok(answer(StatusCode::OK, &list))
}

/// `GET /domains`
pub(super) async fn domains(State(shared): State<Shared>, _: Caller) -> Response {
    let schemas: Vec<_> = shared.domains(None).map(|served| served.schema()).collect();
    answer(StatusCode::OK, &Under("domains", schemas))
}

/// `GET /openapi.json`
pub(super) async fn openapi(State(shared): State<Shared>, _: Caller) -> Result<Response, Problem> {
    let document = shared.openapi.get_or_init(|| openapi::document(&shared));
    let none = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a domain cannot be described; the log says why");
    document.as_ref().map(|document| answer(StatusCode::OK, document)).ok_or_else(none)
}

/// `GET /metrics`
pub(super) async fn metrics(State(shared): State<Shared>, _: Caller) -> Result<Response, Problem> {
    let Some(metrics) = &shared.metrics else {
        return Err(Problem::not_found("nothing is measured here"));
    };
    metrics.refresh(shared.count_open()).await;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], metrics.render()).into_response())
}

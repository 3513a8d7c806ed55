//! What a client is told when it does not get what it asked for.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::action::Failure;
use crate::identifier::{EntityKey, ExecutionId};
use crate::json::JsonError;
use crate::runtime::{Error, Failed};
use crate::verdict::{ReasonCode, Refusal};

use super::headers;
use super::identity::Unauthenticated;

/// An answer that says why not: a status and JSON that has an `error`.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body {
    Sentence {
        error: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    Decision(Box<Decision>),
}

/// Why an action or an event was refused: the envelope that clients know.
#[derive(Debug, Serialize)]
struct Decision {
    outcome: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    entity_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<ExecutionId>,
    /// Whether it failed earlier, under the same idempotency key, and nothing was tried now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deduplicated: bool,
    error: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: Body::Sentence { error: error.into(), detail: None, remedy: None } }
    }

    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn too_many(error: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, error)
    }

    /// The body is no JSON that kiff accepts, or JSON of another shape.
    pub(crate) fn no_json(error: &JsonError) -> Self {
        Self::invalid_body(error.to_string())
    }

    pub(crate) fn no_text() -> Self {
        Self::invalid_body("the body is not UTF-8".to_owned())
    }

    pub(crate) fn no_object() -> Self {
        Self::invalid_body("the body is no object".to_owned())
    }

    fn invalid_body(detail: String) -> Self {
        let body = Body::Sentence { error: "invalid json body".to_owned(), detail: Some(detail), remedy: None };
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong, in a sentence for people.
    pub(crate) fn sentence(&self) -> &str {
        match &self.body {
            Body::Sentence { error, .. } => error,
            Body::Decision(decision) => &decision.error,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "the credentials are missing or not good")
    }

    /// Nobody can tell whether the credentials are good; why, is in the log and not for the client.
    pub(crate) fn unrecognized(error: &Unauthenticated) -> Self {
        tracing::error!(target: "kiff::http", %error, "nobody can tell who sends a request");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "nobody can tell at the moment whether the credentials are good")
    }

    /// The principal may not do that, whatever the entity says.
    pub(crate) fn forbidden(about: &About<'_>, error: impl Into<String>) -> Self {
        let refusal = Refusal { code: ReasonCode::PermissionDenied, message: error.into(), remedy: None };
        Self::refused("blocked", refusal, about)
    }

    /// Something broke; what, is in the log and not for the client.
    pub(crate) fn broken(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(target: "kiff::http", %error, "a request could not be answered");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something broke on the server; its log says what")
    }

    /// Something broke in a domain. Where an executor had run before, that it may have happened is for the client too, and so is how
    /// to go on.
    pub(crate) fn broken_about(error: &Error, about: &About<'_>) -> Self {
        let broken = Self::broken(error);
        let Error::Unrecorded { execution, .. } = error else { return broken };
        let decision = Decision {
            outcome: "failed",
            reason: ReasonCode::Error.as_str().to_owned(),
            action: about.action.map(str::to_owned),
            entity_id: about.id.to_owned(),
            current_state: about.state,
            next_step: Some("settle"),
            remedy: None,
            execution_id: Some(execution.clone()),
            deduplicated: false,
            error: format!(
                "execution `{execution}` has started, and how it ended could not be recorded: it may have happened, and a person has \
                 to settle it before it is tried again"
            ),
        };
        Self { status: broken.status, body: Body::Decision(Box::new(decision)) }
    }

    /// A policy cannot say whether it may be shown; why, is in the log and not for the client.
    pub(crate) fn undecided() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "who may see this could not be decided: try again later")
    }

    /// A list came to nothing that may be shown before its time was over. It could not be gone on with without naming what may not.
    pub(crate) fn nothing_in_time() -> Self {
        let message = "nothing that you may see was found in time: name what you look for by its id";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// A refusal as an answer to what was asked.
    pub(crate) fn refused(outcome: &'static str, refusal: Refusal, about: &About<'_>) -> Self {
        let status = status(&refusal, about);
        if status == StatusCode::NOT_FOUND {
            let Refusal { message: error, remedy, .. } = refusal;
            return Self { status, body: Body::Sentence { error, detail: None, remedy } };
        }
        let next_step = (refusal.code == ReasonCode::ApprovalRequired).then_some("request_approval");
        let decision = Decision {
            outcome,
            reason: refusal.code.as_str().to_owned(),
            action: about.action.map(str::to_owned),
            entity_id: about.id.to_owned(),
            current_state: about.state,
            next_step,
            remedy: refusal.remedy,
            execution_id: None,
            deduplicated: false,
            error: refusal.message,
        };
        Self { status, body: Body::Decision(Box::new(decision)) }
    }

    /// An executor ran and did not answer with its event. When it may have happened all the same, that is a conflict: nothing can
    /// be done on the entity until it is settled, or it was settled otherwise meanwhile.
    pub(crate) fn failed(failed: Failed, about: &About<'_>) -> Self {
        let in_doubt = failed.is_in_doubt();
        let Failed { execution, failure, deduplicated } = failed;
        let decision = Decision {
            outcome: "failed",
            reason: Failure::code(&failure).to_owned(),
            action: about.action.map(str::to_owned),
            entity_id: about.id.to_owned(),
            current_state: about.state,
            next_step: in_doubt.then_some("settle"),
            remedy: None,
            execution_id: Some(execution),
            deduplicated,
            error: failure.message().to_owned(),
        };
        let status = if failure.is_unknown() { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self { status, body: Body::Decision(Box::new(decision)) }
    }
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The entity's id; empty while it is not known.
    pub(crate) id: &'a str,
    pub(crate) action: Option<&'a str>,
    /// What the entity is, as far as the client may know.
    pub(crate) state: Option<&'static str>,
}

impl<'a> About<'a> {
    /// What cannot be known before it is clear who asks.
    pub(crate) const NOTHING: Self = Self { id: "", action: None, state: None };

    pub(crate) fn entity(key: &'a EntityKey) -> Self {
        Self { id: key.id(), action: None, state: None }
    }

    pub(crate) fn action(key: &'a EntityKey, action: &'a str) -> Self {
        Self { id: key.id(), action: Some(action), state: None }
    }

    pub(crate) const fn in_state(self, state: Option<&'static str>) -> Self {
        Self { state, ..self }
    }
}

/// An event that leads nowhere conflicts with what the entity is; an action that the state does not allow is what the
/// contract calls a bad request.
fn status(refusal: &Refusal, about: &About<'_>) -> StatusCode {
    match refusal.code {
        ReasonCode::UnknownAction if about.action.is_none() => StatusCode::BAD_REQUEST,
        ReasonCode::UnknownAction | ReasonCode::UnknownEntity => StatusCode::NOT_FOUND,
        ReasonCode::PermissionDenied => StatusCode::FORBIDDEN,
        ReasonCode::StateNotAllowed if about.action.is_none() => StatusCode::CONFLICT,
        ReasonCode::StateNotAllowed
        | ReasonCode::MissingParameter
        | ReasonCode::InvalidParameter
        | ReasonCode::ApprovalPolicyError => StatusCode::BAD_REQUEST,
        ReasonCode::ApprovalRequired | ReasonCode::ActionInProgress => StatusCode::CONFLICT,
        ReasonCode::ExecutorMissing | ReasonCode::InvalidContract | ReasonCode::IdempotencyKeyReused => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ReasonCode::Error => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::broken_about(&error, &About::NOTHING)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = answer(self.status, &self.body);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A value as a JSON answer.
pub(crate) fn answer<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => {
            let headers = headers::of_json(text.len());
            let mut response = Response::new(text.into());
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            response
        }
        Err(error) => Problem::broken(&error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_late_is_not_told_to_have_settled_what_is_settled() {
        let about = About { id: "ord-1", action: Some("MARK_PAID"), state: None };
        let step = |failure: Failure| {
            let failed = Failed { execution: "run-1".parse().unwrap(), failure, deduplicated: false };
            let problem = Problem::failed(failed, &about);
            let Body::Decision(decision) = problem.body else { panic!("it is a decision") };
            (problem.status.as_u16(), decision.next_step)
        };
        assert_eq!(step(Failure::unknown("the bank did not say")), (409, Some("settle")));
        assert_eq!(step(Failure::unknown("the bank did not say").with_code("too_late")), (409, Some("settle")));
        assert_eq!(step(Failure::late("the bank did not say".to_owned())), (409, None));
    }
}

//! A page that says why there is none.

use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;

use crate::json::visible;

use super::super::problem::Problem;
use super::frame::{self, Place};
use super::session::Signed;

/// Why a page cannot be shown.
pub(super) struct Sorry(Problem);

impl<E: Into<Problem>> From<E> for Sorry {
    fn from(problem: E) -> Self {
        Self(problem.into())
    }
}

/// What is below `/admin` and no page.
pub(super) async fn no_page(signed: Signed) -> Response {
    let main = html! { p.notice { "There is no such page." } };
    frame::page_with(StatusCode::NOT_FOUND, &signed, Place::Elsewhere, "Not found", &main)
}

/// An answer as it is told to people: an error that is no page becomes one.
pub(super) async fn told(answer: Response) -> Response {
    /// As much as is read of what an error says.
    const MOST: usize = 64 * 1024;
    let is_error = answer.status().is_client_error() || answer.status().is_server_error();
    let said = answer.headers().get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
    if !is_error || said.starts_with("text/html") {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, MOST).await.unwrap_or_default();
    let page = Sorry::from(Problem::new(parts.status, sentence(&body))).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, page.into_body())
}

/// What an error says to a program, in a sentence. What is no JSON comes from where a form or an address is read.
fn sentence(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Told {
        error: String,
    }
    if let Ok(Told { error }) = serde_json::from_slice(body) {
        return error;
    }
    match str::from_utf8(body) {
        Ok("") | Err(_) => "This was refused.".to_owned(),
        Ok(text) => format!("This was not sent as a page here sends it: {text}"),
    }
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let main = html! {
            p.notice { (visible(self.0.sentence())) }
            p { a href="/admin" { "Back to the inbox" } }
        };
        let title = match self.0.status() {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not for you",
            status if status.is_server_error() => "Something broke",
            _ => "That cannot be done",
        };
        frame::outside(self.0.status(), title, &main)
    }
}

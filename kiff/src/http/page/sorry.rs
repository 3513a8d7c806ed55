//! A page that says why there is none.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

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

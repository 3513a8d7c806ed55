//! The style, the script and the icon of the pages, under names that change with what they say.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::digest::Digest;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f5f8b"/><path d="M4 8.5l3 3 5-7" fill="none" stroke="#fff" stroke-width="2"/></svg>"##;

/// Where the style is.
pub(super) fn style_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| path("/admin/page.css", STYLE))
}

/// Where the script is.
pub(super) fn script_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| path("/admin/page.js", SCRIPT))
}

/// Where the picture is that a browser puts beside the title.
pub(super) fn icon_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| path("/admin/icon.svg", ICON))
}

fn path(name: &str, text: &str) -> String {
    let version: String = Digest::of(&[text.as_bytes()]).to_string().chars().take(12).collect();
    format!("{name}?v={version}")
}

/// Hands out the style.
pub(super) async fn style() -> Response {
    kept("text/css; charset=utf-8", STYLE)
}

/// Hands out the script.
pub(super) async fn script() -> Response {
    kept("text/javascript; charset=utf-8", SCRIPT)
}

/// Hands out the picture.
pub(super) async fn icon() -> Response {
    kept("image/svg+xml", ICON)
}

fn kept(of: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, of), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], text).into_response()
}

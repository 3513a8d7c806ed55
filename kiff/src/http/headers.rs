//! The headers of answers: what each of them says beside its body.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What every answer says beside, unless its route says something else: to browsers, that they may do nothing with it.
static SECURITY: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The headers of an empty answer of JSON.
static JSON: LazyLock<HeaderMap> = LazyLock::new(|| {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let length = (header::CONTENT_LENGTH, HeaderValue::from(0));
    SECURITY.iter().cloned().chain([kind, length]).collect()
});

/// The headers of an answer of so many bytes of JSON: a copy, so that there is one piece of memory for all of them.
pub(super) fn of_json(length: usize) -> HeaderMap {
    let mut headers = JSON.clone();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers
}

/// Adds what every answer says beside.
pub(super) fn complete(headers: &mut HeaderMap) {
    for (name, value) in &SECURITY {
        if !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
}

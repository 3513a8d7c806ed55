//! Where somebody goes on who had to sign in first.

use axum::http::Uri;

use super::frame::encoded;

/// The page to which somebody wanted to come before they were sent to sign in.
///
/// INVARIANT: it is a page of these, whoever has written the address that says it, and no browser takes it for another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WayBack(String);

impl WayBack {
    /// A longer one is not kept.
    const MOST: usize = 2048;

    /// The way back to a page; none where it is no page to come back to.
    pub(super) fn new(path: &str) -> Option<Self> {
        let inside = path.strip_prefix("/admin/")?;
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !path.contains("//");
        let is_page = !matches!(inside.split(['/', '?', '#']).next(), Some("sign-in" | "sign-out" | "live"));
        let mut segments = inside.split(['?', '#']).next().unwrap_or_default().split('/');
        (path.len() <= Self::MOST && is_plain && is_page && !segments.any(is_dots)).then(|| Self(path.to_owned()))
    }

    /// The way back to what was asked for.
    pub(super) fn to(asked: &Uri) -> Option<Self> {
        asked.path_and_query().and_then(|path| Self::new(path.as_str()))
    }

    /// Its path.
    pub(super) fn path(&self) -> &str {
        &self.0
    }

    /// It as a part of a query.
    pub(super) fn encoded(&self) -> String {
        encoded(&self.0)
    }
}

/// Whether a browser leaves a segment out, or with it the one before, also where it is encoded.
fn is_dots(segment: &str) -> bool {
    matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_the_way_back_leads_to_no_other_place() {
        for good in ["/admin/doubt", "/admin/approvals/Order/a%2Fb%20c/app-1", "/admin/search?actor=a&entity=%2F%2Fb.."]
        {
            assert_eq!(WayBack::new(good).as_ref().map(WayBack::path), Some(good));
        }
        for bad in [
            "",
            "/",
            "/admin",
            "/administrator",
            "admin/doubt",
            "//evil.example",
            "//evil.example/admin/",
            "/\\evil.example",
            "https://evil.example/admin/",
            "/admin//evil.example",
            "/admin/\\evil",
            "/admin/doubt\r\nset-cookie: a=b",
            "/admin/do ubt",
            "/admin/ausgänge",
            "/admin/../evil",
            "/admin/doubt/%2E%2e/../evil",
            "/admin/.?a",
            "/admin/sign-in?in",
            "/admin/sign-out",
            "/admin/live",
        ] {
            assert_eq!(WayBack::new(bad), None, "{bad:?}");
        }
        assert_eq!(WayBack::new(&format!("/admin/{}", "a".repeat(WayBack::MOST))), None);
    }
}

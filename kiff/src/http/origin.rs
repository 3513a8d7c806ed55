//! Whether a page of another origin has a browser send a request, which shows by itself whoever looks at that page.

use super::identity::Credentials;

/// Whether a page of another origin sent it, by what its browser says: `Sec-Fetch-Site`, or `Origin` where that is not there.
/// What says neither is no page.
pub(super) fn is_foreign(credentials: Credentials<'_>) -> bool {
    if credentials.has("sec-fetch-site") {
        !matches!(credentials.header("sec-fetch-site"), Some("same-origin" | "none"))
    } else {
        names_another_origin(credentials)
    }
}

/// Whether it has an `Origin` that its `Host` is not the authority of.
pub(super) fn names_another_origin(credentials: Credentials<'_>) -> bool {
    let origin = credentials.header("origin").and_then(|origin| origin.split_once("://"));
    let is_own = matches!((origin, credentials.header("host")), (Some((_, authority)), Some(host))
        if authority.eq_ignore_ascii_case(host));
    credentials.has("origin") && !is_own
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

    use super::*;

    #[test]
    fn p4_what_a_browser_says_of_the_page_that_sends_is_believed_and_what_is_not_clear_is_foreign() {
        let (own, other) = (("origin", "https://shop.example:8443"), ("origin", "https://evil.example"));
        let site = |site| ("sec-fetch-site", site);
        let cases: [(&[(&'static str, &'static str)], bool); 12] = [
            (&[], false),
            (&[own], false),
            (&[other], true),
            (&[("origin", "https://shop.example")], true),
            (&[("origin", "null")], true),
            (&[own, own], true),
            (&[site("same-origin")], false),
            (&[site("none")], false),
            (&[site("same-site"), own], true),
            (&[site("cross-site")], true),
            (&[site("same-origin"), site("same-origin")], true),
            // A proxy in front has put another `Host` there.
            (&[site("same-origin"), other], false),
        ];
        for (said, expected) in cases {
            let mut headers = HeaderMap::new();
            for &(name, value) in [("host", "SHOP.example:8443")].iter().chain(said) {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(is_foreign(Credentials::new(&headers, None)), expected, "{said:?}");
        }
    }

    #[test]
    fn p4_an_origin_is_another_one_where_nobody_says_for_which_host_it_asks() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://shop.example"));
        assert!(is_foreign(Credentials::new(&headers, None)));
    }
}

//! What all pages share: the head, the way to the others, and words for times and values.

use std::iter;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::actor::Actor;
use crate::identifier::EntityKey;
use crate::json::{is_hidden, visible};
use crate::schema::Risk;
use crate::time::Timestamp;

use super::assets;
use super::session::Signed;

pub(super) use super::super::percent::encoded;

/// The pages that the head leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Inbox,
    Doubt,
    Search,
    Domains,
    Elsewhere,
}

const PLACES: [(Place, &str, &str); 4] = [
    (Place::Inbox, "/admin", "Inbox"),
    (Place::Doubt, "/admin/doubt", "Doubt"),
    (Place::Search, "/admin/search", "Search"),
    (Place::Domains, "/admin/domains", "Domains"),
];

/// A page for somebody who is signed in.
pub(super) fn page(signed: &Signed, place: Place, title: &str, main: &Markup) -> Response {
    let head = html! {
        @for (to, path, name) in PLACES {
            a href=(path) aria-current=[(to == place).then_some("page")] { (name) }
        }
        span.who {
            span { "signed in as " strong { (name(signed.actor().id().as_str())) } }
            form.plain method="post" action="/admin/sign-out" {
                (signed.csrf_field())
                button.link type="submit" { "Sign out" }
            }
        }
    };
    let live = html! {
        div #live hidden role="status" data-source="/admin/live" { "Something has changed. " a href="" { "Show it" } }
    };
    document(StatusCode::OK, title, &head, main, &live)
}

/// The same page with another status.
pub(super) fn page_with(status: StatusCode, signed: &Signed, place: Place, title: &str, main: &Markup) -> Response {
    let mut response = page(signed, place, title, main);
    *response.status_mut() = status;
    response
}

/// A page for somebody who is not signed in.
pub(super) fn outside(status: StatusCode, title: &str, main: &Markup) -> Response {
    document(status, title, &html! {}, main, &html! {})
}

fn document(status: StatusCode, title: &str, head: &Markup, main: &Markup, live: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · kiff" }
                link rel="icon" type="image/svg+xml" href=(assets::icon_path());
                link rel="stylesheet" href=(assets::style_path());
                script defer src=(assets::script_path()) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header { nav aria-label="Pages" { (head) } }
                main #main { h1 { (title) } (main) }
                (live)
            }
        }
    };
    (status, Html(page.into_string())).into_response()
}

/// Why what was sent is not done. It has the focus, so that whoever does not see the page hears it at once.
pub(super) fn refused(problem: &str) -> Markup {
    html! { p.notice.bad role="alert" tabindex="-1" autofocus { (visible(problem)) } }
}

/// The way to the next part of a list, where there is one.
pub(super) fn onward(next: Option<String>, words: &str) -> Markup {
    html! { @if let Some(next) = next { p { a href=(next) rel="next" { (words) } } } }
}

/// What is said where something was left out of a list of which nobody can say whether the reader may see it.
pub(super) fn undecided(undecided: bool) -> Markup {
    html! {
        @if undecided {
            p.notice.warn { "Whether you may see some of what belongs here could not be decided. It is left out: try again later." }
        }
    }
}

/// What is said where the time was over before anything of a sort was found that the reader may see.
pub(super) fn nothing_in_time(entity_type: &str) -> Markup {
    html! {
        p.notice.warn {
            "Of " (visible(entity_type)) ", nothing that you may see was found in time: name what you look for by its id."
        }
    }
}

/// A time to the second; the whole of it is to be seen on it.
pub(super) fn at(time: Timestamp) -> Markup {
    let whole = time.to_string();
    let seconds = whole.split('.').next().unwrap_or_default().replace('T', " ");
    html! { time datetime=(whole) title=(whole) { (seconds) } }
}

/// How long ago something was, in words, with the time itself to be seen on it.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(then) title=(then) { (span(then, now)) " ago" } }
}

/// How long it is until something, in words.
pub(super) fn until(then: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(then) title=(then) {
            @if now < then { "in " (span(now, then)) } @else { (span(then, now)) " ago" }
        }
    }
}

/// The time between, rounded, in the largest unit of which there are two, so that rounding tells at most a quarter too much.
fn span(from: Timestamp, to: Timestamp) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = to.as_microseconds().saturating_sub(from.as_microseconds()).saturating_add(500_000) / 1_000_000;
    let (size, name) = UNITS.into_iter().find(|(size, _)| seconds >= 2 * size).unwrap_or((1, "second"));
    let count = (seconds + size / 2).checked_div(size).unwrap_or(0);
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// A risk in its colour, and in words for whoever sees no colours.
pub(super) fn risk(risk: Risk) -> Markup {
    html! { span class={ "badge " (risk.as_str()) } { (risk.as_str()) " risk" } }
}

/// Who, and of which kind.
pub(super) fn who(actor: &Actor) -> Markup {
    html! { (name(actor.id().as_str())) " " span.quiet.kind { "(" (actor.kind().as_str()) ")" } }
}

/// A text in which nothing looks like something else: what is not seen, or looks like a plain space and is none, is written as its
/// code, and backslashes before a code, or before what reads like one, are doubled.
pub(super) fn exact(text: &str) -> String {
    coded(text, |_| false)
}

/// A text of several lines, each of them [`exact`].
pub(super) fn lines(text: &str) -> String {
    text.lines().map(exact).collect::<Vec<_>>().join("\n")
}

/// A name that looks like no other: as [`exact`], and of the spaces that a browser leaves out each is written as its code.
pub(super) fn name(text: &str) -> String {
    coded(text, |place| {
        let (before, rest) = text.split_at(place);
        rest.starts_with(' ') && (before.is_empty() || before.ends_with(' ') || rest == " ")
    })
}

/// The name of an entity, with its type.
pub(super) fn named(key: &EntityKey) -> String {
    format!("{}/{}", name(key.entity_type()), name(key.id()))
}

fn coded(text: &str, is_lost: impl Fn(usize) -> bool) -> String {
    let (mut shown, mut backslashes) = (String::with_capacity(text.len()), 0);
    for (place, character) in text.char_indices() {
        let looks_like_space = character == '\u{2800}' || !character.is_ascii() && character.is_whitespace();
        let is_coded = is_hidden(character) || looks_like_space || is_lost(place);
        if is_coded || text.get(place..).is_some_and(|rest| rest.starts_with("u{")) {
            shown.extend(iter::repeat_n('\\', backslashes));
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
        if is_coded { shown.extend(character.escape_unicode()) } else { shown.push(character) }
    }
    shown
}

/// The way to an entity's page.
pub(super) fn entity_path(key: &EntityKey) -> String {
    format!("/admin/entities/{}/{}", encoded(key.entity_type()), encoded(key.id()))
}

/// An entity's name, which leads to its page.
pub(super) fn entity_link(key: &EntityKey) -> Markup {
    html! { a href=(entity_path(key)) { (named(key)) } }
}

/// A doc comment as one paragraph.
pub(super) fn prose(documentation: &str) -> String {
    documentation.lines().map(visible).collect::<Vec<_>>().join(" ")
}

/// JSON as people read it: on lines of its own, with every character shown.
pub(super) fn pretty(json: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(json);
    let text = value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| json.to_owned());
    lines(&text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_rounded_in_their_largest_unit() {
        let then = Timestamp::default();
        for (milliseconds, words) in [
            (0, "0 seconds"),
            (1_400, "1 second"),
            (1_600, "2 seconds"),
            (119_000, "119 seconds"),
            (3_597_000, "60 minutes"),
            (7_300_000, "2 hours"),
            (86_397_000, "24 hours"),
            (86_400_000, "24 hours"),
            (216_100_000, "3 days"),
        ] {
            assert_eq!(span(then, then.after(Duration::from_millis(milliseconds))), words);
        }
        assert_eq!(span(then.after(Duration::from_secs(5)), then), "0 seconds");
    }

    #[test]
    fn p3_two_names_never_look_alike_to_whoever_reads_them() {
        for (text, shown) in [
            ("ord 1", "ord 1"),
            ("C:\\users", "C:\\users"),
            (" ", "\\u{20}"),
            (" ord 1", "\\u{20}ord 1"),
            ("ord 1 ", "ord 1\\u{20}"),
            ("ord  1", "ord \\u{20}1"),
            ("ord\u{a0}1", "ord\\u{a0}1"),
            ("ord\u{3000}1", "ord\\u{3000}1"),
            ("ord\u{2800}1", "ord\\u{2800}1"),
            ("ord\\u{a0}1", "ord\\\\u{a0}1"),
            ("ord\\\u{a0}1", "ord\\\\\\u{a0}1"),
            ("ord\\\\u{a0}1", "ord\\\\\\\\u{a0}1"),
        ] {
            assert_eq!(name(text), shown);
        }
    }

    #[test]
    fn json_shows_what_would_hide() {
        assert_eq!(pretty("{\"a\":\"x\\u202ey\"}"), "{\n  \"a\": \"x\\u{202e}y\"\n}");
    }
}

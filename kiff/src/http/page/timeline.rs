//! The timeline on a page: its last part or an earlier one, filtered or whole, each record with its details.

use std::sync::Arc;

use maud::{Markup, html};
use serde::Deserialize;

use crate::identifier::{ActorId, EntityKey};
use crate::journal::{Commit, Cursor, Query};
use crate::json::visible;
use crate::served::Served;
use crate::timeline::{Line, Timeline};

use super::super::Shared;
use super::super::kind::Kind;
use super::super::problem::Problem;
use super::super::request::Caller;
use super::frame::{self, encoded, pretty};

/// How many commits are shown at once.
const SHOWN: usize = 100;

/// How many bytes of page they take at once, unless one alone takes more. Whoever asks for a sign-off writes what is shown beside it.
const ROOM: usize = 1024 * 1024;

/// How many bytes of a record's details are shown.
const DETAILS: usize = 16 * 1024;

/// How many bytes of a record in words are shown.
const WORDS: usize = 512;

/// Which records to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    kind: String,
    actor: String,
    /// Before this commit or, in a filtered timeline, before this position.
    before: Option<u64>,
}

/// A part of a timeline.
pub(super) struct Part {
    key: EntityKey,
    /// Each with its place: its number or, in a filtered timeline, its position.
    commits: Vec<(u64, Arc<Commit>)>,
    /// Before what the part before this one ends.
    earlier: Option<u64>,
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.kind.is_empty() && self.actor.trim().is_empty()
    }

    /// The last part of what fits, or the one before a place.
    pub(super) async fn found(
        &self,
        shared: &Shared,
        caller: &Caller,
        served: &Arc<dyn Served>,
        key: &EntityKey,
        last: u64,
    ) -> Result<Part, Problem> {
        if self.is_empty() {
            return self.part(&**served, key, last).await;
        }
        let mut query = Query::default().entity(key.clone());
        if !self.kind.is_empty() {
            let kind = Kind::try_from(self.kind.clone()).map_err(Problem::bad_request)?;
            query = query.kind(kind.as_str());
        }
        if !self.actor.trim().is_empty() {
            let actor = ActorId::new(self.actor.trim()).map_err(|error| Problem::bad_request(error.to_string()))?;
            query = query.actor(actor);
        }
        // Some stores look through what the actor did with all entities.
        let before = Cursor::Before(self.before.unwrap_or(u64::MAX));
        let mut found = shared.search(caller, served, query, before, SHOWN).await?;
        let earlier = found.last().filter(|_| found.len() == SHOWN).map(|(position, _)| *position);
        found.reverse();
        Ok(Part { key: key.clone(), commits: found, earlier })
    }

    /// The last part of a whole timeline, or the one before a commit.
    pub(super) async fn part(&self, served: &dyn Served, key: &EntityKey, last: u64) -> Result<Part, Problem> {
        let end = self.before.map_or(last, |before| before.saturating_sub(1).min(last));
        let start = end.saturating_sub(SHOWN as u64);
        let commits = served.read(key, start, usize::try_from(end - start).unwrap_or_default()).await?;
        let commits = commits.into_iter().map(|commit| (commit.number(), commit)).collect();
        Ok(Part { key: key.clone(), commits, earlier: (start > 0).then_some(start + 1) })
    }

    fn takes(&self, line: &Line<'_>) -> bool {
        self.kind.is_empty() || self.kind == line.record().fact().kind()
    }

    /// The way to the part before.
    fn earlier(&self, key: &EntityKey, before: u64) -> String {
        let (kind, actor) = (encoded(&self.kind), encoded(&self.actor));
        format!("{}?kind={kind}&actor={actor}&before={before}#timeline", frame::entity_path(key))
    }

    /// The form that filters.
    pub(super) fn form(&self) -> Markup {
        html! {
            form.filters method="get" action="#timeline" {
                div {
                    label for="kind" { "Kind of record" }
                    select #kind name="kind" {
                        option value="" { "all" }
                        @for kind in Kind::names() { option value=(kind) selected[kind == self.kind] { (kind) } }
                    }
                }
                div { label for="actor" { "Actor" } input #actor type="text" name="actor" value=(self.actor); }
                div { button type="submit" { "Show" } }
            }
        }
    }

    /// The last records of a part for which there is room, each with its details and, where there is a log, the way to its receipt.
    pub(super) fn shown(&self, part: &Part, receipts: bool) -> Markup {
        let (rows, earlier) = self.rows(part, receipts);
        html! {
            @if let Some(before) = earlier { p { a href=(self.earlier(&part.key, before)) rel="prev" { "Earlier" } } }
            @if part.commits.is_empty() { p { "Nothing." } } @else {
                div.scroll {
                    table.stack aria-label="Timeline" {
                        thead { tr { th { "Record" } th { "When (UTC)" } th { "Who" } th { "What" } } }
                        tbody { @for row in rows.iter().rev() { (row) } }
                    }
                }
            }
        }
    }

    /// The rows for which there is room, the last one first, and before what the part before them ends.
    fn rows(&self, part: &Part, receipts: bool) -> (Vec<Markup>, Option<u64>) {
        let (mut rows, mut size, mut shown_to) = (Vec::new(), 0, None);
        for (place, commit) in part.commits.iter().rev() {
            if size > ROOM {
                return (rows, shown_to);
            }
            let timeline = Timeline::new(part.key.clone(), vec![Arc::clone(commit)]);
            let lines: Vec<_> = timeline.lines().filter(|line| self.takes(line)).collect();
            let own = lines.iter().rev().map(|line| row(line, receipts));
            rows.extend(own.inspect(|row| size += row.0.len()));
            shown_to = Some(*place);
        }
        (rows, part.earlier)
    }
}

fn row(line: &Line<'_>, receipts: bool) -> Markup {
    let (record, commit) = (line.record(), line.record().commit());
    let (message, details) = (line.message(), details(line));
    let (words, shown) = (beginning(&message, WORDS), beginning(&details, DETAILS));
    html! {
        tr {
            td.number data-label="record" { (record.id()) }
            td data-label="when" { (frame::at(commit.at())) }
            td.who data-label="by" { (frame::who(commit.actor())) }
            td.wide {
                details {
                    summary {
                        code { (record.fact().kind()) } " " (words) @if words.len() < message.len() { "…" }
                    }
                    pre { (shown) }
                    @if shown.len() < details.len() {
                        p.quiet {
                            "This is the beginning of it. The whole record is in the entity's timeline over the API"
                            @if receipts { ", and in the receipt" } "."
                        }
                    }
                    @if receipts {
                        p { a href=(receipt_path(commit)) { "Receipt of commit " (commit.number()) } }
                    }
                }
            }
        }
    }
}

/// As much of a text as fits.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

fn details(line: &Line<'_>) -> String {
    serde_json::to_string(line).map_or_else(|error| visible(&error.to_string()), |json| pretty(&json))
}

/// The way to the receipt of a commit.
pub(super) fn receipt_path(commit: &Commit) -> String {
    format!("{}/receipt?commit={}", frame::entity_path(commit.key()), commit.number())
}

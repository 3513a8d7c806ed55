//! The inbox: what waits for a human, the oldest first.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::approval::Approval;
use crate::json::visible;
use crate::runtime::Pending;
use crate::schema::Contract;
use crate::served::Served;
use crate::time::Timestamp;

use super::super::Shared;
use super::super::request::Caller;
use super::approval::{approval_path, may_answer};
use super::frame::{self, Place};
use super::now;
use super::session::Signed;
use super::sorry::Sorry;

/// How many requests are shown at once: whoever has decided these sees the next ones.
const SHOWN: usize = 100;

/// How many times as many are looked at, where a person may not see those that come first.
const PAGES: usize = 20;

/// One request, and what is known of it beside.
struct Waiting {
    pending: Pending,
    contract: Option<&'static Contract>,
    /// Whether it waits for whoever looks.
    mine: bool,
}

/// `GET /admin`.
pub(super) async fn show(State(shared): State<Shared>, signed: Signed, caller: Caller) -> Result<Response, Sorry> {
    let mut waiting = Vec::new();
    for served in shared.domains(None) {
        waiting.append(&mut of_domain(&**served, &signed, &caller).await?);
    }
    waiting.sort_by(|one, other| one.pending.open.cmp(&other.pending.open));
    let more = waiting.len() > SHOWN;
    waiting.truncate(SHOWN);
    let (mine, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| waiting.mine);
    let now = now();
    let main = html! {
        @if mine.is_empty() { p { "Nothing waits for you." } } @else { (table(&mine, now, "What waits for you")) }
        @if !others.is_empty() {
            h2 { "Waits for others" }
            p.quiet { "Somebody else has to answer these: you asked for them, or do not hold the permission." }
            (table(&others, now, "What waits for others"))
        }
        @if more { p.quiet { "There are more: these are the oldest " (SHOWN) "." } }
    };
    Ok(frame::page(&signed, Place::Inbox, "Inbox", &main))
}

/// The oldest requests of a domain that the person may see, one more than are shown.
async fn of_domain(served: &dyn Served, signed: &Signed, caller: &Caller) -> Result<Vec<Waiting>, Sorry> {
    let (mut waiting, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = served.pending_approvals(after.as_ref(), SHOWN + 1).await?;
        let is_last = page.len() <= SHOWN;
        after = page.last().map(|pending| pending.open.clone());
        for pending in page {
            let key = &pending.open.key;
            if caller.may_read(served, signed.actor(), key)? {
                let contract = served.schema().action(&pending.approval.action);
                let mine = may_answer(served, signed.actor(), key, &pending.approval);
                waiting.push(Waiting { pending, contract, mine });
            }
        }
        if is_last || waiting.len() > SHOWN {
            break;
        }
    }
    Ok(waiting)
}

fn table(waiting: &[Waiting], now: Timestamp, caption: &str) -> Markup {
    html! {
        div.scroll {
            table.stack aria-label=(caption) {
                thead { tr { th { "What" } th { "Of" } th { "With" } th { "Who asks" } th { "Asked" } th { "Expires" } } }
                tbody { @for waiting in waiting { (row(waiting, now)) } }
            }
        }
    }
}

fn row(waiting: &Waiting, now: Timestamp) -> Markup {
    let Pending { open, approval } = &waiting.pending;
    html! {
        tr {
            td {
                a href=(approval_path(&open.key, &approval.id)) { strong { (visible(&approval.action)) } } " "
                @if let Some(contract) = waiting.contract { (frame::risk(contract.risk)) }
            }
            td data-label="of" { (frame::entity_link(&open.key)) }
            td data-label="with" { span.value { (short(approval)) } }
            td data-label="asked by" { (frame::who(&approval.requested_by)) }
            td data-label="asked" { (frame::ago(approval.requested_at, now)) }
            td data-label="expires" { (frame::until(approval.expires_at, now)) }
        }
    }
}

/// The parameters, as far as they fit into a line.
fn short(approval: &Approval) -> String {
    const FITS: usize = 120;
    let text = visible(approval.parameters.as_str());
    match text.char_indices().nth(FITS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

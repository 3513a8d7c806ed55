//! Telling an open page that something has changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::{Instant, sleep};

use crate::journal::{Cursor, Query};

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::Caller;
use super::sorry::Sorry;

/// How often it is looked whether something has changed.
const PAUSE: Duration = Duration::from_secs(1);

/// `GET /admin/live`: says `changed` whenever a commit of the person's tenant has been written.
pub(super) async fn changes(State(shared): State<Shared>, caller: Caller) -> Result<Response, Sorry> {
    let limits = &shared.limits;
    let Some(seat) = shared.streams.take(caller.principal.clone(), limits.streams) else {
        return Err(Problem::too_many("this person has too many pages open").into());
    };
    let until = limits.stream_end();
    let seen = heads(&shared, &caller).await;
    let start = (shared.clone(), caller, seen, seat);
    let events = stream::unfold(start, move |(shared, caller, seen, seat)| async move {
        loop {
            tokio::select! {
                () = sleep(PAUSE) => if Instant::now() >= until { return None },
                () = caller.working.closing() => return None,
            }
            let now = heads(&shared, &caller).await;
            if now != seen {
                // A browser drops an event without data.
                let event = Event::default().event("changed").data("yes");
                return Some((Ok::<_, Infallible>(event), (shared, caller, now, seat)));
            }
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new()).into_response())
}

/// The position of the last commit that the person's tenant has in each domain's store. A store that fails says nothing: the
/// page itself will tell.
async fn heads(shared: &Shared, caller: &Caller) -> Vec<Option<u64>> {
    let query = Query::default().tenant(caller.principal.tenant());
    let mut heads = Vec::new();
    for served in shared.domains(None) {
        let last = served.search(&query, Cursor::LAST, 1).await.ok();
        heads.push(last.and_then(|last| last.first().map(|(position, _)| *position)));
    }
    heads
}

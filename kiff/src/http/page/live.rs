//! Telling an open page that something has changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::{Instant, sleep};

use crate::journal::{Cursor, Query};
use crate::served::Served;

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::{Caller, Sight};
use super::super::stream::head;
use super::sorry::Sorry;

/// How often it is looked whether something has changed.
const PAUSE: Duration = Duration::from_secs(1);

/// How many commits are looked at at once.
const PAGE: usize = 64;

/// `GET /admin/live`: says `changed` whenever something has been written that the person may see.
pub(super) async fn changes(State(shared): State<Shared>, caller: Caller) -> Result<Response, Sorry> {
    let limits = &shared.limits;
    let Some(seat) = shared.streams.take(caller.principal.clone(), limits.streams) else {
        return Err(Problem::too_many("this person has too many pages open").into());
    };
    let until = limits.stream_end();
    let mut stores = Vec::new();
    for served in shared.domains(None) {
        stores.push(Watched { served: Arc::clone(served), seen: head(&**served).await.ok() });
    }
    let start = (stores, caller, seat);
    let events = stream::unfold(start, move |(mut stores, caller, seat)| async move {
        loop {
            tokio::select! {
                () = sleep(PAUSE) => if Instant::now() >= until { return None },
                () = caller.working.closing() => return None,
            }
            let mut has_changed = false;
            for store in &mut stores {
                has_changed |= store.has_changed(&caller).await;
            }
            if has_changed {
                // A browser drops an event without data.
                let event = Event::default().event("changed").data("yes");
                return Some((Ok::<_, Infallible>(event), (stores, caller, seat)));
            }
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new()).into_response())
}

/// A domain's store, and how far it was looked through.
struct Watched {
    served: Arc<dyn Served>,
    /// The position up to which it was; none as long as it has not said where it ends.
    seen: Option<u64>,
}

impl Watched {
    /// Whether something that the caller may see has been written since it was looked for. It is looked for in what was written since,
    /// and not backwards from the end: of somebody who is quiet there may be nothing for a long way. A store that fails says nothing:
    /// the page itself will tell. What a policy cannot decide about is passed over, as lists leave it out.
    async fn has_changed(&mut self, caller: &Caller) -> bool {
        // Known before the commits are looked for: whatever stands up to there and is not found is not for the caller.
        let Ok(head) = head(&*self.served).await else { return false };
        let Some(mut seen) = self.seen else {
            // It failed when the page was shown.
            self.seen = Some(head);
            return true;
        };
        let (tenant, entity_type) = (caller.principal.tenant(), &self.served.schema().entity_type);
        let wanted = Query::default().tenant(tenant).entity_type(entity_type.as_ref());
        while seen < head {
            let Ok(found) = self.served.search(&wanted, Cursor::After(seen), PAGE).await else { return false };
            let last = found.last().filter(|_| found.len() == PAGE).map(|(position, _)| *position);
            for (position, commit) in &found {
                if caller.sight(&*self.served, commit.key()) == Sight::Shown {
                    self.seen = Some(head.max(*position));
                    return true;
                }
            }
            seen = last.unwrap_or(head);
            self.seen = Some(seen);
        }
        false
    }
}

//! The stream of records, as they are written.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::identifier::EntityKey;
use crate::journal::{Commit, Cursor, Query};
use crate::served::Served;
use crate::timeline::Timeline;

use super::Shared;
use super::identity::Principal;
use super::kind::Kind;
use super::problem::Problem;
use super::request::{Caller, Page, Said, Sight, entity_key};
use super::seats::Seat;
use place::{Place, Places};

mod place;

/// How often an idle stream looks whether there is something new.
const PAUSE: Duration = Duration::from_millis(250);

/// After how long without a record a stream says that it is still there.
const STILL_THERE: Duration = Duration::from_secs(15);

/// How many commits a stream looks at between two records.
const PAGE: usize = 64;

/// Which records to stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    entity_type: Option<String>,
    entity_id: Option<String>,
    kind: Option<Kind>,
    /// Behind which event, where nothing else says it; `0` is the beginning.
    after: Option<String>,
    /// What the header `Last-Event-ID` says, of clients that put a header of their own on a stream. They go on by it where they have
    /// begun by `after`.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
}

/// `GET /events`: the records that the principal may see, from now on or from behind the event that it saw last.
pub(super) async fn events(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Said(wanted): Said<Wanted>,
) -> Result<Response, Problem> {
    let limits = &shared.limits;
    let Some(seat) = shared.streams.take(caller.principal.clone(), limits.streams) else {
        return Err(Problem::too_many(format!("no more than {} streams at a time", limits.streams)));
    };
    let last = headers.get("last-event-id").map(|id| std::str::from_utf8(id.as_bytes())).transpose();
    let last = last.map_err(|_| Problem::bad_request("the header `Last-Event-ID` is no text"))?;
    let last = last.or(wanted.last_event_id.as_deref()).or(wanted.after.as_deref());
    let mut places =
        last.map(str::parse::<Places>).transpose().map_err(|error| Problem::bad_request(error.to_string()))?;
    if let Some(entity_id) = &wanted.entity_id {
        // What is no identifier is told now and not by silence.
        entity_key(&caller.principal, "entity", entity_id)?;
    }
    let mut tails = Vec::new();
    for served in shared.domains(shared.governed(wanted.entity_type.as_deref())?) {
        let place = match &mut places {
            Some(places) => places.of(&served.schema().domain),
            None => Place::behind(head(&**served).await?),
        };
        tails.push(Tail { served: Arc::clone(served), place });
    }
    let until = limits.stream_end();
    let mut stream = Stream {
        shared,
        caller,
        wanted,
        tails,
        ready: VecDeque::new(),
        held: 0,
        until,
        told: String::new(),
        told_at: Instant::now(),
        has_moved: false,
        _seat: seat,
    };
    if places.is_some() {
        stream.told = stream.places();
    } else if let Some(begun) = stream.place() {
        // Told before anything happens: a client that is cut off early comes back to here, and not to a later now.
        stream.ready.push_back(begun);
    }
    let events = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(STILL_THERE)).into_response())
}

/// The position of the last commit of a domain's store.
pub(super) async fn head(served: &dyn Served) -> Result<u64, Problem> {
    let last = served.search(&Query::default(), Cursor::LAST, 1).await?;
    Ok(last.first().map_or(0, |(position, _)| *position))
}

/// One domain's records, up to where they were looked at.
struct Tail {
    served: Arc<dyn Served>,
    place: Place,
}

/// What a look at the next commits has come to.
enum Looked {
    /// There may be more.
    More,
    AtEnd,
    /// It stays before a commit, because a policy cannot say whether it may be shown.
    Undecided,
}

struct Stream {
    shared: Shared,
    caller: Caller,
    wanted: Wanted,
    tails: Vec<Tail>,
    ready: VecDeque<Event>,
    /// How many bytes of records were made ready by the last look.
    held: usize,
    until: Instant,
    /// The place that its client knows once everything is sent that is ready, and when it was told of it.
    told: String,
    told_at: Instant,
    /// Whether it has got on since it was opened, or had nothing to get on to.
    has_moved: bool,
    _seat: Seat<Principal>,
}

impl Stream {
    /// The next record; none when the stream has to end, so that its client comes again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Also while there is always more: whoever reads shows from time to time that they still may. Each time they get on.
            if self.has_moved && (Instant::now() >= self.until || self.caller.working.is_closing()) {
                // What is ready and was not sent stands before where it has got to.
                return if self.ready.is_empty() { self.place() } else { None };
            }
            if let Some(event) = self.ready.pop_front() {
                self.has_moved = true;
                return Some(event);
            }
            let (has_moved, working) = (self.has_moved, self.caller.working.clone());
            let looked = tokio::select! {
                looked = self.look() => looked.ok()?,
                // It may wait long for its turn to look.
                () = working.closing(), if has_moved => continue,
            };
            if !self.ready.is_empty() {
                continue;
            }
            self.has_moved = true;
            let is_at_end = match looked {
                // Its client comes again and it is asked again: what is passed over is lost.
                Looked::Undecided => return self.place(),
                Looked::More => false,
                Looked::AtEnd => true,
            };
            // It also says how much others write, which is nobody's business at every moment.
            if !is_at_end || self.told_at.elapsed() >= STILL_THERE {
                self.told_at = Instant::now();
                if let Some(place) = self.place() {
                    return Some(place);
                }
            }
            if is_at_end {
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    () = working.closing() => {}
                }
            }
        }
    }

    /// Where it is, unless its client knows: without data it is no event, and the client goes on from here when it comes again.
    fn place(&mut self) -> Option<Event> {
        let places = self.places();
        (places != self.told).then(|| Event::default().id(self.tell(places)))
    }

    /// Notes that the client is told of a place.
    fn tell(&mut self, places: String) -> String {
        self.told.clone_from(&places);
        self.told_at = Instant::now();
        places
    }

    /// Looks at the next commits of each domain.
    async fn look(&mut self) -> Result<Looked, Problem> {
        let (mut is_at_end, mut is_undecided) = (true, false);
        self.held = 0;
        for index in 0..self.tails.len() {
            let Some(tail) = self.tails.get(index) else { break };
            let (served, place) = (Arc::clone(&tail.served), tail.place);
            // Known before the commits are looked for: whatever stands up to there and is not found is not wanted.
            let head = head(&*served).await?;
            if head < place.position || (head == place.position && place.record == Place::WHOLE) {
                continue;
            }
            let key = self.entity(&*served)?;
            match key.as_ref().map(|key| self.caller.sight(&*served, key)) {
                None | Some(Sight::Shown) => {}
                Some(Sight::Hidden) => {
                    // Where it gets on step by step it tells how much there is. Who may see it may change: it is asked at each look.
                    self.set(index, Place::behind(head));
                    continue;
                }
                Some(Sight::Undecided) => {
                    is_undecided = true;
                    continue;
                }
            }
            let query = self.query(&*served, key);
            let commits = self.shared.search(&self.caller, &served, query, Cursor::After(place.before()), PAGE).await?;
            let mut is_all = commits.len() < PAGE;
            for (position, commit) in commits {
                if self.take(index, position, &commit)? == Sight::Undecided {
                    (is_all, is_undecided) = (false, true);
                    break;
                }
                // What a client does not take yet is not kept for it: it is looked at again.
                if self.held >= Page::ROOM {
                    is_all = false;
                    break;
                }
            }
            is_at_end &= is_all;
            if let Some(tail) = self.tails.get_mut(index).filter(|tail| is_all && tail.place.position < head) {
                tail.place = Place::behind(head);
            }
        }
        Ok(match (is_undecided, is_at_end) {
            (true, _) => Looked::Undecided,
            (false, true) => Looked::AtEnd,
            (false, false) => Looked::More,
        })
    }

    /// The only entity of a domain of which something is wanted; none where it may be any.
    fn entity(&self, served: &dyn Served) -> Result<Option<EntityKey>, Problem> {
        let id = self.wanted.entity_id.as_deref();
        id.map(|id| entity_key(&self.caller.principal, &served.schema().entity_type, id)).transpose()
    }

    fn query(&self, served: &dyn Served, key: Option<EntityKey>) -> Query {
        let (tenant, entity_type) = (self.caller.principal.tenant(), &served.schema().entity_type);
        let query = match key {
            Some(key) => Query::default().entity(key),
            None => Query::default().tenant(tenant).entity_type(entity_type.as_ref()),
        };
        match self.wanted.kind {
            Some(kind) => query.kind(kind.as_str()),
            None => query,
        }
    }

    /// Makes events of the records of a commit that are wanted and were not sent yet, and gets behind it, unless nobody can decide
    /// whether it may be shown.
    fn take(&mut self, index: usize, position: u64, commit: &Arc<Commit>) -> Result<Sight, Problem> {
        let Some(tail) = self.tails.get(index) else { return Ok(Sight::Hidden) };
        let seen = if tail.place.position == position { tail.place.record } else { 0 };
        let served = Arc::clone(&tail.served);
        let sight = self.caller.sight(&*served, commit.key());
        if sight == Sight::Undecided {
            return Ok(sight);
        }
        let timeline = Timeline::new(commit.key().clone(), vec![Arc::clone(commit)]);
        for line in timeline.lines().filter(|_| sight == Sight::Shown) {
            let (record, kind) = (line.record().id(), line.record().fact().kind());
            if record.place <= seen || self.wanted.kind.is_some_and(|wanted| wanted.as_str() != kind) {
                continue;
            }
            self.set(index, Place { position, record: record.place });
            let data = serde_json::to_string(&line).map_err(|error| Problem::broken(&error))?;
            self.held += data.len();
            let places = self.tell(self.places());
            self.ready.push_back(Event::default().id(places).event(kind).data(data));
        }
        self.set(index, Place::behind(position));
        Ok(sight)
    }

    fn set(&mut self, index: usize, place: Place) {
        if let Some(tail) = self.tails.get_mut(index) {
            tail.place = place;
        }
    }

    /// Where the stream is in each domain, as the id of an event.
    fn places(&self) -> String {
        Places::written(self.tails.iter().map(|tail| (tail.served.schema().domain.as_ref(), tail.place)))
    }
}

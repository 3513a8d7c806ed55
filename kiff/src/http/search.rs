//! Searches and lists that may look through all of a store: apart from the threads that answer, and only so many at a time.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::identifier::EntityKey;
use crate::journal::{Commit, Cursor, Query};
use crate::runtime::Error;
use crate::served::Served;

use super::Shared;
use super::identity::Principal;
use super::open::READING_ON;
use super::problem::Problem;
use super::request::{Caller, Sight};

/// The room for searches.
#[derive(Debug)]
pub(super) struct Searches {
    room: Arc<Semaphore>,
    /// How much of the room one principal may take: half of it.
    share: usize,
    /// The shares of those who search or wait to.
    shares: Mutex<HashMap<Principal, Weak<Semaphore>>>,
}

/// A place for one search: of its principal's share, and of the room.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Searches {
    /// For as many at a time as there are cores.
    pub(super) fn new() -> Self {
        Self::for_each_core(1)
    }

    /// For what is known by its name, which most stores have an index of: for many more.
    pub(super) fn by_name() -> Self {
        Self::for_each_core(8)
    }

    fn for_each_core(places: usize) -> Self {
        /// So that there is always a place beside what one principal may take.
        const LEAST: usize = 2;
        let most = available_parallelism().map_or(LEAST, NonZero::get).max(LEAST).saturating_mul(places);
        Self { room: Arc::new(Semaphore::new(most)), share: most / 2, shares: Mutex::default() }
    }

    /// A place for a search of this principal, as soon as there is one.
    async fn place(&self, principal: &Principal) -> Result<Place, AcquireError> {
        // In this order: whoever waits for more than their share keeps no place from others.
        let own = self.share_of(principal).acquire_owned().await?;
        let place = Arc::clone(&self.room).acquire_owned().await?;
        Ok((own, place))
    }

    fn share_of(&self, principal: &Principal) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        if let Some(share) = shares.get(principal).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(principal.clone(), Arc::downgrade(&share));
        share
    }
}

impl Shared {
    /// As [`Served::search`], for what a client looks for and of which there may be nothing for a long way.
    ///
    /// A store may look through all that it has without letting go of its thread. On one that answers requests it would keep others
    /// waiting, and could not be given up when its time is over.
    pub(super) async fn search(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        query: Query,
        cursor: Cursor,
        limit: usize,
    ) -> Result<Vec<(u64, Arc<Commit>)>, Problem> {
        let search =
            move |served: &dyn Served, runtime: &Handle| runtime.block_on(served.search(&query, cursor, limit));
        apart(&self.searches, caller, served, search).await
    }

    /// What a query looks for and the caller may see, before a position: the newest first.
    pub(super) async fn commits(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        query: Query,
        before: u64,
        most: usize,
    ) -> Result<Walked<(u64, Arc<Commit>)>, Problem> {
        let asking = caller.unawaited();
        let walking = move |served: &dyn Served, runtime: &Handle| {
            walk(
                &asking,
                served,
                most,
                |(_, commit): &(u64, Arc<Commit>)| commit.key(),
                |last, asked| {
                    let before = last.map_or(before, |(position, _)| *position);
                    runtime.block_on(served.search(&query, Cursor::Before(before), asked))
                },
            )
        };
        apart(&self.searches, caller, served, walking).await
    }

    /// The entities that the caller may see, of the sort and the tenant of one of them and behind it, in the order of their ids.
    pub(super) async fn entities(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        after: EntityKey,
        most: usize,
    ) -> Result<Walked<EntityKey>, Problem> {
        let asking = caller.unawaited();
        let walking = move |served: &dyn Served, runtime: &Handle| {
            walk(
                &asking,
                served,
                most,
                |key: &EntityKey| key,
                |last, asked| {
                    let mut keys = runtime.block_on(served.entities(Some(last.unwrap_or(&after)), asked))?;
                    // Where others stand behind them, these are at their end.
                    keys.retain(|key| key.tenant() == after.tenant() && key.entity_type() == after.entity_type());
                    Ok(keys)
                },
            )
        };
        apart(&self.searches, caller, served, walking).await
    }

    /// As [`Served::search`], for what is known by its name: of an entity, or of an approval.
    ///
    /// Some stores look through all that they have for it, and so it is done apart as well. Most have an index of it, and so it has
    /// places of its own: while those of searches are taken by some that take long, entities are looked at and sign-offs are given
    /// all the same.
    pub(super) async fn looked_up(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        query: Query,
        cursor: Cursor,
        limit: usize,
    ) -> Result<Vec<(u64, Arc<Commit>)>, Problem> {
        let search =
            move |served: &dyn Served, runtime: &Handle| runtime.block_on(served.search(&query, cursor, limit));
        apart(&self.by_name, caller, served, search).await
    }

    /// As [`Served::read`], for a walk through a journal, which may be long. Whoever waits for no more of it ends the walk.
    #[cfg(feature = "proof")]
    pub(super) async fn read_apart(
        &self,
        caller: &Caller,
        served: &Arc<dyn Served>,
        key: EntityKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Commit>>, Problem> {
        let read = move |served: &dyn Served, runtime: &Handle| runtime.block_on(served.read(&key, after, limit));
        apart(&self.by_name, caller, served, read).await
    }
}

/// What of a list or of a search somebody may see: so many, or as many as were found in time.
///
/// INVARIANT: where the list goes on is told by what was found alone. Nothing that is hidden is named.
pub(super) struct Walked<T> {
    pub(super) found: Vec<T>,
    /// Whether there are no more. Where there may be, the list goes on behind the last one that was found.
    pub(super) is_at_end: bool,
    /// Whether something was left out of which nobody can say whether they may see it.
    pub(super) undecided: bool,
}

impl<T> Walked<T> {
    /// Behind which one the list goes on; none where it does not.
    pub(super) fn next(&self) -> Option<&T> {
        self.found.last().filter(|_| !self.is_at_end)
    }

    /// Whether the time was over before anything was found: there is nothing behind which the list could go on.
    pub(super) fn is_late(&self) -> bool {
        self.found.is_empty() && !self.is_at_end
    }
}

/// Reads on, behind the last one that was read, past what the caller may not see.
fn walk<T: Clone>(
    caller: &Caller,
    served: &dyn Served,
    most: usize,
    key: impl Fn(&T) -> &EntityKey,
    mut read: impl FnMut(Option<&T>, usize) -> Result<Vec<T>, Error>,
) -> Result<Walked<T>, Error> {
    /// So many are read at least at a time where the first were not enough.
    const AT_ONCE: usize = 256;
    let until = Instant::now() + READING_ON;
    let mut walked = Walked { found: Vec::new(), is_at_end: false, undecided: false };
    // One more than is shown tells whether the list goes on.
    let (mut last, mut asked) = (None, most.saturating_add(1));
    loop {
        let part = read(last.as_ref(), asked)?;
        let is_last = part.len() < asked;
        last = part.last().cloned();
        for item in part {
            match caller.sight(served, key(&item)) {
                Sight::Shown if walked.found.len() == most => return Ok(walked),
                Sight::Shown => walked.found.push(item),
                Sight::Hidden => {}
                Sight::Undecided => walked.undecided = true,
            }
        }
        if is_last {
            walked.is_at_end = true;
            return Ok(walked);
        }
        if Instant::now() >= until {
            return Ok(walked);
        }
        asked = asked.max(AT_ONCE);
    }
}

/// Searches on a thread that answers nothing meanwhile, and keeps a place until it has ended.
async fn apart<T: Send + 'static>(
    searches: &Searches,
    caller: &Caller,
    served: &Arc<dyn Served>,
    search: impl FnOnce(&dyn Served, &Handle) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let place = searches.place(&caller.principal).await.map_err(|error| Problem::broken(&error))?;
    let (served, runtime) = (Arc::clone(served), Handle::current());
    let searching = spawn_blocking(move || {
        let found = search(&*served, &runtime);
        // Not before: a search goes on and takes its place also when nobody waits for it any more.
        drop(place);
        found
    });
    let found = searching.await.map_err(|error| Problem::broken(&error))?;
    Ok(found?)
}

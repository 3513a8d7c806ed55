//! Searches that may look through all of a store: apart from the threads that answer, and only so many at a time.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

#[cfg(feature = "proof")]
use crate::identifier::EntityKey;
use crate::journal::{Commit, Cursor, Query};
use crate::runtime::Error;
use crate::served::Served;

use super::Shared;
use super::identity::Principal;
use super::problem::Problem;
use super::request::Caller;

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

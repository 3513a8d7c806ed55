//! Who has how many of something of which nobody may have too many.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How many of something each has.
#[derive(Debug)]
pub(super) struct Seats<K: Hash + Eq>(Arc<Mutex<HashMap<K, usize>>>);

impl<K: Hash + Eq> Default for Seats<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone> Seats<K> {
    /// One more for `who`; none when they have as many as they may.
    pub(super) fn take(&self, who: K, most: usize) -> Option<Seat<K>> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(who.clone()).or_default();
        if *own >= most {
            return None;
        }
        *own += 1;
        Some(Seat { seats: Self(Arc::clone(&self.0)), who })
    }
}

/// One of them, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Seat<K: Hash + Eq> {
    seats: Seats<K>,
    who: K,
}

impl<K: Hash + Eq> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.who) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

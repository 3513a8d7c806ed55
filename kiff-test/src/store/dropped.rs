//! Appends that nobody waits for to the end.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use kiff::{Appended, Digest, EntityKey, Sealed, Store};

use super::machine::{Found, answer, hold_to};
use super::sample::{commit, entity, head};
use crate::wait::block_on;

/// After how many polls an append is dropped at the latest.
const POLLS: usize = 32;
/// A commit with a key, a trace and a snapshot, and facts of each sort; the next seed has another key.
const SEED: u64 = 13;
const FACTS: usize = 7;

/// Drops appends at each place where they wait: their commits are kept whole, or nothing is left of them.
pub(super) fn on_the_way(store: &impl Store) -> Found {
    let mut kept: Vec<Sealed> = Vec::new();
    for polls in 1..=POLLS {
        let key = entity(polls)?;
        let (first, _) = drop_after(polls, store, &key, head(None))?;
        let (second, is_answered) = drop_after(polls, store, &key, head(Some(&**first.commit())))?;
        kept.extend([first, second]);
        if is_answered {
            break;
        }
    }
    hold_to(store, kept).map(drop)
}

/// Drops an append after so many polls, and appends another commit in its place: which of the two is kept, and whether the
/// first one was answered.
fn drop_after(polls: usize, store: &impl Store, key: &EntityKey, (last, hash): (u64, Digest)) -> Found<(Sealed, bool)> {
    let number = last + 1;
    let first = commit(key, number, hash, FACTS, SEED)?;
    let second = commit(key, number, hash, FACTS, SEED + 1)?;
    let answered = polled(polls, store.append(first.clone())).map(answer).transpose()?;
    // The first one may still be written by somebody else; not any more, when this is answered.
    let appended = answer(block_on(store.append(second.clone())))?;
    match (answered, appended) {
        (None, Appended::Written) => Ok((second, false)),
        (None, Appended::Conflict) => Ok((first, false)),
        (Some(Appended::Written), Appended::Conflict) => Ok((first, true)),
        (Some(answered), appended) => Err(format!(
            "appending one commit {number} of `{key}` is {answered:?}, and then another one {appended:?}, expected Written \
             and Conflict"
        )),
    }
}

/// The answer, where it is there after so many polls.
fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    block_on(async move {
        let mut future = pin!(future);
        let mut left = polls;
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => {
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(None) } else { Poll::Pending }
            }
        })
        .await
    })
}

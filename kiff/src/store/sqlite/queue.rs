//! What waits for the writer: jobs that many threads hand in and one takes out, each with its answer.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs that wait for the one who takes them all at once.
pub(super) struct Queue<J, A> {
    state: Mutex<State<J, A>>,
    arrived: Condvar,
}

struct State<J, A> {
    waiting: Vec<Ticket<J, A>>,
    /// Whether whoever takes them sleeps, so that nobody rings for one who is awake.
    asleep: bool,
    closed: bool,
}

/// One job and the one who waits for what becomes of it.
pub(super) struct Ticket<J, A> {
    pub(super) job: J,
    pub(super) reply: Reply<A>,
}

impl<J, A> Queue<J, A> {
    pub(super) fn new() -> Self {
        let state = State { waiting: Vec::new(), asleep: false, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<J, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a job; none when nobody takes jobs any more.
    pub(super) fn push(&self, job: J) -> Option<Awaited<A>> {
        let slot = Arc::new(Slot { state: Mutex::new(Waiting::Nobody) });
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.waiting.push(Ticket { job, reply: Reply(Some(Arc::clone(&slot))) });
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
        Some(Awaited(slot))
    }

    /// Takes all jobs that wait into `group`, which is empty; when there are none, waits for one. Whether there will be
    /// more: once the queue is closed, what waits is still taken, and then no more.
    pub(super) fn take(&self, group: &mut Vec<Ticket<J, A>>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return false;
            }
            state.asleep = true;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep = false;
        mem::swap(&mut state.waiting, group);
        true
    }

    /// Takes no more jobs in.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes no more jobs in and gives up those that wait: each hears that nobody answers.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        let given_up = mem::take(&mut state.waiting);
        drop(state);
        drop(given_up);
    }
}

/// Where an answer is put.
struct Slot<A> {
    state: Mutex<Waiting<A>>,
}

enum Waiting<A> {
    /// Neither is there an answer nor somebody who waits.
    Nobody,
    /// Somebody waits.
    Asleep(Waker),
    /// The answer is there; none when nobody will give one.
    Answered(Option<A>),
}

/// The one who answers a job. When it is dropped, the other side hears that nobody will.
pub(super) struct Reply<A>(Option<Arc<Slot<A>>>);

impl<A> Reply<A> {
    pub(super) fn send(mut self, answer: A) {
        if let Some(slot) = self.0.take() {
            slot.put(Some(answer));
        }
    }
}

impl<A> Drop for Reply<A> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.put(None);
        }
    }
}

impl<A> Slot<A> {
    fn lock(&self) -> MutexGuard<'_, Waiting<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, answer: Option<A>) {
        let before = mem::replace(&mut *self.lock(), Waiting::Answered(answer));
        if let Waiting::Asleep(waker) = before {
            waker.wake();
        }
    }
}

/// What became of a job, once that is known; none when nobody knows.
pub(super) struct Awaited<A>(Arc<Slot<A>>);

impl<A> Future for Awaited<A> {
    type Output = Option<A>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match mem::replace(&mut *state, Waiting::Nobody) {
            Waiting::Answered(answer) => Poll::Ready(answer),
            Waiting::Asleep(waker) if waker.will_wake(context.waker()) => {
                *state = Waiting::Asleep(waker);
                Poll::Pending
            }
            Waiting::Nobody | Waiting::Asleep(_) => {
                *state = Waiting::Asleep(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

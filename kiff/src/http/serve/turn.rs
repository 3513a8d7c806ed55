//! Whether a connection has a request under way, so that one which only waits for the next can be let go of.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

/// The turns of one connection that are not over.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<AtomicUsize>);

impl Turns {
    pub(super) fn begin(&self) -> Turn {
        self.0.fetch_add(1, Ordering::Relaxed);
        Turn(self.clone())
    }

    pub(super) fn are_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A request from the end of its head on, or bytes that wait to be taken; over when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Turns);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer. The turn of its request is over when it is sent.
pub(super) struct Answer {
    body: Body,
    #[expect(dead_code, reason = "it is there to be let go of")]
    turn: Turn,
}

impl Answer {
    pub(super) const fn new(body: Body, turn: Turn) -> Self {
        Self { body, turn }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_lasts_until_its_answer_is_sent() {
        let turns = Turns::default();
        let answer = Answer::new(Body::from("yes"), turns.begin());
        assert!(!turns.are_over());
        drop(answer);
        assert!(turns.are_over());
    }
}

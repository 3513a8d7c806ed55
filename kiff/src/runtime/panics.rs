//! Running what the user wrote so that its panic is an answer.

use std::any::Any;
use std::fmt;
use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::identifier::ExecutionId;

/// Something that the user wrote has panicked in a run.
///
/// INVARIANT: what it said is told to the log of the process and to nobody else. Nobody has written it for a reader, and it may hold what
/// an `unwrap` has met, such as a URL with a password; what is on the record is there for ever.
#[derive(Debug)]
pub(super) struct Panicked {
    what: &'static str,
}

impl Panicked {
    fn told(what: &'static str, execution: &ExecutionId, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let said = text.unwrap_or("without a message");
        tracing::error!(target: "kiff::panic", %execution, said, "{what} panicked");
        Self { what }
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} panicked, and what it said is in the log of the process", self.what)
    }
}

/// What the future answers, unless it panics; `what` it is, in words, of this run. After a panic it is dropped without being asked
/// again, so that no state that the panic left half-changed is looked at; a panic while it is dropped counts as well.
pub(super) async fn caught<T>(
    answer: Pin<Box<dyn Future<Output = T> + Send + '_>>,
    what: &'static str,
    execution: &ExecutionId,
) -> Result<T, Panicked> {
    let mut answer = Some(answer);
    future::poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| match &mut answer {
            Some(answer) => answer.as_mut().poll(context),
            None => Poll::Pending,
        }));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(Panicked::told(what, execution, &*panic)),
        };
        match catch_unwind(AssertUnwindSafe(|| drop(answer.take()))) {
            Ok(()) => Poll::Ready(ended),
            Err(panic) => Poll::Ready(Err(Panicked::told(what, execution, &*panic))),
        }
    })
    .await
}

/// What the call answers, unless it panics; `what` it is, in words, of this run.
pub(super) fn caught_at_once<T>(
    call: impl FnOnce() -> T,
    what: &'static str,
    execution: &ExecutionId,
) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| Panicked::told(what, execution, &*panic))
}

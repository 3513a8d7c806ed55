//! Running what the user wrote so that its panic is an answer.

use std::any::Any;
use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// What the future answers, or the message that it panicked with. After a panic it is dropped without being asked
/// again, so that no state that the panic left half-changed is looked at; a panic while it is dropped counts as well.
pub(super) async fn caught<T>(answer: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Result<T, String> {
    let mut answer = Some(answer);
    future::poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| match &mut answer {
            Some(answer) => answer.as_mut().poll(context),
            None => Poll::Pending,
        }));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(message(&*panic)),
        };
        match catch_unwind(AssertUnwindSafe(|| drop(answer.take()))) {
            Ok(()) => Poll::Ready(ended),
            Err(panic) => Poll::Ready(Err(message(&*panic))),
        }
    })
    .await
}

/// What the call answers, or the message that it panicked with.
pub(super) fn caught_at_once<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

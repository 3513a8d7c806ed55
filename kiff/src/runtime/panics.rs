//! Running a future so that its panic is an answer.

use std::any::Any;
use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// What the future answers, or the message that it panicked with. After a panic it is dropped without being asked
/// again, so that no state that the panic left half-changed is looked at.
pub(super) async fn caught<T>(mut answer: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Result<T, String> {
    future::poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

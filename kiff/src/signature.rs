//! What an executor's signature must keep, as traits, so that what only rustc can find reads as a sentence.

use crate::action::Failure;

/// What an executor borrows besides its `Execution`: the services of its domain and nothing else.
#[diagnostic::on_unimplemented(
    message = "the executor borrows `{Self}`, but the services of `{D}` are `{Services}`",
    label = "not the services of `{D}`",
    note = "write `&{Services}` here, or say in the block what its executors borrow: `services {Self};`; \
            or take it by value, where it is a parameter"
)]
pub trait Serves<D, Services> {
    /// The services, as the executor takes them.
    #[doc(hidden)]
    fn borrow(services: &Services) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<D, S> Serves<D, S> for S {
    fn borrow(services: &S) -> &Self {
        services
    }
}

/// What an executor returns: the event that the block says its action emits, or a [`Failure`].
#[diagnostic::on_unimplemented(
    message = "the executor returns `{Self}`, and must return `Result<{Emits}, Failure>`",
    label = "write `Result<{Emits}, Failure>` here",
    note = "an action ends in the event that the block names after `emits`, or in a `kiff::Failure`"
)]
pub trait Reply<Emits> {
    /// The same reply, known to be one.
    ///
    /// # Errors
    /// The executor's own [`Failure`].
    #[doc(hidden)]
    fn into_reply(self) -> Result<Emits, Failure>;
}

#[diagnostic::do_not_recommend]
impl<T, R: IsExactly<Result<T, Failure>>> Reply<T> for R {
    fn into_reply(self) -> Result<T, Failure> {
        self.same()
    }
}

/// Waits for an executor's reply, which `known` takes for what it is: the [`Reply`] of generated code.
///
/// # Errors
/// The executor's own [`Failure`].
pub async fn replied<R, Emits>(
    reply: impl Future<Output = R>,
    known: fn(R) -> Result<Emits, Failure>,
) -> Result<Emits, Failure> {
    known(reply.await)
}

/// What is a `T`. Of a trait that any type might have, rustc lists none that have it beside one that has not.
pub trait IsExactly<T> {
    /// The same value.
    fn same(self) -> T;
}

impl<T> IsExactly<T> for T {
    fn same(self) -> T {
        self
    }
}

/// The type itself; written around a type, it stands at other places of the source.
pub type Same<T> = T;

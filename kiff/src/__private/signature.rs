//! What `#[action]` holds an executor's signature to, as traits, so that what only rustc can find reads as a sentence.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::Failure;
use crate::parameter::{
    Fields, Measured, Members, ParameterFault, Pattern, Ranged, Textual, check_length, check_pattern, check_range,
};

/// The type of a parameter; every type that has what it takes is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an action",
    label = "needs `Debug`, `Clone`, `Serialize`, `DeserializeOwned`, `Send` and `Sync`",
    note = "parameters are read from JSON, written to the journal and shown to reviewers: \
            write `#[derive(Debug, Clone, Serialize, Deserialize)]` on `{Self}`"
)]
pub trait Value: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Reads a parameter that must be there.
    ///
    /// # Errors
    /// [`ParameterFault`] when it is missing or of another shape.
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self, ParameterFault> {
        fields.required(name)
    }

    /// Reads a parameter that may be left out.
    ///
    /// # Errors
    /// [`ParameterFault`] when it is there and of another shape.
    fn read_optional(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Self>, ParameterFault> {
        fields.optional(name)
    }

    /// Writes the parameter.
    ///
    /// # Errors
    /// [`ParameterFault`] when its `Serialize` fails.
    fn write(&self, members: &mut Members, name: &'static str) -> Result<(), ParameterFault> {
        members.put(name, self)
    }

    /// Writes the parameter, or `null`.
    ///
    /// # Errors
    /// [`ParameterFault`] when its `Serialize` fails.
    fn write_optional(
        value: &Option<Self>,
        members: &mut Members,
        name: &'static str,
    ) -> Result<(), ParameterFault> {
        members.put(name, value)
    }

    /// The same value once more.
    #[must_use]
    fn duplicate(&self) -> Self {
        self.clone()
    }

    /// The value for a programmer's eyes.
    fn shown(&self) -> &dyn Debug {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}

/// What an executor borrows besides its `Execution`: the services of its domain and nothing else.
#[diagnostic::on_unimplemented(
    message = "the executor borrows `{Self}`, but the services of `{D}` are `{Services}`",
    label = "write `{Services}` here",
    note = "the domain names its services under `services`; parameters are taken by value"
)]
pub trait Serves<D, Services> {
    /// The services, as the executor takes them.
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
    message = "the executor of `{A}` returns `{Self}`, but must return `Result<{Emits}, Failure>`",
    label = "write `Result<{Emits}, Failure>`",
    note = "the block says with `emits` which event an action ends in; `Failure` is `kiff::Failure`"
)]
pub trait Reply<A, Emits> {
    /// The same reply, known to be one.
    ///
    /// # Errors
    /// The executor's own [`Failure`].
    fn settle(self) -> Result<Emits, Failure>;
}

#[diagnostic::do_not_recommend]
impl<A, E> Reply<A, E> for Result<E, Failure> {
    fn settle(self) -> Self {
        self
    }
}

/// Holds a number to `range(min = .., max = ..)`.
///
/// # Errors
/// [`ParameterFault`] when it lies outside.
pub fn hold_range(
    name: &'static str,
    is_within: bool,
    min: Option<i64>,
    max: Option<i64>,
) -> Result<(), ParameterFault> {
    check_range(name, &Judged(is_within), min, max)
}

/// Holds a text or a list to `length(min = .., max = ..)`.
///
/// # Errors
/// [`ParameterFault`] when it is shorter or longer.
pub fn hold_length(
    name: &'static str,
    length: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
) -> Result<(), ParameterFault> {
    check_length(name, &Judged(length), min, max)
}

/// Holds a text to `pattern("..")`.
///
/// # Errors
/// [`ParameterFault`] when it does not match.
pub fn hold_pattern(
    name: &'static str,
    text: Option<&str>,
    pattern: &Pattern,
) -> Result<(), ParameterFault> {
    check_pattern(name, &Judged(text), pattern)
}

/// What a parameter's own type has said of it. The question is asked where the user's type stands in the source, so that
/// a type that cannot answer is blamed there, and not inside of a fn that nobody wrote.
struct Judged<T>(T);

impl Ranged for Judged<bool> {
    fn is_within(&self, _: Option<i64>, _: Option<i64>) -> bool {
        self.0
    }
}

impl Measured for Judged<Option<u64>> {
    fn measure(&self) -> Option<u64> {
        self.0
    }
}

impl Textual for Judged<Option<&str>> {
    fn text(&self) -> Option<&str> {
        self.0
    }
}

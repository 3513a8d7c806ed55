//! What `#[action]` holds an executor's signature to, as traits, so that what only rustc can find reads as a sentence.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::Failure;
use crate::domain::Emitted;
use crate::executor::Execution;
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

/// What an executor borrows besides its [`Execution`]: the services of its domain and nothing else.
#[diagnostic::on_unimplemented(
    message = "the executor borrows `{Self}`, but the services of `{D}` are `{Services}`",
    label = "write `&{Services}`",
    note = "the domain names its services under `services`; parameters are taken by value"
)]
pub trait Serves<D, Services> {
    /// The services, as the executor takes them.
    fn take(services: Services) -> Self;
}

#[diagnostic::do_not_recommend]
impl<'a, D, S> Serves<D, S> for &'a S {
    fn take(services: S) -> Self {
        let _ = services;
        loop {}
    }
}

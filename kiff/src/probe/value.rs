//! The type of a parameter: what it must have, and what generated code does with its values.

use std::fmt::{self, Debug};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::parameter::{Fields, Members};

/// The type of a parameter: every type that is shown, cloned, read and written, and that threads can share.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// pub struct Iban(String); // may be a parameter of an action
/// # fn is_value<T: kiff::Value>() {}
/// # is_value::<Iban>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an action",
    label = "lacks one of `Debug`, `Clone`, `Serialize`, `DeserializeOwned`, `Send` and `Sync`",
    note = "parameters are read from JSON, written to the journal and shown to reviewers: \
            write `#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]` on `{Self}`",
    note = "where these are the services of the domain, borrow them: `&{Self}`"
)]
pub trait Value: Sized {
    /// Reads a parameter that must be there; none when it is at fault.
    #[doc(hidden)]
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Option<Self>;

    /// Reads a parameter that may be left out; none when it is at fault.
    #[doc(hidden)]
    fn read_optional(fields: &mut Fields<'_>, name: &'static str) -> Option<Option<Self>>;

    /// Writes the parameter.
    #[doc(hidden)]
    fn write(value: &Self, members: &mut Members, name: &'static str);

    /// Writes the parameter, or `null`.
    #[doc(hidden)]
    fn write_optional(value: &Option<Self>, members: &mut Members, name: &'static str);

    /// The same value once more.
    #[doc(hidden)]
    fn duplicate(value: &Self) -> Self;

    /// The same value once more, if there is one.
    #[doc(hidden)]
    fn duplicate_optional(value: &Option<Self>) -> Option<Self>;

    /// The value for a programmer's eyes.
    #[doc(hidden)]
    fn shown(value: &Self) -> &dyn Debug;

    /// The value for a programmer's eyes, if there is one.
    #[doc(hidden)]
    fn shown_optional(value: &Option<Self>) -> &dyn Debug;
}

/// Shows a struct of parameters as `#[derive(Debug)]` does.
///
/// # Errors
/// As the formatter's.
pub fn show(f: &mut fmt::Formatter<'_>, name: &str, fields: &[(&str, &dyn Debug)]) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (name, value) in fields {
        shown.field(name, value);
    }
    shown.finish()
}

#[diagnostic::do_not_recommend]
impl<T: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Option<Self> {
        fields.required(name)
    }

    fn read_optional(fields: &mut Fields<'_>, name: &'static str) -> Option<Option<Self>> {
        fields.optional(name)
    }

    fn write(value: &Self, members: &mut Members, name: &'static str) {
        members.put(name, value);
    }

    fn write_optional(value: &Option<Self>, members: &mut Members, name: &'static str) {
        members.put(name, value);
    }

    fn duplicate(value: &Self) -> Self {
        value.clone()
    }

    fn duplicate_optional(value: &Option<Self>) -> Option<Self> {
        value.clone()
    }

    fn shown(value: &Self) -> &dyn Debug {
        value
    }

    fn shown_optional(value: &Option<Self>) -> &dyn Debug {
        value
    }
}

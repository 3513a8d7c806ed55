//! The type of an event's field: what it must have, whoever writes it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The type of an event's field: every type that is shown, cloned, written and read, and that threads can share.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an event",
    label = "lacks one of `Debug`, `Clone`, `Serialize`, `DeserializeOwned`, `Send` and `Sync`",
    note = "events are written to the journal and read from it: write \
            `#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]` on `{Self}`"
)]
pub trait EventField {
    /// It is fit.
    #[doc(hidden)]
    const FIT: ();
}

#[diagnostic::do_not_recommend]
impl<T: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> EventField for T {
    const FIT: () = ();
}

/// The type of an event's field that serde is told how to write, or whether at all: every type that is shown and cloned.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an event",
    label = "lacks one of `Debug` and `Clone`",
    note = "events are shown and handed on, however their fields are written: write `#[derive(Debug, Clone)]` on `{Self}`"
)]
pub trait CarriedField {
    /// It is fit.
    const FIT: ();
}

#[diagnostic::do_not_recommend]
impl<T: Debug + Clone> CarriedField for T {
    const FIT: () = ();
}

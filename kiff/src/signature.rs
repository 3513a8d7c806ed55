//! What an executor's signature must keep, as traits, so that what only rustc can find reads as a sentence.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, LinkedList, VecDeque};
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::Failure;
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

/// Asks generated code whether a type is a binary float, by whatever name: `Float::<Money, 0>::IS_ONE`.
///
/// rustc takes the constant of the type itself where there is one, and otherwise that of [`NoFloat`]. A type has one such constant, so
/// that a tuple is asked for each of its parts: `PART` says which.
pub struct Float<T: ?Sized, const PART: usize>(PhantomData<fn(&T)>);

impl<T: BinaryFloat<PART> + ?Sized, const PART: usize> Float<T, PART> {
    /// It is.
    pub const IS_ONE: bool = true;
}

/// What [`Float`] answers of all other types.
pub trait NoFloat {
    /// It is none.
    const IS_ONE: bool = false;
}

impl<T: ?Sized, const PART: usize> NoFloat for Float<T, PART> {}

impl<T: ?Sized, const PART: usize> Debug for Float<T, PART> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Float")
    }
}

/// A binary float, or what holds one where anybody sees it: `Vec<f64>`, and `(String, f64)` by its part 1.
pub trait BinaryFloat<const PART: usize> {}

impl<const PART: usize> BinaryFloat<PART> for f32 {}
impl<const PART: usize> BinaryFloat<PART> for f64 {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for Option<T> {}
impl<T: BinaryFloat<PART> + ?Sized, const PART: usize> BinaryFloat<PART> for Box<T> {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for [T] {}
impl<T: BinaryFloat<PART>, const PART: usize, const LENGTH: usize> BinaryFloat<PART> for [T; LENGTH] {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for Vec<T> {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for VecDeque<T> {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for LinkedList<T> {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for Range<T> {}
impl<T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for RangeInclusive<T> {}
impl<T: BinaryFloat<PART> + ToOwned + ?Sized, const PART: usize> BinaryFloat<PART> for Cow<'_, T> {}
impl<K, T: BinaryFloat<PART>, const PART: usize> BinaryFloat<PART> for BTreeMap<K, T> {}
impl<K, T: BinaryFloat<PART>, S, const PART: usize> BinaryFloat<PART> for HashMap<K, T, S> {}
impl<A: BinaryFloat<0>> BinaryFloat<0> for (A,) {}
impl<A: BinaryFloat<0>, B> BinaryFloat<0> for (A, B) {}
impl<A, B: BinaryFloat<0>> BinaryFloat<1> for (A, B) {}
impl<A: BinaryFloat<0>, B, C> BinaryFloat<0> for (A, B, C) {}
impl<A, B: BinaryFloat<0>, C> BinaryFloat<1> for (A, B, C) {}
impl<A, B, C: BinaryFloat<0>> BinaryFloat<2> for (A, B, C) {}
impl<A: BinaryFloat<0>, B, C, D> BinaryFloat<0> for (A, B, C, D) {}
impl<A, B: BinaryFloat<0>, C, D> BinaryFloat<1> for (A, B, C, D) {}
impl<A, B, C: BinaryFloat<0>, D> BinaryFloat<2> for (A, B, C, D) {}
impl<A, B, C, D: BinaryFloat<0>> BinaryFloat<3> for (A, B, C, D) {}

/// The type itself; written around a type, it stands at other places of the source.
pub type Same<T> = T;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, LinkedList};
    use std::ops::{Range, RangeInclusive};

    use super::{Float, NoFloat as _};
    use crate::{Bounds, Cents, Failure, Json, action, domain};

    domain! {
        domain Desk governs Ticket;
        services (u8, Vec<String>);
        roles { Clerk: agent, Visitor: system }
        states { Open, final Closed }
        events { TicketOpened reported by Visitor; TicketClosed { note: String }; }
        transitions { TicketOpened: new => Open; TicketClosed: Open => Closed; }
        actions { CloseTicket { risk: low, by: Clerk, emits: TicketClosed }; }
        allow { Open => [CloseTicket]; }
    }

    #[action(Desk::CloseTicket)]
    async fn close_ticket(
        desk: &(u8, Vec<String>),
        note: Box<str>,
        language: Cow<'static, str>,
    ) -> Result<TicketClosed, Failure> {
        Ok(TicketClosed { note: format!("{note} ({language}) at desk {}", desk.0) })
    }

    #[test]
    fn a_type_that_holds_a_bare_text_is_asked_as_all_others_are() {
        let parameters = Json::parameters(r#"{"note": "done", "language": "en"}"#, &Bounds::default()).unwrap();
        let read = <CloseTicket as crate::Action>::decode(&parameters).unwrap();
        assert_eq!((&*read.note, &*read.language), ("done", "en"));
    }

    #[test]
    fn a_float_is_one_in_whatever_holds_it() {
        type Prices = Vec<Option<f64>>;
        type Named = (String, f32);
        let floats = [
            Float::<f32, 0>::IS_ONE,
            Float::<Prices, 0>::IS_ONE,
            Float::<Box<[f64]>, 0>::IS_ONE,
            Float::<[f64; 2], 0>::IS_ONE,
            Float::<BTreeMap<String, f64>, 0>::IS_ONE,
            Float::<(f64, f64), 0>::IS_ONE,
            Float::<Named, 1>::IS_ONE,
            Float::<Option<(u8, u8, f64)>, 2>::IS_ONE,
            Float::<(u8, u8, u8, f64), 3>::IS_ONE,
            Float::<LinkedList<f64>, 0>::IS_ONE,
            Float::<Range<f32>, 0>::IS_ONE,
            Float::<RangeInclusive<f64>, 0>::IS_ONE,
            Float::<Cow<'static, [f64]>, 0>::IS_ONE,
        ];
        assert_eq!(floats, [true; 13]);
        let others = [
            Float::<Cents, 0>::IS_ONE,
            Float::<str, 0>::IS_ONE,
            Float::<Vec<u8>, 0>::IS_ONE,
            Float::<Named, 0>::IS_ONE,
            Float::<(), 0>::IS_ONE,
            Float::<Cow<'static, str>, 0>::IS_ONE,
            Float::<(u8, u8, u8, f64), 0>::IS_ONE,
        ];
        assert_eq!(others, [false; 7]);
    }
}

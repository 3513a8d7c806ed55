//! Whether a type is a binary float, by whatever name.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, LinkedList, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};

/// Asks generated code whether a type is a binary float, by whatever name: `Float::<Money, 0>::IS_ONE`.
///
/// It is asked by constant. A type has one such constant, so that a tuple is asked for each of its parts: `PART` says which.
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

impl<T: ?Sized, const PART: usize> fmt::Debug for Float<T, PART> {
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

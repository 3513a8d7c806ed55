//! Whether two readers of a JSON text could read it differently.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::object::{Key, Seen};
use super::{Excerpt, JsonError, LARGEST_INTEGER, plain};

/// Whether `text` is one JSON value that every reader reads alike and that nests at most `depth` deep.
pub(super) fn check(text: &str, depth: usize) -> Result<(), JsonError> {
    if plain::is_plain(text, depth) {
        return Ok(());
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Unambiguous { text, left: depth, depth }.deserialize(&mut deserializer).map_err(JsonError::syntax)?;
    deserializer.end().map_err(JsonError::syntax)
}

/// How the keys begin by which `serde_json` speaks to itself: it reads an object that has one as what stands behind the key.
const PRIVATE: &str = "$serde_json::private::";

/// How far numbers are exact, and what to write instead of one that is not.
const EXACT: &str =
    "±(2^53−1) is not exact for every reader: write one within that range, or a string where a text is expected";

/// Visits a value of `text` without keeping it; `left` is how much deeper it may still nest.
#[derive(Clone, Copy)]
struct Unambiguous<'t> {
    text: &'t str,
    left: usize,
    depth: usize,
}

impl Unambiguous<'_> {
    /// Whether an object with this key, which was not copied, is a number. With the feature `arbitrary_precision`, which any crate of a program may turn on,
    /// `serde_json` hands on numbers in this way, and the key is one of its own: it does not stand in the text.
    fn is_number(&self, borrowed: &str) -> bool {
        borrowed.starts_with(PRIVATE) && !self.text.as_bytes().as_ptr_range().contains(&borrowed.as_ptr())
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(E::custom(format_args!("it nests deeper than {}", self.depth))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Unambiguous<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        if number > LARGEST_INTEGER {
            return Err(E::custom(format_args!("an integer beyond {EXACT}")));
        }
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        /// Where the integers that a binary float can hold stop being exact: 2^53.
        const END: f64 = 9_007_199_254_740_992.0;
        if number.abs() >= END {
            return Err(E::custom(format_args!("a number beyond {EXACT}")));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let deeper = self.deeper()?;
        while items.next_element_seed(deeper)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut next = members.next_key_seed(Key)?;
        if matches!(next, Some(Cow::Borrowed(key)) if self.is_number(key)) {
            let number: String = members.next_value()?;
            // As it is handed on without that feature.
            return number.parse().map_or_else(
                |_| self.visit_f64(number.parse().map_err(de::Error::custom)?),
                |integer: i64| self.visit_i64(integer),
            );
        }
        let deeper = self.deeper()?;
        let mut seen = Seen::default();
        while let Some(key) = next {
            if key.starts_with(PRIVATE) {
                return Err(de::Error::custom(format_args!("the key `{}` is read in two ways", Excerpt(&key))));
            }
            if let Err(key) = seen.insert(key) {
                return Err(de::Error::custom(format_args!("the key `{}` stands twice in one object", Excerpt(&key))));
            }
            members.next_value_seed(deeper)?;
            next = members.next_key_seed(Key)?;
        }
        Ok(())
    }
}

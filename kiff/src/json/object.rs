//! An object whose members are not read yet, in the order of its text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The members of an object, each with the text of its value.
#[derive(Debug, Default)]
pub(crate) struct Object<'t>(pub(crate) Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Object<'t> {
    /// The value of one member: the last, as to all readers of JSON, should there be two.
    pub(crate) fn get(&self, name: &str) -> Option<&'t RawValue> {
        self.place(name).and_then(|place| self.0.get(place)).map(|(_, value)| *value)
    }

    /// Takes out the value that [`Object::get`] finds.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'t RawValue> {
        self.place(name).map(|place| self.0.swap_remove(place).1)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().rposition(|(key, _)| key == name)
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'t> Deserialize<'t> for Object<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'t> Visitor<'t> for Members {
    type Value = Object<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some(key) = members.next_key_seed(Key)? {
            object.0.push((key, members.next_value()?));
        }
        Ok(object)
    }
}

/// Reads a key where it stands, and copies it only where it is written with escapes.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The keys of an object so far. Most objects have few, for which nothing is allocated.
#[derive(Default)]
pub(super) struct Seen<'de> {
    few: [Cow<'de, str>; 8],
    count: usize,
    many: BTreeSet<Cow<'de, str>>,
}

impl<'de> Seen<'de> {
    /// Takes a key; it comes back where it has been there before.
    pub(super) fn insert(&mut self, key: Cow<'de, str>) -> Result<(), Cow<'de, str>> {
        let is_known = self.few.iter().take(self.count).any(|known| *known == key) || self.many.contains(&key);
        if is_known {
            return Err(key);
        }
        match self.few.get_mut(self.count) {
            Some(free) => {
                *free = key;
                self.count += 1;
            }
            None => {
                self.many.insert(key);
            }
        }
        Ok(())
    }
}

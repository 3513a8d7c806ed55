//! A kind of record, as a client names it.

use serde::de::{Deserialize, Deserializer, Error};

use crate::journal::Fact;
use crate::json::visible;

/// A kind of which there can be records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(&'static str);

impl Kind {
    /// The names of all of them. What only a later kiff knows is `unknown`.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Fact::KINDS.iter().copied().chain(["unknown"])
    }

    /// The word on the wire.
    pub(super) const fn as_str(self) -> &'static str {
        self.0
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::names().find(|known| *known == name).map(Self).ok_or_else(|| {
            let known: Vec<_> = Self::names().map(|known| format!("`{known}`")).collect();
            format!("no record is of the kind `{}`: write one of {}", visible(&name), known.join(", "))
        })
    }
}

// By hand: a derive takes the name for one that is borrowed from what is read.
impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

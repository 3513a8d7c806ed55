//! What the forms of the pages send.

use serde::{Deserialize, Deserializer};

/// A text of several lines. However they end where it was typed, a browser sends two characters for it.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| text.replace("\r\n", "\n"))
}

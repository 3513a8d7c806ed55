//! JSON as kiff accepts it: bounded, without anything that two readers could read differently.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use crate::bounds::{Bounds, OverBound};

mod object;
mod plain;
mod scratch;
mod unambiguous;
mod whole;
mod words;

pub(crate) use object::Object;
use plain::Plain;
pub(crate) use scratch::Scratch;
use unambiguous::check;
pub(crate) use whole::read;
pub(crate) use words::in_words;

/// The largest integer that every reader of JSON keeps exact: 2^53 − 1.
pub(crate) const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// One JSON text that has been checked, kept as it was written.
///
/// Two readers can disagree about a duplicate key, about an integer beyond ±(2^53−1), about very deep nesting, and about the keys by
/// which `serde_json` speaks to itself, so a text that has one of them is refused.
///
/// ```
/// use kiff::{Bounds, Json};
///
/// let fine = Json::parse(r#"{"amount": 999}"#, &Bounds::DEFAULT)?;
/// assert_eq!(fine.as_str(), r#"{"amount": 999}"#);
///
/// let twice = Json::parse(r#"{"amount": 49, "amount": 999999}"#, &Bounds::DEFAULT);
/// assert_eq!(twice.unwrap_err().to_string(), "the key `amount` stands twice in one object");
/// # Ok::<(), kiff::JsonError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Json(Arc<str>);

impl Json {
    /// Checks a text against `bounds.payload` and `bounds.json_depth` and keeps it.
    ///
    /// # Errors
    /// [`JsonError`] when it is no JSON, too large, too deep, or readable in two ways.
    pub fn parse(text: &str, bounds: &Bounds) -> Result<Self, JsonError> {
        Self::check(text, bounds)?;
        Ok(Self(Arc::from(text.trim())))
    }

    /// Checks the parameters of a proposal against `bounds.parameters` and `bounds.json_depth` and keeps them.
    ///
    /// # Errors
    /// As for [`Json::parse`].
    pub fn parameters(text: &str, bounds: &Bounds) -> Result<Self, JsonError> {
        Bounds::check("bytes of parameters", text.len(), bounds.parameters)?;
        Self::parse(text, &Bounds { payload: bounds.parameters, ..*bounds })
    }

    /// Checks a text as [`Json::parse`] does, where the text itself need not be kept.
    ///
    /// # Errors
    /// As for [`Json::parse`].
    pub(crate) fn check(text: &str, bounds: &Bounds) -> Result<(), JsonError> {
        Bounds::check("bytes of JSON", text.len(), bounds.payload)?;
        check(text, bounds.json_depth)
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`JsonError`] when the value's `Serialize` fails, or writes what [`Json::parse`] would refuse.
    pub fn encode<T: Serialize + ?Sized>(value: &T, bounds: &Bounds) -> Result<Self, JsonError> {
        let mut scratch = Scratch::take();
        serde_json::to_writer(scratch.out(), value).map_err(JsonError::syntax)?;
        Self::parse(scratch.text()?, bounds)
    }

    /// An object without members.
    pub(crate) fn empty_object() -> Self {
        Self(Arc::from("{}"))
    }

    /// The text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the text as a value. A whole number may be written as `4900.0` or `4.9e3`.
    ///
    /// # Errors
    /// [`JsonError`] when it has another shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        read(self.as_str()).map_err(JsonError::syntax)
    }

    /// Reads the text as an object, and none of its members yet.
    ///
    /// # Errors
    /// [`JsonError`] when it is none.
    pub(crate) fn members(&self) -> Result<Object<'_>, JsonError> {
        serde_json::from_str(self.as_str()).map_err(JsonError::syntax)
    }

    /// The text with the keys of every object in order and without white space, so that two texts that mean the same
    /// become the same.
    pub(crate) fn canonical(&self) -> String {
        Plain::read(self.as_str()).map_or_else(|| self.sorted(), Plain::canonical)
    }

    fn sorted(&self) -> String {
        let mut out = String::with_capacity(self.as_str().len());
        // INVARIANT: a `Json` is well-formed, so this cannot fail; the text itself is the safe answer if it does.
        match serde_json::from_str::<serde_json::Value>(self.as_str()) {
            Ok(value) => write_canonical(&value, &mut out),
            Err(_) => out.push_str(self.as_str()),
        }
        out
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What is raw goes out as it is.
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // How deep it may nest is bounded by whoever reads what it is part of.
        check(raw.get(), usize::MAX).map_err(de::Error::custom)?;
        Ok(Self(Arc::from(raw.get())))
    }
}

fn write_canonical(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        serde_json::Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, item)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(item, out);
            }
            out.push('}');
        }
        serde_json::Value::Number(number) => out.push_str(&canonical_number(&number.to_string())),
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// A number as `serde_json` writes it after it has read it; with the feature `arbitrary_precision` it writes what it has read.
fn canonical_number(written: &str) -> Cow<'_, str> {
    let digits = written.strip_prefix('-').unwrap_or(written);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit()) && written != "-0";
    match written.parse::<f64>() {
        Ok(number) if !is_integer => Cow::Owned(serde_json::Value::from(number).to_string()),
        _ => Cow::Borrowed(written),
    }
}

/// A text of unknown origin as a message may show it: short, and without control characters.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        for character in self.0.chars().take(SHOWN) {
            if is_hidden(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if self.0.chars().nth(SHOWN).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// A text as it may be shown to people: characters that a terminal or a page would obey, or would not show, are written
/// out.
///
/// ```
/// assert_eq!(kiff::visible("pay \u{202e}999"), r"pay \u{202e}999");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
        shown
    })
}

/// Whether a character changes how the text around it is shown instead of being shown itself, or is not shown at all: what Unicode
/// calls a control, a separator of lines, or default-ignorable.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text is not JSON that kiff accepts.
pub struct JsonError(Fault);

enum Fault {
    Size(OverBound),
    Syntax(serde_json::Error),
}

impl JsonError {
    pub(crate) fn syntax(error: serde_json::Error) -> Self {
        Self(Fault::Syntax(error))
    }
}

impl From<OverBound> for JsonError {
    fn from(over: OverBound) -> Self {
        Self(Fault::Size(over))
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::Size(over) => over.fmt(f),
            // The place in the text means nothing to somebody who never saw it as lines.
            Fault::Syntax(error) => f.write_str(&in_words(error)),
        }
    }
}

crate::debug::debug_as_message!(JsonError);

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Json::parse(text, &Bounds { payload: 200, json_depth: 3, ..Bounds::DEFAULT }).unwrap_err().to_string()
    }

    #[test]
    fn p10_what_is_read_as_a_part_of_something_else_is_no_less_checked() {
        let read = |text: &str| serde_json::from_str::<Vec<Json>>(&format!("[{text}]"));
        assert!(read(r#"{"damage": "none"}, 1.5, [[]]"#).is_ok());
        for text in [r#"{"damage": "none", "damage": "total"}"#, "9007199254740992", r#"[{"a": {"b": 1, "b": 2}}]"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn p10_ambiguous_oversized_and_deep_texts_are_refused() {
        assert_eq!(refused(r#"{"a":{"b":1,"b":2}}"#), "the key `b` stands twice in one object");
        let many: String = (0..20).fold(String::new(), |many, key| many + &format!("\"{key}\":1,"));
        assert!(Json::parse(&format!("{{{many}\"last\":1}}"), &Bounds::DEFAULT).is_ok());
        for again in [0, 7, 8, 19] {
            let twice = Json::parse(&format!("{{{many}\"{again}\":1}}"), &Bounds::DEFAULT).unwrap_err().to_string();
            assert_eq!(twice, format!("the key `{again}` stands twice in one object"));
        }
        assert_eq!(refused("[[[[1]]]]"), "it nests deeper than 3");
        assert_eq!(refused(&format!("\"{}\"", "x".repeat(200))), "202 bytes of JSON: at most 200 are allowed");
        assert!(
            refused("9007199254740992").contains("write one within that range, or a string where a text is expected")
        );
        assert!(
            refused("-9007199254740992").contains("write one within that range, or a string where a text is expected")
        );
        assert!(
            refused("123456789012345678901234567890")
                .contains("write one within that range, or a string where a text is expected")
        );
        assert!(refused(r#""\ud800""#).contains("surrogate") || refused(r#""\ud800""#).contains("escape"));
        assert!(refused("NaN").contains("expected"));
        assert!(refused("{} {}").contains("trailing"));
    }

    /// `serde_json` reads such an object as what stands behind the key, so that it would be approved as one thing and run as another.
    #[test]
    fn p3_a_key_by_which_the_reader_speaks_to_itself_is_refused() {
        for name in ["RawValue", "Number", "another"] {
            for dollar in ["$", r"\u0024"] {
                let object = format!(r#"{{"{dollar}serde_json::private::{name}":"{{\"tier\":\"platinum\"}}"}}"#);
                for text in [object.clone(), format!("[{object}]"), format!(r#"{{"x":1,"y":{object}}}"#)] {
                    let refused = Json::parse(&text, &Bounds::DEFAULT).unwrap_err().to_string();
                    assert_eq!(
                        refused,
                        format!("the key `$serde_json::private::{name}` is read in two ways"),
                        "{text}"
                    );
                    assert!(serde_json::from_str::<Json>(&text).is_err(), "{text}");
                }
            }
        }
        let other = Json::parse(r#"{"x":"$serde_json::private::RawValue"}"#, &Bounds::DEFAULT).unwrap();
        assert_eq!(other.canonical(), other.as_str());
    }

    #[test]
    fn what_is_not_shown_is_written_out_and_what_is_shown_is_not() {
        let hidden = "\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180f}\u{3164}\u{fe00}\u{fe0f}\u{ffa0}\u{fff0}\u{1bca0}\u{1d173}\u{e0080}\u{e01ef}\u{e0fff}";
        let shown = visible(hidden);
        assert_eq!(shown.matches(r"\u{").count(), hidden.chars().count(), "{shown}");
        let plain = "ACME Straße 東京 한국어 ខ្មែរ ᠮᠣᠩᠭᠣᠯ נאָר हिन्दी 🧾 é";
        assert_eq!(visible(plain), plain);
    }

    #[test]
    fn texts_that_mean_the_same_have_one_canonical_form() {
        let bounds = Bounds::DEFAULT;
        let one = Json::parse(r#"{ "b": [1, {"y": "é", "x": null}], "a": 2.50 }"#, &bounds).unwrap();
        let other = Json::parse(r#"{"a":2.5,"b":[1,{"x":null,"y":"\u00e9"}]}"#, &bounds).unwrap();
        assert_eq!(one.canonical(), other.canonical());
        assert_eq!(one.canonical(), r#"{"a":2.5,"b":[1,{"x":null,"y":"é"}]}"#);
    }
}

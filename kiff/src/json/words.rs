//! What serde says, for people who know no Rust.

use std::borrow::Cow;

/// What serde says of a value, without the place in the text and with words for Rust's types.
pub(crate) fn in_words(error: &serde_json::Error) -> String {
    const TYPES: [(&str, &str); 13] = [
        ("i8", "a whole number from -128 to 127"),
        ("i16", "a whole number from -32768 to 32767"),
        ("i32", "a whole number from -2147483648 to 2147483647"),
        ("i64", "a whole number"),
        ("i128", "a whole number"),
        ("u8", "a whole number from 0 to 255"),
        ("u16", "a whole number from 0 to 65535"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("u64", "a whole number that is not negative"),
        ("u128", "a whole number that is not negative"),
        ("f32", "a number"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
    ];
    let text = error.to_string();
    let sentence = text.split(" at line ").next().unwrap_or(&text);
    let Some((given, expected)) = sentence.rsplit_once("expected ") else { return sentence.to_owned() };
    let expected = TYPES.iter().find(|(rust, _)| *rust == expected).map_or(expected, |(_, words)| words);
    let given = excerpt(given).replace("floating point `", "`").replace("integer `", "`");
    format!("{given}expected {expected}")
}

/// What was given may be as long as all parameters together, and is on the record as it was sent.
fn excerpt(given: &str) -> Cow<'_, str> {
    const SHOWN: usize = 128;
    match given.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…, ", given.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(given),
    }
}

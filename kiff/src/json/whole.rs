//! Numbers without a fraction, however they are written: to JSON Schema each of them is an integer.

use serde::de::DeserializeOwned;

use super::LARGEST_INTEGER;

/// Reads a JSON text as a value. To JSON Schema `4900.0` is an integer, and some programs write every number so.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match with_integers(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
}

/// The text with each such number as an integer is written, `4900` for `4900.0` and `4.9e3`; none where all of them are.
///
/// INVARIANT: the text is JSON.
fn with_integers(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        let (before, from) = rest.split_at_checked(start)?;
        let is_number = !from.starts_with('"');
        let (found, behind) = from.split_at_checked(if is_number { number(from) } else { string(from) })?;
        out.push_str(before);
        match Some(found).filter(|_| is_number).and_then(integer) {
            Some(integer) => out.push_str(&integer.to_string()),
            None => out.push_str(found),
        }
        rest = behind;
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// How long the number is with which the text begins.
fn number(text: &str) -> usize {
    text.find(|letter: char| !matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(text.len())
}

/// How long the string is with which the text begins.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let is_end = |byte: u8| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    };
    // The first quote begins it.
    text.bytes().skip(1).position(is_end).map_or(text.len(), |place| place + 2)
}

/// The integer that a number is; none where it has a fraction, or is not exact for every reader.
fn integer(number: &str) -> Option<i64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if matches!(significant, "" | "-") {
        return Some(0);
    }
    let zeros = i64::try_from(digits.len() - significant.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    let zeros = zeros.checked_add(exponent.parse().ok()?)?;
    let power = 10_i64.checked_pow(u32::try_from(zeros).ok()?)?;
    let integer = significant.parse::<i64>().ok()?.checked_mul(power)?;
    (integer.unsigned_abs() <= LARGEST_INTEGER).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::with_integers;

    #[test]
    fn a_number_without_a_fraction_is_an_integer_to_the_last_digit() {
        for (text, integers) in [
            ("4900.0", Some("4900")),
            ("4.9e3", Some("4900")),
            ("-49000E-1", Some("-4900")),
            ("0.0049e+6", Some("4900")),
            ("-0.0", Some("0")),
            ("-0", Some("0")),
            ("9007199254740991.0", Some("9007199254740991")),
            ("9007199254740992.0", None),
            ("4900", None),
            ("4900.5", None),
            // The nearest binary float has no fraction.
            ("4503599627370497.00000001", None),
            ("1.99999999999999999999", None),
            ("5e-1", None),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("true", None),
            (r#""4900.0""#, None),
            (
                r#"{"a": [1.0, 2.5, "é\" 3.0", 4e0], "\\": {"5.0":6.0}, "b": null}"#,
                Some(r#"{"a": [1, 2.5, "é\" 3.0", 4], "\\": {"5.0":6}, "b": null}"#),
            ),
        ] {
            assert_eq!(with_integers(text).as_deref(), integers, "{text}");
        }
    }
}

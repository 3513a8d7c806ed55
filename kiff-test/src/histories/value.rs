//! Values for the types that the kit knows by name.

use std::iter;

use kiff::Rule;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use regex_lite::Regex;
use serde_json::{Value, json};

use super::Field;
use crate::failure::fail;

/// The largest integer that every reader of JSON keeps exact.
const LARGEST: i64 = (1 << 53) - 1;

/// The largest float, but for half of one, that the kit makes up: every float is exact so far.
const WIDEST: i64 = 1_000_000;

/// How much longer than it must be a text or a list gets.
const ROOM: u64 = 8;

/// A type that the kit knows.
enum Kind<'a> {
    Boolean,
    Integer { min: i64, max: i64 },
    Float,
    Text,
    Instant,
    Optional(&'a str),
    List(&'a str),
}

fn kind(type_name: &str) -> Option<Kind<'_>> {
    let name = type_name.trim();
    if let Some((outer, inner)) = name.split_once('<') {
        let inner = inner.trim().strip_suffix('>')?;
        return match last(outer) {
            "Option" => Some(Kind::Optional(inner)),
            "Vec" => Some(Kind::List(inner)),
            _ => None,
        };
    }
    let integer = |min: i64, max: i64| Some(Kind::Integer { min, max });
    match last(name) {
        "bool" => Some(Kind::Boolean),
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "i128" | "isize" | "Cents" => integer(-LARGEST, LARGEST),
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "u128" | "usize" => integer(0, LARGEST),
        "f32" | "f64" => Some(Kind::Float),
        "String" => Some(Kind::Text),
        "Timestamp" => Some(Kind::Instant),
        _ => None,
    }
}

/// Whether a type is an option, which serde lets be left out.
pub(super) fn is_option(type_name: &str) -> bool {
    matches!(kind(type_name), Some(Kind::Optional(_)))
}

/// The last segment of a path, as it may be written with blanks in between.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path).trim()
}

/// Values that the field can have.
pub(super) fn valid(field: &Field<'_>) -> BoxedStrategy<Value> {
    let Some(kind) = kind(field.type_name) else {
        fail(format_args!(
            "the kit knows no values of type `{}`, which `{}` of `{}` has: hand some in with `Histories::values`",
            field.type_name, field.name, field.owner
        ))
    };
    match kind {
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Integer { min, max } => {
            let (min, max) = within(field.rules, min, max);
            prop_oneof![Just(min), Just(max), min..=max].prop_map(Value::from).boxed()
        }
        // Halves, so that no reader writes one back as an integer.
        Kind::Float => {
            // Near zero, as far as the rules let it.
            let (least, most) = within(field.rules, i64::MIN, i64::MAX);
            let min = least.max(-WIDEST).min(most);
            let max = most.min(WIDEST).max(min);
            let end = if min < max { max - 1 } else { max };
            (min..=end).prop_map(move |whole| half(whole, min < max)).boxed()
        }
        Kind::Text => text(field),
        Kind::Instant => (0..=4_000_000_000_000_000_u64)
            .prop_map(|instant| json!(kiff::Timestamp::from_microseconds(instant)))
            .boxed(),
        Kind::Optional(inner) => {
            let there = valid(&Field { type_name: inner, ..*field });
            prop_oneof![Just(Value::Null), there].boxed()
        }
        Kind::List(inner) => {
            let (min, max) = length(field.rules);
            let size = places(min)..=places(max.min(min.saturating_add(ROOM)));
            let item = valid(&Field { type_name: inner, rules: &[], ..*field });
            proptest::collection::vec(item, size).prop_map(Value::from).boxed()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits of floats are small integers")]
fn half(whole: i64, room: bool) -> Value {
    if room { json!(whole as f64 + 0.5) } else { json!(whole as f64) }
}

fn text(field: &Field<'_>) -> BoxedStrategy<Value> {
    let (min, max) = length(field.rules);
    let fits = move |text: &String| (min..=max).contains(&(text.chars().count() as u64));
    if let Some(pattern) = pattern(field.rules) {
        return matching(field, pattern).prop_filter("a length that fits", fits).prop_map(Value::from).boxed();
    }
    let characters = proptest::sample::select(vec!['a', 'b', 'Z', '7', ' ', '-', '"', '\\', '\n', 'é', '漢', '🦀']);
    let size = places(min)..=places(max.min(min.saturating_add(ROOM)));
    proptest::collection::vec(characters, size)
        .prop_map(|characters| Value::from(characters.into_iter().collect::<String>()))
        .boxed()
}

fn matching(field: &Field<'_>, pattern: &str) -> BoxedStrategy<String> {
    // The patterns of kiff know ASCII classes only, and the pattern means the whole text without saying so.
    let bare = pattern.trim_start_matches('^').trim_end_matches('$');
    let made = [format!("(?-u:{bare})"), bare.to_owned()]
        .iter()
        .find_map(|pattern| proptest::string::string_regex(pattern).ok());
    match (made, whole(pattern)) {
        (Some(made), Some(whole)) => made.prop_filter("a text that matches", move |text| whole.is_match(text)).boxed(),
        _ => fail(format_args!(
            "the kit cannot make up texts that match `{pattern}`, as `{}` of `{}` must: hand some in with \
             `Histories::values`",
            field.name, field.owner
        )),
    }
}

/// The pattern as it is meant: for the whole text.
fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{pattern})$")).ok()
}

/// Some texts that do not match; none for a pattern that every short text of ASCII matches.
fn unmatched(pattern: &str) -> Vec<Value> {
    let Some(whole) = whole(pattern) else { return Vec::new() };
    let texts = iter::once(String::new()).chain(('\u{1}'..='~').map(String::from));
    texts.filter(|text| !whole.is_match(text)).take(3).map(Value::from).collect()
}

/// A value of another shape than the field's type has; none when the kit does not know the type.
pub(super) fn wrong(field: &Field<'_>) -> Option<Value> {
    match kind(field.type_name)? {
        Kind::Boolean | Kind::Integer { .. } | Kind::Float | Kind::List(_) => Some(json!("something else")),
        Kind::Text | Kind::Instant => Some(json!(true)),
        Kind::Optional(inner) => wrong(&Field { type_name: inner, ..*field }),
    }
}

/// Values of the right type that break a rule.
pub(super) fn breaking(field: &Field<'_>) -> Vec<Value> {
    match kind(field.type_name) {
        Some(Kind::Integer { min, max }) => {
            let (least, most) = within(field.rules, min, max);
            [least - 1, most + 1].into_iter().filter(|value| (min..=max).contains(value)).map(Value::from).collect()
        }
        Some(Kind::Float) => {
            let (least, most) = within(field.rules, i64::MIN, i64::MAX);
            let is_small = |limit: &i64| (-WIDEST..=WIDEST).contains(limit);
            let below = Some(least).filter(is_small).map(|least| half(least - 1, true));
            let above = Some(most).filter(is_small).map(|most| half(most, true));
            below.into_iter().chain(above).collect()
        }
        Some(Kind::Text) => {
            let off = pattern(field.rules).map(unmatched).unwrap_or_default();
            sizes_off(field.rules).map(|size| json!("x".repeat(size))).chain(off).collect()
        }
        Some(Kind::List(inner)) => sizes_off(field.rules).filter_map(|size| list(inner, size)).collect(),
        Some(Kind::Optional(inner)) => breaking(&Field { type_name: inner, ..*field }),
        Some(Kind::Boolean | Kind::Instant) | None => Vec::new(),
    }
}

/// The sizes next to what a length allows, but for those that no test should make.
fn sizes_off(rules: &[Rule]) -> impl Iterator<Item = usize> {
    let (min, max) = length(rules);
    let short = min.checked_sub(1).map(places);
    let long = max.checked_add(1).map(places).filter(|size| *size <= 4096);
    short.into_iter().chain(long)
}

/// A list of so many items; none when there have to be some and the kit knows none.
fn list(inner: &str, size: usize) -> Option<Value> {
    if size == 0 {
        return Some(json!([]));
    }
    let item = match kind(inner)? {
        Kind::Boolean => json!(true),
        Kind::Integer { .. } => json!(1),
        Kind::Float => json!(0.5),
        Kind::Text => json!("x"),
        Kind::Instant => json!(kiff::Timestamp::from_microseconds(0)),
        Kind::Optional(_) => Value::Null,
        Kind::List(_) => json!([]),
    };
    Some(Value::from(vec![item; size]))
}

fn within(rules: &[Rule], min: i64, max: i64) -> (i64, i64) {
    rules.iter().fold((min, max), |(min, max), rule| match rule {
        Rule::Range { min: least, max: most } => {
            (least.map_or(min, |least| least.max(min)), most.map_or(max, |most| most.min(max)))
        }
        _ => (min, max),
    })
}

fn length(rules: &[Rule]) -> (u64, u64) {
    rules.iter().fold((0, u64::MAX), |(min, max), rule| match rule {
        Rule::Length { min: least, max: most } => {
            (least.map_or(min, |least| least.max(min)), most.map_or(max, |most| most.min(max)))
        }
        _ => (min, max),
    })
}

fn pattern(rules: &[Rule]) -> Option<&str> {
    rules.iter().find_map(|rule| match rule {
        Rule::Pattern { pattern } => Some(pattern.as_ref()),
        _ => None,
    })
}

fn places(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use kiff::Rule;
    use serde_json::{Value, json};

    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    use super::{Field, breaking, valid};

    #[track_caller]
    fn check(type_name: &str, rules: &[Rule], expected: &[Value]) {
        let field = Field { owner: "LABEL", name: "value", type_name, rules, optional: false };
        assert_eq!(breaking(&field), expected, "{type_name}");
    }

    #[test]
    fn a_pattern_is_broken_by_texts_that_do_not_match_it() {
        let pattern = |pattern: &'static str| [Rule::Pattern { pattern: pattern.into() }];
        check("String", &pattern("[A-Z]+"), &[json!(""), json!("\u{1}"), json!("\u{2}")]);
        check("String", &pattern(".+"), &[json!(""), json!("\n")]);
        check("Option<String>", &pattern("[^<>]*"), &[json!("<"), json!(">")]);
        check("String", &pattern("(?s).*"), &[]);
    }

    #[test]
    fn the_length_of_a_list_and_the_range_of_a_float_are_broken_too() {
        let length = [Rule::Length { min: Some(1), max: Some(2) }];
        check("Vec<u8>", &length, &[json!([]), json!([1, 1, 1])]);
        check("Option<Vec<Size>>", &length, &[json!([])]);
        check("f64", &[Rule::Range { min: Some(1), max: Some(30) }], &[json!(0.5), json!(30.5)]);
        check("f32", &[Rule::Range { min: Some(-1), max: None }], &[json!(-1.5)]);
        check("f64", &[], &[]);
    }

    #[test]
    fn a_float_may_have_to_be_large() {
        for (min, max, expected) in [(Some(2_000_000), None, 2e6), (None, Some(-2_000_000), -2e6)] {
            let rules = &[Rule::Range { min, max }];
            let field = Field { owner: "LABEL", name: "value", type_name: "f64", rules, optional: false };
            let value = valid(&field).new_tree(&mut TestRunner::deterministic()).unwrap().current();
            assert_eq!(value, json!(expected));
        }
    }
}

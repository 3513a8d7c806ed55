//! Parameters as people read them: each with what it is for, and amounts of money so that nobody is a hundred times off.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::json::{Json, visible};
use crate::parameter::limits;
use crate::schema::{Contract, Parameter, Rule, without_path};

use super::frame::{lines, name, pretty, prose};

/// The parameters, one a line, with what each of them is.
pub(super) fn table(parameters: &Json, contract: Option<&Contract>) -> Markup {
    let values: Result<Map<String, Value>, _> = parameters.decode();
    let Ok(values) = values else {
        return html! { pre { (pretty(parameters.as_str())) } };
    };
    let rows: Vec<_> = values
        .iter()
        .map(|(name, value)| {
            let known = known(contract, name);
            (name, shown(value, known), known.and_then(|known| told(value, known)))
        })
        .collect();
    let is_told = rows.iter().any(|(_, _, told)| told.is_some());
    html! {
        @if !rows.is_empty() {
            div.scroll {
                table.stack aria-label="Parameters" {
                    thead { tr { th { "Parameter" } th { "Value" } @if is_told { th { "What it is" } } } }
                    tbody {
                        @for (name, shown, told) in &rows {
                            tr {
                                td { strong { (visible(name)) } }
                                td.wide data-label="value" { (shown) }
                                @if let Some(told) = told { td.told data-label="what it is" { (told) } } @else if is_told { td {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a parameter is for, and smaller what its rules demand; none where nothing is said of it.
fn told(value: &Value, known: &Parameter) -> Option<Markup> {
    let (purpose, demands) = (prose(&known.documentation), demands(value, known));
    let is_anything = !purpose.is_empty() || !demands.is_empty();
    is_anything.then(|| {
        html! {
            (purpose)
            @if !demands.is_empty() { " " small.quiet { (visible(&demands.join(", "))) } }
        }
    })
}

/// What the rules demand of a value, in words. Limits of money are in whole units, as the amount beside them is.
fn demands(value: &Value, known: &Parameter) -> Vec<String> {
    let number = |limit: i64| if is_money(known) { units(limit) } else { grouped(limit) };
    let many = |limit: u64| i64::try_from(limit).map_or_else(|_| limit.to_string(), grouped);
    let counted = match value {
        Value::String(_) => " characters",
        Value::Array(_) => " items",
        _ => " long",
    };
    let demand = |rule: &Rule| match rule {
        Rule::Range { min, max } => limits(min.map(number), max.map(number), ""),
        Rule::Length { min, max } => limits(min.map(many), max.map(many), counted),
        Rule::Pattern { pattern } => Some(format!("matching {pattern} as a whole")),
        Rule::Float { .. } => None,
    };
    known.rules.iter().filter_map(demand).collect()
}

/// The parameters on a few lines, as far as they fit.
pub(super) fn short(parameters: &Json, contract: Option<&Contract>) -> Markup {
    /// So many parameters are shown, each with so many characters.
    const SHOWN: usize = 6;
    const FITS: usize = 160;
    let values: Map<String, Value> = parameters.decode().unwrap_or_default();
    html! {
        @if !values.is_empty() {
            dl {
                @for (name, value) in values.iter().take(SHOWN) {
                    dt { (visible(name)) }
                    dd {
                        @let (whole, known) = (text(value), known(contract, name));
                        @if let Some((end, _)) = whole.char_indices().nth(FITS) {
                            span.value { (whole.get(..end).unwrap_or_default()) "…" } (type_beside(value, known))
                        } @else { (shown(value, known)) }
                    }
                }
            }
            @if values.len() > SHOWN { p.quiet { "and " (values.len() - SHOWN) " more" } }
        }
    }
}

fn known<'a>(contract: Option<&'a Contract>, name: &str) -> Option<&'a Parameter> {
    contract.and_then(|contract| contract.parameters.iter().find(|known| known.name == *name))
}

fn shown(value: &Value, known: Option<&Parameter>) -> Markup {
    html! {
        @if let Some(amount) = money(value, known) { (amount) } @else {
            span.value { (text(value)) } (type_beside(value, known))
        }
    }
}

/// The type of a value that is no plain text or number: its unit, if it has one, is in that name.
fn type_beside(value: &Value, known: Option<&Parameter>) -> Markup {
    let type_name = known.map(|known| &*known.type_name).filter(|type_name| !value.is_null() && !is_plain(type_name));
    html! { @if let Some(type_name) = type_name { " " code.quiet { (visible(type_name)) } } }
}

/// Amounts in whole units, and beside them in the minor ones in which they are on the record.
fn money(value: &Value, known: Option<&Parameter>) -> Option<Markup> {
    let found = amounts(value, &known?.type_name).filter(|found| !found.is_empty())?;
    Some(html! {
        @for (place, cents) in found.into_iter().enumerate() { @if place > 0 { ", " } strong { (units(cents)) } }
        " " span.quiet { "(" (value.to_string()) " cents)" }
    })
}

/// The amounts that a value of such a type consists of: `Cents`, optional or in lists; none where it is of anything else.
fn amounts(value: &Value, type_name: &str) -> Option<Vec<i64>> {
    match (parts(type_name), value) {
        (None, _) => value.as_i64().filter(|_| without_path(type_name) == "Cents").map(|cents| vec![cents]),
        (Some(("Option" | "Box", held)), _) => amounts(value, held),
        (Some((LIST | "Vec" | "VecDeque" | "BTreeSet" | "HashSet", held)), Value::Array(items)) => {
            let each = items.iter().map(|item| amounts(item, held)).collect::<Option<Vec<_>>>()?;
            Some(each.concat())
        }
        _ => None,
    }
}

/// Whether a type is one of plain texts or numbers, or holds nothing else.
fn is_plain(type_name: &str) -> bool {
    match parts(type_name) {
        None => matches!(
            without_path(type_name),
            "String"
                | "str"
                | "char"
                | "bool"
                | "f32"
                | "f64"
                | "i8"
                | "i16"
                | "i32"
                | "i64"
                | "i128"
                | "isize"
                | "u8"
                | "u16"
                | "u32"
                | "u64"
                | "u128"
                | "usize"
        ),
        Some((LIST | "Option" | "Box" | "Vec" | "VecDeque" | "BTreeSet" | "HashSet", held)) => is_plain(held),
        Some(("Cow" | "BTreeMap" | "HashMap", held)) => held.split_once(',').is_some_and(|(_, held)| is_plain(held)),
        Some(_) => false,
    }
}

/// What a list is called that has no other name: `[Cents; 2]`.
const LIST: &str = "[]";

/// The name of a type that holds others, without the path to it, and what it holds; none of one that holds none.
fn parts(type_name: &str) -> Option<(&str, &str)> {
    let whole = type_name.trim();
    if let Some(list) = whole.strip_prefix('[') {
        let list = list.strip_suffix(']')?;
        return Some((LIST, list.rsplit_once(';').map_or(list, |(held, _)| held)));
    }
    let (outer, held) = without_path(whole).split_once('<')?;
    Some((outer.trim_end(), held.strip_suffix('>')?))
}

fn is_money(known: &Parameter) -> bool {
    known.bare_type() == "Cents"
}

/// Cents in whole units: `-1,234.05`.
fn units(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    // A hundredth of any number fits, whatever its sign.
    let whole = grouped((cents / 100).saturating_abs());
    format!("{sign}{whole}.{:02}", cents.unsigned_abs() % 100)
}

/// A number with its thousands apart: `-10,000`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut shown = if number < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A value as it is read: a text without its quotes, anything else as JSON. Where a text would be taken for something else without
/// them, it has them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if is_misread(text) => name(&Value::from(text.as_str()).to_string()),
        Value::String(text) => lines(text),
        other => pretty(&other.to_string()),
    }
}

/// Whether a text would look like other JSON, or like another text.
fn is_misread(text: &str) -> bool {
    let has_unseen = |line: &str| line.trim_end() != line || line.trim_start().contains("  ");
    text.trim() != text
        || text.contains('\r')
        || text.lines().any(has_unseen)
        || text.starts_with('"')
        || serde_json::from_str::<Value>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_two_values_never_look_alike_to_whoever_approves_them() {
        let values = serde_json::json!([
            null,
            "null",
            true,
            "true",
            12,
            "12",
            "12\n",
            "49",
            "49\n",
            " 49",
            "a\nb",
            "a\r\nb",
            "a \nb",
            "a b",
            "a  b",
            "a \\u{20}b",
            "a\u{a0}b",
            "a\\u{a0}b",
            "a\\\u{a0}b",
            "a\u{2800}b",
            "a\u{3000}b",
            "\u{202e}",
            "\\u{202e}",
            ["a b"],
            ["a\u{a0}b"],
            "",
            "\"49\"",
            {},
            "{}",
            [],
            "[]"
        ]);
        let look = |shown: String| shown.replace(['\u{a0}', '\u{2800}', '\u{3000}'], " ");
        let mut shown: Vec<String> = values.as_array().into_iter().flatten().map(|value| look(text(value))).collect();
        let count = shown.len();
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), count, "{shown:?}");
        assert_eq!(text(&Value::from("the parcel\ncame open")), "the parcel\ncame open");
    }

    fn parameter(type_name: &'static str, documentation: &'static str, rules: Vec<Rule>) -> Parameter {
        Parameter {
            name: "amount".into(),
            type_name: type_name.into(),
            documentation: documentation.into(),
            optional: false,
            rules: rules.into(),
        }
    }

    #[test]
    fn whoever_approves_reads_what_a_value_is_for_and_what_is_demanded_of_it() {
        let range = |min, max| Rule::Range { min, max };
        let told = |value: Value, known: &Parameter| told(&value, known).map(Markup::into_string);
        let refund =
            parameter("Cents", "What goes <b>back</b>,\nat most the total.", vec![range(Some(1), Some(1_000_000))]);
        let expected = "What goes &lt;b&gt;back&lt;/b&gt;, at most the total. <small class=\"quiet\">from 0.01 to 10,000.00</small>";
        assert_eq!(told(Value::from(4_900), &refund).as_deref(), Some(expected));
        let small = |words: &str| Some(format!(" <small class=\"quiet\">{words}</small>"));
        let metres = parameter("u32", "", vec![range(None, Some(10_000))]);
        assert_eq!(told(Value::from(7), &metres), small("at most 10,000"));
        let length = || Rule::Length { min: Some(3), max: Some(500) };
        let reason = parameter("String", "", vec![length(), Rule::Pattern { pattern: "[a-z]+".into() }]);
        assert_eq!(told(Value::from("abc"), &reason), small("from 3 to 500 characters, matching [a-z]+ as a whole"));
        assert_eq!(
            told(Value::Array(Vec::new()), &parameter("Vec<u8>", "", vec![length()])),
            small("from 3 to 500 items")
        );
        assert_eq!(told(Value::from(7), &parameter("u32", "", Vec::new())), None);
    }

    #[test]
    fn numbers_are_written_so_that_nobody_miscounts_their_digits() {
        let numbers = [0, -7, 999, 1_000, -10_000, 1_234_567, i64::MIN].map(grouped);
        assert_eq!(numbers, ["0", "-7", "999", "1,000", "-10,000", "1,234,567", "-9,223,372,036,854,775,808"]);
        let amounts = [0, 5, -5, 99_900, -123_405, i64::MIN].map(units);
        assert_eq!(amounts, ["0.00", "0.05", "-0.05", "999.00", "-1,234.05", "-92,233,720,368,547,758.08"]);
    }

    #[test]
    fn money_is_known_however_its_type_is_written() {
        let amount = |type_name| money(&Value::from(99_900), Some(&parameter(type_name, "", Vec::new()))).is_some();
        for (type_name, is_money) in [
            ("Cents", true),
            ("kiff::Cents", true),
            ("Option<kiff::Cents>", true),
            ("std::option::Option < Cents >", true),
            ("Vec<kiff::Cents>", false),
            ("Optional<Cents>", false),
            ("u32", false),
            ("InCents", false),
        ] {
            assert_eq!(amount(type_name), is_money, "{type_name}");
        }
    }

    #[test]
    fn an_amount_has_its_unit_in_a_list_too_and_what_is_no_plain_value_its_type() {
        let shown = |value: Value, type_name| shown(&value, Some(&parameter(type_name, "", Vec::new()))).into_string();
        let amounts = "<strong>49.00</strong>, <strong>1.00</strong> <span class=\"quiet\">([4900,100] cents)</span>";
        for list in
            ["Vec<Cents>", "Option<Vec<kiff::Cents>>", "std::vec::Vec < Cents >", "[kiff::Cents; 2]", "Box<[Cents]>"]
        {
            assert_eq!(shown(serde_json::json!([4_900, 100]), list), amounts, "{list}");
        }
        let nested = "<strong>49.00</strong> <span class=\"quiet\">([[],[4900]] cents)</span>";
        assert_eq!(shown(serde_json::json!([[], [4_900]]), "Vec<[Cents; 1]>"), nested);
        let typed = |value: &str, type_name: &str| {
            format!("<span class=\"value\">{value}</span> <code class=\"quiet\">{type_name}</code>")
        };
        assert_eq!(shown(Value::from(4_900), "Money"), typed("4900", "Money"));
        assert_eq!(shown(Value::from("x"), "shop::Payout"), typed("x", "shop::Payout"));
        assert_eq!(shown(serde_json::json!([]), "Vec<Cents>"), typed("[]", "Vec&lt;Cents&gt;"));
        assert_eq!(shown(serde_json::json!([]), "Vec<Money>"), typed("[]", "Vec&lt;Money&gt;"));
        for plain in ["u32", "Option<std::string::String>", "Vec<u8>", "Cow<'static, str>", "BTreeMap<String, u32>"] {
            assert_eq!(shown(Value::from(7), plain), "<span class=\"value\">7</span>", "{plain}");
        }
        assert_eq!(shown(Value::Null, "Option<Cents>"), "<span class=\"value\">null</span>");
    }
}

//! Parameters as people read them: each with its type, and amounts of money so that nobody is a hundred times off.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::json::{Json, visible};
use crate::schema::{Contract, Parameter};

use super::frame::pretty;

/// The parameters, one a line, with what each of them is.
pub(super) fn table(parameters: &Json, contract: Option<&Contract>) -> Markup {
    let values: Result<Map<String, Value>, _> = parameters.decode();
    let Ok(values) = values else {
        return html! { pre { (pretty(parameters.as_str())) } };
    };
    html! {
        @if !values.is_empty() {
            div.scroll {
                table.stack aria-label="Parameters" {
                    thead { tr { th { "Parameter" } th { "Value" } th { "Type" } } }
                    tbody {
                        @for (name, value) in &values {
                            @let known = known(contract, name);
                            tr {
                                td { strong { (visible(name)) } }
                                td.wide data-label="value" { (shown(value, known)) }
                                td data-label="type" { @if let Some(known) = known { code { (visible(&known.type_name)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
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
                        @let whole = text(value);
                        @match (money(value, known(contract, name)), whole.char_indices().nth(FITS)) {
                            (Some(amount), _) => (amount),
                            (None, Some((end, _))) => span.value { (whole.get(..end).unwrap_or_default()) "…" },
                            (None, None) => span.value { (whole) },
                        }
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
    html! { @if let Some(amount) = money(value, known) { (amount) } @else { span.value { (text(value)) } } }
}

/// An amount in whole units, and beside it in the minor ones in which it is on the record.
fn money(value: &Value, known: Option<&Parameter>) -> Option<Markup> {
    let cents = value.as_i64().filter(|_| known.is_some_and(|known| known.bare_type() == "Cents"))?;
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let sign = if cents < 0 { "-" } else { "" };
    Some(html! { strong { (sign) (whole) (format!(".{rest:02}")) } " " span.quiet { "(" (cents) " cents)" } })
}

/// A value as it is read: a text without its quotes, anything else as JSON. Where a text would be taken for something else without
/// them, it has them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if is_misread(text) => visible(&Value::from(text.as_str()).to_string()),
        Value::String(text) => text.lines().map(visible).collect::<Vec<_>>().join("\n"),
        other => pretty(&other.to_string()),
    }
}

/// Whether a text would look like other JSON, or like another text.
fn is_misread(text: &str) -> bool {
    text.trim() != text || text.contains('\r') || text.starts_with('"') || serde_json::from_str::<Value>(text).is_ok()
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
            "",
            "\"49\"",
            {},
            "{}",
            [],
            "[]"
        ]);
        let mut shown: Vec<String> = values.as_array().into_iter().flatten().map(text).collect();
        let count = shown.len();
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), count, "{shown:?}");
        assert_eq!(text(&Value::from("the parcel\ncame open")), "the parcel\ncame open");
    }

    #[test]
    fn money_is_known_however_its_type_is_written() {
        let amount = |type_name: &'static str| {
            let (name, documentation) = ("amount".into(), "".into());
            let known = Parameter {
                name,
                type_name: type_name.into(),
                documentation,
                optional: false,
                rules: Vec::new().into(),
            };
            money(&Value::from(99_900), Some(&known)).is_some()
        };
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
}

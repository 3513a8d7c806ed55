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
    let is_money = |known: &Parameter| known.type_name == "Cents" || known.type_name == "Option<Cents>";
    let cents = value.as_i64().filter(|_| known.is_some_and(is_money))?;
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let sign = if cents < 0 { "-" } else { "" };
    Some(html! { strong { (sign) (whole) (format!(".{rest:02}")) } " " span.quiet { "(" (cents) " cents)" } })
}

/// A value as it is read: a text without its quotes, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.lines().map(visible).collect::<Vec<_>>().join("\n"),
        other => pretty(&other.to_string()),
    }
}

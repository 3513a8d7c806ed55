//! What a parameter asks of its values, as the block writes it, and whether one version of it asks more than another.

use std::fmt::Display;

use super::{Parameter, Rule};

/// Its type, whether it may be left out, and its rules in an order that does not depend on where they stand.
pub(super) fn shown(parameter: &Parameter) -> String {
    let mut rules: Vec<String> = parameter.rules.iter().map(written).collect();
    rules.sort_unstable();
    let optional = parameter.optional.then(|| "optional".to_owned());
    let words: Vec<String> = [parameter.type_name.to_string()].into_iter().chain(optional).chain(rules).collect();
    words.join(", ")
}

/// Whether a value that was accepted before can be refused, or has to be there although it had not.
pub(super) fn asks_more(before: &Parameter, after: &Parameter) -> bool {
    let is_kept = |rule: &Rule| before.rules.iter().any(|known| implies(known, rule));
    let is_stricter = after.rules.iter().any(|rule| !matches!(rule, Rule::Float { .. }) && !is_kept(rule));
    is_stricter || before.bare_type() != after.bare_type() || (before.optional && !after.optional)
}

/// Whether all that fulfils one rule fulfils the other.
fn implies(known: &Rule, rule: &Rule) -> bool {
    match (known, rule) {
        (Rule::Range { min: low, max: high }, Rule::Range { min, max }) => is_within(*low, *high, *min, *max),
        (Rule::Length { min: low, max: high }, Rule::Length { min, max }) => is_within(*low, *high, *min, *max),
        (known, rule) => known == rule,
    }
}

fn is_within<N: PartialOrd>(low: Option<N>, high: Option<N>, min: Option<N>, max: Option<N>) -> bool {
    min.is_none_or(|min| low.is_some_and(|low| low >= min))
        && max.is_none_or(|max| high.is_some_and(|high| high <= max))
}

fn written(rule: &Rule) -> String {
    match rule {
        Rule::Range { min, max } => limits("range", min.as_ref(), max.as_ref()),
        Rule::Length { min, max } => limits("length", min.as_ref(), max.as_ref()),
        Rule::Pattern { pattern } => format!("pattern({pattern:?})"),
        Rule::Float { reason } => format!("float({reason:?})"),
    }
}

fn limits<N: Display>(word: &str, min: Option<&N>, max: Option<&N>) -> String {
    let min = min.map(|min| format!("min = {min}"));
    let max = max.map(|max| format!("max = {max}"));
    let limits: Vec<String> = min.into_iter().chain(max).collect();
    format!("{word}({})", limits.join(", "))
}

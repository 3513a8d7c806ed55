//! Rules about `#[param(..)]`: each fits its type, stands once, and can be kept by some value.

use std::collections::HashSet;

use regex_lite::Regex;
use syn::{LitStr, Type};

use super::RULES;
use crate::action::kind::{self, Kind};
use crate::action::model::{Demand, Limits, Parameter, Rule};
use crate::action::sentence::code;
use crate::errors::Errors;

/// Limits of which nothing is known.
const OPEN: &str = "min = .., max = ..";

/// A rule that asks a type for what it does not have would check nothing.
///
/// Types of the user's own are left to rustc, which knows what they implement.
pub(super) fn fits_its_type(parameter: &Parameter, errors: &Errors) {
    let typed = &parameter.typed.ty;
    let inner = kind::optional(typed).unwrap_or(typed);
    for rule in &parameter.rules {
        let Some(instead) = instead(rule, parameter, inner) else {
            continue;
        };
        let message = format!(
            "`{}` does not fit `{}`, which is of type `{}`: {instead}",
            rule.name,
            parameter.label(),
            code(inner)
        );
        errors.report(RULES, &rule.tokens, message);
    }
}

/// What to write instead of a rule that does not fit.
fn instead(rule: &Rule, parameter: &Parameter, typed: &Type) -> Option<String> {
    let away = "take it away".to_owned();
    // Another rule that stands there already would stand there twice.
    let written = |name: &str, limits: &str| {
        let stands_there = parameter.rules.iter().any(|other| other.name == name);
        (!stands_there).then(|| format!("write `{name}({limits})`"))
    };
    match (&rule.demand, Kind::of(typed)) {
        (Demand::Float(_) | Demand::Unreadable, _)
        | (_, Kind::Unknown)
        | (Demand::Range(_), Kind::Number | Kind::Float)
        | (Demand::Length(_), Kind::Text | Kind::List)
        | (Demand::Pattern(_), Kind::Text) => None,
        (Demand::Range(_), Kind::Wide(narrow)) => Some(format!("take it as `{narrow}`")),
        (Demand::Range(limits), Kind::Text | Kind::List) => {
            Some(written("length", &kept(limits, (0, u64::MAX.into()))).unwrap_or(away))
        }
        (Demand::Length(limits), Kind::Number | Kind::Float) => {
            let bounds = kind::bounds(typed).unwrap_or((i64::MIN.into(), i64::MAX.into()));
            Some(written("range", &kept(limits, bounds)).unwrap_or(away))
        }
        (Demand::Length(limits), Kind::Wide(narrow)) => {
            let bounds = syn::parse_str::<Type>(narrow).ok().and_then(|narrow| kind::bounds(&narrow));
            let written = written("range", &kept(limits, bounds.unwrap_or((0, i64::MAX.into()))));
            Some(written.map_or(away, |written| format!("{written}, and take it as `{narrow}`")))
        }
        (Demand::Length(_), Kind::Collection) => Some("take it as a `Vec`, or take the rule away".to_owned()),
        (Demand::Length(_), Kind::Array) => Some("its type says its length, so take the rule away".to_owned()),
        (Demand::Pattern(_), Kind::Number) => {
            let written = written("range", OPEN);
            Some(written.map_or(away, |written| format!("{written}, or take it as a `String`")))
        }
        (Demand::Pattern(_), Kind::Wide(_)) => Some("take it as a `String`, or take the rule away".to_owned()),
        (Demand::Range(_) | Demand::Length(_) | Demand::Pattern(_), _) => Some(away),
    }
}

/// Those of the limits that another rule can have on the type, which keeps these bounds by itself.
fn kept<T: Copy + Into<i128>>(limits: &Limits<T>, (least, greatest): (i128, i128)) -> String {
    let within = |limit: Option<T>| limit.map(Into::<i128>::into).filter(|limit| (least..=greatest).contains(limit));
    match (within(limits.min), within(limits.max)) {
        (Some(min), Some(max)) if min <= max => format!("min = {min}, max = {max}"),
        (Some(min), None) => format!("min = {min}"),
        (None, Some(max)) => format!("max = {max}"),
        _ => OPEN.to_owned(),
    }
}

/// Of two rules of one name, a reader sees one.
pub(super) fn stands_once(parameter: &Parameter, errors: &Errors) {
    let mut seen = HashSet::new();
    for rule in &parameter.rules {
        if !seen.insert(rule.name.to_string()) {
            let message = format!("`{}` stands twice on `{}`: write one rule", rule.name, parameter.label());
            errors.report(RULES, &rule.tokens, message);
        }
    }
}

/// Limits that no value keeps would refuse every proposal.
pub(super) fn has_an_order(parameter: &Parameter, errors: &Errors) {
    for rule in &parameter.rules {
        let crossed = match &rule.demand {
            Demand::Range(limits) => crossed(limits),
            Demand::Length(limits) => crossed(limits),
            Demand::Pattern(_) | Demand::Float(_) | Demand::Unreadable => None,
        };
        if let Some((min, max)) = crossed {
            let message = format!(
                "no `{}` is at least {min} and at most {max}: `min` must not be above `max`",
                parameter.label()
            );
            errors.report(RULES, &rule.tokens, message);
        }
    }
}

fn crossed<T: PartialOrd + ToString>(limits: &Limits<T>) -> Option<(String, String)> {
    match (&limits.min, &limits.max) {
        (Some(min), Some(max)) if min > max => Some((min.to_string(), max.to_string())),
        _ => None,
    }
}

/// A limit that the type keeps by itself, or that none of its values can keep, is not what its author believes.
pub(super) fn lies_within_its_type(parameter: &Parameter, errors: &Errors) {
    let typed = kind::optional(&parameter.typed.ty).unwrap_or(&parameter.typed.ty);
    let Some((least, greatest)) = kind::bounds(typed) else {
        return;
    };
    for rule in &parameter.rules {
        let Demand::Range(limits) = &rule.demand else {
            continue;
        };
        for (key, limit) in [("min", limits.min), ("max", limits.max)] {
            let Some(limit) = limit.filter(|limit| !(least..=greatest).contains(&i128::from(*limit))) else {
                continue;
            };
            let message = format!(
                "`{}` is of type `{}`, which can be {least} to {greatest}, so that the limit `{key} = {limit}` lies outside \
                 of it: write one inside, or take it away",
                parameter.label(),
                code(typed)
            );
            errors.report(RULES, &rule.tokens, message);
        }
    }
}

/// A pattern that cannot be read would refuse every proposal, and an empty one all but the empty text.
pub(super) fn pattern_is_well_formed(parameter: &Parameter, errors: &Errors) {
    for rule in &parameter.rules {
        let Demand::Pattern(pattern) = &rule.demand else {
            continue;
        };
        if let Some(problem) = problem(pattern) {
            errors.report(RULES, pattern, problem);
        }
    }
}

fn problem(pattern: &LitStr) -> Option<String> {
    let text = pattern.value();
    if text.is_empty() {
        return Some(
            "the pattern is empty, so that only the empty text would match: write one, or take it away".to_owned(),
        );
    }
    // It is held to the whole of a text by what is put around it: a comment would swallow that, and a parenthesis end it.
    let around = Regex::new(&format!("^(?:{text})$")).err();
    match (Regex::new(&text).err(), around) {
        (None, None) => None,
        (Some(error), None) | (Some(_), Some(error)) => Some(format!("`{text}` is no regular expression: {error}")),
        (None, Some(error)) => Some(format!(
            "`{text}` does not stand within `^(?:…)$`, by which it is held to the whole of a text: {error}"
        )),
    }
}

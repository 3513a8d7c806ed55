//! `#[param(..)]`: one rule after the other, so that a faulty one hides no other.

use std::str::FromStr;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitInt, LitStr, Meta, Token};

use crate::action::check::RULES;
use crate::action::model::{Demand, Limits, Rule};
use crate::errors::Errors;
use crate::suggest;

const NAMES: [&str; 4] = ["range", "length", "pattern", "float"];

/// Reads the rules of all `#[param(..)]` of one parameter.
pub(super) fn read(attributes: &[Attribute], errors: &Errors) -> Vec<Rule> {
    let mut rules = Vec::new();
    for attribute in attributes {
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
        };
        if tokens.is_empty() {
            let message = "`#[param]` holds no rule: write one, as in `#[param(range(min = 1))]`, or take it away";
            errors.report(RULES, attribute, message);
        }
        rules.extend(divide(tokens).into_iter().filter_map(|part| rule(&part, errors)));
    }
    rules
}

/// What stands between commas.
fn divide(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn rule(part: &[TokenTree], errors: &Errors) -> Option<Rule> {
    let tokens: TokenStream = part.iter().cloned().collect();
    let Some(TokenTree::Ident(name)) = part.first() else {
        let message = "expected a rule: write `range(..)`, `length(..)`, `pattern(\"..\")` or `float(\"..\")`";
        errors.report(RULES, tokens, message);
        return None;
    };
    let demand = match part.get(1..) {
        Some([]) => demand(name, &tokens, TokenStream::new(), errors),
        Some([TokenTree::Group(group)]) if group.delimiter() == Delimiter::Parenthesis => {
            demand(name, &tokens, group.stream(), errors)
        }
        _ if NAMES.iter().any(|known| name == known) => {
            errors.report(RULES, &tokens, format!("this is no rule: write `{}`", example(name)));
            None
        }
        _ => unknown(name, errors),
    };
    Some(Rule { name: name.clone(), tokens, demand: demand.unwrap_or(Demand::Unreadable) })
}

fn demand(name: &Ident, tokens: &TokenStream, arguments: TokenStream, errors: &Errors) -> Option<Demand> {
    let source = Source { name, tokens, errors };
    match name.to_string().as_str() {
        "range" => source.limits(arguments).map(Demand::Range),
        "length" => source.limits(arguments).map(Demand::Length),
        "pattern" => source.text(arguments).map(Demand::Pattern),
        "float" => source.text(arguments).map(Demand::Float),
        _ => unknown(name, errors),
    }
}

/// Says that there is no such rule. Who writes a limit alone has forgotten the rule that it stands in.
fn unknown(name: &Ident, errors: &Errors) -> Option<Demand> {
    let text = name.to_string();
    let hint = match text.as_str() {
        "min" | "max" | "minimum" | "maximum" => {
            "a limit stands in `range(min = .., max = ..)` for a number, and in `length(min = .., max = ..)` for a text or a \
             list"
                .to_owned()
        }
        other => suggest::hint(other, "rules", &NAMES.map(str::to_owned)),
    };
    errors.report(RULES, name, format!("there is no rule `{text}`: {hint}"));
    None
}

/// How a rule is written.
fn example(name: &Ident) -> String {
    match name.to_string().as_str() {
        "pattern" => r#"pattern("[a-z]+")"#.to_owned(),
        "float" => r#"float("the reason")"#.to_owned(),
        _ => format!("{name}(min = .., max = ..)"),
    }
}

/// One rule in the source.
struct Source<'a> {
    name: &'a Ident,
    tokens: &'a TokenStream,
    errors: &'a Errors,
}

impl Source<'_> {
    /// Reads `min = 1, max = 10`.
    fn limits<T: FromStr>(&self, arguments: TokenStream) -> Option<Limits<T>> {
        let mut limits = Limits { min: None, max: None };
        let mut is_read = true;
        for part in divide(arguments) {
            let tokens: TokenStream = part.into_iter().collect();
            is_read &= self.limit(&tokens, &mut limits).is_some();
        }
        if is_read && limits.min.is_none() && limits.max.is_none() {
            let message = format!("`{}` has no limit: write `{}`, or one of the two", self.name, example(self.name));
            self.errors.report(RULES, self.tokens, message);
            return None;
        }
        is_read.then_some(limits)
    }

    /// Reads `min = 1`.
    fn limit<T: FromStr>(&self, tokens: &TokenStream, limits: &mut Limits<T>) -> Option<()> {
        let parser = |input: ParseStream<'_>| {
            let key: Ident = input.parse()?;
            let value = value(input).ok();
            let rest: TokenStream = input.parse()?;
            Ok((key, value.filter(|_| rest.is_empty())))
        };
        let fault = |place: &dyn ToTokens, message: String| {
            self.errors.report(RULES, place.to_token_stream(), message);
        };
        let Ok((key, value)) = parser.parse2(tokens.clone()) else {
            fault(tokens, format!("this is no limit: write `{}`", example(self.name)));
            return None;
        };
        let limit = match key.to_string().as_str() {
            "min" => &mut limits.min,
            "max" => &mut limits.max,
            other => {
                let hint = suggest::hint(other, "limits", &["min", "max"].map(str::to_owned));
                fault(&key, format!("`{}` has no `{other}`: {hint}", self.name));
                return None;
            }
        };
        let Some((minus, digits)) = value else {
            fault(tokens, format!("the limit `{key}` is not a whole number: write it out, as in `{key} = 100`"));
            return None;
        };
        let sign = if minus.is_some() { "-" } else { "" };
        let Ok(value) = format!("{sign}{}", digits.base10_digits()).parse() else {
            let message = if minus.is_some() && self.name == "length" {
                "a length is never negative: write a number from 0".to_owned()
            } else {
                "this limit does not fit 64 bits: write a smaller one, or take it away".to_owned()
            };
            fault(&quote::quote!(#minus #digits), message);
            return None;
        };
        if limit.replace(value).is_some() {
            fault(&key, format!("`{key}` stands twice in `{}`: write it once", self.name));
            return None;
        }
        Some(())
    }

    /// Reads `"[a-z]+"`.
    fn text(&self, arguments: TokenStream) -> Option<LitStr> {
        let text = syn::parse2::<LitStr>(arguments).ok();
        if text.is_none() {
            let message = format!("`{}` takes one text: write `{}`", self.name, example(self.name));
            self.errors.report(RULES, self.tokens, message);
        }
        text
    }
}

/// Reads `= -1`.
fn value(input: ParseStream<'_>) -> syn::Result<(Option<Token![-]>, LitInt)> {
    input.parse::<Token![=]>()?;
    Ok((input.parse()?, input.parse()?))
}

//! From tokens to the model: the attribute's path, the fn, and what each argument is. Nothing is judged here.

mod rules;

use proc_macro2::{Group, Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, FnArg, Pat, PatType, Path, Signature, Type, Visibility};

use super::check::SHAPE;
use super::documentation;
use super::kind;
use super::model::{Argument, Borrowed, Executor, Parameter, Target};
use super::sentence::{code, plain};
use crate::errors::Errors;

/// Reads the attribute and the fn; none when there is no fn.
pub(super) fn executor(attribute: TokenStream, item: TokenStream, errors: &Errors) -> Option<Executor> {
    let function: Function = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => {
            errors.report_at(SHAPE, error.span(), "`#[action(..)]` stands on an async fn that has a body");
            return None;
        }
    };
    let target = target(attribute, &function.signature.ident, errors);
    let (documentation, others) = documentation::divide(function.attributes);
    let (conditions, attributes) = others.into_iter().partition(|attribute| attribute.path().is_ident("cfg"));
    let mut signature = function.signature;
    let arguments = signature.inputs.iter_mut().map(|input| argument(input, errors)).collect();
    Some(Executor {
        target,
        documentation,
        conditions,
        attributes,
        visibility: function.visibility,
        signature,
        arguments,
        body: function.body,
    })
}

/// A fn whose body is not read, so that a half-typed one does no harm.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

/// Reads `Refund::RefundOrder`.
fn target(attribute: TokenStream, function: &Ident, errors: &Errors) -> Option<Target> {
    let example = camel(&plain(function));
    if attribute.is_empty() {
        let message = format!(
            "`#[action]` does not say which action `{function}` executes: write `#[action(Domain::{example})]` with the \
             name of your domain"
        );
        errors.report(SHAPE, function, message);
        return None;
    }
    let whole = attribute.clone();
    let fault = |message: String| errors.report(SHAPE, whole, message);
    let Ok(mut path) = Path::parse_mod_style.parse2(attribute) else {
        fault(format!(
            "this is not the path of an action: write `#[action(Domain::{example})]` with the name of your domain"
        ));
        return None;
    };
    let action = path.segments.pop().map(|segment| segment.ident)?;
    path.segments.pop_punct();
    if path.segments.is_empty() {
        fault(format!(
            "`{action}` does not say of which domain it is: write `#[action(Domain::{action})]` with the name of your domain"
        ));
        return None;
    }
    Some(Target { domain: path, action })
}

/// `refund_order` becomes `RefundOrder`.
fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// Takes the attributes out of an argument and says what it is.
fn argument(input: &mut FnArg, errors: &Errors) -> Argument {
    let typed = match input {
        FnArg::Receiver(receiver) => {
            receiver.attrs.clear();
            return Argument::Receiver(receiver.clone());
        }
        FnArg::Typed(typed) => typed,
    };
    let (documentation, others) = documentation::divide(std::mem::take(&mut typed.attrs));
    let (param, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|attribute| attribute.path().is_ident("param"));
    typed.attrs = others.into_iter().filter(|other| is_for_rustc(other, errors)).collect();
    if let Type::Reference(reference) = kind::peel(&typed.ty) {
        let borrowed = Borrowed { typed: typed.clone(), reference: reference.clone(), has_rules: !param.is_empty() };
        return if kind::is_execution(&reference.elem) {
            Argument::Execution(borrowed)
        } else {
            Argument::Services(borrowed)
        };
    }
    Argument::Parameter(Parameter {
        documentation,
        name: named(typed),
        rules: rules::read(&param, errors),
        typed: typed.clone(),
    })
}

/// The one name of `amount: Cents` or `mut amount: Cents`.
fn named(typed: &PatType) -> Option<Ident> {
    match &*typed.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(pattern.ident.clone()),
        _ => None,
    }
}

/// Whether an attribute of an argument is a lint level; there are no others, least of all `#[cfg]`.
fn is_for_rustc(attribute: &Attribute, errors: &Errors) -> bool {
    let path = attribute.path();
    if ["allow", "expect", "warn", "deny"].iter().any(|level| path.is_ident(level)) {
        return true;
    }
    let message = if path.is_ident("cfg") || path.is_ident("cfg_attr") {
        "an action has the same parameters in every build: take this away, or write two fns, each with its own `#[cfg(..)]`"
            .to_owned()
    } else {
        format!("`#[{}]` is no attribute of a parameter: the only one is `#[param(..)]`", code(path))
    };
    errors.report(SHAPE, attribute.to_token_stream(), message);
    false
}

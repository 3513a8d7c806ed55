//! From tokens to the model: the attribute's path, the fn, and what each argument is. Nothing is judged here.

mod rules;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, FnArg, Meta, Pat, PatType, Path, Signature, Token, Type, Visibility};

use super::duty::Duty;
use super::kind;
use super::model::{Argument, Borrowed, Executor, Further, Parameter, Target};
use super::sentence::code;
use crate::documentation;
use crate::domain::{is_called, plain};
use crate::errors::Errors;
use crate::renamed::renaming;

/// Reads the attribute and the fn; none when there is no fn.
pub(super) fn executor(duty: Duty, attribute: TokenStream, item: TokenStream, errors: &Errors) -> Option<Executor> {
    let function = function(duty, item, errors)?;
    let (attribute, kiff) = without_crate(attribute);
    let target = target(duty, attribute, &function.signature.ident, errors);
    let (documentation, others) = documentation::divide(function.attributes);
    let (conditions, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|attribute| is_called(attribute.path(), "cfg"));
    let (further, attributes): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|attribute| is_one_of(attribute, Duty::Execute) || is_one_of(attribute, Duty::Reconcile));
    let mut signature = function.signature;
    let arguments = signature.inputs.iter_mut().map(|input| argument(duty, input, errors)).collect();
    Some(Executor {
        duty,
        kiff,
        target,
        documentation,
        conditions,
        further: further.into_iter().map(self::further).collect(),
        attributes,
        visibility: function.visibility,
        signature,
        arguments,
        body: function.body,
    })
}

/// Reads the fn, if need be with the commas that its parameters lack: rustc has missed them already, and would miss the executor
/// as well.
fn function(duty: Duty, item: TokenStream, errors: &Errors) -> Option<Function> {
    let error = match syn::parse2(item.clone()) {
        Ok(function) => return Some(function),
        Err(error) => error,
    };
    let mended = syn::parse2(with_commas(item)).ok();
    let message = match &mended {
        Some(Function { signature, .. }) => {
            format!("the parameters of `{}` cannot be read: {error}", signature.ident)
        }
        None => format!("`#[{}(..)]` stands on an async fn that has a body", duty.attribute()),
    };
    errors.report_at(duty.rule(), error.span(), message);
    mended
}

/// The fn with a comma behind each of its parameters.
fn with_commas(item: TokenStream) -> TokenStream {
    let divided = |input: ParseStream<'_>| {
        let mut arguments = TokenStream::new();
        while !input.is_empty() {
            let argument: FnArg = input.parse()?;
            input.parse::<Option<Token![,]>>()?;
            arguments.extend(quote!(#argument,));
        }
        Ok(arguments)
    };
    let mut is_next = false;
    let tokens = item.into_iter().map(|token| match token {
        TokenTree::Group(group) if is_next && group.delimiter() == Delimiter::Parenthesis => {
            is_next = false;
            let arguments = divided.parse2(group.stream()).unwrap_or_else(|_| group.stream());
            let mut mended = Group::new(Delimiter::Parenthesis, arguments);
            mended.set_span(group.span());
            TokenTree::Group(mended)
        }
        other => {
            is_next |= matches!(&other, TokenTree::Ident(word) if word == "fn");
            other
        }
    });
    tokens.collect()
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

/// Takes `, crate = trust` off the end.
fn without_crate(attribute: TokenStream) -> (TokenStream, Option<Path>) {
    let parser = |input: ParseStream<'_>| {
        let path = Path::parse_mod_style(input)?;
        Ok((path.into_token_stream(), Some(renaming(input)?)))
    };
    parser.parse2(attribute.clone()).unwrap_or((attribute, None))
}

/// Reads `Refund::RefundOrder`.
fn target(duty: Duty, attribute: TokenStream, function: &Ident, errors: &Errors) -> Option<Target> {
    let name = duty.attribute();
    // The fn of an executor often bears the action's name; another one does not.
    let example = match duty {
        Duty::Execute => camel(&plain(function)),
        Duty::Reconcile => "Action".to_owned(),
    };
    if attribute.is_empty() {
        let message = format!(
            "`#[{name}]` does not say which action `{function}` {}: write `#[{name}(Domain::{example})]` with the \
             name of your domain",
            duty.verb()
        );
        errors.report(duty.rule(), function, message);
        return None;
    }
    let whole = attribute.clone();
    let fault = |message: String| errors.report(duty.rule(), whole, message);
    let Ok(path) = Path::parse_mod_style.parse2(attribute) else {
        fault(format!(
            "this is not the path of an action: write `#[{name}(Domain::{example})]` with the name of your domain"
        ));
        return None;
    };
    let action = path.segments.last()?.ident.clone();
    let target = divided(path);
    if target.is_none() {
        fault(format!(
            "`{action}` does not say of which domain it is: write `#[{name}(Domain::{action})]` with the name of your domain"
        ));
    }
    target
}

/// The path of an action as that of its domain and a name.
fn divided(mut path: Path) -> Option<Target> {
    let action = path.segments.pop().map(|segment| segment.ident)?;
    path.segments.pop_punct();
    (!path.segments.is_empty()).then_some(Target { domain: path, action })
}

/// Whether an attribute is that of an executor or of a reconcile fn, by its last name.
fn is_one_of(attribute: &Attribute, duty: Duty) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == duty.attribute())
}

fn further(attribute: Attribute) -> Further {
    let path = match &attribute.meta {
        Meta::List(list) => Path::parse_mod_style.parse2(without_crate(list.tokens.clone()).0).ok(),
        Meta::Path(_) | Meta::NameValue(_) => None,
    };
    let target = path.filter(|_| is_one_of(&attribute, Duty::Execute)).and_then(divided);
    Further { attribute, target }
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
fn argument(duty: Duty, input: &mut FnArg, errors: &Errors) -> Argument {
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
    typed.attrs = others.into_iter().filter(|other| is_for_rustc(duty, other, errors)).collect();
    if let Type::Reference(reference) = kind::peel(&typed.ty) {
        let borrowed = Borrowed { typed: typed.clone(), reference: reference.clone(), param };
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
fn is_for_rustc(duty: Duty, attribute: &Attribute, errors: &Errors) -> bool {
    let path = attribute.path();
    if ["allow", "expect", "warn", "deny"].iter().any(|level| path.is_ident(level)) {
        return true;
    }
    let message = if is_called(path, "cfg") || is_called(path, "cfg_attr") {
        "an action has the same parameters in every build: take this away, or write two fns, each with its own `#[cfg(..)]`"
            .to_owned()
    } else {
        format!("`#[{}]` is no attribute of a parameter: the only one is `#[param(..)]`", code(path))
    };
    errors.report(duty.rule(), attribute.to_token_stream(), message);
    false
}

//! The signature that should stand there, as far as the macro can know it: one that is pasted from a message compiles, where
//! nothing in it is left open with `…`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericParam, Pat, Type};

use super::duty::Duty;
use super::kind::{self, Kind};
use super::model::{Argument, Borrowed, Executor, Parameter};
use super::sentence::code;

/// What only the user can write.
const OPEN: &str = "…";

/// `write`, and the signature that would be right.
pub(crate) fn write_signature(executor: &Executor) -> String {
    let mut right = Right::of(executor);
    let arguments: Vec<String> = executor.arguments.iter().filter_map(|argument| right.argument(argument)).collect();
    format!("write `async fn {}({}) -> {}`", executor.signature.ident, arguments.join(", "), right.returned())
}

/// The signature, while it is written.
struct Right<'e> {
    executor: &'e Executor,
    lifetimes: Vec<&'e Ident>,
    /// The types and the numbers that the fn leaves open.
    generics: Vec<&'e Ident>,
    /// The names that the arguments have.
    names: Vec<String>,
    /// Those that are written already.
    written: Vec<String>,
    has_services: bool,
    has_execution: bool,
}

impl<'e> Right<'e> {
    fn of(executor: &'e Executor) -> Self {
        let (mut lifetimes, mut generics) = (Vec::new(), Vec::new());
        for parameter in &executor.signature.generics.params {
            match parameter {
                GenericParam::Lifetime(own) => lifetimes.push(&own.lifetime.ident),
                GenericParam::Type(own) => generics.push(&own.ident),
                GenericParam::Const(own) => generics.push(&own.ident),
            }
        }
        let patterns = executor.arguments.iter().filter_map(|argument| match argument {
            Argument::Receiver(_) => None,
            Argument::Services(borrowed) | Argument::Execution(borrowed) => named(&borrowed.typed.pat),
            Argument::Parameter(parameter) => named(&parameter.typed.pat),
        });
        let names = patterns.collect();
        Self { executor, lifetimes, generics, names, written: Vec::new(), has_services: false, has_execution: false }
    }

    /// One argument; none where it cannot stand there.
    fn argument(&mut self, argument: &Argument) -> Option<String> {
        match argument {
            Argument::Receiver(_) => None,
            Argument::Services(borrowed) => Some(self.services(borrowed)),
            Argument::Execution(borrowed) => self.execution(&borrowed.typed.pat, &borrowed.reference.elem),
            Argument::Parameter(parameter) => self.parameter(parameter),
        }
    }

    /// The services, or a parameter where something borrowed cannot be them.
    fn services(&mut self, borrowed: &Borrowed) -> String {
        let lent = kind::peel(&borrowed.reference.elem);
        let typed = if let Some(owned) = self.executor.owned(borrowed) {
            self.if_fit(lent, owned)
        } else if std::mem::replace(&mut self.has_services, true) {
            self.given(lent)
        } else {
            return format!("{}: &{}", self.name(&borrowed.typed.pat), self.lent(lent));
        };
        let rules = self.rules(&borrowed.param.iter().map(code).collect::<Vec<_>>());
        format!("{rules}{}: {typed}", self.name(&borrowed.typed.pat))
    }

    fn execution(&mut self, pattern: &Pat, typed: &Type) -> Option<String> {
        if std::mem::replace(&mut self.has_execution, true) {
            return None;
        }
        Some(format!("{}: &{}", self.name(pattern), code(kind::peel(typed))))
    }

    fn parameter(&mut self, parameter: &Parameter) -> Option<String> {
        let typed = kind::peel(&parameter.typed.ty);
        if kind::is_execution(typed) {
            return self.execution(&parameter.typed.pat, typed);
        }
        let written: Vec<String> = parameter.rules.iter().map(|rule| code(&rule.tokens)).collect();
        let together = (!written.is_empty()).then(|| format!("#[param({})]", written.join(", ")));
        let (rules, own) = (self.rules(together.as_slice()), self.given(typed));
        Some(format!("{rules}{}: {own}", self.name(&parameter.typed.pat)))
    }

    /// What stands before a parameter: a signature that is pasted from a message must not lose its rules.
    fn rules(&self, attributes: &[String]) -> String {
        match self.executor.duty {
            Duty::Execute if !attributes.is_empty() => format!("{} ", attributes.join(" ")),
            Duty::Execute | Duty::Reconcile => String::new(),
        }
    }

    /// The type of a parameter as it stands there.
    fn given(&self, typed: &Type) -> String {
        if matches!(typed, Type::Macro(_)) { OPEN.to_owned() } else { self.if_fit(typed, code(typed)) }
    }

    /// The type of a parameter, where JSON can be read into it.
    fn if_fit(&self, typed: &Type, written: String) -> String {
        let inner: &Type = match typed {
            Type::Slice(slice) => &slice.elem,
            other => other,
        };
        if self.is_open(inner) || kind::unfit(inner).is_some() { OPEN.to_owned() } else { written }
    }

    /// The type of the services.
    fn lent(&self, typed: &Type) -> String {
        let has_name = matches!(typed, Type::Path(_) | Type::Macro(_));
        if has_name && !self.is_open(typed) { self.without_lifetimes(typed) } else { OPEN.to_owned() }
    }

    fn returned(&self) -> String {
        let own = self.executor.returned().filter(|returned| !self.is_open(returned));
        own.and_then(|returned| self.result(returned)).unwrap_or_else(|| self.executor.duty.returned().to_owned())
    }

    /// What is returned, if it can be right: a result as it is, and an event alone as what a result holds.
    fn result(&self, returned: &Type) -> Option<String> {
        let name = kind::last_segment(returned)?.ident.to_string();
        let written = self.without_lifetimes(returned);
        let is_around_others = matches!(name.as_str(), "Option" | "Box" | "Pin") || Kind::of(returned) != Kind::Unknown;
        match self.executor.duty {
            // `Result` itself, or a user's alias of it.
            _ if name.ends_with("Result") => Some(written),
            _ if is_around_others => None,
            Duty::Reconcile if name != "Reconciled" => Some(format!("Result<Reconciled<{written}>, Failure>")),
            Duty::Execute | Duty::Reconcile => Some(format!("Result<{written}, Failure>")),
        }
    }

    /// Whether the type is made of one that the fn leaves open.
    fn is_open(&self, typed: &Type) -> bool {
        mentions(typed.to_token_stream(), &self.generics)
    }

    fn without_lifetimes(&self, typed: &Type) -> String {
        code(without(typed.to_token_stream(), &self.lifetimes))
    }

    /// The name that a pattern has, or one that no other argument has.
    fn name(&mut self, pattern: &Pat) -> String {
        let own = named(pattern).filter(|own| !self.written.contains(own));
        let is_free = |name: &String| !self.names.contains(name) && !self.written.contains(name);
        let mut others = std::iter::once("name".to_owned()).chain((2_u32..).map(|number| format!("name_{number}")));
        let name = own.or_else(|| others.find(is_free)).unwrap_or_default();
        self.written.push(name.clone());
        name
    }
}

/// The name in a pattern that is one.
fn named(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(pattern) => Some(pattern.ident.to_string()),
        _ => None,
    }
}

fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => names.iter().any(|name| **name == word),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

/// The tokens without these lifetimes, and without what stood there for them alone: a comma, a `+`, or `<>`.
fn without(tokens: TokenStream, lifetimes: &[&Ident]) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_lifetime = is_mark(Some(&token), '\'')
            && matches!(tokens.peek(), Some(TokenTree::Ident(word)) if lifetimes.contains(&word));
        if is_lifetime {
            tokens.next();
            if is_mark(tokens.peek(), ',') {
                tokens.next();
            } else if is_mark(kept.last(), '+') {
                kept.pop();
            } else if is_mark(kept.last(), '<') && is_mark(tokens.peek(), '>') {
                kept.pop();
                tokens.next();
            }
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), without(group.stream(), lifetimes)))
            }
            other => other,
        });
    }
    kept.into_iter().collect()
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

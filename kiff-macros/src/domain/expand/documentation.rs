//! The user's doc comments and attributes, and what stands there without them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The doc comments as plain text.
pub(super) fn text(attributes: &[Attribute]) -> String {
    let comments: Vec<String> = attributes.iter().filter_map(comment).collect();
    let lines: Vec<&str> = comments.iter().flat_map(|comment| comment.split('\n')).collect();
    let lines = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

/// The user's attributes, with a doc comment in any case.
pub(super) fn attributes(attributes: &[Attribute], instead: &str) -> TokenStream {
    let is_documented = attributes.iter().any(|attribute| comment(attribute).is_some());
    let comment = (!is_documented).then(|| quote!(#[doc = #instead]));
    quote!(#comment #(#attributes)*)
}

fn comment(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

//! `executors!` on one screen: the domain is in another crate, and what runs it is in this one.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Path, Token, Type};

use crate::domain::{module, runnable};
use crate::errors::{Diagnostics, Errors};

/// The name of everything that is wrong with `executors!`.
const RULE: &str = "executors_elsewhere";

/// `contracts::Refund => RefundDesk`
struct Executors {
    domain: Path,
    services: Option<Type>,
}

impl Parse for Executors {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let domain = Path::parse_mod_style(input)?;
        let services = if input.parse::<Option<Token![=>]>>()?.is_some() { Some(input.parse()?) } else { None };
        input.parse::<Option<Token![;]>>()?;
        Ok(Self { domain, services })
    }
}

/// Asks the crate of the domain for its block.
pub(crate) fn executors2(input: TokenStream) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let example = "write `kiff::executors!(contracts::Refund => RefundDesk);`, with the path of the domain and the type of the \
                   services, if there are any";
    let Ok(Executors { mut domain, services }) = syn::parse2(input.clone()) else {
        errors.report(RULE, input, format!("this is no domain with its services: {example}"));
        return (TokenStream::new(), errors.finish());
    };
    let name = domain.segments.pop().map(|segment| segment.ident);
    domain.segments.pop_punct();
    let (Some(name), false) = (name, domain.segments.is_empty()) else {
        errors.report(RULE, input, format!("the path does not say in which crate the domain is: {example}"));
        return (TokenStream::new(), errors.finish());
    };
    let module = module(&name);
    let services = services.map_or_else(TokenStream::new, ToTokens::into_token_stream);
    (quote!(#domain::#module! { [#domain] [#services] }), errors.finish())
}

/// Makes of the block what this crate needs of it: `[contracts] [RefundDesk] { pub domain Refund … }`.
pub(crate) fn runnable2(input: TokenStream) -> TokenStream {
    let group = |token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    };
    let groups: Vec<_> = input.into_iter().filter_map(group).collect();
    match groups.as_slice() {
        [there, services, block] if block.delimiter() == Delimiter::Brace => {
            runnable(block.stream(), &there.stream(), services.stream())
        }
        _ => TokenStream::new(),
    }
}

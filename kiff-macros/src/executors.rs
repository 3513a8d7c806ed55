//! `executors!` on one screen: the domain is in another crate, and what runs it is in this one.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Path, Token, Type};

use crate::domain::{module, runnable};
use crate::errors::{Diagnostics, Errors};
use crate::renamed::{path_to, renaming};

/// The name of everything that is wrong with `executors!`.
const RULE: &str = "executors_elsewhere";

/// `contracts::Refund => RefundDesk, crate = trust`
struct Executors {
    domain: Path,
    services: Option<Type>,
    kiff: Option<Path>,
}

impl Parse for Executors {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let domain = Path::parse_mod_style(input)?;
        let services = if input.parse::<Option<Token![=>]>>()?.is_some() { Some(input.parse()?) } else { None };
        let is_renamed = input.peek(Token![,]) && input.peek2(Token![crate]);
        let kiff = if is_renamed { Some(renaming(input)?) } else { None };
        input.parse::<Option<Token![;]>>()?;
        Ok(Self { domain, services, kiff })
    }
}

/// Asks the crate of the domain for its block.
pub(crate) fn executors2(input: TokenStream) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let example = "write `kiff::executors!(contracts::Refund => RefundDesk);`, with the path of the domain and the type of the \
                   services, if there are any";
    let Ok(Executors { mut domain, services, kiff }) = syn::parse2(input.clone()) else {
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
    let kiff = path_to(kiff.as_ref());
    (quote!(#domain::#module! { [#kiff] [#domain] [#services] }), errors.finish())
}

/// Makes of the block what this crate needs of it: `[::kiff] [contracts] [RefundDesk] { pub domain Refund … }`.
pub(crate) fn runnable2(input: TokenStream) -> (TokenStream, Diagnostics) {
    let group = |token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    };
    let groups: Vec<_> = input.into_iter().filter_map(group).collect();
    match groups.as_slice() {
        [kiff, there, services, block] if block.delimiter() == Delimiter::Brace => {
            let kiff = Path::parse_mod_style.parse2(kiff.stream()).ok();
            runnable(block.stream(), &there.stream(), services.stream(), kiff.as_ref())
        }
        _ => (TokenStream::new(), Errors::new().finish()),
    }
}

#[cfg(test)]
mod tests {
    use super::{executors2, runnable2};

    fn expansion(source: &str) -> String {
        let (expansion, diagnostics) = executors2(source.parse().unwrap());
        assert!(diagnostics.is_empty());
        expansion.to_string()
    }

    #[test]
    fn kiff_is_where_the_line_says() {
        let asked = "contracts :: refund ! { [:: kiff] [contracts] [] }";
        assert_eq!(expansion("contracts::Refund;"), asked);
        let asked = "contracts :: refund ! { [:: trust] [contracts] [Desk] }";
        assert_eq!(expansion("contracts::Refund => Desk, crate = trust"), asked);
        let asked = "contracts :: refund ! { [crate :: trust] [contracts] [Desk < 'static >] }";
        assert_eq!(expansion("contracts::Refund => Desk<'static>, crate = crate::trust,"), asked);
    }

    #[test]
    fn a_block_that_comes_by_another_way_is_judged_all_the_same() {
        let block = |promise: &str| {
            format!(
                "[::kiff] [crate::there] [()] {{
                    pub domain Refund governs Order;
                    executors elsewhere;
                    roles {{ Agent: agent, Shop: system }}
                    states {{ Paid, final Refunded }}
                    events {{ OrderPaid reported by Shop; OrderRefunded; }}
                    transitions {{ OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }}
                    actions {{ RefundOrder {{ risk: low, by: Agent, emits: OrderRefunded }}; }}
                    allow {{ Paid => [RefundOrder]; }}
                    {promise}
                }}"
            )
        };
        let expand = |promise| runnable2(block(promise).parse().unwrap());
        let (expansion, diagnostics) = expand("");
        assert!(diagnostics.is_empty() && !expansion.is_empty());
        let (expansion, diagnostics) = expand("never { Agent alone from Paid to Refunded }");
        assert!(expansion.is_empty());
        let told: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.rule).collect();
        assert_eq!(told, ["never_violated"]);
    }

    #[test]
    fn a_line_that_is_half_right_is_told_how_it_is_written() {
        for source in ["contracts::Refund => Desk, trust", "contracts::Refund => Desk, crate", "Refund => Desk", ""] {
            let (_, diagnostics) = executors2(source.parse().unwrap());
            assert!(!diagnostics.is_empty(), "{source}");
        }
    }
}

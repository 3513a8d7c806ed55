//! Where kiff is: `::kiff`, unless the user says `crate = trust`, as with serde.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{LitStr, Path, Token};

/// What generated code names, as it is written in the quotes of this crate.
const PRIVATE: &str = "::kiff::__private";

/// Reads `, crate = trust`, which comes last.
pub(crate) fn renaming(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![,]>()?;
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let kiff = Path::parse_mod_style(input)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(kiff)
}

/// The expansion with the user's path to kiff in the place of `::kiff`.
pub(crate) fn renamed(expansion: TokenStream, kiff: Option<&Path>) -> TokenStream {
    let Some(kiff) = kiff else {
        return expansion;
    };
    let kiff = path_to(Some(kiff));
    replace(expansion, &kiff, &kiff.to_string().replace(' ', ""))
}

/// The path to kiff that holds anywhere in the user's crate.
pub(crate) fn path_to(kiff: Option<&Path>) -> TokenStream {
    let Some(kiff) = kiff else {
        return quote!(::kiff);
    };
    // A single name is that of a dependency.
    let first = kiff.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let is_inside = matches!(first.as_str(), "crate" | "self" | "super");
    if kiff.leading_colon.is_some() || is_inside { kiff.to_token_stream() } else { quote!(::#kiff) }
}

fn replace(tokens: TokenStream, kiff: &TokenStream, text: &str) -> TokenStream {
    let mut found: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let token = match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream(), kiff, text));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            TokenTree::Literal(literal) => TokenTree::Literal(in_text(literal, text)),
            token => token,
        };
        let is_end = matches!(&token, TokenTree::Ident(word) if word == "__private");
        if is_end && let Some(place) = written_before(&found) {
            let span = token.span();
            found.truncate(place);
            found.extend(kiff.clone().into_iter().map(|mut own| {
                own.set_span(span);
                own
            }));
            found.extend(quote!(::).into_iter().map(|mut own| {
                own.set_span(span);
                own
            }));
        }
        found.push(token);
    }
    found.into_iter().collect()
}

/// Where `::kiff::` begins, if these tokens end with it.
fn written_before(found: &[TokenTree]) -> Option<usize> {
    let place = found.len().checked_sub(5)?;
    let text: String = found.get(place..)?.iter().map(ToString::to_string).collect();
    (text == ["::", "kiff", "::"].concat()).then_some(place)
}

/// What serde is told in texts.
fn in_text(literal: Literal, kiff: &str) -> Literal {
    let written = literal.to_string();
    if !written.contains(PRIVATE) {
        return literal;
    }
    let Ok(text) = syn::parse_str::<LitStr>(&written) else {
        return literal;
    };
    let mut renamed = Literal::string(&text.value().replace(PRIVATE, &format!("{kiff}::__private")));
    renamed.set_span(literal.span());
    renamed
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::renamed;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let tokens = quote! {
            #[serde(crate = "::kiff::__private::serde")]
            impl ::kiff::__private::Event for kiff::Order { fn a() { (::kiff::__private::Json::new(), "kiff") } }
        };
        let path = syn::parse_str(path).unwrap();
        assert_eq!(
            renamed(tokens, Some(&path)).to_string(),
            expected.parse::<proc_macro2::TokenStream>().unwrap().to_string()
        );
    }

    #[test]
    fn kiff_is_where_the_user_says() {
        check(
            "trust",
            r#"#[serde(crate = "::trust::__private::serde")]
            impl ::trust::__private::Event for kiff::Order { fn a() { (::trust::__private::Json::new(), "kiff") } }"#,
        );
        check(
            "crate::vendored::kiff",
            r#"#[serde(crate = "crate::vendored::kiff::__private::serde")]
            impl crate::vendored::kiff::__private::Event for kiff::Order {
                fn a() { (crate::vendored::kiff::__private::Json::new(), "kiff") }
            }"#,
        );
    }
}

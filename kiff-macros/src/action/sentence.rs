//! How code reads inside of a sentence: types as people write them.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;
use syn::ext::IdentExt;

use super::kind;

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Tokens as people write them: `Option<Vec<u8>>`.
pub(crate) fn code(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut arrow = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => {
                let letter = punct.as_char();
                let opens_arrow = letter == '-' && punct.spacing() == Spacing::Joint;
                match letter {
                    ',' | ';' => text.extend([letter, ' ']),
                    '=' | '+' => text.extend([' ', letter, ' ']),
                    '-' if opens_arrow => text.push_str(" -"),
                    '>' if arrow => text.push_str("> "),
                    _ => text.push(letter),
                }
                arrow = opens_arrow;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            word => {
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}

/// The owned form of a type that is only known behind a reference, and that no services are: `String` for `str`.
pub(crate) fn owned(typed: &Type) -> Option<String> {
    match kind::peel(typed) {
        Type::Slice(slice) => Some(format!("Vec<{}>", code(&slice.elem))),
        Type::Path(path) if path.path.is_ident("str") => Some("String".to_owned()),
        _ => None,
    }
}

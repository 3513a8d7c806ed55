//! How code reads inside of a sentence: types as people write them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use super::kind;

/// Tokens as people write them in one line: `Option<Vec<u8>>`.
pub(crate) fn code(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut arrow = false;
    // Between how many `<` and `>`, and whether a comma outside of them divides what stands here.
    let (mut depth, mut divided) = (0_usize, false);
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) => {
                let letter = punct.as_char();
                let opens_arrow = letter == '-' && punct.spacing() == Spacing::Joint;
                match (letter, tokens.peek()) {
                    // A comma before a line break means nothing, unless it makes a tuple of one.
                    (',', Some(TokenTree::Punct(next))) if next.as_char() == '>' => {}
                    (',', None) if divided => {}
                    (',', None) => text.push(','),
                    (',' | ';', _) => {
                        divided |= depth == 0;
                        text.extend([letter, ' ']);
                    }
                    ('=' | '+', _) => text.extend([' ', letter, ' ']),
                    ('-', _) if opens_arrow => text.push_str(" -"),
                    ('>', _) if arrow => text.push_str("> "),
                    _ => text.push(letter),
                }
                match letter {
                    '<' => depth += 1,
                    '>' if !arrow => depth = depth.saturating_sub(1),
                    _ => {}
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

#[cfg(test)]
mod tests {
    use syn::Type;

    use super::code;

    #[test]
    fn a_type_reads_alike_however_its_lines_are_broken() {
        for (written, read) in [
            ("BTreeMap<String,u8>", "BTreeMap<String, u8>"),
            ("BTreeMap<\n    String,\n    Vec<u8>,\n>", "BTreeMap<String, Vec<u8>>"),
            ("(\n    u8,\n    String,\n)", "(u8, String)"),
            ("Option<(u8,)>", "Option<(u8,)>"),
            ("(BTreeMap<u8, u8,>,)", "(BTreeMap<u8, u8>,)"),
            ("[ u8;4 ]", "[u8; 4]"),
            ("Vec < ::money::Cents >", "Vec<::money::Cents>"),
            ("Cow<'static,str>", "Cow<'static, str>"),
            ("Box<dyn Fn(u8)->u8+Send>", "Box<dyn Fn(u8) -> u8 + Send>"),
        ] {
            let typed: Type = syn::parse_str(written).unwrap();
            assert_eq!(code(&typed), read);
        }
    }
}

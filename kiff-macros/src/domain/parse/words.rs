//! The words of the language: reserved words, and where a word belongs that stands in the wrong place.

use proc_macro2::{Delimiter, Ident, TokenTree};

use crate::domain::wire::plain;

/// Words that cannot be the name of anything.
const TAKEN: [&str; 5] = ["new", "any", "none", "unapproved", "final"];

/// Words of one section that people write in another.
const AT_HOME: [(&str, &str); 8] = [
    ("final", "`final` belongs in `states`"),
    ("reported", "`reported by` belongs behind an event in `events`"),
    ("risk", "`risk` belongs to an action in `actions`"),
    ("by", "`by` belongs to an action in `actions`"),
    ("emits", "`emits` belongs to an action in `actions`"),
    ("approval", "`approval` belongs to an action in `actions`"),
    ("without", "`without` belongs in `never`"),
    ("alone", "`alone` belongs in `never`"),
];

/// What the next tokens say that only a later version of the language will know.
pub(super) fn reserved(ahead: &[TokenTree]) -> Option<String> {
    let word = |token: &TokenTree| match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    };
    match ahead {
        [TokenTree::Literal(number), TokenTree::Ident(of), ..] if of == "of" => Some(format!("{number} of …")),
        [first, rest @ ..] => match word(first)?.as_str() {
            known @ ("any" | "after" | "when") => Some(known.to_owned()),
            "at" if rest.first().and_then(word).is_some_and(|next| next == "most") => Some("at most".to_owned()),
            _ => None,
        },
        [] => None,
    }
}

pub(super) fn reserved_message(word: &str) -> String {
    format!("`{word}` is reserved for a later version of kiff")
}

/// Where the word belongs that should not stand here.
pub(super) fn belongs_elsewhere(token: &TokenTree) -> Option<&'static str> {
    let TokenTree::Ident(ident) = token else {
        return None;
    };
    AT_HOME.iter().find(|(word, _)| ident == word).map(|(_, home)| *home)
}

/// Why this identifier cannot be a name, and what to write instead. A word of the language is none in its raw form either, as
/// `r#new` is called `new` wherever people read it.
pub(super) fn refused_as_name(ident: &Ident) -> Option<String> {
    let called = plain(ident);
    if called == "any" {
        return Some(reserved_message("any"));
    }
    if TAKEN.contains(&called.as_str()) {
        return Some(format!("`{called}` is a word of the language: choose another name"));
    }
    let text = ident.to_string();
    if text == "_" {
        return Some("`_` is no name: write one".to_owned());
    }
    if is_rust_keyword(ident) {
        let cannot_be_raw = ["self", "Self", "super", "crate"].contains(&text.as_str());
        let instead = if cannot_be_raw { String::new() } else { format!("`r#{text}` or ") };
        return Some(format!("`{text}` is a word of Rust: write {instead}another name"));
    }
    None
}

/// Why this identifier cannot be the name of a field, which nobody takes for a word of the language where it is raw.
pub(super) fn refused_as_field(ident: &Ident) -> Option<String> {
    let is_raw = *ident != plain(ident);
    if is_raw { None } else { refused_as_name(ident) }
}

fn is_rust_keyword(ident: &Ident) -> bool {
    syn::parse2::<Ident>(TokenTree::from(ident.clone()).into()).is_err()
}

pub(super) fn opening(delimiter: Delimiter) -> &'static str {
    match delimiter {
        Delimiter::Brace => "{",
        Delimiter::Bracket => "[",
        Delimiter::Parenthesis => "(",
        Delimiter::None => "",
    }
}

pub(super) fn closing(delimiter: Delimiter) -> &'static str {
    match delimiter {
        Delimiter::Brace => "}",
        Delimiter::Bracket => "]",
        Delimiter::Parenthesis => ")",
        Delimiter::None => "",
    }
}

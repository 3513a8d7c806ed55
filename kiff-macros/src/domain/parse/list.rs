//! Lists: items with a separator, where one item that is wrong costs its neighbours nothing.

use proc_macro2::{Delimiter, Ident, TokenTree};

use super::reader::Reader;
use crate::domain::syntax::Names;
use crate::suggest;

/// How the items of one list are told apart.
pub(super) struct List {
    /// The section or thing that the list is the content of.
    pub(super) within: &'static str,
    pub(super) separator: char,
    /// Whether the next token begins an item, even if the separator before it is missing.
    pub(super) starts: fn(&Reader<'_>) -> bool,
}

/// How `|` may have been mistyped without leaving doubt about what was meant.
#[derive(Clone, Copy)]
pub(super) enum Pipes {
    /// In an event, where `,` cannot follow a role but another event can.
    InEvent,
    /// In an action, where `,` ends the list.
    InAction,
    /// Before `=>`, where nothing but `|` makes sense.
    BeforeArrow,
}

/// Reads items until the group ends.
pub(super) fn list(reader: &mut Reader<'_>, list: &List, mut item: impl FnMut(&mut Reader<'_>)) {
    loop {
        reader.failed = false;
        reader.lost = false;
        stray_separators(reader);
        if reader.is_empty() {
            return;
        }
        if hoisted(reader, list) {
            continue;
        }
        let before = reader.cursor();
        item(reader);
        if reader.cursor() == before {
            reader.eat_token();
        }
        separate(reader, list);
    }
}

/// `A | B`; `name` reads one of them.
pub(super) fn piped(
    reader: &mut Reader<'_>,
    pipes: Pipes,
    what: &str,
    name: fn(&mut Reader<'_>) -> Option<Ident>,
) -> Names {
    if let Some(names) = in_brackets(reader, what, name) {
        return names;
    }
    let mut names = Vec::new();
    let mut whole = true;
    loop {
        match name(reader) {
            Some(name) => names.push(name),
            None => whole = false,
        }
        let goes_on = reader.eat_punct('|') || instead_of_pipe(reader, pipes);
        if !goes_on {
            return Names { names, whole };
        }
    }
}

/// `[A, B]`, as lists are written in other places.
fn in_brackets(reader: &mut Reader<'_>, what: &str, name: fn(&mut Reader<'_>) -> Option<Ident>) -> Option<Names> {
    let delimiter =
        [Delimiter::Bracket, Delimiter::Parenthesis].into_iter().find(|delimiter| reader.at_group(*delimiter))?;
    let place = reader.here();
    let mut names = Vec::new();
    let mut whole = true;
    reader.group(delimiter, |reader| {
        while !reader.is_empty() {
            match name(reader) {
                Some(name) => names.push(name),
                None => whole = false,
            }
            if !reader.eat_punct('|') && !reader.eat_punct(',') {
                break;
            }
        }
        whole &= reader.is_empty();
    });
    let written: Vec<String> = names.iter().map(ToString::to_string).collect();
    let example = if written.is_empty() { "`A | B`".to_owned() } else { format!("`{}`", written.join(" | ")) };
    reader.remark(place, format!("lists of {what} take `|` and no brackets: write {example}"));
    Some(Names { names, whole })
}

/// A word that should be `word`: reads it, or what was mistyped for it.
pub(super) fn word(reader: &mut Reader<'_>, word: &str, after: &str) {
    if reader.eat_word(word).is_some() {
        return;
    }
    let two_words = reader.at_ident_and(|next| matches!(next, Some(TokenTree::Ident(_))));
    let mistyped = reader.peek_ident().filter(|typed| {
        // Names begin with a capital letter, and words of the language do not.
        let is_word = typed.to_string().starts_with(|first: char| !first.is_uppercase());
        nearly(reader, word) || (two_words && is_word && !reader.at_reserved())
    });
    let Some(typed) = mistyped else {
        reader.unexpected(&format!("`{word}` after {after}"));
        return;
    };
    reader.remark(typed.span(), format!("expected `{word}` after {after}, found `{typed}`"));
    reader.ident();
}

/// Whether the next word is nearly `word`.
pub(super) fn nearly(reader: &Reader<'_>, word: &str) -> bool {
    reader.peek_ident().is_some_and(|typed| !suggest::closest(&typed.to_string(), &[word.to_owned()]).is_empty())
}

/// Reads a word from a fixed choice; a near miss is taken for what was meant.
pub(super) fn choice<T: Copy>(
    reader: &mut Reader<'_>,
    what: &str,
    plural: &str,
    choices: &[(&str, T)],
) -> Option<(T, Ident)> {
    let valid: Vec<String> = choices.iter().map(|(word, _)| (*word).to_owned()).collect();
    let is_value = reader.at_ident_and(|next| !is_punct(next, ':'));
    let Some(typed) = reader.peek_ident().filter(|_| is_value) else {
        reader.unexpected(&format!("the {what} ({})", suggest::enumerate(&valid, "or")));
        return None;
    };
    reader.ident();
    if let Some((_, value)) = choices.iter().find(|(word, _)| typed == word) {
        return Some((*value, typed));
    }
    let hint = suggest::hint(&typed.to_string(), plural, &valid);
    reader.remark(typed.span(), format!("unknown {what} `{typed}`: {hint}"));
    let meant = suggest::closest(&typed.to_string(), &valid);
    let (_, value) = meant.first().and_then(|position| choices.get(*position))?;
    Some((*value, typed))
}

pub(super) fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Separators with nothing between them.
fn stray_separators(reader: &mut Reader<'_>) {
    let is_stray = |reader: &Reader<'_>| reader.at_punct(',') || reader.at_punct(';');
    if !is_stray(reader) {
        return;
    }
    let start = reader.here();
    let found = reader.ahead().next().map_or_else(String::new, |token| token.to_string());
    while is_stray(reader) {
        reader.eat_token();
    }
    let end = reader.last_place();
    reader.fail_between(start, end, format!("nothing stands before this `{found}`: remove it"));
    reader.failed = false;
}

/// A section inside a section is read as if it stood behind it.
fn hoisted(reader: &mut Reader<'_>, list: &List) -> bool {
    let Some((section, keyword)) = super::section_ahead(reader).zip(reader.peek_ident()) else {
        return false;
    };
    let within = list.within;
    reader.remark(
        keyword.span(),
        format!("`{keyword}` cannot stand inside {within}: close {within} with `}}` before it"),
    );
    reader.ident();
    reader.misplaced(section, keyword);
    true
}

fn separate(reader: &mut Reader<'_>, list: &List) {
    let other = if list.separator == ';' { ',' } else { ';' };
    if reader.is_empty() || reader.eat_punct(list.separator) {
        return;
    }
    if !reader.failed {
        if reader.at_punct(other) {
            reader.fail_here(format!("expected `{}`, found `{other}`", list.separator));
            reader.eat_token();
            return;
        }
        if super::section_ahead(reader).is_some() {
            return;
        }
        if (list.starts)(reader) {
            reader.missing_separator(list.separator);
            return;
        }
        reader.unexpected(&format!("`{}`", list.separator));
        reader.eat_token();
    }
    while !reader.is_empty() && (reader.lost || !(list.starts)(reader)) && super::section_ahead(reader).is_none() {
        if reader.eat_punct(list.separator) {
            return;
        }
        reader.eat_token();
    }
}

fn instead_of_pipe(reader: &mut Reader<'_>, pipes: Pipes) -> bool {
    if reader.failed {
        return false;
    }
    let mut ahead = reader.ahead();
    let (next, after) = (ahead.next(), ahead.next());
    let comma = is_punct(next.as_ref(), ',') && matches!(after, Some(TokenTree::Ident(_)));
    let goes_on = match pipes {
        Pipes::BeforeArrow => {
            matches!(&after, Some(TokenTree::Punct(punct)) if "|,=-".contains(punct.as_char()))
        }
        _ => matches!(&after, None | Some(TokenTree::Punct(_))) && !is_punct(after.as_ref(), ':'),
    };
    let name = matches!(next, Some(TokenTree::Ident(_))) && goes_on && !reader.at_reserved();
    match pipes {
        Pipes::InEvent | Pipes::BeforeArrow if comma => {
            reader.remark(reader.here(), "expected `|` between names, found `,`".to_owned());
            reader.eat_token();
            true
        }
        Pipes::InAction | Pipes::BeforeArrow if name => {
            let found = next.map_or_else(String::new, |token| token.to_string());
            reader.remark(reader.here(), format!("expected `|` between names, found `{found}`"));
            true
        }
        _ => false,
    }
}

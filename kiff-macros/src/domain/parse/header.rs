//! The first line: `pub domain Refund as "refund" governs Order as "Order";`.

use proc_macro2::TokenTree;
use syn::Visibility;

use super::items::declared;
use super::list::{self, is_punct};
use super::reader::Reader;
use crate::domain::syntax::Header;

const EXAMPLE: &str = "`domain Refund governs Order;`";

/// Reads the header; without one, the sections begin at once.
pub(super) fn header(reader: &mut Reader<'_>, header: &mut Header) {
    header.attributes = reader.attributes();
    header.visibility = reader.syntax().unwrap_or(Visibility::Inherited);
    let begins_at_once = super::section_ahead(reader).is_some() || super::lines::ahead(reader);
    if begins_at_once || !opening_word(reader) {
        reader.unexpected(&format!("the domain's first line, as in {EXAMPLE}"));
        if !begins_at_once {
            super::skip_to_section(reader);
        }
        return;
    }
    if reader.at_word("governs") {
        reader.unexpected(&format!("the domain's name, as in {EXAMPLE}"));
    } else {
        header.domain = declared(reader, &format!("the domain's name, as in {EXAMPLE}"));
    }
    governs(reader);
    header.entity = declared(reader, &format!("what the domain governs, as in {EXAMPLE}"));
    super::lines::end(reader);
}

/// `domain`, or what was mistyped for it.
fn opening_word(reader: &mut Reader<'_>) -> bool {
    if reader.eat_word("domain").is_some() {
        return true;
    }
    let two_words = reader.at_ident_and(|next| matches!(next, Some(TokenTree::Ident(_))));
    let Some(typed) = reader.peek_ident().filter(|_| two_words) else {
        return false;
    };
    if list::nearly(reader, "domain") {
        reader.remark(typed.span(), format!("expected `domain`, found `{typed}`"));
        reader.ident();
    } else {
        reader.remark(typed.span(), format!("expected `domain` before `{typed}`, as in {EXAMPLE}"));
    }
    true
}

/// `governs`, or what was mistyped for it; nothing more is said if the name before it was wrong.
fn governs(reader: &mut Reader<'_>) {
    if reader.eat_word("governs").is_some() {
        return;
    }
    let mut ahead = reader.ahead();
    let (next, after) = (ahead.next(), ahead.next());
    if let (Some(TokenTree::Ident(entity)), Some(TokenTree::Punct(_))) = (&next, &after)
        && is_punct(after.as_ref(), ';')
    {
        reader.remark(entity.span(), format!("expected `governs` before `{entity}`, as in {EXAMPLE}"));
    } else if matches!(next, Some(TokenTree::Ident(_))) && super::section_ahead(reader).is_none() {
        list::word(reader, "governs", "the domain's name");
    } else {
        reader.unexpected(&format!("`governs` and what the domain governs, as in {EXAMPLE}"));
    }
}

//! The lines between the first one and the sections: `services RefundDesk;`, `executors elsewhere;` and `crate = trust;`.

use proc_macro2::{Ident, TokenTree};
use syn::Path;

use super::list::is_punct;
use super::reader::Reader;
use super::{section_ahead, skip_to_section};
use crate::domain::syntax::Block;

/// What executors may touch.
pub(super) const SERVICES: &str = "services";

/// Whether one of the lines begins here.
pub(super) fn ahead(reader: &Reader<'_>) -> bool {
    [SERVICES, "executors", "crate"].iter().any(|word| reader.at_word(word))
}

/// Reads a line other than that of the services, if there is one.
pub(super) fn line(reader: &mut Reader<'_>, word: &Ident, block: &mut Block) -> bool {
    if word == "executors" && !reader.at_ident_and(|next| matches!(next, Some(TokenTree::Group(_)))) {
        elsewhere(reader, word, block);
    } else if word == "crate" && reader.at_ident_and(|next| is_punct(next, '=')) {
        kiff(reader, word, block);
    } else {
        return false;
    }
    end(reader);
    true
}

/// `executors elsewhere`
fn elsewhere(reader: &mut Reader<'_>, word: &Ident, block: &mut Block) {
    reader.ident();
    if block.elsewhere.is_some() {
        reader.remark(word.span(), "`executors` is written twice: remove one".to_owned());
    }
    if reader.eat_word("elsewhere").is_none() {
        reader.unexpected("`elsewhere` after `executors`, as in `executors elsewhere;`");
    }
    block.elsewhere = Some(word.clone());
}

/// `crate = trust`
fn kiff(reader: &mut Reader<'_>, word: &Ident, block: &mut Block) {
    reader.ident();
    reader.eat_punct('=');
    if block.kiff.is_some() {
        reader.remark(word.span(), "`crate` is written twice: remove one".to_owned());
    }
    match reader.syntax::<Path>() {
        Some(path) => block.kiff = Some(path),
        None => reader.unexpected("the name that kiff has in this crate, as in `crate = trust;`"),
    }
}

/// `services RefundDesk;`
pub(super) fn services(reader: &mut Reader<'_>, block: &mut Block) {
    let keyword = reader.ident();
    if block.services.is_some()
        && let Some(keyword) = keyword
    {
        reader.remark(keyword.span(), "`services` is written twice: remove one".to_owned());
    }
    match reader.syntax() {
        Some(services) => block.services = Some(services),
        None => reader.unexpected("a type after `services`, as in `services RefundDesk;`"),
    }
    end(reader);
}

/// `;`, without which the sections still begin where they begin.
pub(super) fn end(reader: &mut Reader<'_>) {
    if reader.eat_punct(';') {
        return;
    }
    if reader.failed {
        skip_to_section(reader);
    } else if section_ahead(reader).is_some() || ahead(reader) || reader.is_empty() {
        reader.missing_separator(';');
    } else {
        reader.unexpected("`;`");
        skip_to_section(reader);
    }
}

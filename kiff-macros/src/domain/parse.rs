//! Tokens to syntax: spans kept, nothing judged, incomplete input accepted, every error reported at its token.

mod actions;
mod example;
mod header;
mod items;
mod lines;
mod list;
mod reader;
mod words;

use std::cell::RefCell;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};

use self::example::Example;
use self::list::List;
use self::reader::{Reader, Shared};
use super::syntax::{Block, Section, SectionName};
use crate::errors::{Errors, SYNTAX};
use crate::suggest;

/// Reads the block as far as it can be understood.
pub(crate) fn block(input: TokenStream, errors: &Errors) -> Block {
    let shared = Shared { errors, example: Example::of(&input), misplaced: RefCell::new(Vec::new()) };
    let mut block = Block::default();
    let mut in_doubt = false;
    if input.is_empty() {
        let message = "the block is empty: begin with `domain Name governs Entity;`";
        errors.report_at(SYNTAX, Span::call_site(), message);
        return block;
    }
    Reader::over(input, &shared, |reader| {
        header::header(reader, &mut block.header);
        in_doubt = !sections(reader, &mut block);
    });
    while let Some(misplaced) = { shared.misplaced.borrow_mut().pop() } {
        Reader::over(misplaced.content, &shared, |reader| {
            section(misplaced.section, &misplaced.keyword, reader, &mut block);
        });
    }
    // A first line that is not finished is one fault, whatever else is still to come.
    let is_begun = block.header.domain.is_some() || !block.is_blank();
    if is_begun && !in_doubt {
        missing_sections(&block, errors);
    }
    block
}

/// The section that begins here, if one does.
fn section_ahead(reader: &Reader<'_>) -> Option<SectionName> {
    let word = reader.peek_ident()?;
    let opens = reader
        .at_ident_and(|next| matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace));
    SectionName::of(&word.to_string()).filter(|_| opens)
}

/// Everything behind the header; answers whether each section's word was understood.
fn sections(reader: &mut Reader<'_>, block: &mut Block) -> bool {
    let mut understood = true;
    loop {
        reader.failed = false;
        reader.only_docs("a section");
        if reader.is_empty() {
            return understood;
        }
        let Some(typed) = reader.peek_ident() else {
            reader.unexpected("a section");
            // Braces without their word are some section's, and that one is not missing as well.
            understood &= !reader.at_group(Delimiter::Brace);
            reader.eat_token();
            skip_to_section(reader);
            continue;
        };
        if lines::line(reader, &typed, block) {
            continue;
        }
        let section = match meant(reader, &typed) {
            Some(Meant::Services) => {
                lines::services(reader, block);
                continue;
            }
            Some(Meant::Section(section)) => Some(section),
            None => None,
        };
        reader.ident();
        understood &= section.is_some();
        opened_section(reader, block, &typed, section);
    }
}

/// What a word can begin that stands behind the header.
enum Meant {
    Section(SectionName),
    Services,
}

impl Meant {
    fn of(word: &str) -> Option<Self> {
        if word == lines::SERVICES { Some(Self::Services) } else { SectionName::of(word).map(Self::Section) }
    }
}

/// What this word begins, if only nearly; none for a word that nobody knows.
fn meant(reader: &mut Reader<'_>, typed: &Ident) -> Option<Meant> {
    let text = typed.to_string();
    if let Some(exact) = Meant::of(&text) {
        return Some(exact);
    }
    let valid: Vec<String> =
        SectionName::ALL.map(SectionName::word).into_iter().chain([lines::SERVICES]).map(str::to_owned).collect();
    let hint = suggest::hint(&text, "sections", &valid);
    let message = match words::reserved(&reader.ahead().take(2).collect::<Vec<_>>()) {
        Some(reserved) => words::reserved_message(&reserved),
        None => format!("unknown section `{text}`: {hint}"),
    };
    reader.fail_between(typed.span(), typed.span(), message);
    let closest = suggest::closest(&text, &valid);
    Meant::of(valid.get(*closest.first()?)?)
}

/// The content of a section whose word has just been read; `None` for a word that nobody knows.
fn opened_section(reader: &mut Reader<'_>, block: &mut Block, typed: &Ident, known: Option<SectionName>) {
    for delimiter in [Delimiter::Brace, Delimiter::Parenthesis, Delimiter::Bracket] {
        if reader.at_group(delimiter) {
            if delimiter != Delimiter::Brace {
                reader.unexpected(&format!("`{{` after `{typed}`"));
            }
            reader.group(delimiter, |content| match known {
                Some(name) => section(name, typed, content, block),
                None => skip_all(content),
            });
            return;
        }
    }
    reader.unexpected(&format!("`{{` after `{typed}`"));
    if let Some(name) = known {
        unreadable(name, typed, block);
    }
    skip_to_section(reader);
}

/// Reads what stands in one section.
fn section(name: SectionName, keyword: &Ident, reader: &mut Reader<'_>, block: &mut Block) {
    match name {
        SectionName::Roles => fill(name, &mut block.roles, keyword, reader, &items::ROLES, items::role),
        SectionName::States => fill(name, &mut block.states, keyword, reader, &items::STATES, items::state),
        SectionName::Events => fill(name, &mut block.events, keyword, reader, &items::EVENTS, items::event),
        SectionName::Transitions => {
            fill(name, &mut block.transitions, keyword, reader, &items::TRANSITIONS, items::transition);
        }
        SectionName::Actions => fill(name, &mut block.actions, keyword, reader, &actions::ACTIONS, actions::action),
        SectionName::Allow => fill(name, &mut block.allow, keyword, reader, &actions::ALLOW, actions::allowance),
        SectionName::Never => fill(name, &mut block.never, keyword, reader, &items::NEVER, items::clause),
    }
}

/// Notes that a section is there though nothing in it could be read.
fn unreadable(name: SectionName, keyword: &Ident, block: &mut Block) {
    fn note<T>(section: &mut Section<T>, keyword: &Ident) {
        section.keyword.get_or_insert_with(|| keyword.clone());
        section.whole = false;
    }
    match name {
        SectionName::Roles => note(&mut block.roles, keyword),
        SectionName::States => note(&mut block.states, keyword),
        SectionName::Events => note(&mut block.events, keyword),
        SectionName::Transitions => note(&mut block.transitions, keyword),
        SectionName::Actions => note(&mut block.actions, keyword),
        SectionName::Allow => note(&mut block.allow, keyword),
        SectionName::Never => note(&mut block.never, keyword),
    }
}

fn fill<T>(
    name: SectionName,
    section: &mut Section<T>,
    keyword: &Ident,
    reader: &mut Reader<'_>,
    list: &List,
    item: fn(&mut Reader<'_>) -> Option<T>,
) {
    if let Some(first) = &section.keyword {
        // One that was merely taken for this section has had its error.
        if first == keyword {
            reader.remark(keyword.span(), format!("`{keyword}` is written twice: put both into one"));
        }
    } else if reader.is_empty() {
        reader.remark(keyword.span(), format!("`{keyword}` is empty: {}", what_to_write(name, reader.example())));
        section.whole = false;
    }
    section.keyword.get_or_insert_with(|| keyword.clone());
    list::list(reader, list, |reader| match item(reader) {
        Some(item) => section.items.push(item),
        None => section.whole = false,
    });
}

/// What an empty section could begin with.
fn what_to_write(section: SectionName, example: &Example) -> String {
    match section {
        SectionName::Roles => format!("declare who acts, as in `{}`", example.role()),
        SectionName::States => format!("declare a state, as in `{}`", example.state),
        SectionName::Events => {
            format!("declare what can happen, as in `{} reported by {};`", example.reported, example.reporter)
        }
        SectionName::Transitions => format!("say where each event leads, as in `{};`", example.beginning()),
        SectionName::Actions => format!("declare an action, as in `{};`", example.action()),
        SectionName::Allow => format!("say which state allows which actions, as in `{};`", example.allowance()),
        SectionName::Never => format!("write a promise, as in `{}`, or remove it", example.without()),
    }
}

/// All sections that are not there, in one sentence: an unfinished block is one fault.
fn missing_sections(block: &Block, errors: &Errors) {
    let is_missing = |section: &SectionName| section.is_required() && block.keyword(*section).is_none();
    let missing: Vec<&str> = SectionName::ALL.into_iter().filter(is_missing).map(SectionName::word).collect();
    let (noun, verb, example) = match missing.as_slice() {
        [] => return,
        [only] => ("section", "is", format!("write `{only} {{ … }}`")),
        [first, ..] => ("sections", "are", format!("begin with `{first} {{ … }}`")),
    };
    let place = block.header.domain.as_ref().map_or_else(Span::call_site, |named| named.name.span());
    let sections = suggest::enumerate(&missing, "and");
    errors.report_at(SYNTAX, place, format!("the {noun} {sections} {verb} missing: {example}"));
}

fn skip_to_section(reader: &mut Reader<'_>) {
    while !reader.is_empty() && section_ahead(reader).is_none() {
        if reader.eat_punct(';') {
            return;
        }
        reader.eat_token();
    }
}

fn skip_all(reader: &mut Reader<'_>) {
    while reader.eat_token().is_some() {}
}

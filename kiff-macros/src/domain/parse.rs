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
use super::syntax::{Block, Section};
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
            section(&misplaced.keyword, &misplaced.keyword.to_string(), reader, &mut block);
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
fn section_ahead(reader: &Reader<'_>) -> Option<Ident> {
    let word = reader.peek_ident()?;
    let opens = reader
        .at_ident_and(|next| matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace));
    (opens && words::SECTIONS.iter().any(|section| word == section)).then_some(word)
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
        let (word, known) = section_word(reader, &typed);
        if word == lines::SERVICES {
            lines::services(reader, block);
            continue;
        }
        reader.ident();
        if !known {
            understood = false;
        }
        opened_section(reader, block, &typed, known.then_some(word.as_str()));
    }
}

/// The section that this word names, and whether it does name one, if only nearly.
fn section_word(reader: &mut Reader<'_>, typed: &Ident) -> (String, bool) {
    let text = typed.to_string();
    let valid: Vec<String> =
        words::SECTIONS.iter().chain([&lines::SERVICES]).map(|section| (*section).to_owned()).collect();
    if valid.contains(&text) {
        return (text, true);
    }
    let hint = suggest::hint(&text, "sections", &valid);
    let message = match words::reserved(&reader.ahead().take(2).collect::<Vec<_>>()) {
        Some(reserved) => words::reserved_message(&reserved),
        None => format!("unknown section `{text}`: {hint}"),
    };
    reader.fail_between(typed.span(), typed.span(), message);
    let meant = suggest::closest(&text, &valid);
    match meant.first().and_then(|position| valid.get(*position)) {
        Some(meant) => (meant.clone(), true),
        None => (text, false),
    }
}

/// The content of a section whose word has just been read; `None` for a word that nobody knows.
fn opened_section(reader: &mut Reader<'_>, block: &mut Block, typed: &Ident, known: Option<&str>) {
    for delimiter in [Delimiter::Brace, Delimiter::Parenthesis, Delimiter::Bracket] {
        if reader.at_group(delimiter) {
            if delimiter != Delimiter::Brace {
                reader.unexpected(&format!("`{{` after `{typed}`"));
            }
            reader.group(delimiter, |content| match known {
                Some(word) => section(typed, word, content, block),
                None => skip_all(content),
            });
            return;
        }
    }
    reader.unexpected(&format!("`{{` after `{typed}`"));
    if let Some(word) = known {
        unreadable(typed, word, block);
    }
    skip_to_section(reader);
}

/// Reads what stands in one section.
fn section(keyword: &Ident, word: &str, reader: &mut Reader<'_>, block: &mut Block) {
    match word {
        "roles" => fill(&mut block.roles, keyword, reader, &items::ROLES, items::role),
        "states" => fill(&mut block.states, keyword, reader, &items::STATES, items::state),
        "events" => fill(&mut block.events, keyword, reader, &items::EVENTS, items::event),
        "transitions" => {
            fill(&mut block.transitions, keyword, reader, &items::TRANSITIONS, items::transition);
        }
        "actions" => fill(&mut block.actions, keyword, reader, &actions::ACTIONS, actions::action),
        "allow" => fill(&mut block.allow, keyword, reader, &actions::ALLOW, actions::allowance),
        _ => fill(&mut block.never, keyword, reader, &items::NEVER, items::clause),
    }
}

/// Notes that a section is there though nothing in it could be read.
fn unreadable(keyword: &Ident, word: &str, block: &mut Block) {
    fn note<T>(section: &mut Section<T>, keyword: &Ident) {
        section.keyword.get_or_insert_with(|| keyword.clone());
        section.whole = false;
    }
    match word {
        "roles" => note(&mut block.roles, keyword),
        "states" => note(&mut block.states, keyword),
        "events" => note(&mut block.events, keyword),
        "transitions" => note(&mut block.transitions, keyword),
        "actions" => note(&mut block.actions, keyword),
        "allow" => note(&mut block.allow, keyword),
        _ => note(&mut block.never, keyword),
    }
}

fn fill<T>(
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
        reader
            .remark(keyword.span(), format!("`{keyword}` is empty: {}", what_to_write(list.within, reader.example())));
        section.whole = false;
    }
    section.keyword.get_or_insert_with(|| keyword.clone());
    list::list(reader, list, |reader| match item(reader) {
        Some(item) => section.items.push(item),
        None => section.whole = false,
    });
}

/// What an empty section could begin with.
fn what_to_write(section: &str, example: &Example) -> String {
    match section {
        "`roles`" => format!("declare who acts, as in `{}`", example.role()),
        "`states`" => format!("declare a state, as in `{}`", example.state),
        "`events`" => {
            format!("declare what can happen, as in `{} reported by {};`", example.reported, example.reporter)
        }
        "`transitions`" => format!("say where each event leads, as in `{};`", example.beginning()),
        "`actions`" => format!("declare an action, as in `{};`", example.action()),
        "`allow`" => format!("say which state allows which actions, as in `{};`", example.allowance()),
        _ => format!("write a promise, as in `{}`, or remove it", example.without()),
    }
}

/// All sections that are not there, in one sentence: an unfinished block is one fault.
fn missing_sections(block: &Block, errors: &Errors) {
    let there = [
        &block.roles.keyword,
        &block.states.keyword,
        &block.events.keyword,
        &block.transitions.keyword,
        &block.actions.keyword,
        &block.allow.keyword,
    ];
    let missing: Vec<&str> = words::SECTIONS
        .iter()
        .zip(there)
        .filter(|(_, keyword)| keyword.is_none())
        .map(|(section, _)| *section)
        .collect();
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

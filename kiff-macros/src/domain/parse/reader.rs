//! A reader over syn's stream that reports instead of returning, remembers where it was, and finds its way back.

use std::cell::RefCell;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseBuffer, ParseStream, Parser};
use syn::{Attribute, LitStr, braced, bracketed, parenthesized};

use super::example::Example;
use super::words;
use crate::domain::syntax::{Misplaced, SectionName};
use crate::domain::wire::is_called;
use crate::errors::{Errors, SYNTAX};

/// What all readers of one block have in common.
pub(super) struct Shared<'e> {
    pub(super) errors: &'e Errors,
    pub(super) example: Example,
    /// Sections that were found inside other sections.
    pub(super) misplaced: RefCell<Vec<Misplaced>>,
}

/// Reads one group of tokens.
pub(super) struct Reader<'a> {
    input: ParseStream<'a>,
    shared: &'a Shared<'a>,
    /// The token before this one, and how it reads.
    last: Option<(Span, String)>,
    /// Whether the item that is being read has had its error; then it keeps quiet and is left at the next separator.
    pub(super) failed: bool,
    /// Whether nothing up to the next separator can be told to be an item.
    pub(super) lost: bool,
}

impl<'a> Reader<'a> {
    /// Runs `read` over free-standing tokens.
    pub(super) fn over(tokens: TokenStream, shared: &Shared<'_>, read: impl FnOnce(&mut Reader<'_>)) {
        let outcome = (|input: ParseStream<'_>| {
            let mut reader = Reader { input, shared, last: None, failed: false, lost: false };
            read(&mut reader);
            reader.drain();
            Ok(())
        })
        .parse2(tokens);
        debug_assert!(outcome.is_ok(), "a reader left tokens behind");
    }

    /// Runs `read` over the group with this delimiter that comes next; answers whether there was one.
    pub(super) fn group(&mut self, delimiter: Delimiter, read: impl FnOnce(&mut Reader<'_>)) -> bool {
        fn open(input: ParseStream<'_>, delimiter: Delimiter) -> syn::Result<(Span, ParseBuffer<'_>)> {
            let content;
            let close = match delimiter {
                Delimiter::Brace => braced!(content in input).span.close(),
                Delimiter::Bracket => bracketed!(content in input).span.close(),
                Delimiter::Parenthesis | Delimiter::None => parenthesized!(content in input).span.close(),
            };
            Ok((close, content))
        }
        let Ok((close, content)) = open(self.input, delimiter) else {
            return false;
        };
        let mut inner = Reader { input: &content, shared: self.shared, last: None, failed: false, lost: false };
        read(&mut inner);
        inner.drain();
        self.last = Some((close, words::closing(delimiter).to_owned()));
        true
    }

    /// What hints show.
    pub(super) fn example(&self) -> &'a Example {
        &self.shared.example
    }

    pub(super) fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Where the next token is; at the end of a group its closing delimiter.
    pub(super) fn here(&self) -> Span {
        self.input.span()
    }

    /// Where the token before this one is.
    pub(super) fn last_place(&self) -> Span {
        self.last.as_ref().map_or_else(|| self.here(), |(place, _)| *place)
    }

    /// Where the reader stands, to be compared.
    pub(super) fn cursor(&self) -> Cursor<'a> {
        self.input.cursor()
    }

    /// The next tokens, without reading them.
    pub(super) fn ahead(&self) -> impl Iterator<Item = TokenTree> + use<'a> {
        let mut cursor = self.input.cursor();
        std::iter::from_fn(move || {
            let (token, rest) = cursor.token_tree()?;
            cursor = rest;
            Some(token)
        })
    }

    /// Whether the next tokens are an identifier and then this.
    pub(super) fn at_ident_and(&self, accepts: impl FnOnce(Option<&TokenTree>) -> bool) -> bool {
        let mut ahead = self.ahead();
        matches!(ahead.next(), Some(TokenTree::Ident(_))) && accepts(ahead.next().as_ref())
    }

    pub(super) fn at_punct(&self, wanted: char) -> bool {
        matches!(self.ahead().next(), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
    }

    pub(super) fn at_group(&self, wanted: Delimiter) -> bool {
        matches!(self.ahead().next(), Some(TokenTree::Group(group)) if group.delimiter() == wanted)
    }

    /// Whether what comes next is kept for a later version of the language.
    pub(super) fn at_reserved(&self) -> bool {
        words::reserved(&self.ahead().take(2).collect::<Vec<_>>()).is_some()
    }

    /// The token before this one, as it reads.
    pub(super) fn last_text(&self) -> &str {
        self.last.as_ref().map_or("", |(_, text)| text)
    }

    pub(super) fn at_word(&self, wanted: &str) -> bool {
        self.peek_ident().is_some_and(|ident| ident == wanted)
    }

    pub(super) fn peek_ident(&self) -> Option<Ident> {
        self.input.cursor().ident().map(|(ident, _)| ident)
    }

    /// Reads an identifier of any kind, keywords too.
    pub(super) fn ident(&mut self) -> Option<Ident> {
        let ident = self.input.call(Ident::parse_any).ok()?;
        self.last = Some((ident.span(), ident.to_string()));
        Some(ident)
    }

    pub(super) fn eat_word(&mut self, wanted: &str) -> Option<Ident> {
        if self.at_word(wanted) { self.ident() } else { None }
    }

    pub(super) fn eat_punct(&mut self, wanted: char) -> bool {
        self.at_punct(wanted) && self.eat_token().is_some()
    }

    /// Reads whatever comes next.
    pub(super) fn eat_token(&mut self) -> Option<TokenTree> {
        let token: TokenTree = self.input.parse().ok()?;
        self.last = Some(match &token {
            TokenTree::Group(group) => (group.span_close(), words::closing(group.delimiter()).to_owned()),
            other => (other.span(), other.to_string()),
        });
        Some(token)
    }

    /// Reads what syn knows how to read; nothing is read where that fails.
    pub(super) fn syntax<T: Parse>(&mut self) -> Option<T> {
        let fork = self.input.fork();
        fork.parse::<T>().ok()?;
        let mut length = 0;
        let mut cursor = self.input.cursor();
        while cursor != fork.cursor() {
            cursor = cursor.token_tree()?.1;
            length += 1;
        }
        // A fork does not mind what is left over in its groups, but a parse of its own does.
        let read = syn::parse2(self.ahead().take(length).collect()).ok()?;
        for _ in 0..length {
            self.eat_token();
        }
        Some(read)
    }

    /// Reads a string; complains if there is none.
    pub(super) fn text(&mut self, expected: &str) -> Option<LitStr> {
        let text = self.syntax::<LitStr>();
        if text.is_none() {
            self.unexpected(expected);
        }
        text
    }

    /// Reads `:`, or what somebody may have typed for it.
    pub(super) fn colon(&mut self, after: &str, example: &str) {
        if self.eat_punct(':') {
            let colons =
                self.ahead().take_while(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':'));
            // Two more begin an absolute path: `total: ::kiff::Cents`.
            if colons.count() == 1 {
                self.remark(self.last_place(), format!("expected `:` after {after}, found `::`"));
                self.eat_token();
            }
            return;
        }
        self.unexpected(&format!("`:` after {after}, as in `{example}`"));
        if self.eat_punct('=') {
            self.eat_punct('>');
        }
    }

    /// Reads `=>`, or what somebody may have typed for it.
    pub(super) fn arrow(&mut self, example: &str) -> bool {
        let symbol: String = self.symbol();
        if symbol.is_empty() {
            self.unexpected(&format!("`=>`, as in `{example}`"));
            return false;
        }
        let start = self.here();
        for _ in symbol.chars() {
            self.eat_token();
        }
        if symbol != "=>" {
            let end = self.last_place();
            let failed = self.failed;
            self.fail_between(start, end, format!("expected `=>`, found `{symbol}`"));
            // The rest of the line is as good as if the arrow had been right.
            self.failed = failed;
        }
        true
    }

    /// The run of punctuation that comes next, up to a separator.
    fn symbol(&self) -> String {
        let is_part = |token: &TokenTree| match token {
            TokenTree::Punct(punct) if "=-><:~".contains(punct.as_char()) => Some(punct.as_char()),
            _ => None,
        };
        self.ahead().map_while(|token| is_part(&token)).collect()
    }

    /// Outer attributes and doc comments.
    pub(super) fn attributes(&mut self) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        while self.at_punct('#') {
            let tokens: TokenStream = self.ahead().take(2).collect();
            if let Ok(found) = Attribute::parse_outer.parse2(tokens)
                && !found.is_empty()
            {
                self.eat_token();
                self.eat_token();
                attributes.extend(found.into_iter().filter(|attribute| !self.is_condition(attribute)));
                continue;
            }
            self.unexpected("an attribute such as `#[serde(rename = \"…\")]`");
            self.eat_token();
            self.eat_punct('!');
            if self.at_group(Delimiter::Bracket) {
                self.eat_token();
            }
        }
        attributes
    }

    /// Doc comments before something that is no item of its own.
    pub(super) fn only_docs(&mut self, before: &str) {
        for attribute in self.attributes() {
            if !attribute.path().is_ident("doc") {
                let message = format!("only doc comments may stand before {before}");
                self.shared.errors.report(SYNTAX, &attribute, message);
            }
        }
    }

    /// Whether this leaves a part out under some condition: what governs must not depend on how it is built.
    fn is_condition(&self, attribute: &Attribute) -> bool {
        let is_condition = ["cfg", "cfg_attr"].iter().any(|condition| is_called(attribute.path(), condition));
        if is_condition {
            let message =
                "no part of a domain can be left out or changed under a condition: write `#[cfg(…)]` before `domain!`";
            self.shared.errors.report(SYNTAX, attribute, message);
        }
        is_condition
    }

    /// Puts off a section that begins inside another one.
    pub(super) fn misplaced(&mut self, section: SectionName, keyword: Ident) {
        if let Some(TokenTree::Group(group)) = self.eat_token() {
            self.shared.misplaced.borrow_mut().push(Misplaced { section, keyword, content: group.stream() });
        }
    }

    /// Says that something else should stand here, once per item.
    pub(super) fn unexpected(&mut self, expected: &str) {
        let ahead: Vec<TokenTree> = self.ahead().take(2).collect();
        if let Some(reserved) = words::reserved(&ahead) {
            self.fail_here(words::reserved_message(&reserved));
            self.lost = true;
            return;
        }
        let Some(token) = ahead.first() else {
            let place = self.last_place();
            self.fail_between(place, place, format!("expected {expected}"));
            return;
        };
        let hint = words::belongs_elsewhere(token).map_or_else(String::new, |hint| format!(": {hint}"));
        let found = match token {
            TokenTree::Group(group) => words::opening(group.delimiter()).to_owned(),
            TokenTree::Punct(_) if self.symbol().len() > 1 => self.symbol(),
            other => other.to_string(),
        };
        let message = format!("expected {expected}, found `{found}`{hint}");
        match token {
            TokenTree::Group(group) => self.fail_between(group.span_open(), group.span_open(), message),
            _ => self.fail_here(message),
        }
    }

    pub(super) fn fail_here(&mut self, message: String) {
        let here = self.here();
        self.fail_between(here, here, message);
    }

    pub(super) fn fail_between(&mut self, start: Span, end: Span, message: String) {
        if !self.failed {
            self.shared.errors.report_between(SYNTAX, start, end, message);
        }
        self.failed = true;
    }

    /// Says something about one place and goes on as if it had been right.
    pub(super) fn remark(&mut self, place: Span, message: String) {
        let failed = self.failed;
        self.fail_between(place, place, message);
        self.failed = failed;
    }

    /// Says that a separator is missing behind the token before this one.
    pub(super) fn missing_separator(&mut self, separator: char) {
        if let Some((place, text)) = self.last.clone() {
            self.remark(place, format!("expected `{separator}` after `{text}`"));
        }
    }

    fn drain(&mut self) {
        while self.eat_token().is_some() {}
    }
}

//! The sink for what is wrong with a macro's input: collect, finish, and panic (in debug builds) when dropped unread.

use std::cell::{Cell, RefCell};

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

/// The most errors that one block reports; what goes beyond is counted.
const CAP: usize = 64;

/// The rule name of everything that is not understood at all.
pub(crate) const SYNTAX: &str = "syntax";

/// One thing that is wrong: the rule that it breaks, where, and the sentence.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    /// The rule's name as in the design's table, or [`SYNTAX`].
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests tell the rules apart by their names"))]
    pub(crate) rule: &'static str,
    /// The first token to blame.
    pub(crate) start: Span,
    /// The last token to blame; the same as `start` for one token.
    pub(crate) end: Span,
    /// What is wrong and what to write instead.
    pub(crate) message: String,
}

/// Collects errors behind a shared reference, so that every phase can report without owning it.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    found: RefCell<Vec<Diagnostic>>,
    read: Cell<bool>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Blames every token of `tokens`, from the first to the last.
    pub(crate) fn report(&self, rule: &'static str, tokens: impl ToTokens, message: impl Into<String>) {
        let mut spans = tokens.into_token_stream().into_iter().map(|token| ends(&token));
        let (start, first_end) = spans.next().unwrap_or((Span::call_site(), Span::call_site()));
        let end = spans.last().map_or(first_end, |(_, end)| end);
        self.report_between(rule, start, end, message);
    }

    /// Blames one place.
    pub(crate) fn report_at(&self, rule: &'static str, place: Span, message: impl Into<String>) {
        self.report_between(rule, place, place, message);
    }

    /// Blames everything between two places.
    pub(crate) fn report_between(&self, rule: &'static str, start: Span, end: Span, message: impl Into<String>) {
        self.found.borrow_mut().push(Diagnostic { rule, start, end, message: message.into() });
    }

    /// Reads the sink: sorted by place, without duplicates, capped.
    pub(crate) fn finish(self) -> Diagnostics {
        self.read.set(true);
        let mut found: Vec<_> =
            self.found.take().into_iter().map(|diagnostic| (position(diagnostic.start), diagnostic)).collect();
        found.sort_by_key(|(position, _)| *position);
        let mut list: Vec<Diagnostic> = Vec::new();
        let mut seen = Vec::new();
        for (position, diagnostic) in found {
            let key = (position, diagnostic.message.clone());
            if !seen.contains(&key) {
                seen.push(key);
                list.push(diagnostic);
            }
        }
        let left_out = list.len().saturating_sub(CAP);
        if left_out > 0 {
            list.truncate(CAP);
            if let Some(last) = list.last_mut() {
                last.message = format!("{}\n(and {left_out} more errors in this block)", last.message);
            }
        }
        Diagnostics { list }
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(self.read.get() || std::thread::panicking(), "the errors of a macro were dropped unread");
    }
}

/// Everything that is wrong with one input, in the order in which it stands in the source.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// One `compile_error!` for each, underlining exactly the tokens to blame.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.list.into_iter().map(Diagnostic::into_compile_error).collect()
    }
}

impl Diagnostic {
    fn into_compile_error(self) -> TokenStream {
        let message = self.message;
        // rustc underlines from the first token of the call to its last, so only these two need the user's spans.
        let call = quote_spanned!(self.start=> ::core::compile_error!);
        let mut text = Group::new(Delimiter::Brace, quote!(#message));
        text.set_span(self.end);
        quote!(#call #text)
    }
}

/// The first and the last place of one token; those of a group are its delimiters.
fn ends(token: &TokenTree) -> (Span, Span) {
    match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => (group.span_open(), group.span_close()),
        other => (other.span(), other.span()),
    }
}

/// Line and column: from rustc inside a build, and from proc-macro2's own tokens in the unit tests.
fn position(span: Span) -> (usize, usize) {
    if proc_macro::is_available() {
        let span = span.unwrap();
        return (span.line(), span.column());
    }
    #[cfg(test)]
    {
        let start = span.start();
        (start.line, start.column)
    }
    #[cfg(not(test))]
    {
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_reported_once_and_the_rest_is_capped() {
        let errors = Errors::new();
        for number in 0..CAP + 3 {
            errors.report_at(SYNTAX, Span::call_site(), format!("fault {number}"));
            errors.report_at(SYNTAX, Span::call_site(), format!("fault {number}"));
        }
        let diagnostics = errors.finish();
        assert_eq!(diagnostics.iter().count(), CAP);
        let last = diagnostics.iter().last().unwrap();
        assert_eq!(last.message, "fault 63\n(and 3 more errors in this block)");
    }

    #[test]
    #[should_panic(expected = "dropped unread")]
    fn a_sink_that_nobody_reads_is_a_bug() {
        drop(Errors::new());
    }

    #[test]
    fn an_error_becomes_one_compile_error() {
        let errors = Errors::new();
        errors.report(SYNTAX, quote!(a b), "no");
        assert_eq!(
            errors.finish().into_compile_errors().to_string(),
            quote!(::core::compile_error! { "no" }).to_string()
        );
    }
}

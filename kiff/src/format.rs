//! Where `domain!` blocks are, and their layout, which rustfmt leaves alone: indentation, blank lines and the spaces that must be.
//!
//! What a line holds is its author's choice, and so are the columns that make a table of neighbouring lines: a space more than
//! must be is kept, and so are tabs. Comments stay where they are.

mod blocks;
mod tokens;

pub use self::blocks::{Block, Module, blocks, modules};
use self::tokens::{Kind, Token};

/// The source with every `domain!` block of it laid out; all else is as it was.
///
/// It is the same again when it is laid out again. A block whose brackets do not match is left alone, and so is what does not
/// begin with `domain` and a name: it may be another macro's. Lines end as the source's first line does. A block is indented by
/// four spaces for each brace, or by a tab where its line is, or its own first one.
///
/// ```
/// use kiff::format::format_domain;
///
/// let source = "domain! {\npub domain Refund governs Order;\n\n\n  roles { Agent:agent,Shop: system}\n}\n";
/// let laid_out = "domain! {\n    pub domain Refund governs Order;\n\n    roles { Agent: agent, Shop: system }\n}\n";
/// assert_eq!(format_domain(source), laid_out);
/// ```
#[must_use]
pub fn format_domain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let ending = if source.split('\n').next().is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut rest = source;
    while let Some((before, body, after)) = tokens::block(rest) {
        out.push_str(before);
        match tokens::of(body) {
            Some(tokens) if is_balanced(&tokens) && blocks::is_block(&tokens) => {
                let base = indentation_of_last_line(&out);
                let layout =
                    Layout { base: &base, step: step(&base, &tokens), ending, within: usize::from(out.ends_with('{')) };
                layout.write(&tokens, &mut out);
            }
            _ => out.push_str(body),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The first line that would be laid out otherwise, from 1; none where all is as it should be.
#[must_use]
pub fn first_difference(source: &str) -> Option<usize> {
    let formatted = format_domain(source);
    if formatted == source {
        return None;
    }
    let same = source.split('\n').zip(formatted.split('\n')).take_while(|(old, new)| old == new).count();
    Some(same + 1)
}

fn indentation_of_last_line(text: &str) -> String {
    let line = text.rsplit('\n').next().unwrap_or_default();
    line.chars().take_while(|letter| letter.is_whitespace()).collect()
}

/// What one brace indents by.
fn step(base: &str, tokens: &[Token<'_>]) -> &'static str {
    let first = tokens.iter().find(|token| token.breaks > 0);
    let has_tabs = if base.is_empty() { first.is_some_and(Token::is_tabbed) } else { base.contains('\t') };
    if has_tabs { "\t" } else { "    " }
}

fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::Open => open.push(token.text),
            Kind::Close => {
                let pair = open.pop().map(|open| [open, token.text].concat());
                if !pair.is_some_and(|pair| ["{}", "[]", "()"].contains(&pair.as_str())) {
                    return false;
                }
            }
            _ => {}
        }
    }
    open.is_empty()
}

/// How many spaces stand between two tokens of one line.
enum Gap {
    Exactly(usize),
    /// So many, or what the author wrote: it may be a column.
    AtLeast(usize),
}

/// How one block is written.
struct Layout<'l> {
    /// What its first line is indented by.
    base: &'l str,
    /// What one brace indents by.
    step: &'static str,
    ending: &'static str,
    /// How many spaces stand within its brackets where it is one line.
    within: usize,
}

impl Layout<'_> {
    /// Writes what stands between the brackets of the block.
    fn write(&self, tokens: &[Token<'_>], out: &mut String) {
        let mut depth = 1_usize;
        // How deep the `#` of the last attribute stands until its `]`, and whether the token before was that one.
        let (mut attribute, mut is_over) = (None, false);
        for (place, token) in tokens.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| tokens.get(before));
            if token.kind == Kind::Close {
                depth = depth.saturating_sub(1);
            }
            let breaks = token.breaks;
            if breaks > 0 {
                let is_tight = before.is_none_or(|before| before.kind == Kind::Open) || token.kind == Kind::Close;
                out.push_str(&self.ending.repeat(if breaks > 1 && !is_tight { 2 } else { 1 }));
                let goes_on = token.kind != Kind::Close && !is_over && before.is_some_and(|before| !before.ends_line());
                out.push_str(self.base);
                out.push_str(&self.step.repeat(depth + usize::from(goes_on)));
            } else {
                match self.gap(before, token) {
                    Gap::Exactly(spaces) => out.push_str(&" ".repeat(spaces)),
                    // How wide a tab is nobody knows, and so no spaces stand for it.
                    Gap::AtLeast(_) if token.is_tabbed() => out.push_str(token.white),
                    Gap::AtLeast(spaces) => out.push_str(&" ".repeat(spaces.max(token.white.chars().count()))),
                }
            }
            out.push_str(token.text);
            is_over = token.text == "]" && attribute == Some(depth);
            if is_over {
                attribute = None;
            } else if token.text == "#" {
                attribute = Some(depth);
            }
            if token.kind == Kind::Open {
                depth += 1;
            }
        }
        self.end(tokens, out);
    }

    /// What stands before the closing bracket of the block.
    fn end(&self, tokens: &[Token<'_>], out: &mut String) {
        match tokens.last() {
            Some(Token { kind: Kind::End, breaks: 0, .. }) | None => {}
            Some(_) => {
                out.push_str(self.ending);
                out.push_str(self.base);
            }
        }
    }

    /// What stands between two tokens of one line.
    fn gap(&self, before: Option<&Token<'_>>, token: &Token<'_>) -> Gap {
        let Some(before) = before.filter(|_| token.kind != Kind::End) else {
            return if self.within > 0 { Gap::AtLeast(self.within) } else { Gap::Exactly(0) };
        };
        let hugs = matches!(token.text, ";" | ",")
            || matches!(before.text, "(" | "[" | "#")
            || matches!(token.text, ")" | "]");
        if hugs {
            return Gap::Exactly(0);
        }
        if token.text == ":" {
            // Two of them that touch are another sign.
            return Gap::Exactly(usize::from(before.text == ":"));
        }
        let apart = matches!(before.text, "," | ";" | ":" | "=>" | "|" | "{")
            || matches!(token.text, "=>" | "|" | "{" | "}")
            || token.kind == Kind::Comment;
        Gap::AtLeast(usize::from(apart))
    }
}

#[cfg(test)]
mod tests;

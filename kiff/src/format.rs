//! Where `domain!` blocks are, and their layout, which rustfmt leaves alone: indentation, blank lines and the spaces that must be.
//!
//! What a line holds is its author's choice, and so are the columns that make a table of neighbouring lines: a space more than
//! must be is kept. Comments stay where they are.

mod blocks;
mod tokens;

pub use self::blocks::{Block, blocks};
use self::tokens::{Kind, Token};

/// The source with every `domain!` block of it laid out; all else is as it was.
///
/// It is the same again when it is laid out again. A block whose brackets do not match is left alone. Lines end as the source's
/// first line does.
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
            Some(tokens) if is_balanced(&tokens) && !body.trim().is_empty() => {
                lay_out(&tokens, &indentation_of_last_line(&out), ending, &mut out);
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
    line.chars().take_while(|letter| *letter == ' ').collect()
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

/// Writes what stands between the braces of a block, whose first line is indented by `base`.
fn lay_out(tokens: &[Token<'_>], base: &str, ending: &str, out: &mut String) {
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
            out.push_str(&ending.repeat(if breaks > 1 && !is_tight { 2 } else { 1 }));
            let goes_on = token.kind != Kind::Close && !is_over && before.is_some_and(|before| !before.ends_line());
            out.push_str(base);
            out.push_str(&"    ".repeat(depth + usize::from(goes_on)));
        } else {
            out.push_str(&" ".repeat(spaces(before, token)));
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
    end(tokens, base, ending, out);
}

/// What stands before the closing brace of the block.
fn end(tokens: &[Token<'_>], base: &str, ending: &str, out: &mut String) {
    match tokens.last() {
        Some(Token { kind: Kind::End, breaks: 0, .. }) | None => {}
        Some(_) => {
            out.push_str(ending);
            out.push_str(base);
        }
    }
}

/// How many spaces stand between two tokens of one line.
fn spaces(before: Option<&Token<'_>>, token: &Token<'_>) -> usize {
    let Some(before) = before else {
        return token.spaces.max(1);
    };
    if token.kind == Kind::End {
        return token.spaces.max(1);
    }
    let hugs =
        matches!(token.text, ";" | ",") || matches!(before.text, "(" | "[" | "#") || matches!(token.text, ")" | "]");
    if hugs {
        return 0;
    }
    let is_colon = token.text == ":";
    if is_colon {
        return 0;
    }
    let apart = matches!(before.text, "," | ";" | ":" | "=>" | "|" | "{")
        || matches!(token.text, "=>" | "|" | "{" | "}")
        || token.kind == Kind::Comment;
    token.spaces.max(usize::from(apart))
}

#[cfg(test)]
mod tests;

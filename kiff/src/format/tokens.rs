//! A source as tokens, with the comments that a compiler drops, and where `domain!` blocks are in it.

/// The signs of several characters, each before those that it begins with. Two signs that touch are read as one where they can be.
const LONG_SIGNS: [&str; 18] =
    ["..=", "...", "<<=", ">>=", "=>", "->", "::", "||", "|=", "&&", "&=", "==", "!=", "<=", ">=", "<<", ">>", ".."];

/// What a token is to the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Sign,
    Open,
    Close,
    Comment,
    /// What stands before the end of the block.
    End,
}

/// A token, and the white space before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) text: &'s str,
    pub(super) kind: Kind,
    /// How many lines end before it.
    pub(super) breaks: usize,
    /// The white space before it in its line.
    pub(super) white: &'s str,
}

impl Token<'_> {
    /// Whether what comes in the next line is a thing of its own; the end of an attribute is known only from its beginning.
    pub(super) fn ends_line(&self) -> bool {
        matches!(self.text, ";" | "," | "}") || matches!(self.kind, Kind::Open | Kind::Comment)
    }

    /// Whether a tab stands before it in its line.
    pub(super) fn is_tabbed(&self) -> bool {
        self.white.contains('\t')
    }
}

/// The next block: what stands before its content, its content, and what comes from its closing bracket on.
pub(super) fn block(source: &str) -> Option<(&str, &str, &str)> {
    let mut place = 0;
    let mut seen: [&str; 2] = ["", ""];
    while let Some((start, length, _)) = next(source, place) {
        let text = source.get(start..start + length)?;
        place = start + length;
        if ["{", "(", "["].contains(&text) && seen == ["domain", "!"] {
            let end = closing(source, place, text)?;
            return Some((source.get(..place)?, source.get(place..end)?, source.get(end..)?));
        }
        if !is_comment(text) {
            seen = [seen[1], text];
        }
    }
    None
}

/// Where the bracket closes that was opened before `place`.
fn closing(source: &str, mut place: usize, open: &str) -> Option<usize> {
    let mut depth = 1_usize;
    while let Some((start, length, _)) = next(source, place) {
        match (open, source.get(start..start + length)?) {
            ("{", "{") | ("(", "(") | ("[", "[") => depth += 1,
            ("{", "}") | ("(", ")") | ("[", "]") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start);
        }
        place = start + length;
    }
    None
}

/// The tokens of a block's content, and at last its end.
pub(super) fn of(body: &str) -> Option<Vec<Token<'_>>> {
    let (mut tokens, mut place) = (Vec::new(), 0);
    while let Some((start, length, kind)) = next(body, place) {
        tokens.push(after(body.get(place..start)?, body.get(start..start + length)?, kind));
        place = start + length;
    }
    let end = after(body.get(place..)?, "", Kind::End);
    if end.breaks == 0 {
        tokens.push(end);
    }
    Some(tokens)
}

/// A token behind this white space.
fn after<'s>(white: &'s str, text: &'s str, kind: Kind) -> Token<'s> {
    let last = white.rsplit('\n').next().unwrap_or_default();
    Token { text, kind, breaks: white.matches('\n').count(), white: last }
}

fn is_comment(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("/*")
}

/// The next token from `place` on: where it begins, how long it is, and what it is.
fn next(source: &str, place: usize) -> Option<(usize, usize, Kind)> {
    let rest = source.get(place..)?;
    let start = place + (rest.len() - rest.trim_start().len());
    let rest = source.get(start..)?;
    let first = rest.chars().next()?;
    let (length, kind) = if rest.starts_with("//") {
        (line_comment(rest).len(), Kind::Comment)
    } else if rest.starts_with("/*") {
        (comment(rest), Kind::Comment)
    } else if let Some(length) = text(rest) {
        (length, Kind::Word)
    } else if first.is_alphanumeric() || first == '_' {
        (word(rest), Kind::Word)
    } else if "([{".contains(first) {
        (1, Kind::Open)
    } else if ")]}".contains(first) {
        (1, Kind::Close)
    } else {
        let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
        (long.map_or(first.len_utf8(), |sign| sign.len()), Kind::Sign)
    };
    Some((start, length, kind))
}

fn word(rest: &str) -> usize {
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    let is_end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
    rest.get(raw..).and_then(|rest| rest.find(is_end)).map_or(rest.len(), |end| end + raw)
}

/// `// …` up to the end of its line. Two spaces there are a break in Markdown, and so they stay in what is documentation.
fn line_comment(rest: &str) -> &str {
    let line = rest.split('\n').next().unwrap_or(rest);
    let is_documentation = line.starts_with("//!") || (line.starts_with("///") && !line.starts_with("////"));
    if is_documentation { line.trim_end_matches('\r') } else { line.trim_end() }
}

/// The length of `/* … */`, which may hold others.
fn comment(rest: &str) -> usize {
    let (mut depth, mut place) = (0_usize, 0);
    while let Some(here) = rest.get(place..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            (depth, place) = (depth + 1, place + 2);
        } else if here.starts_with("*/") {
            (depth, place) = (depth - 1, place + 2);
            if depth == 0 {
                return place;
            }
        } else {
            place += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a text or of a letter in quotes, if one begins here.
fn text(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r"].iter().find(|prefix| {
        let after = rest.strip_prefix(**prefix).unwrap_or_default().trim_start_matches('#');
        rest.starts_with(**prefix) && after.starts_with('"') && (prefix.ends_with('r') || !after.is_empty())
    });
    let prefix = prefix.map_or(0, |prefix| prefix.len());
    let body = rest.get(prefix..)?;
    if prefix > 0 && rest.get(..prefix)?.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = body.get(hashes + 1..)?;
        return Some(inside.find(&end).map_or(rest.len(), |place| prefix + hashes + 1 + place + end.len()));
    }
    if body.starts_with('"') {
        return Some(prefix + quoted(body, '"'));
    }
    // `'a'` and `'\n'` are letters, and `'a` is a lifetime.
    let mut letters = body.strip_prefix('\'')?.chars();
    let is_letter = letters.next() == Some('\\') || letters.next() == Some('\'');
    is_letter.then(|| quoted(body, '\''))
}

fn quoted(body: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (place, letter) in body.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            letter if letter == quote => return place + 1,
            _ => {}
        }
    }
    body.len()
}

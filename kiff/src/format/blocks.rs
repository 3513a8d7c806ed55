//! Where the `domain!` blocks of a source are, and which types they declare.

use super::tokens::{self, Kind, Token};

/// A `domain!` block of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block<'s> {
    /// The domain's type. None where no name is read, or where the block stands in a module within the file.
    pub domain: Option<&'s str>,
    /// The line of its opening bracket, from 1.
    pub line: usize,
}

/// The `domain!` blocks of a source, in order; none that is for tests alone, or stands in a function or a macro.
///
/// ```
/// use kiff::format::blocks;
///
/// let source = "/// Refunds.\nkiff::domain! {\n    #[doc = \"see [x]\"]\n    pub domain Refund governs Order;\n}\n";
/// let [block] = blocks(source)[..] else { panic!("there is one") };
/// assert_eq!((block.domain, block.line), (Some("Refund"), 2));
/// ```
#[must_use]
pub fn blocks(source: &str) -> Vec<Block<'_>> {
    let (mut texts, mut lines, mut line) = (Vec::new(), Vec::new(), 1);
    for token in tokens::of(source).into_iter().flatten() {
        line += token.breaks;
        if token.kind != Kind::Comment {
            texts.push(token.text);
            lines.push(line);
        }
        line += token.text.matches('\n').count();
    }
    // Of each brace that is open, whether it is that of a module; and what stands before the next one.
    let (mut around, mut header): (Vec<bool>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    for (place, (text, line)) in texts.iter().copied().zip(lines).enumerate() {
        let is_block = matches!(header.as_slice(), [.., "domain", "!"]) && matches!(text, "{" | "(" | "[");
        if is_block && !is_for_tests(&header) && around.iter().all(|is_module| *is_module) {
            let domain = texts.get(place + 1..).and_then(declared).filter(|_| around.is_empty());
            found.push(Block { domain, line });
        }
        match text {
            "{" => {
                around.push(matches!(header.as_slice(), [.., "mod", _]) && !is_for_tests(&header));
                header.clear();
            }
            "}" => {
                around.pop();
                header.clear();
            }
            ";" => header.clear(),
            text => header.push(text),
        }
    }
    found
}

fn is_for_tests(header: &[&str]) -> bool {
    header.windows(3).any(|words| matches!(words, ["cfg", "(", "test"]))
}

/// Whether these tokens begin as a block of kiff does: another macro may be called `domain!`, too.
pub(super) fn is_block(tokens: &[Token<'_>]) -> bool {
    let written = tokens.iter().filter(|token| token.kind != Kind::Comment);
    declared(&written.map(|token| token.text).collect::<Vec<_>>()).is_some()
}

/// The name behind `domain`, past attributes and who may see it.
fn declared<'s>(mut inside: &[&'s str]) -> Option<&'s str> {
    loop {
        inside = match inside {
            ["#", "[", rest @ ..] | ["pub", "(", rest @ ..] => behind_closing(rest)?,
            ["pub", rest @ ..] => rest,
            ["domain", name, ..] if is_name(name) => return Some(*name),
            _ => return None,
        };
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// What stands behind the bracket that closes what was opened before.
fn behind_closing<'t, 's>(inside: &'t [&'s str]) -> Option<&'t [&'s str]> {
    let mut depth = 1_usize;
    for (place, text) in inside.iter().enumerate() {
        match *text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inside.get(place + 1..);
        }
    }
    None
}

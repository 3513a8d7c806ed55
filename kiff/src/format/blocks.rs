//! Where the `domain!` blocks of a source are, which types they declare, and which other files the source leads to.

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
    read(source).0
}

/// A module that has a file of its own, as `mod inner;` declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Module<'s> {
    /// Its name, as it stands there.
    pub name: &'s str,
    /// The file that `#[path = "…"]` names.
    pub path: Option<&'s str>,
    /// The modules within the source that it stands in, the outermost first.
    pub within: Vec<&'s str>,
    /// Whether it is there in tests alone.
    pub is_for_tests: bool,
}

/// The modules that a source declares and that have files of their own, in order; none that stands in a function or a macro.
///
/// ```
/// use kiff::format::modules;
///
/// let source = "mod desk;\nmod inner { pub mod r#type; }\n#[cfg(test)]\nmod tests;\n";
/// let found = modules(source);
/// let [desk, typed, tests] = &found[..] else { panic!("there are three") };
/// assert_eq!((desk.name, typed.name), ("desk", "r#type"));
/// assert_eq!(typed.within, ["inner"]);
/// assert!(tests.is_for_tests && !desk.is_for_tests);
/// ```
#[must_use]
pub fn modules(source: &str) -> Vec<Module<'_>> {
    read(source).1
}

/// What a brace that is open is the brace of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brace<'s> {
    Module(&'s str),
    ModuleOfTests(&'s str),
    Other,
}

fn read(source: &str) -> (Vec<Block<'_>>, Vec<Module<'_>>) {
    let (mut texts, mut lines, mut line) = (Vec::new(), Vec::new(), 1);
    for token in tokens::of(source).into_iter().flatten() {
        line += token.breaks;
        if token.kind != Kind::Comment {
            texts.push(token.text);
            lines.push(line);
        }
        line += token.text.matches('\n').count();
    }
    // Each brace that is open, and what stands before the next one.
    let (mut around, mut header): (Vec<Brace<'_>>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut found, mut named) = (Vec::new(), Vec::new());
    for (place, (text, line)) in texts.iter().copied().zip(lines).enumerate() {
        let is_block = matches!(header.as_slice(), [.., "domain", "!"]) && matches!(text, "{" | "(" | "[");
        if is_block && !is_for_tests(&header) && around.iter().all(|brace| matches!(brace, Brace::Module(_))) {
            let domain = texts.get(place + 1..).and_then(declared).filter(|_| around.is_empty());
            found.push(Block { domain, line });
        }
        match text {
            "{" => {
                around.push(match header.as_slice() {
                    [.., "mod", name] if is_for_tests(&header) => Brace::ModuleOfTests(name),
                    [.., "mod", name] => Brace::Module(name),
                    _ => Brace::Other,
                });
                header.clear();
            }
            "}" => {
                around.pop();
                header.clear();
            }
            ";" => {
                named.extend(module(&header, &around));
                header.clear();
            }
            text => header.push(text),
        }
    }
    (found, named)
}

/// The module that a line declares, if it declares one and it is known which.
fn module<'s>(line: &[&'s str], around: &[Brace<'s>]) -> Option<Module<'s>> {
    let [attributes @ .., "mod", name] = line else { return None };
    let within = around.iter().map(|brace| match brace {
        Brace::Module(name) | Brace::ModuleOfTests(name) => Some(*name),
        Brace::Other => None,
    });
    let within = within.collect::<Option<Vec<&str>>>()?;
    let path = attributes.windows(6).find_map(|words| match words {
        ["#", "[", "path", "=", text, "]"] => unquoted(text),
        _ => None,
    });
    let is_for_tests = is_for_tests(line) || around.iter().any(|brace| matches!(brace, Brace::ModuleOfTests(_)));
    Some(Module { name, path, within, is_for_tests })
}

/// What stands between the quotes of a text.
fn unquoted(text: &str) -> Option<&str> {
    text.trim_start_matches('r').trim_matches('#').strip_prefix('"')?.strip_suffix('"')
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

//! A regular expression of Rust's as one of JavaScript's, which is what JSON Schema has.

use std::iter::Peekable;
use std::str::Chars;

/// The pattern that a text must match as a whole; none when JavaScript cannot write it, or would read it as another.
pub(super) fn anchored(pattern: &str) -> Option<String> {
    let translated =
        Translation { letters: pattern.chars().peekable(), text: String::new(), repeats: Repeats::Not }.run()?;
    if translated.contains('|') {
        return Some(format!("^(?:{translated})$"));
    }
    let start = if translated.starts_with('^') { "" } else { "^" };
    let end = if translated.ends_with('$') && !translated.ends_with("\\$") { "" } else { "$" };
    Some(format!("{start}{translated}{end}"))
}

/// How often what was written last is repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Not,
    Greedily,
    Lazily,
}

/// What follows a backslash and means the same in both.
const SAME: &str = "bBdDwWnrtfvxu^$\\.*+?()[]{}|/";

/// What `\s` means in Rust; in JavaScript it is every blank of Unicode.
const BLANKS: &str = r"\t\n\v\f\r ";

struct Translation<'a> {
    letters: Peekable<Chars<'a>>,
    text: String,
    repeats: Repeats,
}

impl Translation<'_> {
    fn run(mut self) -> Option<String> {
        while let Some(letter) = self.letters.next() {
            let repeats = std::mem::replace(&mut self.repeats, Repeats::Not);
            match letter {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '?' | '*' | '+' | '{' => self.repeat(letter, repeats)?,
                // Alone they are themselves in Rust, and an error in JavaScript.
                '}' | ']' => self.text.extend(['\\', letter]),
                // JavaScript has more ends of a line.
                '.' => self.text.push_str(r"[^\n]"),
                other => self.text.push(other),
            }
        }
        Some(self.text)
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Option<()> {
        let letter = self.letters.next()?;
        let next = self.letters.peek();
        match letter {
            'b' | 'B' if in_class || next == Some(&'{') => return None,
            'x' | 'u' if next == Some(&'{') => return None,
            's' if in_class => self.text.push_str(BLANKS),
            's' => self.text.extend(["[", BLANKS, "]"]),
            'S' if in_class => return None,
            'S' => self.text.extend(["[^", BLANKS, "]"]),
            other if SAME.contains(other) => self.text.extend(['\\', other]),
            '-' if in_class => self.text.push_str("\\-"),
            // Escaped for nothing, which JavaScript does not forgive.
            other if other.is_ascii_punctuation() && other != '<' && other != '>' => self.text.push(other),
            _ => return None,
        }
        Some(())
    }

    /// The rest of `[a-z]`.
    fn class(&mut self) -> Option<()> {
        self.text.push('[');
        if self.letters.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        if self.letters.peek() == Some(&']') {
            return None;
        }
        loop {
            match self.letters.next()? {
                ']' => {
                    self.text.push(']');
                    return Some(());
                }
                '\\' => self.escape(true)?,
                '[' => return None,
                other => self.text.push(other),
            }
        }
    }

    /// What makes a group more than `(`.
    fn group(&mut self) -> Option<()> {
        self.text.push('(');
        if self.letters.next_if_eq(&'?').is_none() {
            return Some(());
        }
        match self.letters.next()? {
            ':' => self.text.push_str("?:"),
            '<' => self.text.push_str("?<"),
            'P' => {
                self.letters.next_if_eq(&'<')?;
                self.text.push_str("?<");
            }
            _ => return None,
        }
        Some(())
    }

    fn repeat(&mut self, letter: char, repeats: Repeats) -> Option<()> {
        self.repeats = match (letter, repeats) {
            (_, Repeats::Not) => Repeats::Greedily,
            ('?', Repeats::Greedily) => Repeats::Lazily,
            _ => return None,
        };
        self.text.push(letter);
        if letter == '{' {
            self.count()?;
        }
        Some(())
    }

    /// The rest of `{2,5}`.
    fn count(&mut self) -> Option<()> {
        loop {
            let letter = self.letters.next()?;
            let is_first = self.text.ends_with('{');
            match letter {
                '0'..='9' => self.text.push(letter),
                ',' if !is_first => self.text.push(letter),
                ' ' => {}
                '}' if !is_first => {
                    self.text.push(letter);
                    return Some(());
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::anchored;

    #[test]
    fn a_pattern_matches_the_whole_text_in_javascript_too() {
        for (rust, javascript) in [
            ("pay-[0-9]+", Some("^pay-[0-9]+$")),
            ("^pay-[0-9]+$", Some("^pay-[0-9]+$")),
            (r"\$", Some(r"^\$$")),
            ("a|b", Some("^(?:a|b)$")),
            ("(?:a|b)c", Some("^(?:(?:a|b)c)$")),
            ("(?P<year>[0-9]{4})", Some("^(?<year>[0-9]{4})$")),
            (r"\d{2, 5}?\.\w*", Some(r"^\d{2,5}?\.\w*$")),
            (r"\#[a\-z\]]\@", Some(r"^#[a\-z\]]@$")),
            ("a}]", Some(r"^a\}\]$")),
            ("[^a-z]", Some("^[^a-z]$")),
            (r"\s+\S", Some(r"^[\t\n\v\f\r ]+[^\t\n\v\f\r ]$")),
            (r"[^\s-]", Some(r"^[^\t\n\v\f\r -]$")),
            (r"[\S,]", None),
            (r".+\.[.]", Some(r"^[^\n]+\.[.]$")),
            (r"\x41\u0041", Some(r"^\x41\u0041$")),
            ("", Some("^$")),
            ("(?i)abc", None),
            ("(?x) a", None),
            ("[[:alpha:]]+", None),
            ("[]a]", None),
            (r"\x{41}", None),
            (r"\Aabc\z", None),
            (r"\a", None),
            ("a**", None),
            ("a+??", None),
            ("a{,3}", None),
        ] {
            assert_eq!(anchored(rust).as_deref(), javascript, "{rust}");
        }
    }
}

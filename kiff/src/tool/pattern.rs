//! A regular expression of Rust's as one of JavaScript's, which is what JSON Schema has, and of Python's, which some agents' APIs read.

use std::iter::Peekable;
use std::str::Chars;

/// The pattern that a text must match as a whole; none when one of the two cannot write it, or would read it as another.
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

/// What follows a backslash and means the same everywhere.
const SAME: &str = "nrtfvxu^$\\.*+?()[]{}|/";

/// What `\d`, `\w` and `\s` hold in Rust, and their opposites lack. JavaScript has more blanks, and Python more of each.
const fn members(letter: char) -> Option<&'static str> {
    match letter {
        'd' | 'D' => Some("0-9"),
        'w' | 'W' => Some("0-9A-Za-z_"),
        's' | 'S' => Some(r"\t\n\v\f\r "),
        _ => None,
    }
}

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
                // What stands for a place is repeated in Rust alone.
                '^' | '$' if matches!(self.letters.peek(), Some('?' | '*' | '+' | '{')) => return None,
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
        if let Some(members) = members(letter) {
            match (in_class, letter.is_ascii_uppercase()) {
                (true, true) => return None,
                (true, false) => self.text.push_str(members),
                (false, true) => self.text.extend(["[^", members, "]"]),
                (false, false) => self.text.extend(["[", members, "]"]),
            }
            return Some(());
        }
        match letter {
            'x' | 'u' if self.letters.peek() == Some(&'{') => return None,
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
        if self.letters.next_if_eq(&'-').is_some() {
            self.text.push('-');
            // Each of several is itself in Rust; elsewhere a range begins.
            if self.letters.peek() == Some(&'-') {
                return None;
            }
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

    /// What makes a group more than `(`. Its name matches nothing, and is written in one way by JavaScript and in another by Python.
    fn group(&mut self) -> Option<()> {
        self.text.push('(');
        if self.letters.next_if_eq(&'?').is_none() {
            return Some(());
        }
        match self.letters.next()? {
            ':' => {}
            '<' => self.skip_name()?,
            'P' => {
                self.letters.next_if_eq(&'<')?;
                self.skip_name()?;
            }
            _ => return None,
        }
        self.text.push_str("?:");
        Some(())
    }

    /// The rest of `<year>`.
    fn skip_name(&mut self) -> Option<()> {
        self.letters.any(|letter| letter == '>').then_some(())
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
    fn a_pattern_matches_the_whole_text_in_javascript_and_python_too() {
        for (rust, elsewhere) in [
            ("pay-[0-9]+", Some("^pay-[0-9]+$")),
            ("^pay-[0-9]+$", Some("^pay-[0-9]+$")),
            (r"\$", Some(r"^\$$")),
            ("a|b", Some("^(?:a|b)$")),
            ("(?:a|b)c", Some("^(?:(?:a|b)c)$")),
            ("(?P<year>[0-9]{4})", Some("^(?:[0-9]{4})$")),
            ("(?<year>[0-9]{4})-(?:a)", Some("^(?:[0-9]{4})-(?:a)$")),
            (r"\d{2, 5}?\.\w*", Some(r"^[0-9]{2,5}?\.[0-9A-Za-z_]*$")),
            (r"\D\W[\d\w.-]", Some(r"^[^0-9][^0-9A-Za-z_][0-90-9A-Za-z_.-]$")),
            (r"\#[a\-z\]]\@", Some(r"^#[a\-z\]]@$")),
            ("a}]", Some(r"^a\}\]$")),
            ("[^a-z]", Some("^[^a-z]$")),
            ("[-a][-]", Some("^[-a][-]$")),
            (r"\s+\S", Some(r"^[\t\n\v\f\r ]+[^\t\n\v\f\r ]$")),
            (r"[^\s-]", Some(r"^[^\t\n\v\f\r -]$")),
            (r"[\S,]", None),
            (r"[\D,]", None),
            (r"[^\W,]", None),
            ("[--a]", None),
            (r"\babc\B", None),
            (r"\pL\h", None),
            ("^*a", None),
            ("a$?", None),
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
            let written = anchored(rust);
            assert_eq!(written.as_deref(), elsewhere, "{rust}");
            // Python knows no `(?<`, and JavaScript no `(?P`.
            let is_named = |pattern: &str| pattern.contains("(?<") || pattern.contains("(?P");
            assert!(!written.as_deref().is_some_and(is_named), "{rust}");
        }
    }
}

//! What rustc says, cut down to the error itself: what is wrong, where, and the notes that say what to write.

/// The messages of a `.stderr` file, each once, without what rustc adds about the inside of kiff.
pub(super) fn trimmed(said: &str) -> String {
    let mut messages: Vec<String> = Vec::new();
    for message in said.split("\n\n").filter(|message| message.starts_with("error")) {
        let message = error(message);
        // One fault that rustc reports at three places is one to the reader.
        let first = message.lines().next().unwrap_or_default();
        if !messages.iter().any(|other| other.lines().next() == Some(first) && first.starts_with("error[")) {
            messages.push(message);
        }
    }
    messages.join("\n")
}

/// One error: its own part as a whole, and of what rustc adds the notes.
fn error(message: &str) -> String {
    let (mut text, mut is_own, mut note) = (String::new(), true, Note::Left);
    for line in message.lines() {
        is_own &= !is_addition(line);
        note = Note::of(line).unwrap_or(if line.starts_with("  ") && !is_place(line) { note } else { Note::Left });
        let is_note = note == Note::Kept && !is_margin(line);
        if is_note || (is_own && Note::of(line).is_none()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    without_loose_margin(&text)
}

#[derive(Clone, Copy, PartialEq)]
enum Note {
    Kept,
    Left,
}

impl Note {
    /// Whether a note begins here, and is one for the reader.
    fn of(line: &str) -> Option<Self> {
        let note = line.trim_start().strip_prefix("= ")?;
        let is_about_rustc = note.starts_with("help: ") || note.starts_with("note: this error originates in");
        Some(if is_about_rustc { Self::Left } else { Self::Kept })
    }
}

/// `help: the trait … is not implemented`, `note: required by a bound`, with an excerpt of its own.
fn is_addition(line: &str) -> bool {
    line.starts_with("help: ") || line.starts_with("note: ")
}

/// `25 |  …`, `   |` or `...`.
fn is_margin(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    line.starts_with('|') || line.starts_with("...")
}

/// `  --> ui/…` or `  ::: kiff/src/…`.
fn is_place(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("--> ") || line.starts_with("::: ")
}

/// The text without a margin behind which nothing more comes.
fn without_loose_margin(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    while lines.last().is_some_and(|line| line.trim() == "|") {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

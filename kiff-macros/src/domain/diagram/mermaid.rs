//! The diagram as text for Mermaid, which many wikis and code hosts draw.

use std::fmt::Write;

use super::sentence::{About, lines};
use super::{Arrow, Diagram, Kind};

/// The `stateDiagram-v2` of the diagram.
pub(super) fn mermaid(diagram: &Diagram) -> String {
    let mut text = "stateDiagram-v2\n".to_owned();
    // Writing to a string does not fail.
    let _ = write(diagram, &mut text);
    text
}

fn write(diagram: &Diagram, text: &mut String) -> std::fmt::Result {
    for (number, place) in diagram.places.iter().enumerate().filter(|(_, place)| place.kind != Kind::New) {
        writeln!(text, "    state \"{}\" as {}", escaped(&place.name), called(number))?;
    }
    for arrow in &diagram.arrows {
        writeln!(text, "    {} --> {} : {}", called(arrow.from), called(arrow.to), label(arrow))?;
    }
    for (number, _) in diagram.places.iter().enumerate().filter(|(_, place)| place.kind == Kind::Final) {
        writeln!(text, "    {} --> [*]", called(number))?;
    }
    Ok(())
}

/// What a place is called in the text, where a state may have the name of one of Mermaid's words.
fn called(number: usize) -> String {
    if number == 0 { "[*]".to_owned() } else { format!("s{number}") }
}

fn label(arrow: &Arrow) -> String {
    let events = arrow.events.iter().map(|occurrence| {
        let lines = lines(occurrence).into_iter().map(|line| match line.about {
            About::Event | About::Cause => escaped(&line.text),
            About::Approval => format!("✓ {}", escaped(&line.text)),
        });
        lines.collect::<Vec<_>>().join("<br/>")
    });
    events.collect::<Vec<_>>().join("<br/>")
}

/// The text with everything that could mean something to Mermaid or to a browser written as a number.
fn escaped(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        ' ' | ',' | '.' | '_' | '·' => letter.to_string(),
        _ if letter.is_alphanumeric() => letter.to_string(),
        _ => format!("#{};", u32::from(letter)),
    });
    letters.collect()
}

//! How wide a text gets, whichever sans-serif font it is shown in: rather too much than too little.

/// The width of the text in a font of this size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(letter).sum::<f64>() * size
}

/// The width of a letter as a part of the font's size.
fn letter(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '\'' | '|' | '·' | ' ' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '-' => 0.39,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.93,
        'A'..='Z' | '&' => 0.71,
        _ if letter.is_ascii() => 0.59,
        _ => 1.05,
    }
}

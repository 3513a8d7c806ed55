//! A reason for going without something, which stands on the record: whether it says anything.

use syn::LitStr;

/// Letters that nobody sees, although Unicode takes them for letters.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// Whether nothing stands there that can be read: a blank, and what is not shown or no more than a dash.
pub(crate) fn is_empty(reason: &LitStr) -> bool {
    !reason.value().chars().any(|letter| letter.is_alphanumeric() && !FILLERS.contains(&letter))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::is_empty;

    #[test]
    fn a_reason_can_be_read() {
        let is_empty = |reason: &str| is_empty(&LitStr::new(reason, Span::call_site()));
        for reason in ["", " \t", "\u{200b}\u{ad}", "\u{3164}", "—"] {
            assert!(is_empty(reason), "{reason:?}");
        }
        for reason in ["ok", "試用", "№ 7"] {
            assert!(!is_empty(reason), "{reason:?}");
        }
    }
}

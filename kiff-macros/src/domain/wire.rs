//! How an identifier becomes a name on the wire.

use proc_macro2::Ident;

/// The identifier as the user thinks of it: `r#type` is called `type`.
pub(crate) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}

/// Whether a path is one name, which rustc reads alike where it is written raw: `r#cfg` is `cfg`.
pub(crate) fn is_called(path: &syn::Path, name: &str) -> bool {
    path.get_ident().is_some_and(|ident| plain(ident) == name)
}

/// `RefundOrder` becomes `refund_order`, `HTTPCall2` becomes `http_call2`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (position, letter) in letters.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(position + 1);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if begins_word && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// `RefundOrder` becomes `REFUND_ORDER`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_wire_names() {
        for (name, wire) in [
            ("RefundOrder", "REFUND_ORDER"),
            ("HTTPCall2", "HTTP_CALL2"),
            ("Paid", "PAID"),
            ("OrderV2Paid", "ORDER_V2_PAID"),
            ("KYC", "KYC"),
            ("already_snake", "ALREADY_SNAKE"),
            ("Mixed_Case", "MIXED_CASE"),
            ("A", "A"),
        ] {
            assert_eq!(screaming(name), wire);
        }
        assert_eq!(snake("RefundOrder"), "refund_order");
    }
}

//! Doc comments: told apart from an item's other attributes, and read as text.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Divides attributes into doc comments and all others.
pub(crate) fn divide(attributes: Vec<Attribute>) -> (Vec<Attribute>, Vec<Attribute>) {
    attributes.into_iter().partition(|attribute| attribute.path().is_ident("doc"))
}

/// The text of doc comments, the same for `/** … */` as for `///`.
pub(crate) fn text(attributes: &[Attribute]) -> String {
    let comments: Vec<String> = attributes.iter().filter_map(comment).collect();
    let lines: Vec<&str> = comments.iter().flat_map(|comment| lines(comment)).collect();
    lines.join("\n").trim().to_owned()
}

/// The user's attributes, with a doc comment in any case.
pub(crate) fn attributes(attributes: &[Attribute], instead: &str) -> TokenStream {
    let is_documented = attributes.iter().any(|attribute| comment(attribute).is_some());
    let comment = (!is_documented).then(|| quote!(#[doc = #instead]));
    quote!(#comment #(#attributes)*)
}

fn comment(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

/// The lines of one comment. Only `/** … */` has more than one.
fn lines(comment: &str) -> Vec<&str> {
    let mut lines = comment.split('\n').map(str::trim_end);
    let first = lines.next().map(|first| first.strip_prefix(' ').unwrap_or(first));
    let further: Vec<&str> = lines.collect();
    first.into_iter().chain(without_margin(&further)).collect()
}

/// The lines without the stars that all of them begin with, and without the space that all of them have then.
fn without_margin<'c>(lines: &[&'c str]) -> Vec<&'c str> {
    // A star without space before it begins an item of a list.
    let behind_star = |line: &&'c str| match *line {
        "" => Some(""),
        line => line.strip_prefix(char::is_whitespace)?.trim_start().strip_prefix('*'),
    };
    let unstarred: Option<Vec<&str>> = lines.iter().map(behind_star).collect();
    let lines = unstarred.unwrap_or_else(|| lines.to_vec());
    let filled = lines.iter().filter(|line| !line.is_empty());
    let margin = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines.into_iter().map(|line| line.get(margin..).unwrap_or(line)).collect()
}

#[cfg(test)]
mod tests {
    use syn::Attribute;
    use syn::parse::Parser;

    use super::text;

    fn read(source: &str) -> String {
        text(&Attribute::parse_outer.parse_str(source).unwrap())
    }

    #[test]
    fn a_comment_reads_alike_however_it_is_written() {
        let lines = read("/// Orders.\n///\n/// - Paid:\n///   once.");
        assert_eq!(lines, "Orders.\n\n- Paid:\n  once.");
        for block in [
            "/** Orders.\n\n    - Paid:\n      once. */",
            "/**\n    Orders.\n\n    - Paid:\n      once.\n*/",
            "/**\n     * Orders.\n     *\n     * - Paid:\n     *   once.\n     */",
        ] {
            assert_eq!(read(block), lines, "{block}");
        }
        assert_eq!(read("/** Orders. */"), "Orders.");
    }

    #[test]
    fn a_list_keeps_its_stars() {
        assert_eq!(read("#[doc = \"Orders:\\n* paid\\n* refunded\"]"), "Orders:\n* paid\n* refunded");
    }
}

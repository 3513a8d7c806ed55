//! What the reference domain expands to, in full, so that every change of it is looked at.

use super::{REFUND, refund};
use crate::domain::domain2;

/// The expansion as code that people can read.
fn expansion(source: &str) -> String {
    let (expansion, _) = domain2(&source.parse().unwrap());
    without_pictures(&prettyplease::unparse(&syn::parse2(expansion).unwrap()))
}

/// The code with `<svg>` for each picture: those have tests of their own.
fn without_pictures(code: &str) -> String {
    let mut parts = code.split("<svg");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + "<svg>" + part.split_once("</svg>").map_or("", |(_, rest)| rest))
}

#[test]
fn the_reference_domain() {
    insta::assert_snapshot!(expansion(REFUND));
}

#[test]
fn the_stub_of_the_reference_domain() {
    insta::assert_snapshot!(expansion(&refund(&[("Paid => Refunded", "Paid => Refundd")])));
}

#[test]
fn a_comment_in_the_schema_reads_alike_however_it_is_written() {
    let schema = |comment: &str| {
        let text = expansion(&refund(&[("/// Orders, their payments and their refunds.", comment)]));
        text.split_once("static __SCHEMA").unwrap().1.to_owned()
    };
    let lines = schema("/// Orders, their payments\n    /// and their refunds.");
    assert!(lines.contains("\"Orders, their payments\\nand their refunds.\""), "{lines}");
    for block in [
        "/** Orders, their payments\n    and their refunds. */",
        "/**\n     * Orders, their payments\n     * and their refunds.\n     */",
    ] {
        assert_eq!(schema(block), lines, "{block}");
    }
}

#[test]
fn what_is_governed_and_called_as_the_domain_is_declared_once() {
    let text = expansion(&refund(&[("governs Order", "governs Refund")]));
    assert!(text.contains("pub enum Refund {") && !text.contains("pub type Refund<"), "{text}");
}

#[test]
fn what_is_called_as_a_word_of_a_later_edition_is_raw() {
    let text = domain2(&refund(&[("domain Refund", "domain Gen")]).parse().unwrap()).0.to_string();
    assert!(text.contains("mod r#gen {") && !text.contains("mod gen {"), "{text}");
    let edits = [("MarkPaid {", "Gen {"), ("[MarkPaid]", "[Gen]")];
    let text = domain2(&refund(&edits).parse().unwrap()).0.to_string();
    assert!(text.contains("pub struct r#gen ;"), "{text}");
}

#[test]
fn the_type_of_a_field_is_written_alike_however_its_lines_are_broken() {
    for typed in ["BTreeMap<String, u8>", "BTreeMap<\n    String,\n    u8,\n>"] {
        let text = expansion(&refund(&[("payment_id: String", &format!("payment_id: {typed}"))]));
        assert!(text.contains("\"BTreeMap<String, u8>\""), "{text}");
    }
}

#[test]
fn a_block_that_says_hardly_anything_still_expands_to_code() {
    for source in [
        "",
        "domain",
        "domain Refund",
        "domain Refund governs Order;",
        "domain Refund governs Order; roles {} states {} events {} transitions {} actions {} allow {}",
        "domain Refund governs Order; states { Paid, Paid } actions { Paid { } } events { Paid; Paid { paid: } }",
        "pub(in crate::shop) domain Crate governs r#Type; transitions { OrderPaid: Created => Paid } allow { A => [B] }",
    ] {
        expansion(source);
    }
}

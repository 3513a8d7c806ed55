//! What serde calls the fields of an event: their names on the wire, which attributes may change.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr};

use crate::domain::syntax::{Event, Field};
use crate::domain::wire::plain;

/// The field's name on the wire; none where it is left out.
pub(crate) fn on_the_wire(event: &Event, field: &Field) -> Option<String> {
    let name = plain(field.name.as_ref()?);
    let own = Words::of(&field.attributes);
    if own.is_skipped {
        return None;
    }
    let all = || Words::of(&event.attributes).rename_all.map_or_else(|| name.clone(), |style| restyled(&name, &style));
    Some(own.rename.unwrap_or_else(all))
}

/// What the `#[serde(…)]` above an item or a field says about names.
#[derive(Default)]
struct Words {
    rename: Option<String>,
    rename_all: Option<String>,
    is_skipped: bool,
}

impl Words {
    fn of(attributes: &[Attribute]) -> Self {
        let mut words = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            // What serde cannot read either is its own to report.
            let _ = attribute.parse_nested_meta(|meta| words.read(&meta));
        }
        words
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let slot = if meta.path.is_ident("rename") {
            &mut self.rename
        } else if meta.path.is_ident("rename_all") {
            &mut self.rename_all
        } else {
            self.is_skipped |= meta.path.is_ident("skip") || meta.path.is_ident("skip_serializing");
            return rest(meta);
        };
        if meta.input.peek(syn::token::Paren) {
            return meta.parse_nested_meta(|meta| {
                let text: LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("serialize") {
                    *slot = Some(text.value());
                }
                Ok(())
            });
        }
        *slot = Some(meta.value()?.parse::<LitStr>()?.value());
        Ok(())
    }
}

/// Reads over what says nothing about names.
fn rest(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::token::Paren) {
        meta.parse_nested_meta(|meta| rest(&meta))
    } else if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>().map(drop)
    } else {
        Ok(())
    }
}

/// `total_amount` in one of the styles that serde knows.
fn restyled(name: &str, style: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    let pascal = || name.split('_').map(capital).collect::<String>();
    match style {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_uppercase(),
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            let mut letters = pascal.chars();
            letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
        }
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::{Words, restyled};

    #[test]
    fn names_are_styled_as_serde_does() {
        for (style, styled) in [
            ("lowercase", "total_amount"),
            ("UPPERCASE", "TOTAL_AMOUNT"),
            ("PascalCase", "TotalAmount"),
            ("camelCase", "totalAmount"),
            ("snake_case", "total_amount"),
            ("SCREAMING_SNAKE_CASE", "TOTAL_AMOUNT"),
            ("kebab-case", "total-amount"),
            ("SCREAMING-KEBAB-CASE", "TOTAL-AMOUNT"),
        ] {
            assert_eq!(restyled("total_amount", style), styled);
        }
    }

    #[test]
    fn attributes_say_what_a_field_is_called() {
        let words = Words::of(&[
            parse_quote!(#[serde(default = "own::value", alias = "reason", rename = "why")]),
            parse_quote!(#[serde(bound(serialize = ""), rename_all(serialize = "camelCase", deserialize = "PascalCase"))]),
        ]);
        assert_eq!(words.rename.as_deref(), Some("why"));
        assert_eq!(words.rename_all.as_deref(), Some("camelCase"));
        assert!(!words.is_skipped);
        assert!(Words::of(&[parse_quote!(#[serde(skip)])]).is_skipped);
    }
}

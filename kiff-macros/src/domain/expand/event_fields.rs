//! Fields of events whose types are the user's own: what such a type lacks is said once, at the field.
//!
//! serde's derives and those of `Debug` and `Clone` would each say it in their own words, some of them at the whole block. So the
//! derives are told that the types are fit, and whether they are is asked in one place.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, GenericArgument, LitStr, PathArguments, Type};

use super::names::used;
use crate::domain::model::Event;
use crate::domain::syntax::Field;
use crate::domain::wire::plain;

/// The names of types that are known to be fit if what they hold is.
const KNOWN: [&str; 26] = [
    "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32",
    "f64", "String", "Cents", "Option", "Vec", "VecDeque", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet",
];

/// What serde is told about a field instead of by its type.
const TOLD: [&str; 7] =
    ["with", "serialize_with", "deserialize_with", "skip", "skip_serializing", "skip_deserializing", "flatten"];

/// What serde is told about a whole event instead of by its fields.
const TOLD_OF_ALL: [&str; 6] = ["bound", "from", "into", "try_from", "transparent", "remote"];

/// Whether a type of the event's fields is one that only rustc knows.
pub(super) fn are_in_doubt(event: &Event) -> bool {
    let told = TOLD_OF_ALL.iter().any(|word| says(&event.syntax.attributes, word));
    let is_macro = |field: &Field| field.kind.to_token_stream().to_string().contains('$');
    !told
        && !event.syntax.fields.iter().any(is_macro)
        && event.syntax.fields.iter().any(|field| !in_doubt(field).is_empty())
}

/// Tells serde's derives that the types are fit. With `for<'read>` rustc takes a bound as given; without, it would complain here.
pub(super) fn bounds(event: &Event) -> TokenStream {
    let kinds = event.syntax.fields.iter().flat_map(in_doubt).map(|kind| kind.to_token_stream().to_string());
    let mut types: Vec<String> = kinds.collect();
    types.sort();
    types.dedup();
    let bound = |demand: &str| {
        let bound = |kind: &String| format!("for<'read> {kind}: ::kiff::__private::serde::{demand}");
        let bounds: Vec<String> = types.iter().map(bound).collect();
        LitStr::new(&bounds.join(", "), proc_macro2::Span::call_site())
    };
    let (serialize, deserialize) = (bound("Serialize"), bound("Deserialize<'read>"));
    quote!(#[serde(bound(serialize = #serialize, deserialize = #deserialize))])
}

/// `Debug` and `Clone`, and the one place that asks whether the types are fit.
pub(super) fn traits(event: &Event) -> TokenStream {
    let (name, text) = (used(&event.declared.name), event.declared.plain());
    let shown = readable(event).map(|Readable { name, kind, .. }| {
        let (text, name) = (plain(name), used(name));
        quote!(.field(#text, ::kiff::__private::Probe::<#kind>::NEW.shown(&self.#name)))
    });
    let cloned = readable(event).map(|Readable { name, kind, .. }| {
        let name = used(name);
        quote!(#name: ::kiff::__private::Probe::<#kind>::NEW.duplicate(&self.#name))
    });
    let fit = event.syntax.fields.iter().flat_map(demands);
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#text) #(#shown)* .finish()
            }
        }

        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self {
                Self { #(#cloned),* }
            }
        }

        #(const _: () = #fit;)*
    }
}

/// What is asked of a field's types: of those in doubt all that a field needs, and of the others what serde does not look at.
///
/// INVARIANT: every field is asked whether it can be cloned, as a probe of what cannot be must never run.
fn demands(field: &Field) -> Vec<TokenStream> {
    let fit = |kind: &Type, demand: &TokenStream| {
        let place = kind.span();
        quote_spanned!(place=> <#kind as ::kiff::__private::#demand>::FIT)
    };
    let doubtful = in_doubt(field);
    if doubtful.is_empty() {
        return field.kind.iter().map(|kind| fit(kind, &quote!(CarriedField))).collect();
    }
    doubtful.into_iter().map(|kind| fit(kind, &quote!(EventField))).collect()
}

/// Each field's type as it is asked what it looks like as JSON. Where serde is told otherwise, it may be anything.
pub(super) fn probes(event: &Event) -> Vec<TokenStream> {
    let is_told = |attributes: &[Attribute]| attributes.iter().any(|attribute| attribute.path().is_ident("serde"));
    let told_of_all = is_told(&event.syntax.attributes);
    let probes = readable(event).map(|Readable { kind, attributes, .. }| {
        if told_of_all || is_told(attributes) {
            quote!(::kiff::__private::Probe::<::kiff::__private::Empty>::NEW)
        } else {
            quote!(::kiff::__private::Probe::<#kind>::NEW)
        }
    });
    probes.collect()
}

/// A field with all that it needs.
struct Readable<'e> {
    name: &'e Ident,
    kind: &'e Type,
    attributes: &'e [Attribute],
}

/// The fields that could be read, each name once.
fn readable(event: &Event) -> impl Iterator<Item = Readable<'_>> {
    let mut seen = HashSet::new();
    let fields = event.syntax.fields.iter().filter_map(|field| {
        Some(Readable { name: field.name.as_ref()?, kind: field.kind.as_ref()?, attributes: &field.attributes })
    });
    fields.filter(move |field| seen.insert(plain(field.name)))
}

/// The types in this field's that only rustc knows: `Money` in `Vec<Option<Money>>`.
fn in_doubt(field: &Field) -> Vec<&Type> {
    let mut found = Vec::new();
    if !TOLD.iter().any(|word| says(&field.attributes, word))
        && let Some(kind) = &field.kind
    {
        unknown(kind, &mut found);
    }
    found
}

fn unknown<'t>(kind: &'t Type, found: &mut Vec<&'t Type>) {
    match kind {
        Type::Group(group) => unknown(&group.elem, found),
        Type::Paren(parentheses) => unknown(&parentheses.elem, found),
        Type::Array(array) => unknown(&array.elem, found),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|kind| unknown(kind, found)),
        Type::Path(path) if path.qself.is_none() => {
            let is_known = path.path.segments.last().is_some_and(|last| KNOWN.iter().any(|known| last.ident == known));
            if !is_known {
                found.push(kind);
                return;
            }
            for segment in &path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
                for argument in &arguments.args {
                    if let GenericArgument::Type(kind) = argument {
                        unknown(kind, found);
                    }
                }
            }
        }
        _ => found.push(kind),
    }
}

/// Whether `word` stands in a `#[serde(…)]`.
fn says(attributes: &[Attribute], word: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("serde")).any(|attribute| {
        let tokens = attribute.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
        tokens.into_iter().any(|token| matches!(token, TokenTree::Ident(own) if own == word))
    })
}

//! What a type's name gives away: whether it is a number, a text, a list, or whether only rustc knows.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The sort of a type, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An integer that fits limits of 64 bits, or an amount of money.
    Number,
    /// An integer that does not, and the one to take instead.
    Wide(&'static str),
    Float,
    Text,
    List,
    /// A map, a set or another collection.
    Collection,
    /// An array, whose length its type says.
    Array,
    /// A truth value, a letter or a tuple: neither long nor large.
    Plain,
    /// A type that only rustc knows.
    Unknown,
}

impl Kind {
    pub(crate) fn of(typed: &Type) -> Self {
        match peel(typed) {
            Type::Array(_) => Self::Array,
            Type::Tuple(_) => Self::Plain,
            Type::Path(path) if path.qself.is_none() => {
                path.path.segments.last().map_or(Self::Unknown, |segment| Self::of_name(&segment.ident.to_string()))
            }
            _ => Self::Unknown,
        }
    }

    fn of_name(name: &str) -> Self {
        match name {
            "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "Cents" => Self::Number,
            "i128" | "isize" => Self::Wide("i64"),
            "u128" | "usize" => Self::Wide("u64"),
            "f32" | "f64" => Self::Float,
            "String" => Self::Text,
            "Vec" => Self::List,
            "VecDeque" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => Self::Collection,
            "bool" | "char" => Self::Plain,
            _ => Self::Unknown,
        }
    }
}

/// The greatest integer that every reader of JSON takes for what it is; the gate lets none through that is further from zero.
const EXACT: i128 = (1 << 53) - 1;

/// The least and the greatest value that a proposal can give an integer of up to 64 bits.
pub(crate) fn bounds(typed: &Type) -> Option<(i128, i128)> {
    let name = last_segment(typed)?.ident.to_string();
    Some(match name.as_str() {
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" | "Cents" => (-EXACT, EXACT),
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" => (0, EXACT),
        _ => return None,
    })
}

/// The type without the parentheses and the invisible groups of macros around it.
pub(crate) fn peel(typed: &Type) -> &Type {
    match typed {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(parentheses) => peel(&parentheses.elem),
        other => other,
    }
}

/// The last segment of a type that is a path: its own name.
pub(crate) fn last_segment(typed: &Type) -> Option<&PathSegment> {
    match peel(typed) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// `T` of `Option<T>`.
pub(crate) fn optional(typed: &Type) -> Option<&Type> {
    let segment = last_segment(typed).filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

/// Whether it is `Execution`, by its last name.
pub(crate) fn is_execution(typed: &Type) -> bool {
    last_segment(typed).is_some_and(|segment| segment.ident == "Execution")
}

/// Why no parameter can have this type, if its shape tells.
pub(crate) fn unfit(typed: &Type) -> Option<&'static str> {
    match peel(typed) {
        Type::ImplTrait(_) => Some("is any of many types, and JSON chooses none"),
        Type::Infer(_) => Some("has no type"),
        Type::FnPtr(_) | Type::Never(_) | Type::Ptr(_) | Type::TraitObject(_) | Type::Slice(_) => {
            Some("has a type that no JSON can be read into")
        }
        other if is_execution(other) => Some("is lent, not given"),
        other if has_lifetime(other.to_token_stream()) => Some("borrows, but parameters own what they hold"),
        _ => None,
    }
}

/// Whether a lifetime other than `'static`, or a reference, stands in a type.
fn has_lifetime(tokens: TokenStream) -> bool {
    let mut follows_tick = false;
    for token in tokens {
        let is_tick = match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => true,
            TokenTree::Punct(punct) if punct.as_char() == '&' => return true,
            TokenTree::Ident(name) if follows_tick && name != "static" => return true,
            TokenTree::Group(group) if has_lifetime(group.stream()) => return true,
            _ => false,
        };
        follows_tick = is_tick;
    }
    false
}

/// The first `f32` or `f64` in a type, however deep.
pub(crate) fn float(typed: &Type) -> Option<Ident> {
    idents(typed.to_token_stream()).into_iter().find(|ident| ident == "f32" || ident == "f64")
}

/// The types in a type of which only rustc knows what they are: `Money` of `Option<Vec<(u8, Money)>>`. `Cents` and `String` are among
/// them, as a type alias may be called so.
pub(crate) fn hidden(typed: &Type) -> Vec<&Type> {
    let typed = peel(typed);
    let within: Vec<&Type> = match typed {
        Type::Array(array) => vec![&array.elem],
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        _ => last_segment(typed).map(arguments).unwrap_or_default(),
    };
    let own = (!is_told(typed)).then_some(typed);
    own.into_iter().chain(within.into_iter().flat_map(hidden)).collect()
}

/// Whether a type's form or its name tells what it is, apart from the types in it.
fn is_told(typed: &Type) -> bool {
    match typed {
        Type::Array(_) | Type::Tuple(_) => true,
        Type::Path(path) if path.qself.is_none() => path.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            match Kind::of_name(&name) {
                Kind::Number | Kind::Wide(_) | Kind::Plain => name != "Cents" && path.path.get_ident().is_some(),
                Kind::Float | Kind::List | Kind::Collection => true,
                Kind::Text | Kind::Array | Kind::Unknown => matches!(name.as_str(), "Option" | "Box"),
            }
        }),
        _ => false,
    }
}

/// The types between `<` and `>`.
fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(typed) => Some(typed),
        _ => None,
    });
    types.collect()
}

/// Whether it is certain that no type behind these names is a float.
pub(crate) fn is_no_float(typed: &Type) -> bool {
    float(typed).is_none() && hidden(typed).is_empty()
}

fn idents(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident),
            TokenTree::Group(group) => found.extend(idents(group.stream())),
            _ => {}
        }
    }
    found
}

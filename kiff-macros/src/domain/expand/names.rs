//! What the generated items are called, who sees them, and which tokens carry the user's places.
//!
//! INVARIANT: a name carries the user's span where it is declared and nowhere else, so that an editor finds one place.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::Visibility;

use crate::domain::model::{Declaration, Id, Table};
use crate::domain::syntax::Header;
use crate::domain::wire::{plain, snake};

/// The names that come from the block's first line, to be used in generated code.
pub(super) struct Names {
    /// `Refund`, the enum of the actions.
    pub(super) domain: Ident,
    /// `RefundRole`
    pub(super) role: Ident,
    /// `Order`, the handle.
    pub(super) entity: Ident,
    /// `OrderState`
    pub(super) state: Ident,
    /// `OrderEvent`
    pub(super) event: Ident,
    /// `refund`, the module of the types that stand for states and actions.
    pub(super) module: Ident,
    /// Who sees what the block declares.
    pub(super) visibility: TokenStream,
    /// The same as seen from inside the module.
    pub(super) inner_visibility: TokenStream,
    /// What lints must not say about a visibility once for each item, where the user wrote it once.
    pub(super) lints: TokenStream,
    domain_place: Span,
    entity_place: Span,
}

impl Names {
    /// The names; none if the domain has no name itself.
    pub(super) fn of(header: &Header) -> Option<Self> {
        let domain = &header.domain.as_ref()?.name;
        let entity = header.entity.as_ref().map_or_else(|| format_ident!("Entity"), |named| named.name.clone());
        Some(Self {
            role: made_of(domain, "Role"),
            state: made_of(&entity, "State"),
            event: made_of(&entity, "Event"),
            module: module_name(&snake(&plain(domain))),
            visibility: at_place(header.visibility.to_token_stream(), Span::call_site()),
            inner_visibility: inner_visibility(&header.visibility),
            lints: match header.visibility {
                Visibility::Restricted(_) => quote!(#[allow(clippy::redundant_pub_crate)]),
                Visibility::Public(_) => quote!(#[allow(unreachable_pub)]),
                Visibility::Inherited => TokenStream::new(),
            },
            domain_place: domain.span(),
            entity_place: entity.span(),
            domain: used(domain),
            entity: used(&entity),
        })
    }

    /// An item of the block that rustc shows at `place`: that it does for what begins and ends there.
    pub(super) fn item(&self, place: Span, item: &TokenStream) -> TokenStream {
        let (lints, visibility) = (&self.lints, &self.visibility);
        let tokens = quote!(#visibility #item).into_iter().map(|mut token| {
            token.set_span(place);
            token
        });
        let item: TokenStream = tokens.collect();
        quote!(#lints #item)
    }

    /// A name that comes from the domain's, where it is declared.
    pub(super) fn declared_by_domain(&self, name: &Ident) -> Ident {
        at(name, self.domain_place)
    }

    /// A name that comes from the entity's, where it is declared.
    pub(super) fn declared_by_entity(&self, name: &Ident) -> Ident {
        at(name, self.entity_place)
    }
}

/// The name where generated code uses it.
pub(super) fn used(name: &Ident) -> Ident {
    at(name, Span::call_site())
}

/// The enum of what an action with several events answers with: `ReviewOrderEvent`.
pub(super) fn answer(action: &Ident) -> Ident {
    made_of(action, "Event")
}

/// What the fn of an action would be called: `refund_order`.
pub(super) fn function(action: &Ident) -> Ident {
    module_name(&snake(&plain(action)))
}

/// The declarations without those that repeat a name, as which the first one counts.
pub(super) fn distinct<T: Declaration>(table: &Table<T>) -> impl Iterator<Item = (Id<T>, &T)> {
    let mut seen = HashSet::new();
    table.iter().filter(move |(_, item)| seen.insert(item.declared().plain()))
}

fn at(name: &Ident, place: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(place);
    name
}

fn made_of(name: &Ident, suffix: &str) -> Ident {
    Ident::new(&format!("{}{suffix}", plain(name)), Span::call_site())
}

pub(super) fn module_name(text: &str) -> Ident {
    match text {
        "crate" | "self" | "super" | "_" => format_ident!("{text}_"),
        // A word of Rust since the edition 2024, of which syn does not know.
        "gen" => Ident::new_raw(text, Span::call_site()),
        _ => syn::parse_str(text).unwrap_or_else(|_| Ident::new_raw(text, Span::call_site())),
    }
}

/// What is visible like this in the block, as seen from a module inside.
fn inner_visibility(visibility: &Visibility) -> TokenStream {
    match visibility {
        Visibility::Inherited => quote!(pub(super)),
        Visibility::Restricted(restricted) => {
            let path = &restricted.path;
            let first = path.segments.first().map(|segment| segment.ident.to_string());
            let rest = path.segments.iter().skip(1);
            match first.as_deref() {
                Some("self") => quote!(pub(in super #(::#rest)*)),
                Some("super") => quote!(pub(in super::#path)),
                _ => quote!(#restricted),
            }
        }
        Visibility::Public(_) => quote!(pub),
    }
}

/// The tokens with another place.
pub(super) fn at_place(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = TokenTree::Group(Group::new(group.delimiter(), at_place(group.stream(), place)));
        }
        token.set_span(place);
        token
    };
    tokens.into_iter().map(moved).collect()
}

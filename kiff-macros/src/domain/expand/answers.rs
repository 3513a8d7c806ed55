//! What actions with several events answer with: `ReviewOrderEvent`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{self, Names, distinct, used};
use crate::domain::model::{Action, Event, Model, Reference};

/// The actions that answer with one of several events, and these.
fn choices(model: &Model) -> impl Iterator<Item = (&Action, impl Iterator<Item = &Event>)> {
    let several = distinct(&model.actions).filter(|(_, action)| action.emits.len() > 1);
    several.map(|(_, action)| {
        let mut seen = Vec::new();
        let events = action.emits.iter().filter_map(Reference::id).filter(move |id| {
            let is_new = !seen.contains(id);
            seen.push(*id);
            is_new
        });
        (action, events.map(|id| &model.events[id]))
    })
}

/// `pub enum ReviewOrderEvent { OrderApproved(OrderApproved), OrderRejected(OrderRejected) }`
pub(super) fn enumerations(model: &Model, names: &Names) -> TokenStream {
    let answers = choices(model).map(|(action, events)| {
        let mut answer = names::answer(&action.declared.name);
        answer.set_span(action.declared.name.span());
        let variants = events.map(|event| {
            let name = used(&event.declared.name);
            let documentation = format!("The event `{}`.", event.declared.wire);
            quote!(#[doc = #documentation] #name(#name))
        });
        let item = names.item(answer.span(), &quote!(enum #answer { #(#variants),* }));
        let documentation = format!("What the action `{}` can make happen.", action.declared.wire);
        quote! {
            #[doc = #documentation]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            #[allow(dead_code, deprecated, missing_copy_implementations)]
            #[allow(clippy::enum_variant_names, clippy::large_enum_variant)]
            #item
        }
    });
    quote!(#(#answers)*)
}

/// How each event becomes the answer of an action.
pub(super) fn conversions(model: &Model) -> TokenStream {
    let conversions = choices(model).map(|(action, events)| {
        let answer = names::answer(&action.declared.name);
        let events = events.map(|event| used(&event.declared.name));
        quote! {
            #(
                #[automatically_derived]
                impl ::core::convert::From<#events> for #answer {
                    fn from(event: #events) -> Self {
                        Self::#events(event)
                    }
                }
            )*
        }
    });
    quote!(#(#conversions)*)
}

/// How the answer of an action becomes an `OrderEvent`.
pub(super) fn emitted(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, event: enumeration, .. } = names;
    let emitted = choices(model).map(|(action, events)| {
        let answer = names::answer(&action.declared.name);
        let events = events.map(|event| used(&event.declared.name));
        quote! {
            #[automatically_derived]
            impl ::kiff::__private::Emitted<#domain> for #answer {
                fn into_event(self) -> ::core::option::Option<#enumeration> {
                    ::core::option::Option::Some(match self {
                        #(Self::#events(event) => #enumeration::#events(event)),*
                    })
                }
            }
        }
    });
    quote!(#(#emitted)*)
}

/// What these enums are called.
pub(super) fn called(model: &Model) -> Vec<Ident> {
    choices(model).map(|(action, _)| names::answer(&action.declared.name)).collect()
}

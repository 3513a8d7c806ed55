//! States: `OrderState` and what it is to the runtime.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::{Names, distinct, used};
use crate::documentation;
use crate::domain::model::Model;

/// `pub enum OrderState { Created, Paid, Refunded }`
pub(super) fn enumeration(model: &Model, names: &Names) -> TokenStream {
    let Names { entity, state, .. } = names;
    let declared = names.declared_by_entity(state);
    let variants = distinct(&model.states).map(|(_, state)| {
        let instead = format!("The state `{}`.", state.declared.wire);
        let attributes = documentation::attributes(&state.syntax.attributes, &instead);
        let name = &state.declared.name;
        quote!(#attributes #name)
    });
    let item = names.item(declared.span(), &quote!(enum #declared { #(#variants),* }));
    let documentation = format!("What an [`{entity}`](type@{entity}) can be.");
    quote! {
        #[doc = #documentation]
        #[derive(
            ::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy,
            ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash
        )]
        #[allow(dead_code, clippy::enum_variant_names)]
        #item
    }
}

/// `impl State for OrderState`, and how it is shown.
pub(super) fn state_trait(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.state;
    let (mut read, mut write) = (Vec::new(), Vec::new());
    for (_, state) in distinct(&model.states) {
        let (name, wire) = (used(&state.declared.name), &state.declared.wire);
        read.push(quote!(#wire => ::core::option::Option::Some(Self::#name)));
        write.push(quote!(Self::#name => #wire));
    }
    quote! {
        #[automatically_derived]
        impl ::kiff::__private::State for #enumeration {
            fn from_name(name: &::core::primitive::str) -> ::core::option::Option<Self> {
                match name { #(#read,)* _ => ::core::option::Option::None }
            }

            fn name(self) -> &'static ::core::primitive::str {
                match self { #(#write),* }
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Display for #enumeration {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.write_str(::kiff::__private::State::name(*self))
            }
        }
    }
}

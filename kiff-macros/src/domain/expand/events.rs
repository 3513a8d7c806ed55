//! Events: one struct each, `OrderEvent`, and how they come and go.

use proc_macro2::TokenStream;
use quote::quote;

use super::documentation;
use super::names::{Names, distinct, private, used};
use crate::domain::model::{Event, Id, Model};
use crate::domain::syntax::Field;

/// `pub struct OrderPlaced { pub total: Cents }`, and so on.
pub(super) fn structs(model: &Model, names: &Names) -> TokenStream {
    let structs = distinct(&model.events).map(|(_, event)| structure(event, names));
    quote!(#(#structs)*)
}

fn structure(event: &Event, names: &Names) -> TokenStream {
    let kiff = private();
    let visibility = &names.visibility;
    let (name, crate_path) = (&event.declared.name, format!("{kiff}::serde").replace(' ', ""));
    let instead = format!("The event `{}`.", event.declared.wire);
    let attributes = documentation::attributes(&event.syntax.attributes, &instead);
    let derives = quote! {
        #[derive(::core::fmt::Debug, ::core::clone::Clone, #kiff::serde::Serialize, #kiff::serde::Deserialize)]
        #[serde(crate = #crate_path)]
    };
    if event.syntax.fields.is_empty() {
        // Without fields it is a unit to the user and an empty object on the wire.
        let empty = format!("{kiff}::Empty").replace(' ', "");
        return quote! {
            #derives
            #[serde(from = #empty, into = #empty)]
            #attributes
            #visibility struct #name;
        };
    }
    let fields = event.syntax.fields.iter().filter_map(|field| self::field(field, names));
    quote! {
        #derives
        #attributes
        #visibility struct #name { #(#fields),* }
    }
}

fn field(field: &Field, names: &Names) -> Option<TokenStream> {
    let visibility = &names.visibility;
    let (name, kind) = (field.name.as_ref()?, field.kind.as_ref()?);
    let attributes = documentation::attributes(&field.attributes, &format!("The `{name}`."));
    Some(quote!(#attributes #visibility #name: #kind))
}

/// `pub enum OrderEvent { OrderPlaced(OrderPlaced), … }`
pub(super) fn enumeration(model: &Model, names: &Names) -> TokenStream {
    let Names { visibility, entity, event, .. } = names;
    let declared = names.declared_by_entity(event);
    let variants = distinct(&model.events).map(|(_, event)| {
        let documentation = format!("The event `{}`.", event.declared.wire);
        let (name, structure) = (&event.declared.name, used(&event.declared.name));
        quote!(#[doc = #documentation] #name(#structure))
    });
    let documentation = format!("What can happen to an [`{entity}`].");
    quote! {
        #[doc = #documentation]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(deprecated, clippy::large_enum_variant)]
        #visibility enum #declared { #(#variants),* }
    }
}

/// `impl Event for OrderEvent`
pub(super) fn event_trait(model: &Model, names: &Names) -> TokenStream {
    let kiff = private();
    let enumeration = &names.event;
    let (mut named, mut encoded, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    for (_, event) in distinct(&model.events) {
        let (name, wire) = (used(&event.declared.name), &event.declared.wire);
        named.push(quote!(Self::#name(_) => #wire));
        encoded.push(quote!(Self::#name(event) => #kiff::Json::encode(event, bounds)));
        decoded.push(quote! {
            #wire => ::core::option::Option::Some(
                ::core::result::Result::map(#kiff::Json::decode(payload), Self::#name)
            )
        });
    }
    if named.is_empty() {
        // Only beside errors: a domain has events.
        named.push(quote!(_ => ::core::unreachable!()));
        encoded.push(quote!(_ => ::core::unreachable!()));
    }
    quote! {
        #[automatically_derived]
        impl #kiff::Event for #enumeration {
            fn name(&self) -> &'static ::core::primitive::str {
                match self { #(#named),* }
            }

            fn encode(&self, bounds: &#kiff::Bounds) -> ::core::result::Result<#kiff::Json, #kiff::JsonError> {
                match self { #(#encoded),* }
            }

            fn decode(
                name: &::core::primitive::str,
                payload: &#kiff::Json,
            ) -> ::core::option::Option<::core::result::Result<Self, #kiff::JsonError>> {
                match name { #(#decoded,)* _ => ::core::option::Option::None }
            }
        }
    }
}

/// How each event becomes an `OrderEvent`, what answers of executors become, and units on the wire.
pub(super) fn conversions(model: &Model, names: &Names) -> TokenStream {
    let kiff = private();
    let Names { domain, event: enumeration, .. } = names;
    let conversions = distinct(&model.events).map(|(_, event)| {
        let name = used(&event.declared.name);
        let empty = event.syntax.fields.is_empty().then(|| empty(event));
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#name> for #enumeration {
                fn from(event: #name) -> Self {
                    Self::#name(event)
                }
            }

            #[automatically_derived]
            impl #kiff::Emitted<#domain> for #name {
                fn into_event(self) -> ::core::option::Option<#enumeration> {
                    ::core::option::Option::Some(#enumeration::#name(self))
                }
            }

            #empty
        }
    });
    quote!(#(#conversions)*)
}

fn empty(event: &Event) -> TokenStream {
    let kiff = private();
    let name = used(&event.declared.name);
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<#kiff::Empty> for #name {
            fn from(_: #kiff::Empty) -> Self {
                Self
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#name> for #kiff::Empty {
            fn from(_: #name) -> Self {
                Self {}
            }
        }
    }
}

/// The events that somebody may report.
pub(super) fn reportable(model: &Model) -> impl Iterator<Item = (Id<Event>, &Event)> {
    model.events.iter().filter(|(_, event)| !event.reporters.is_empty())
}

/// `impl Incoming<Refund> for OrderPlaced`
pub(super) fn incoming<'m>(
    _model: &Model,
    names: &Names,
    events: impl Iterator<Item = (Id<Event>, &'m Event)>,
) -> TokenStream {
    let kiff = private();
    let Names { domain, event: enumeration, .. } = names;
    let incoming = events.map(|(_, event)| {
        let name = used(&event.declared.name);
        quote! {
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            impl #kiff::Incoming<#domain> for #name {
                fn arrive(self, bounds: &#kiff::Bounds) -> #kiff::Arrival {
                    #kiff::Arrival::typed(&#enumeration::#name(self), bounds)
                }
            }
        }
    });
    quote!(#(#incoming)*)
}

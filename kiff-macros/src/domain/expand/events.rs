//! Events: one struct each, `OrderEvent`, and how they come and go.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};

use super::event_fields;
use super::names::{Names, distinct, used};
use crate::documentation;
use crate::domain::model::{Event, Id, Model};
use crate::domain::syntax::Field;
use crate::domain::wire::plain;

/// `pub struct OrderPlaced { pub total: Cents }`, and so on.
pub(super) fn structs(model: &Model, names: &Names) -> TokenStream {
    let structs = distinct(&model.events).map(|(_, event)| structure(event, names));
    quote!(#(#structs)*)
}

fn structure(event: &Event, names: &Names) -> TokenStream {
    let name = &event.declared.name;
    let instead = format!("The event `{}`.", event.declared.wire);
    let attributes = documentation::attributes(&event.syntax.attributes, &instead);
    // The derives read every field, and that is no use of it that anybody should be warned of.
    let mut attributes_of_fields = event.syntax.fields.iter().flat_map(|field| &field.attributes);
    let deprecated = attributes_of_fields
        .any(|attribute| attribute.path().is_ident("deprecated"))
        .then(|| quote!(#[allow(deprecated)]));
    let (traits, bounds) = if event_fields::are_in_doubt(event) {
        (TokenStream::new(), event_fields::bounds(event))
    } else {
        (quote!(::core::fmt::Debug, ::core::clone::Clone,), TokenStream::new())
    };
    let derives = quote! {
        #[derive(#traits ::kiff::__private::serde::Serialize, ::kiff::__private::serde::Deserialize)]
        #[serde(crate = "::kiff::__private::serde")]
        #bounds
        #[allow(missing_copy_implementations)]
        #deprecated
    };
    if event.syntax.fields.is_empty() {
        // Without fields it is a unit to the user and an empty object on the wire.
        let item = names.item(name.span(), &quote!(struct #name;));
        return quote! {
            #derives
            #[serde(from = "::kiff::__private::Empty", into = "::kiff::__private::Empty")]
            #attributes
            #item
        };
    }
    let mut seen = HashSet::new();
    let mut is_new = |field: &&Field| seen.insert(field.name.as_ref().map(plain));
    let fields = event.syntax.fields.iter().filter(&mut is_new).filter_map(|field| self::field(field, names));
    let item = names.item(name.span(), &quote!(struct #name { #(#fields),* }));
    quote! {
        #derives
        #attributes
        #item
    }
}

/// `Debug` and `Clone` of the events that do not derive them.
pub(super) fn traits(model: &Model) -> TokenStream {
    let events = distinct(&model.events).map(|(_, event)| event).filter(|event| event_fields::are_in_doubt(event));
    let traits = events.map(event_fields::traits);
    quote!(#(#traits)*)
}

fn field(field: &Field, names: &Names) -> Option<TokenStream> {
    let visibility = &names.visibility;
    let (name, kind) = (field.name.as_ref()?, field.kind.as_ref()?);
    let attributes = documentation::attributes(&field.attributes, &format!("The `{name}`."));
    Some(quote!(#attributes #visibility #name: #kind))
}

/// `pub enum OrderEvent { OrderPlaced(OrderPlaced), … }`
pub(super) fn enumeration(model: &Model, names: &Names) -> TokenStream {
    let Names { entity, event, .. } = names;
    let declared = names.declared_by_entity(event);
    let variants = distinct(&model.events).map(|(_, event)| {
        let documentation = match documentation::text(&event.syntax.attributes) {
            text if text.is_empty() => format!("The event `{}`.", event.declared.wire),
            text => text,
        };
        let (name, structure) = (&event.declared.name, used(&event.declared.name));
        quote!(#[doc = #documentation] #name(#structure))
    });
    let item = names.item(declared.span(), &quote!(enum #declared { #(#variants),* }));
    let documentation = format!("What can happen to an [`{entity}`](type@{entity}).");
    quote! {
        #[doc = #documentation]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(dead_code, deprecated, missing_copy_implementations)]
        #[allow(clippy::enum_variant_names, clippy::large_enum_variant)]
        #item
    }
}

/// `impl Event for OrderEvent`
pub(super) fn event_trait(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.event;
    let (mut called, mut encoded, mut decoded, mut shaped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (_, event) in distinct(&model.events) {
        let (name, wire) = (used(&event.declared.name), &event.declared.wire);
        called.push(quote!(Self::#name(_) => #wire));
        let probes = event_fields::probes(event);
        shaped.push(quote!(#wire => { #(#probes.shape(shapes);)* }));
        // Where a field's type may be unfit, that is said at the field, and not here as well.
        let (encode, decode) = if event_fields::are_in_doubt(event) {
            let probe = quote!(::kiff::__private::Probe::<#name>::NEW);
            (quote!(#probe.encode(event, bounds)), quote!(#probe.decode(payload)))
        } else {
            (quote!(::kiff::__private::Json::encode(event, bounds)), quote!(::kiff::__private::Json::decode(payload)))
        };
        encoded.push(quote!(Self::#name(event) => #encode));
        decoded.push(quote! {
            #wire => ::core::option::Option::Some(::core::result::Result::map(#decode, Self::#name))
        });
    }
    if called.is_empty() {
        // Only beside errors: a domain has events.
        called.push(quote!(_ => ::core::unreachable!()));
        encoded.push(quote!(_ => ::core::unreachable!()));
    }
    quote! {
        #[automatically_derived]
        impl ::kiff::__private::Event for #enumeration {
            fn name(&self) -> &'static ::core::primitive::str {
                match self { #(#called),* }
            }

            fn encode(
                &self,
                bounds: &::kiff::__private::Bounds,
            ) -> ::core::result::Result<::kiff::__private::Json, ::kiff::__private::JsonError> {
                match self { #(#encoded),* }
            }

            fn decode(
                name: &::core::primitive::str,
                payload: &::kiff::__private::Json,
            ) -> ::core::option::Option<::core::result::Result<Self, ::kiff::__private::JsonError>> {
                match name { #(#decoded,)* _ => ::core::option::Option::None }
            }

            #[allow(unused_variables)]
            fn shapes(name: &::core::primitive::str, shapes: &mut ::kiff::__private::Shapes) {
                match name { #(#shaped,)* _ => {} }
            }
        }
    }
}

/// How each event becomes an `OrderEvent`, and units on the wire.
pub(super) fn conversions(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.event;
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

            #empty
        }
    });
    quote!(#(#conversions)*)
}

/// What answers of executors become.
pub(super) fn emitted(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, event: enumeration, .. } = names;
    let events = distinct(&model.events).map(|(_, event)| {
        let name = used(&event.declared.name);
        quote! {
            #[automatically_derived]
            impl ::kiff::__private::Emitted<#domain> for #name {
                fn into_event(self) -> ::core::option::Option<#enumeration> {
                    ::core::option::Option::Some(#enumeration::#name(self))
                }
            }
        }
    });
    quote!(#(#events)*)
}

fn empty(event: &Event) -> TokenStream {
    let name = used(&event.declared.name);
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<::kiff::__private::Empty> for #name {
            fn from(_: ::kiff::__private::Empty) -> Self {
                Self
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#name> for ::kiff::__private::Empty {
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
pub(super) fn incoming<'m>(names: &Names, events: impl Iterator<Item = (Id<Event>, &'m Event)>) -> TokenStream {
    let Names { domain, event: enumeration, .. } = names;
    let incoming = events.map(|(_, event)| {
        let (declared, name) = (&event.declared.name, used(&event.declared.name));
        // Where rustc lists what can be reported, it shows each event where the block declares it.
        let implementation = quote_spanned!(declared.span()=> impl);
        let mut body = Group::new(
            Delimiter::Brace,
            quote! {
                fn arrive(self, bounds: &::kiff::__private::Bounds) -> ::kiff::__private::Arrival {
                    ::kiff::__private::Arrival::typed(&#enumeration::#name(self), bounds)
                }
            },
        );
        body.set_span(declared.span());
        quote! {
            #[automatically_derived]
            #implementation ::kiff::__private::Incoming<#domain> for #declared #body
        }
    });
    quote!(#(#incoming)*)
}

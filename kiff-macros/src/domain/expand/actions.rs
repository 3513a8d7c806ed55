//! Actions: `Refund`, which is the enum of them, what each declares, and what those with several events answer with.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::names::{self, Names, distinct, used};
use crate::documentation;
use crate::domain::model::{Action, Event, Id, Model};
use crate::domain::syntax::Effect;
use crate::number;

/// `pub enum Refund { MarkPaid, RefundOrder }`, with the page that rustdoc shows of it.
pub(super) fn enumeration(model: &Model, names: &Names, page: &TokenStream) -> TokenStream {
    let Names { domain, entity, .. } = names;
    let declared = names.declared_by_domain(domain);
    let instead = format!("What governs an [`{entity}`](type@{entity}), and what can be done with it.");
    let attributes = documentation::attributes(&model.header.attributes, &instead);
    let variants = distinct(&model.actions).map(|(_, action)| {
        let instead = format!("The action `{}`.", action.declared.wire);
        let attributes = documentation::attributes(&action.syntax.attributes, &instead);
        let name = &action.declared.name;
        quote!(#attributes #name)
    });
    let item = names.item(declared.span(), &quote!(enum #declared { #(#variants),* }));
    quote! {
        #[derive(
            ::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy,
            ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash
        )]
        #attributes
        #page
        #[allow(dead_code, clippy::enum_variant_names)]
        #item
    }
}

/// Each declaration under a name of a single token: `type __Action0 = refund::MarkPaid;`
pub(super) fn aliases(model: &Model, names: &Names) -> TokenStream {
    let module = &names.module;
    let aliases = model.actions.iter().map(|(id, action)| {
        let (mut alias, name) = (alias(id), used(&action.declared.name));
        alias.set_span(action.declared.name.span());
        quote!(type #alias = #module::#name;)
    });
    quote!(#(#aliases)*)
}

/// What the action's declaration is called in hidden code.
pub(super) fn alias(id: Id<Action>) -> Ident {
    format_ident!("__Action{}", id.position())
}

/// `impl Declared for refund::MarkPaid`, and the way from the path `Refund::MarkPaid` to it.
pub(super) fn declarations(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, module, .. } = names;
    // A number, and not `Refund::MarkPaid as usize`: rustc compares every two of these impls, and would work out both each time.
    let declarations = distinct(&model.actions).enumerate().map(|(place, (_, action))| {
        let name = used(&action.declared.name);
        let emits = emits(model, action);
        let number = number::of(&action.declared.plain());
        let outside = (action.effect() == Effect::Outside).then(|| {
            // It stands at the action's name: rustc shows it beside an action that touches nothing.
            let place = Span::call_site().located_at(action.declared.name.span());
            quote_spanned! {place=>
                #[automatically_derived]
                impl ::kiff::__private::Outside for #module::#name {}
            }
        });
        quote! {
            #[automatically_derived]
            impl ::kiff::__private::Declared for #module::#name {
                type Domain = #domain;
                type Emits = #emits;
                type Name = ::kiff::__private::Named<#number>;
                const ACTION: #domain = #domain::#name;
            }

            #outside

            #[doc(hidden)]
            #[automatically_derived]
            impl ::kiff::__private::Declares<#place> for #domain {
                type Declared = #module::#name;
            }
        }
    });
    quote!(#(#declarations)*)
}

/// The type of what the executor answers with.
pub(super) fn emits(model: &Model, action: &Action) -> TokenStream {
    match action.emits.as_slice() {
        [] => quote!(()),
        [only] => only
            .id()
            .or_else(|| without_source(model))
            .map_or_else(|| quote!(()), |event| used(&model.events[event].declared.name).into_token_stream()),
        _ => names::answer(&action.declared.name).into_token_stream(),
    }
}

/// The event that must be meant where an action emits one that cannot be read: one that comes from nowhere else.
fn without_source(model: &Model) -> Option<Id<Event>> {
    let is_emitted = |event| model.actions.iter().any(|(_, action)| action.emits(event));
    let mut events = model.events.iter().filter(|(_, event)| event.reporters.is_empty()).map(|(id, _)| id);
    events.find(|event| !is_emitted(*event))
}

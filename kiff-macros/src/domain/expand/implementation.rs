//! What the domain is to the runtime: `impl Domain` and `impl Executable`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

use super::names::{Names, distinct, used};
use super::{actions, names};
use crate::domain::graph;
use crate::domain::model::{Action, Event, Id, Model, PlaceReference, Reference};

/// `impl Domain for Refund`
pub(super) fn domain(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, state, event, .. } = names;
    let services = services(model);
    let from_name = from_name(model);
    let actions = model.actions.iter().map(|(_, action)| used(&action.declared.name));
    let allowed_in = allowed_in(model, names);
    let transition = transition(model, names);
    quote! {
        #[automatically_derived]
        #[allow(clippy::indexing_slicing)]
        impl ::kiff::__private::Domain for #domain {
            type State = #state;
            type Event = #event;
            #services

            fn schema() -> &'static ::kiff::__private::Schema {
                &__SCHEMA
            }

            #from_name

            fn contract(self) -> &'static ::kiff::__private::Contract {
                &__CONTRACTS[self as ::core::primitive::usize]
            }

            #allowed_in

            #transition

            fn diagram() -> &'static ::core::primitive::str {
                Self::SVG
            }

            fn actions() -> &'static [Self] {
                &[#(Self::#actions),*]
            }
        }
    }
}

/// `type Services = RefundDesk;`
pub(super) fn services(model: &Model) -> TokenStream {
    let none = quote!(());
    let services = model.services.as_ref().map_or(none, ToTokens::to_token_stream);
    quote!(type Services = #services;)
}

fn from_name(model: &Model) -> TokenStream {
    let arms = model.actions.iter().map(|(_, action)| {
        let (name, wire) = (used(&action.declared.name), &action.declared.wire);
        quote!(#wire => ::core::option::Option::Some(Self::#name))
    });
    quote! {
        fn from_name(name: &::core::primitive::str) -> ::core::option::Option<Self> {
            match name { #(#arms,)* _ => ::core::option::Option::None }
        }
    }
}

fn allowed_in(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.state;
    let arms = model.actions.iter().map(|(id, action)| {
        let name = used(&action.declared.name);
        let states = graph::allowing(model, id).map(|state| used(&model.states[state].declared.name));
        quote!(Self::#name => ::core::matches!(state, #(#enumeration::#states)|*))
    });
    quote! {
        fn allowed_in(self, state: #enumeration) -> ::core::primitive::bool {
            match self { #(#arms),* }
        }
    }
}

fn transition(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.state;
    let arms = model.events.iter().map(|(id, event)| {
        let (wire, moves) = (&event.declared.wire, moves(model, names, id));
        quote!(#wire => match from { #(#moves,)* _ => ::core::option::Option::None })
    });
    quote! {
        fn transition(
            from: ::core::option::Option<#enumeration>,
            event: &::core::primitive::str,
        ) -> ::core::option::Option<#enumeration> {
            match event { #(#arms,)* _ => ::core::option::Option::None }
        }
    }
}

/// Where the event leads, from each place that it leads from.
fn moves(model: &Model, names: &Names, event: Id<Event>) -> Vec<TokenStream> {
    let enumeration = &names.state;
    let lines = model.transitions.items.iter().filter(|line| line.event.id() == Some(event));
    let moves = lines.filter_map(|line| {
        let to = used(&model.states[line.target.id()?].declared.name);
        let sources = sources(model, names, &line.sources);
        Some(quote!(#sources => ::core::option::Option::Some(#enumeration::#to)))
    });
    moves.collect()
}

/// The pattern of these places: `None | Some(OrderState::Created | OrderState::Paid)`.
fn sources(model: &Model, names: &Names, sources: &[PlaceReference]) -> TokenStream {
    let enumeration = &names.state;
    let (mut patterns, mut states) = (Vec::new(), Vec::new());
    for source in sources {
        match source {
            PlaceReference::New(_) => patterns.push(quote!(::core::option::Option::None)),
            PlaceReference::State(state) => {
                states.extend(state.id().map(|state| used(&model.states[state].declared.name)));
            }
        }
    }
    if !states.is_empty() {
        patterns.push(quote!(::core::option::Option::Some(#(#enumeration::#states)|*)));
    }
    quote!(#(#patterns)|*)
}

/// `static __ENTRIES: [Entry<Refund>; 2] = …;`
pub(super) fn entries(model: &Model, names: &Names) -> TokenStream {
    let domain = &names.domain;
    let entries: Vec<_> = model.actions.iter().map(|(id, _)| entry(model, names, id)).collect();
    let count = entries.len();
    // Two actions may be called alike here, as `HttpCall` and `HTTPCall` are.
    let mut functions: Vec<_> =
        distinct(&model.actions).map(|(_, action)| names::function(&action.declared.name)).collect();
    functions.sort_unstable();
    functions.dedup();
    quote! {
        // What an action without a reconcile fn has instead.
        #[allow(unused_imports)]
        use ::kiff::__private::AsksNobody as _;

        // The name of the fn that is missing, where one is.
        #[allow(dead_code, non_camel_case_types, unreachable_pub)]
        mod __functions { #(pub struct #functions;)* }

        static __ENTRIES: [::kiff::__private::Entry<#domain>; #count] = [#(#entries),*];
    }
}

/// The door to the action's executor, and to its reconcile fn if there is one.
///
/// Where there is no executor, that is said once, at the action's name in `allow`.
fn entry(model: &Model, names: &Names, id: Id<Action>) -> TokenStream {
    let domain = &names.domain;
    let lines = model.allowances.items.iter();
    let token = lines.flat_map(|line| &line.actions).filter_map(Reference::exact).find(|(own, _)| *own == id);
    // rustc underlines the type, so that this one name has to carry the place.
    let alias = actions::alias(id);
    let mut blamed = alias.clone();
    blamed.set_span(token.map_or_else(Span::call_site, |(_, token)| token.span()));
    let action = &model.actions[id];
    let (emits, function) = (actions::emits(model, action), names::function(&action.declared.name));
    let function = quote!(__functions::#function);
    let demand = if model.services.is_some() {
        quote!(::kiff::__private::RunsWith<#domain, <#domain as ::kiff::__private::Domain>::Services, #emits, #function>)
    } else {
        quote!(::kiff::__private::RunsAlone<#domain, #emits, #function>)
    };
    quote!(::kiff::__private::Entry::of(<#blamed as #demand>::ENTRY, ::kiff::__private::Asks::<#domain, #alias>::ANSWER))
}

/// `impl Executable for Refund`: every action has an executor.
pub(super) fn executable(names: &Names) -> TokenStream {
    let domain = &names.domain;
    quote! {
        #[automatically_derived]
        #[allow(clippy::indexing_slicing)]
        impl ::kiff::__private::Executable for #domain {
            fn entry(self) -> &'static ::kiff::__private::Entry<Self> {
                &__ENTRIES[self as ::core::primitive::usize]
            }
        }
    }
}

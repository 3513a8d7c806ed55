//! Handles: `Order<refund::Paid>`, the types that stand for states and actions, and which state allows what.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::names::{Names, at_place, distinct, used};
use crate::domain::graph::{self, Move};
use crate::domain::model::{Action, Declared, Id, Model, Reference, State};

/// `pub type Order<S = Any> = Handle<Refund, S>;`
pub(super) fn alias(names: &Names) -> TokenStream {
    let Names { visibility, domain, entity, module, lints, .. } = names;
    let declared = names.declared_by_entity(entity);
    let parameter = if domain == "S" { format_ident!("T") } else { format_ident!("S") };
    let documentation = format!(
        "A handle on one entity that [`{domain}`](enum@{domain}) governs; `{parameter}` is the type of its state, one of \
         those in [`{module}`](mod@{module})."
    );
    quote! {
        #[doc = #documentation]
        #[allow(dead_code)]
        #lints
        #visibility type #declared<#parameter = ::kiff::__private::Any> = ::kiff::__private::Handle<#domain, #parameter>;
    }
}

/// `pub mod refund { pub struct Created; … pub struct MarkPaid; … }`
pub(super) fn module(model: &Model, names: &Names) -> TokenStream {
    let states = distinct(&model.states).map(|(_, state)| ("state", &state.declared));
    let actions = distinct(&model.actions).map(|(_, action)| ("action", &action.declared));
    module_of(names, states.chain(actions), &TokenStream::new())
}

/// A module with a type for each of these, and whatever else there is.
pub(super) fn module_of<'m>(
    names: &Names,
    declared: impl Iterator<Item = (&'static str, &'m Declared)>,
    others: &TokenStream,
) -> TokenStream {
    let Names { visibility, domain, .. } = names;
    let module = names.declared_by_domain(&names.module);
    let mut seen = HashSet::new();
    let types = declared.filter(|(_, declared)| seen.insert(declared.plain())).map(|(what, declared)| {
        let documentation = format!("The {what} `{}`.", declared.wire);
        let name = &declared.name;
        // Where a message of rustc shows the type, it shows all of this.
        let inner_visibility = at_place(names.inner_visibility.clone(), name.span());
        let structure = quote_spanned!(name.span()=> #inner_visibility struct #name;);
        quote! {
            #[doc = #documentation]
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
            #structure
        }
    });
    let documentation = format!("The states and the actions of [`{domain}`](enum@super::{domain}), each as a type.");
    quote! {
        #[doc = #documentation]
        #[allow(dead_code, unreachable_pub, clippy::redundant_pub_crate)]
        #visibility mod #module { #others #(#types)* }
    }
}

/// `impl InState<Refund> for refund::Created`
pub(super) fn states(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, state: enumeration, module, .. } = names;
    let states = distinct(&model.states).map(|(_, state)| {
        let name = used(&state.declared.name);
        quote! {
            #[automatically_derived]
            impl ::kiff::__private::InState<#domain> for #module::#name {
                const STATE: #enumeration = #enumeration::#name;
            }
        }
    });
    quote!(#(#states)*)
}

/// `impl Allows<refund::MarkPaid> for refund::Created`
pub(super) fn allowed(model: &Model, names: &Names) -> TokenStream {
    let moves = graph::moves(model);
    let allowed = allowances(model).map(|(state, action)| allows(model, names, &moves, state, action));
    quote!(#(#allowed)*)
}

/// Every state with every action that it allows.
pub(super) fn allowances(model: &Model) -> impl Iterator<Item = (Id<State>, Id<Action>)> {
    model.allowances.items.iter().flat_map(|line| {
        line.states
            .iter()
            .filter_map(Reference::id)
            .flat_map(|state| line.actions.iter().filter_map(Reference::id).map(move |action| (state, action)))
    })
}

/// One state allows one action, which leads to one state or to several.
pub(super) fn allows(
    model: &Model,
    names: &Names,
    moves: &[Move],
    state: Id<State>,
    action: Id<Action>,
) -> TokenStream {
    let module = &names.module;
    let name_of = |state: Id<State>| used(&model.states[state].declared.name);
    let targets = targets(moves, state, &model.actions[action]);
    let only = targets.first().filter(|_| targets.len() == 1);
    let to = only.map_or_else(|| quote!(::kiff::__private::Any), |only| type_of(names, &name_of(*only)));
    let (state, action) = (type_of(names, &name_of(state)), used(&model.actions[action].declared.name));
    quote! {
        #[automatically_derived]
        impl ::kiff::__private::Allows<#module::#action> for #state {
            type To = #to;
        }
    }
}

fn type_of(names: &Names, state: &Ident) -> TokenStream {
    let module = &names.module;
    quote!(#module::#state)
}

/// The states that the action can lead to from here; the same state if it emits nothing.
fn targets(moves: &[Move], state: Id<State>, action: &Action) -> Vec<Id<State>> {
    if action.emits.is_empty() {
        return vec![state];
    }
    let mut targets = Vec::new();
    for event in action.emits.iter().filter_map(Reference::id) {
        let taken = moves.iter().find(|step| step.event == Some(event) && step.may_be(state, event));
        if let Some(target) = taken.and_then(|step| step.target)
            && !targets.contains(&target)
        {
            targets.push(target);
        }
    }
    targets
}

//! What stands in for the domain beside errors: it says yes to everything and is never run.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::handles::{allowances, allows};
use super::implementation::services;
use super::names::{Names, distinct, used};
use crate::domain::graph;
use crate::domain::model::{Action, Declaration, Event, Model, Role, State, Table, Used};
use crate::domain::wire::plain;
use crate::suggest;

/// The most pairs of a state and an action for which the stub says that the one allows the other.
const PAIRS: usize = 4096;

/// Declares every name that is used and not declared, where some declaration could not be read or begins small: it may be that one.
pub(super) fn declare_what_is_used(model: &mut Model) {
    fn missing<T: Declaration>(table: &Table<T>, used: &[&Ident]) -> Vec<Ident> {
        let mut known: HashSet<String> = table.iter().map(|(_, item)| item.declared().plain()).collect();
        let mut is_missing = |name: &Ident| {
            let name = plain(name);
            let begins_small = suggest::begun_small(&name).is_some_and(|small| known.contains(&small));
            (!table.whole || begins_small) && known.insert(name)
        };
        used.iter().filter(|name| is_missing(name)).map(|name| (*name).clone()).collect()
    }
    let used = Used::of(model);
    let (roles, states) = (missing(&model.roles, &used.roles), missing(&model.states, &used.states));
    let (events, actions) = (missing(&model.events, &used.events), missing(&model.actions, &used.actions));
    for name in &roles {
        model.roles.push(Role::assumed(name));
    }
    for name in &states {
        model.states.push(State::assumed(name));
    }
    for name in &events {
        model.events.push(Event::assumed(name));
    }
    for name in &actions {
        model.actions.push(Action::assumed(name));
    }
}

/// The names, where something else in the block is called as what is made of them: that is said once, and not by rustc as well.
pub(super) fn without_clashes(mut names: Names, model: &Model) -> Names {
    let is_taken = |made: &Ident| model.actions.iter().any(|(_, action)| action.declared.plain() == plain(made));
    if names.entity == names.domain || is_taken(&names.entity) {
        names.entity = format_ident!("{}Handle", names.entity);
    }
    for made in [&mut names.role, &mut names.state, &mut names.event] {
        if is_taken(made) {
            *made = format_ident!("{made}Made");
        }
    }
    if is_taken(&names.module) {
        names.module = format_ident!("{}_made", names.module);
    }
    names
}

/// `impl From<RefundRole> for Role`
pub(super) fn role_conversion(names: &Names) -> TokenStream {
    let enumeration = &names.role;
    quote! {
        impl ::core::convert::From<#enumeration> for ::kiff::__private::Role {
            fn from(_: #enumeration) -> Self {
                ::core::unreachable!()
            }
        }
    }
}

/// Every state allows every action: what the block really allows may be what is wrong with it.
pub(super) fn allowed(model: &Model, names: &Names) -> TokenStream {
    let module = &names.module;
    let moves = graph::moves(model);
    let states: Vec<_> = distinct(&model.states).map(|(id, _)| id).collect();
    let actions: Vec<_> = distinct(&model.actions).map(|(id, _)| id).collect();
    let mut pairs: Vec<_> = if states.len() * actions.len() > PAIRS {
        allowances(model).collect()
    } else {
        states.iter().flat_map(|state| actions.iter().map(|action| (*state, *action))).collect()
    };
    let mut seen = Vec::new();
    pairs.retain(|pair| {
        let is_new = !seen.contains(pair);
        seen.push(*pair);
        is_new
    });
    let allowed = pairs.iter().map(|(state, action)| allows(model, names, &moves, *state, *action));
    let anywhere = actions.iter().map(|action| {
        let name = used(&model.actions[*action].declared.name);
        quote!(impl ::kiff::__private::Allows<#module::#name> for ::kiff::__private::Any { type To = ::kiff::__private::Any; })
    });
    quote!(#(#allowed)* #(#anywhere)*)
}

/// `impl Domain for Refund`
pub(super) fn domain(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, state, event, .. } = names;
    let services = services(model);
    quote! {
        impl ::kiff::__private::Domain for #domain {
            type State = #state;
            type Event = #event;
            #services

            fn schema() -> &'static ::kiff::__private::Schema {
                ::core::unreachable!()
            }

            fn from_name(_: &::core::primitive::str) -> ::core::option::Option<Self> {
                ::core::unreachable!()
            }

            fn contract(self) -> &'static ::kiff::__private::Contract {
                ::core::unreachable!()
            }

            fn allowed_in(self, _: #state) -> ::core::primitive::bool {
                ::core::unreachable!()
            }

            fn transition(
                _: ::core::option::Option<#state>,
                _: &::core::primitive::str,
            ) -> ::core::option::Option<#state> {
                ::core::unreachable!()
            }

            fn actions() -> &'static [Self] {
                ::core::unreachable!()
            }
        }
    }
}

/// `impl Executable for Refund`
pub(super) fn executable(names: &Names) -> TokenStream {
    let domain = &names.domain;
    quote! {
        impl ::kiff::__private::Executable for #domain {
            fn entry(self) -> &'static ::kiff::__private::Entry<Self> {
                ::core::unreachable!()
            }
        }
    }
}

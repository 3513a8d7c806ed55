//! What an editor needs to complete, find and rename the names that the block uses.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::{Names, distinct, used};
use crate::domain::model::{Model, Used};

/// Every name that the block uses, as written, where only rust-analyzer looks: there it is a path that can be completed.
///
/// An event's leads to its struct and not to the variant of that name, because the struct is what executors name.
pub(super) fn hook(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, role, state, .. } = names;
    let Used { roles, states, events, actions } = Used::of(model);
    let structs = distinct(&model.events).map(|(_, event)| used(&event.declared.name));
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn names() {
                #(use #role::#roles;)* use #role::*;
                #(use #state::#states;)* use #state::*;
                mod events { pub(super) use super::{#(#structs),*}; }
                #(use events::#events;)* use events::*;
                #(use #domain::#actions;)* use #domain::*;
            }
        };
    }
}

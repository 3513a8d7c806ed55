//! What an editor needs to complete, find and rename the names that the block uses.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::Names;
use crate::domain::model::{Model, Used};

/// Every name that the block uses, as written, where only rust-analyzer looks: there it is a path that can be completed.
pub(super) fn hook(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, role, state, event, .. } = names;
    let Used { roles, states, events, actions } = Used::of(model);
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn names() {
                #(use #role::#roles;)* use #role::*;
                #(use #state::#states;)* use #state::*;
                #(use #event::#events;)* use #event::*;
                #(use #domain::#actions;)* use #domain::*;
            }
        };
    }
}

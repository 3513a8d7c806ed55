//! A domain in one crate and its executors in another: what the one hands over, and what the other makes of it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;

use super::answers;
use super::handles::module_of;
use super::names::{Names, distinct, module_name, used};
use crate::domain::model::Model;
use crate::domain::wire::{plain, snake};
use crate::number;

/// The macro that hands the block over, under the name of the domain's module.
pub(super) fn block(model: &Model, block: &TokenStream) -> TokenStream {
    let (Some(domain), Visibility::Public(_)) = (&model.header.domain, &model.header.visibility) else {
        return TokenStream::new();
    };
    let module = module(&domain.name);
    // All such macros of a crate stand at its root, also those of domains that are called the same in two modules.
    let hidden = format_ident!("__kiff_block_of_{}_{:x}", snake(&plain(&domain.name)), number::of(&block.to_string()));
    quote! {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! #hidden {
            ([$($kiff:tt)*] $($given:tt)*) => {
                $($kiff)*::__private::runnable! { [$($kiff)*] $($given)* { #block } }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub use #hidden as #module;
    }
}

/// What the macro and the module of a domain are called.
pub(crate) fn module(domain: &Ident) -> Ident {
    module_name(&snake(&plain(domain)))
}

/// `pub mod refund { pub use contracts::refund::{Created, Paid}; pub struct MarkPaid; … }`
pub(super) fn module_with(model: &Model, names: &Names, there: &TokenStream) -> TokenStream {
    let (module, visibility) = (&names.module, &names.inner_visibility);
    let states = distinct(&model.states).map(|(_, state)| used(&state.declared.name));
    let actions = distinct(&model.actions).map(|(_, action)| ("action", &action.declared));
    let states = quote!(#visibility use #there::#module::{#(#states),*};);
    module_of(names, actions, &states)
}

/// What is declared there, for the hidden code alone.
pub(super) fn imports(model: &Model, names: &Names, there: &TokenStream) -> TokenStream {
    let Names { state, event, .. } = names;
    let events = distinct(&model.events).map(|(_, event)| used(&event.declared.name));
    let answers = answers::called(model);
    quote! {
        #[allow(unused_imports)]
        use #there::{#state, #event, #(#answers,)* #(#events),*};
    }
}

//! The macros of kiff: `domain!` declares what is governed. Use them through the `kiff` crate.

mod action;
mod domain;
mod errors;
mod suggest;

use proc_macro::TokenStream;

/// Declares a governed domain in one block: roles, states, events, transitions, actions, allowances and promises.
///
/// Whatever the block forbids does not build; all faults of a block are reported at once, each at its own token.
#[proc_macro]
pub fn domain(input: TokenStream) -> TokenStream {
    let (mut expansion, diagnostics) = domain::domain2(input.into());
    expansion.extend(diagnostics.into_compile_errors());
    expansion.into()
}

/// Makes an async fn the executor of an action that a `domain!` block declares.
///
/// Its parameters become a struct of the action's name; the fn itself disappears into the executor, where only the gate
/// can call it.
#[proc_macro_attribute]
pub fn action(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let (mut expansion, diagnostics) = action::action2(attribute.into(), item.into());
    expansion.extend(diagnostics.into_compile_errors());
    expansion.into()
}

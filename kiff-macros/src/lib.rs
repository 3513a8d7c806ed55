//! The macros of kiff: `domain!` declares what is governed. Use them through the `kiff` crate.

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

//! What an editor needs to complete the path in `#[action(..)]` while it is being typed.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

/// The path as far as it is written, where only rust-analyzer looks: there it is one that can be completed.
///
/// INVARIANT: it is the first thing in every expansion, whatever is wrong with the fn, or the first in the one fn that a method
/// becomes. rust-analyzer expands once as written and once with a name at the cursor, and compares the two from the start.
pub(super) fn hook(attribute: &TokenStream) -> TokenStream {
    let is_of_path = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(mark) => mark.as_char() == ':',
        _ => false,
    };
    let path: Vec<TokenTree> = attribute.clone().into_iter().take_while(is_of_path).collect();
    let rest = match path.last() {
        None => return TokenStream::new(),
        Some(TokenTree::Punct(_)) => quote!(*),
        Some(_) => TokenStream::new(),
    };
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn path() {
                use #(#path)* #rest;
            }
        };
    }
}

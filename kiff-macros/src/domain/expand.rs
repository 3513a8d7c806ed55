//! From model to code.

use proc_macro2::TokenStream;

use super::model::Model;

/// Everything that follows from a block without faults.
pub(crate) fn domain(_model: &Model) -> TokenStream {
    TokenStream::new()
}

/// What stands in for the domain beside errors, so that the rest of the user's crate stays quiet.
pub(crate) fn stub(_model: &Model) -> TokenStream {
    TokenStream::new()
}

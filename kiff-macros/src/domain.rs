//! `domain!` on one screen: parse, model, check, expand; errors of every phase are reported at once.

mod check;
mod diagram;
mod expand;
mod graph;
mod model;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod wire;

use proc_macro2::TokenStream;

use self::model::Model;
use crate::errors::{Diagnostics, Errors};

/// Expands the block, or finds everything that is wrong with it and expands to a stub.
pub(crate) fn domain2(input: TokenStream) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let block = parse::block(input, &errors);

    // The first gate: what was not understood is marked in the block, and a block without any section is not judged.
    let is_blank = block.is_blank();
    let model = Model::resolve(block);
    if !is_blank {
        check::check(&model, &errors);
    }

    // The second gate: only a block without any fault is expanded.
    let diagnostics = errors.finish();
    let expansion = if diagnostics.is_empty() { expand::domain(&model) } else { expand::stub(model) };
    (expansion, diagnostics)
}

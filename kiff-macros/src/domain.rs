//! `domain!` on one screen: parse, model, check, expand; errors of every phase are reported at once.

mod check;
mod diagram;
mod expand;
mod field_names;
mod graph;
mod model;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::expand::module;
pub(crate) use self::wire::{is_called, plain};

use proc_macro2::TokenStream;
use syn::Path;

use self::model::Model;
use crate::errors::{Diagnostics, Errors};
use crate::renamed::renamed;

/// Expands the block, or finds everything that is wrong with it and expands to a stub.
pub(crate) fn domain2(input: &TokenStream) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let mut block = parse::block(input.clone(), &errors);
    let kiff = block.kiff.take();

    // The first gate: what was not understood is marked in the block, and a block without any section is not judged.
    let is_blank = block.is_blank();
    let model = Model::resolve(block);
    if !is_blank {
        check::check(&model, &errors);
    }

    // The second gate: only a block without any fault is expanded.
    let diagnostics = errors.finish();
    let expansion = match (diagnostics.is_empty(), model.elsewhere.is_some()) {
        (true, false) => expand::domain(&model),
        (true, true) => [expand::domain(&model), expand::block(&model, input)].into_iter().collect(),
        (false, _) => expand::stub(model),
    };
    (renamed(expansion, kiff.as_ref()), diagnostics)
}

/// Expands the block of another crate to what this one needs. It was judged there; it is judged again, since nothing says that
/// these are the words that were.
pub(crate) fn runnable(
    block: TokenStream,
    there: &TokenStream,
    services: TokenStream,
    kiff: Option<&Path>,
) -> (TokenStream, Diagnostics) {
    let errors = Errors::new();
    let mut model = Model::resolve(parse::block(block, &errors));
    check::check(&model, &errors);
    model.services = syn::parse2(services).ok();
    let diagnostics = errors.finish();
    let expansion = if diagnostics.is_empty() { expand::executors(&model, there) } else { TokenStream::new() };
    (renamed(expansion, kiff), diagnostics)
}

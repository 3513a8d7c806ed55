//! From model to code: one function per generated item, and the stub that stands in for the domain beside errors.
//!
//! INVARIANT: only names that the user declared, and names made from them, can be seen outside; everything else stands
//! in `const _`. Nothing is named but `::kiff::__private` and `::core`, each by its absolute path.

mod actions;
mod documentation;
mod editor;
mod event_fields;
mod events;
mod field_names;
mod handles;
mod implementation;
mod inherent;
mod names;
mod page;
mod roles;
mod schema;
mod states;
mod stub;

use proc_macro2::TokenStream;
use quote::quote;

use self::names::Names;
use super::diagram::Diagram;
use super::model::Model;

/// Everything that follows from a block without faults.
pub(crate) fn domain(model: &Model) -> TokenStream {
    let Some(names) = Names::of(&model.header) else {
        return TokenStream::new();
    };
    let diagram = Diagram::of(model);
    let (mermaid, svg) = (diagram.mermaid(), diagram.svg());
    let visible = visible(model, &names, &svg);
    let hidden = [
        roles::values(model, &names),
        roles::conversion(model, &names),
        states::state_trait(model, &names),
        events::event_trait(model, &names),
        events::conversions(model, &names),
        events::traits(model),
        events::incoming(model, &names, events::reportable(model)),
        actions::aliases(model, &names),
        actions::declarations(model, &names),
        actions::answer_conversions(model, &names),
        handles::states(model, &names),
        handles::allowed(model, &names),
        implementation::entries(model, &names),
        schema::contracts(model, &names),
        schema::schema(model, &names),
        implementation::domain(model, &names),
        implementation::executable(&names),
        inherent::domain(&names, &mermaid, &svg),
    ];
    with_hidden(&visible, &hidden)
}

/// What stands in for the domain beside errors, so that the rest of the user's crate stays quiet.
///
/// Whatever of the block could be read is declared, what is in doubt is granted, and nothing of it ever runs.
pub(crate) fn stub(mut model: Model) -> TokenStream {
    stub::declare_what_is_used(&mut model);
    let model = &model;
    let Some(names) = Names::of(&model.header) else {
        return TokenStream::new();
    };
    let diagram = Diagram::of(model);
    let (mermaid, svg) = (diagram.mermaid(), diagram.svg());
    let visible = visible(model, &names, &svg);
    let hidden = [
        stub::role_conversion(&names),
        states::state_trait(model, &names),
        events::event_trait(model, &names),
        events::conversions(model, &names),
        events::traits(model),
        events::incoming(model, &names, names::distinct(&model.events)),
        actions::declarations(model, &names),
        actions::answer_conversions(model, &names),
        handles::states(model, &names),
        stub::allowed(model, &names),
        stub::domain(model, &names),
        stub::executable(&names),
        inherent::stub(&names, &mermaid, &svg),
    ];
    with_hidden(&visible, &hidden)
}

/// The items that the user's code can name.
fn visible(model: &Model, names: &Names, svg: &str) -> [TokenStream; 9] {
    [
        editor::hook(model, names),
        actions::enumeration(model, names, &page::page(model, names, svg)),
        roles::enumeration(model, names),
        states::enumeration(model, names),
        events::structs(model, names),
        events::enumeration(model, names),
        actions::answers(model, names),
        handles::alias(names),
        handles::module(model, names),
    ]
}

fn with_hidden(visible: &[TokenStream], hidden: &[TokenStream]) -> TokenStream {
    quote! {
        #(#visible)*
        #[allow(deprecated)]
        const _: () = {
            #(#hidden)*
        };
    }
}

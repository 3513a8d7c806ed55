//! From model to code: one function per generated item, and the stub that stands in for the domain beside errors.
//!
//! INVARIANT: only names that the user declared, and names made from them, can be seen outside; everything else stands
//! in `const _`. Nothing is named but `::kiff::__private` and `::core`, each by its absolute path.

mod actions;
mod answers;
mod apart;
mod editor;
mod event_fields;
mod events;
mod handles;
mod implementation;
mod inherent;
mod names;
mod page;
mod roles;
mod schema;
mod states;
mod stub;

pub(crate) use self::apart::module;
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
        roles::values(model),
        roles::conversion(model, &names),
        states::state_trait(model, &names),
        events::event_trait(model, &names),
        events::conversions(model, &names),
        events::traits(model),
        answers::conversions(model),
        governed(model, &names, model.elsewhere.is_none()),
        inherent::domain(&names, &mermaid, &svg),
    ];
    with_hidden(&visible, &hidden)
}

/// What a domain is to the runtime, of whatever crate its events and states are.
fn governed(model: &Model, names: &Names, has_executors: bool) -> TokenStream {
    let executed = if has_executors { executed(model, names) } else { TokenStream::new() };
    [
        events::emitted(model, names),
        events::incoming(names, events::reportable(model)),
        actions::declarations(model, names),
        answers::emitted(model, names),
        handles::states(model, names),
        handles::allowed(model, names),
        executed,
        schema::contracts(model, has_executors),
        schema::schema(model),
        implementation::domain(model, names),
    ]
    .into_iter()
    .collect()
}

/// The doors to the executors.
fn executed(model: &Model, names: &Names) -> TokenStream {
    [actions::aliases(model, names), implementation::entries(model, names), implementation::executable(names)]
        .into_iter()
        .collect()
}

/// The domain whose executors are in this crate, and whose block is in another: what is declared there is used here.
pub(crate) fn executors(model: &Model, there: &TokenStream) -> TokenStream {
    let Some(names) = Names::of(&model.header) else {
        return TokenStream::new();
    };
    let diagram = Diagram::of(model);
    let (mermaid, svg) = (diagram.mermaid(), diagram.svg());
    let visible = [
        actions::enumeration(model, &names, &TokenStream::new()),
        handles::alias(&names),
        apart::module_with(model, &names, there),
    ];
    let hidden = [
        apart::imports(model, &names, there),
        roles::values(model),
        governed(model, &names, true),
        inherent::domain(&names, &mermaid, &svg),
    ];
    with_hidden(&visible, &hidden)
}

/// The macro by which another crate gets at the block, beside a domain whose executors are there.
pub(crate) fn block(model: &Model, block: &TokenStream) -> TokenStream {
    apart::block(model, block)
}

/// What stands in for the domain beside errors, so that the rest of the user's crate stays quiet.
///
/// Whatever of the block could be read is declared, what is in doubt is granted, and nothing of it ever runs.
pub(crate) fn stub(mut model: Model) -> TokenStream {
    stub::declare_what_is_used(&mut model);
    let model = &model;
    let Some(names) = Names::of(&model.header).map(|names| stub::without_clashes(names, model)) else {
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
        events::emitted(model, &names),
        events::incoming(&names, names::distinct(&model.events)),
        actions::declarations(model, &names),
        answers::conversions(model),
        answers::emitted(model, &names),
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
        answers::enumerations(model, names),
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

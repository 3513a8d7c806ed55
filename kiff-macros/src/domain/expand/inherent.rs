//! What the domain's type has of its own: its diagram, and its schema without an import.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::Names;

/// `impl Refund { pub const MERMAID: &str = …; pub const SVG: &str = …; pub const fn schema() … }`
pub(super) fn domain(names: &Names, mermaid: &str, svg: &str) -> TokenStream {
    items(names, mermaid, svg, &quote!(&__SCHEMA))
}

/// The same beside errors, with a diagram of what is known.
pub(super) fn stub(names: &Names, mermaid: &str, svg: &str) -> TokenStream {
    items(names, mermaid, svg, &quote!(::core::unreachable!()))
}

fn items(names: &Names, mermaid: &str, svg: &str, schema: &TokenStream) -> TokenStream {
    let Names { visibility, domain, lints, .. } = names;
    // rustdoc shows literals, however long they are, and blocks not.
    let (mermaid, svg) = (quote!({ let text = #mermaid; text }), quote!({ let text = #svg; text }));
    quote! {
        #[allow(dead_code)]
        impl #domain {
            /// The diagram of the states as text for [Mermaid](https://mermaid.js.org), which many wikis and code hosts
            /// draw.
            #lints
            #visibility const MERMAID: &'static ::core::primitive::str = #mermaid;

            /// The diagram of the states as a picture, in the colour of the text around it.
            #lints
            #visibility const SVG: &'static ::core::primitive::str = #svg;

            /// The whole domain as data.
            #lints
            #[must_use]
            #visibility const fn schema() -> &'static ::kiff::__private::Schema {
                #schema
            }
        }
    }
}

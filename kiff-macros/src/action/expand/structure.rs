//! The struct of the parameters, which programs propose the action with.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

use super::{Field, struct_name};
use crate::action::model::{Executor, Target};
use crate::domain::plain;

/// `pub struct RefundOrder { pub amount: Cents }`.
pub(super) fn structure(executor: &Executor, target: &Target, fields: &[Field<'_>]) -> TokenStream {
    let name = struct_name(target);
    let conditions = &executor.conditions;
    let documentation =
        documented(&executor.documentation, &format!("The parameters of the action `{}`.", plain(&name)));
    let visibility = match &executor.visibility {
        // As visible as any domain can be; what it holds may be less so.
        Visibility::Inherited => quote!(#[allow(unreachable_pub, private_interfaces)] pub),
        given => given.to_token_stream(),
    };
    let body = if fields.is_empty() {
        quote!(;)
    } else {
        let fields = fields.iter().map(|field| {
            let documentation = documented(&field.parameter.documentation, &format!("The parameter `{}`.", field.wire));
            let (name, typed) = (field.name, &field.parameter.typed.ty);
            quote! {
                #documentation
                pub #name: #typed,
            }
        });
        quote!({ #(#fields)* })
    };
    quote! {
        #(#conditions)*
        #documentation
        #visibility struct #name #body
    }
}

/// The user's doc comment, or one sentence instead.
fn documented(attributes: &[syn::Attribute], otherwise: &str) -> TokenStream {
    if attributes.is_empty() { quote!(#[doc = #otherwise]) } else { quote!(#(#attributes)*) }
}

/// `Debug` and `Clone`, by way of what every parameter's type must have, so that a type that lacks something is blamed once.
pub(super) fn traits(target: &Target, fields: &[Field<'_>]) -> TokenStream {
    let name = struct_name(target);
    let text = plain(&name);
    let clones = fields.iter().map(|field| {
        let (name, value) = (field.access(), value(field));
        let duplicate = field.method("duplicate");
        quote!(#name: #value::#duplicate(&self.#name))
    });
    let shown = fields.iter().map(|field| {
        let (name, wire, value) = (field.access(), &field.wire, value(field));
        let shown = field.method("shown");
        quote!((#wire, #value::#shown(&self.#name)))
    });
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::kiff::__private::show(f, #text, &[#(#shown),*])
            }
        }

        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self {
                Self { #(#clones),* }
            }
        }
    }
}

/// `<Cents as Value>`, all of it at the user's type: a type that is no value is blamed there.
pub(super) fn value(field: &Field<'_>) -> TokenStream {
    let typed = field.value;
    quote_spanned!(typed.span()=> <#typed as ::kiff::__private::Value>)
}

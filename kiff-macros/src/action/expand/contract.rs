//! `Action`: the parameters as data, read, written and held to their rules.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::structure::value;
use super::{Field, struct_name};
use crate::action::check::floats;
use crate::action::documentation;
use crate::action::kind;
use crate::action::model::{Demand, Executor, Limits, Rule, Target};
use crate::action::sentence::code;

/// `impl Action for RefundOrder`.
pub(super) fn action(executor: &Executor, target: &Target, fields: &[Field<'_>]) -> TokenStream {
    let name = struct_name(target);
    let documentation = documentation::text(&executor.documentation);
    let parameters = fields.iter().map(parameter);
    let shapes = shapes(fields);
    let (decode, write, check) = (decode(fields), write(fields), check(fields));
    quote! {
        #[automatically_derived]
        impl ::kiff::__private::Governed<__Domain> for #name {
            type Declared = __Declared;
        }

        #[automatically_derived]
        impl ::kiff::__private::Action for #name {
            const PARAMETERS: &'static [::kiff::__private::Parameter] = &[#(#parameters),*];

            const DOCUMENTATION: &'static ::core::primitive::str = #documentation;

            #shapes

            fn decode(
                parameters: &::kiff::__private::Json,
            ) -> ::core::result::Result<Self, ::kiff::__private::ParameterFault> {
                #decode
            }

            #write

            fn check(&self) -> ::core::result::Result<(), ::kiff::__private::ParameterFault> {
                #check
            }
        }
    }
}

fn parameter(field: &Field<'_>) -> TokenStream {
    let Field { parameter, wire, value, is_optional, rules, .. } = field;
    let _ = value;
    let typed = code(&parameter.typed.ty);
    let documentation = documentation::text(&parameter.documentation);
    let rules = rules.iter().filter_map(rule);
    quote!(::kiff::__private::parameter(#wire, #typed, #documentation, #is_optional, &[#(#rules),*]))
}

/// Asks each type what it looks like as JSON, without demanding that it can say it.
fn shapes(fields: &[Field<'_>]) -> TokenStream {
    if fields.is_empty() {
        return quote!(
            fn shapes(_: &mut ::kiff::__private::Shapes) {}
        );
    }
    let types = fields.iter().map(|field| field.value);
    quote! {
        fn shapes(shapes: &mut ::kiff::__private::Shapes) {
            #(::kiff::__private::Probe::<#types>::NEW.shape(shapes);)*
        }
    }
}

/// Asks each type that only rustc knows whether it is a float: `type Money = f64` is one as well.
pub(super) fn floats(fields: &[Field<'_>]) -> TokenStream {
    let asked = fields.iter().filter(|field| !floats::is_waived(field.parameter)).flat_map(|field| {
        let message = floats::is_a_float(field.parameter);
        kind::unknown(field.value).into_iter().map(move |typed| {
            let is_none = quote_spanned! {typed.span()=>
                ::core::assert!(!::kiff::__private::Float::<#typed>::IS_ONE, #message)
            };
            quote!(const _: () = #is_none;)
        })
    });
    let asked: Vec<TokenStream> = asked.collect();
    if asked.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[allow(unused_imports)]
        use ::kiff::__private::NoFloat as _;

        #(#asked)*
    }
}

fn rule(rule: &Rule) -> Option<TokenStream> {
    match &rule.demand {
        Demand::Range(limits) => {
            let (min, max) = both(limits);
            Some(quote!(::kiff::__private::Rule::Range { min: #min, max: #max }))
        }
        Demand::Length(limits) => {
            let (min, max) = both(limits);
            Some(quote!(::kiff::__private::Rule::Length { min: #min, max: #max }))
        }
        Demand::Pattern(pattern) => {
            let pattern = pattern.value();
            Some(quote!(::kiff::__private::Rule::Pattern { pattern: ::kiff::__private::Text::Borrowed(#pattern) }))
        }
        Demand::Float(reason) => {
            let reason = reason.value();
            Some(quote!(::kiff::__private::Rule::Float { reason: ::kiff::__private::Text::Borrowed(#reason) }))
        }
        Demand::Unreadable => None,
    }
}

/// Both limits as expressions.
fn both<T: quote::ToTokens>(limits: &Limits<T>) -> (TokenStream, TokenStream) {
    let limit = |limit: &Option<T>| {
        limit
            .as_ref()
            .map_or_else(|| quote!(::core::option::Option::None), |limit| quote!(::core::option::Option::Some(#limit)))
    };
    (limit(&limits.min), limit(&limits.max))
}

/// What goes wrong is kept until the end, here and below: each `?` would be three traits for rustc to look into.
fn decode(fields: &[Field<'_>]) -> TokenStream {
    let read = quote!(::kiff::__private::Fields::read(parameters, Self::PARAMETERS));
    if fields.is_empty() {
        return quote!(#read.finish(::core::option::Option::Some(Self {})));
    }
    let names = fields.iter().map(Field::access);
    let values: Vec<_> = (0..fields.len()).map(|place| format_ident!("value_{place}")).collect();
    let reads = fields.iter().map(|field| {
        let (wire, value, read) = (&field.wire, value(field), field.method("read"));
        quote!(#value::#read(&mut fields, #wire))
    });
    quote! {
        let mut fields = #read;
        let read = match (#(#reads,)*) {
            (#(::core::option::Option::Some(#values),)*) => ::core::option::Option::Some(Self { #(#names: #values),* }),
            _ => ::core::option::Option::None,
        };
        fields.finish(read)
    }
}

fn write(fields: &[Field<'_>]) -> TokenStream {
    if fields.is_empty() {
        return quote!(
            fn write(&self, _: &mut ::kiff::__private::Members) {}
        );
    }
    let writes = fields.iter().map(|field| {
        let (name, wire, value, write) = (field.access(), &field.wire, value(field), field.method("write"));
        quote!(#value::#write(&self.#name, members, #wire);)
    });
    quote! {
        fn write(&self, members: &mut ::kiff::__private::Members) {
            #(#writes)*
        }
    }
}

fn check(fields: &[Field<'_>]) -> TokenStream {
    let is_checked = |rule: &&Rule| !matches!(rule.demand, Demand::Float(_) | Demand::Unreadable);
    let mut held = fields.iter().flat_map(|field| field.rules.iter().filter(is_checked).map(|rule| hold(field, rule)));
    let Some(first) = held.next() else {
        return quote!(::core::result::Result::Ok(()));
    };
    quote! {
        let mut checks = <::kiff::__private::Checks as ::core::default::Default>::default();
        #first
        #(#held)*
        checks.finish()
    }
}

/// Asks the type where it stands in the source, so that one that cannot answer is blamed there.
fn hold(field: &Field<'_>, rule: &Rule) -> TokenStream {
    let (name, wire, typed) = (field.access(), &field.wire, field.value);
    let ask = |name: TokenStream| quote_spanned!(typed.span()=> <#typed as ::kiff::__private::#name>);
    let held = match &rule.demand {
        Demand::Range(limits) => {
            let ((min, max), ranged) = (both(limits), ask(quote!(Ranged)));
            quote!(checks.range(#wire, value, #ranged::is_within, #min, #max);)
        }
        Demand::Length(limits) => {
            let ((min, max), measured) = (both(limits), ask(quote!(Measured)));
            quote!(checks.length(#wire, value, #measured::measure, #min, #max);)
        }
        Demand::Pattern(pattern) => {
            let (pattern, textual) = (pattern.value(), ask(quote!(Textual)));
            quote! {
                static PATTERN: ::kiff::__private::Pattern = ::kiff::__private::Pattern::new(#pattern);
                checks.pattern(#wire, value, #textual::text, &PATTERN);
            }
        }
        Demand::Float(_) | Demand::Unreadable => TokenStream::new(),
    };
    if field.is_optional {
        quote!(if let ::core::option::Option::Some(value) = &self.#name { #held })
    } else {
        quote!({ let value = &self.#name; #held })
    }
}

//! `Action`: the parameters as data, read, written and held to their rules.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Index, Type};

use super::structure::value;
use super::{Field, struct_name};
use crate::action::check::floats;
use crate::action::kind::{self, Kind};
use crate::action::model::{Demand, Executor, Limits, Rule, Target};
use crate::action::sentence::code;
use crate::documentation;

/// `impl Action for RefundOrder`.
pub(super) fn action(executor: &Executor, target: &Target, fields: &[Field<'_>]) -> TokenStream {
    let name = struct_name(target);
    let documentation = documentation::text(&executor.documentation);
    let parameters = fields.iter().map(parameter);
    let shapes = shapes(fields);
    let (decode, write, check, hold) = (decode(fields), write(fields), check(fields), hold(fields));
    quote! {
        #hold

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
    let Field { parameter, wire, is_optional, rules, .. } = field;
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
    let asked: Vec<TokenStream> = fields.iter().flat_map(asked).collect();
    if asked.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[allow(unused_imports)]
        use ::kiff::__private::NoFloat as _;

        #(const _: () = #asked;)*
    }
}

/// What is asked of one parameter: without a waiver that none of its types is a float, and with one that some type is.
fn asked(field: &Field<'_>) -> Vec<TokenStream> {
    let (parameter, hidden) = (field.parameter, kind::hidden(field.value));
    if !floats::is_waived(parameter) {
        let message = floats::is_a_float(parameter);
        let is_none = |typed: &&Type| {
            let is_one = is_float(typed);
            quote_spanned!(typed.span()=> ::core::assert!(!(#is_one), #message))
        };
        return hidden.iter().map(is_none).collect();
    }
    // A float that the type names is the one that is waived; and a type of the user's own may hold one inside, where nobody looks.
    let is_own = |typed: &&Type| Kind::of(typed) == Kind::Unknown;
    if kind::float(&parameter.typed.ty).is_some() || hidden.iter().any(is_own) {
        return Vec::new();
    }
    let waivers = parameter.rules.iter().filter(|rule| matches!(rule.demand, Demand::Float(_)));
    let needed = waivers.filter(|_| !hidden.is_empty()).map(|rule| {
        let (message, is_one) = (floats::is_no_float(parameter), hidden.iter().map(|typed| is_float(typed)));
        quote_spanned!(rule.tokens.span()=> ::core::assert!(#(#is_one)||*, #message))
    });
    needed.collect()
}

/// Whether the type is a float. One that is called as what is none can be an alias of a float, and of a tuple only one that nobody
/// knows: it is asked for each of its parts.
fn is_float(typed: &Type) -> TokenStream {
    let parts = if Kind::of(typed) == Kind::Unknown { 0..4_usize } else { 0..1 };
    quote_spanned!(typed.span()=> #(::kiff::__private::Float::<#typed, #parts>::IS_ONE)||*)
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
    let values: Vec<_> = (0..fields.len()).map(place).collect();
    let ruled = held(fields).map(|(at, _)| Index::from(at));
    // Where something is wrong already, what was read is held to its rules as well: all faults are told at once.
    let hold = has_rules(fields).then(|| {
        quote! {
            if let ::core::option::Option::Some(checks) = fields.checks() {
                __hold(checks, #(values.#ruled.as_ref()),*);
            }
        }
    });
    let reads = fields.iter().map(|field| {
        let (wire, value, read) = (&field.wire, value(field), field.method("read"));
        quote!(#value::#read(&mut fields, #wire))
    });
    quote! {
        let mut fields = #read;
        let values = (#(#reads,)*);
        #hold
        let read = match values {
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
    if !has_rules(fields) {
        return quote!(::core::result::Result::Ok(()));
    }
    let names = held(fields).map(|(_, field)| field.access());
    quote! {
        let mut checks = <::kiff::__private::Checks as ::core::default::Default>::default();
        __hold(&mut checks, #(::core::option::Option::Some(&self.#names)),*);
        checks.finish()
    }
}

/// The fn that holds parameters to their rules: all of them, or those that were read.
fn hold(fields: &[Field<'_>]) -> TokenStream {
    if !has_rules(fields) {
        return TokenStream::new();
    }
    let values = held(fields).map(|(at, field)| {
        let (value, typed) = (place(at), &field.parameter.typed.ty);
        quote!(#value: ::core::option::Option<&#typed>)
    });
    let rules = held(fields).flat_map(|(at, field)| checked(field).map(move |rule| hold_to(&place(at), field, rule)));
    quote! {
        #[allow(clippy::too_many_arguments)]
        fn __hold(checks: &mut ::kiff::__private::Checks, #(#values),*) {
            #(#rules)*
        }
    }
}

/// What a value is called that has no other name, by the place of its parameter.
fn place(at: usize) -> Ident {
    format_ident!("value_{at}")
}

fn has_rules(fields: &[Field<'_>]) -> bool {
    held(fields).next().is_some()
}

/// The parameters that are held to a rule, each with its place.
fn held<'f, 'e>(fields: &'f [Field<'e>]) -> impl Iterator<Item = (usize, &'f Field<'e>)> {
    fields.iter().enumerate().filter(|(_, field)| checked(field).next().is_some())
}

/// The rules of a parameter that a value can break.
fn checked<'f>(field: &'f Field<'_>) -> impl Iterator<Item = &'f Rule> {
    field.rules.iter().filter(|rule| !matches!(rule.demand, Demand::Float(_) | Demand::Unreadable))
}

/// Asks the type where it stands in the source, so that one that cannot answer is blamed there.
fn hold_to(given: &Ident, field: &Field<'_>, rule: &Rule) -> TokenStream {
    let (wire, typed) = (&field.wire, field.value);
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
        quote!(if let ::core::option::Option::Some(::core::option::Option::Some(value)) = #given { #held })
    } else {
        quote!(if let ::core::option::Option::Some(value) = #given { #held })
    }
}

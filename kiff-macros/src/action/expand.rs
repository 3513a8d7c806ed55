//! What an executor becomes: the struct of its parameters, its `Action` and its `Executor`; one function each.
//! A reconcile fn becomes the last of the three alone.

mod contract;
mod execution;
mod structure;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Type;
use syn::spanned::Spanned;

use super::check::Shape;
use super::duty::Duty;
use super::kind;
use super::model::{Executor, Parameter, Rule, Target};
use crate::domain::plain;

/// The whole expansion.
pub(super) fn executor(executor: &Executor) -> TokenStream {
    let Some(target) = &executor.target else {
        return execution::remains(executor);
    };
    let body = execution::body(executor);
    match executor.duty {
        Duty::Execute => whole(executor, target, &fields(executor).collect::<Vec<_>>(), &body),
        Duty::Reconcile => reconciler(executor, target, &fields(executor).collect::<Vec<_>>(), &body),
    }
}

/// What stands beside errors, so that the rest of the crate adds none of its own: no rules, and no body where the fn
/// cannot be called.
pub(super) fn stub(executor: &Executor, shape: Shape) -> TokenStream {
    let Some(target) = &executor.target else {
        return execution::remains(executor);
    };
    let body = match shape {
        Shape::Sound => execution::body(executor),
        Shape::Faulty => execution::nothing(executor.duty),
    };
    let mut expansion = match executor.duty {
        Duty::Execute => whole(executor, target, &fields_without_rules(executor), &body),
        Duty::Reconcile => {
            let taken: Vec<_> = fields(executor).filter(|_| shape == Shape::Sound).collect();
            reconciler(executor, target, &taken, &body)
        }
    };
    for further in further(executor, target) {
        let nothing = execution::nothing(Duty::Execute);
        expansion.extend(whole(executor, further, &fields_without_rules(executor), &nothing));
    }
    if shape == Shape::Faulty {
        expansion.extend(execution::remains(executor));
    }
    expansion
}

/// The other actions that the fn was to execute, so that nobody misses their executors; each name once.
fn further<'e>(executor: &'e Executor, target: &'e Target) -> Vec<&'e Target> {
    let mut names: Vec<&Ident> = (executor.duty == Duty::Execute).then_some(&target.action).into_iter().collect();
    let mut others = Vec::new();
    for other in executor.further.iter().filter_map(|further| further.target.as_ref()) {
        if !names.contains(&&other.action) {
            names.push(&other.action);
            others.push(other);
        }
    }
    others
}

/// What a fn with `self` becomes. It stands in an `impl`, most of the time, where another fn can be and nothing else that there is.
pub(super) fn in_a_fn(executor: &Executor, items: &TokenStream) -> TokenStream {
    let name = Ident::new(&format!("__{}", plain(&executor.signature.ident)), Span::call_site());
    quote! {
        #[allow(dead_code, non_local_definitions)]
        fn #name() {
            #items
        }
    }
}

/// `#[reconcile]`: no struct, as it takes that of the action.
fn reconciler(executor: &Executor, target: &Target, fields: &[Field<'_>], body: &TokenStream) -> TokenStream {
    let reconciler = execution::reconciler(executor, target, fields, body);
    hidden(executor, target, &reconciler)
}

fn whole(executor: &Executor, target: &Target, fields: &[Field<'_>], body: &TokenStream) -> TokenStream {
    let structure = structure::structure(executor, target, fields);
    let traits = structure::traits(target, fields);
    let contract = contract::action(executor, target, fields);
    let execution = execution::executor(executor, target, body);
    let floats = contract::floats(fields);
    let hidden = hidden(executor, target, &quote!(#traits #contract #execution #floats));
    quote! {
        #structure

        #hidden
    }
}

/// What nobody names, below names for the action's domain and for what the block declares of the action.
fn hidden(executor: &Executor, target: &Target, items: &TokenStream) -> TokenStream {
    let conditions = &executor.conditions;
    let Target { domain, action } = target;
    // The path is written once, so that rustc says once what is wrong with it.
    quote! {
        #(#conditions)*
        const _: () = {
            type __Domain = #domain;
            const __INDEX: usize = __Domain::#action as usize;
            type __Declared = <__Domain as ::kiff::__private::Declares<{ __INDEX }>>::Declared;

            #items
        };
    }
}

/// A parameter that can be a field: it has a name and owns what it holds.
struct Field<'a> {
    parameter: &'a Parameter,
    name: &'a Ident,
    /// The name on the wire.
    wire: String,
    /// `T` of `T` and of `Option<T>`.
    value: &'a Type,
    is_optional: bool,
    rules: &'a [Rule],
}

impl Field<'_> {
    /// The name without the user's place: editors find the field by its declaration alone.
    fn access(&self) -> Ident {
        let mut name = self.name.clone();
        name.set_span(Span::call_site());
        name
    }

    /// The method of `Value` for a parameter that must be there, or for one that may be left out.
    ///
    /// The second is no detour over `Option` itself, so that the type inside of it is the one to blame.
    fn method(&self, name: &str) -> Ident {
        let ending = if self.is_optional { "_optional" } else { "" };
        Ident::new(&format!("{name}{ending}"), self.value.span())
    }
}

/// What stands beside errors: each name once, and without rules.
fn fields_without_rules(executor: &Executor) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for field in self::fields(executor) {
        if fields.iter().all(|other| other.wire != field.wire) {
            fields.push(Field { rules: &[], ..field });
        }
    }
    fields
}

fn fields(executor: &Executor) -> impl Iterator<Item = Field<'_>> {
    executor.parameters().filter_map(|parameter| {
        let name = parameter.name.as_ref()?;
        let typed = &parameter.typed.ty;
        if kind::unfit(typed).is_some() {
            return None;
        }
        let inner = kind::optional(typed);
        Some(Field {
            parameter,
            name,
            wire: plain(name),
            value: inner.unwrap_or(typed),
            is_optional: inner.is_some(),
            rules: &parameter.rules,
        })
    })
}

/// The name of the generated struct, without the user's place: in editors the path in `#[action(..)]` leads to the block.
fn struct_name(target: &Target) -> Ident {
    let mut name = target.action.clone();
    name.set_span(Span::call_site());
    name
}

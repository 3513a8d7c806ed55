//! `Executes`: the user's fn, where nobody can call it but the gate.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Safety, Signature, Token, Type};

use super::structure::value;
use super::{Field, struct_name};
use crate::action::duty::Duty;
use crate::action::model::{Argument, Executor, Target};
use crate::domain::plain;
use crate::number;

/// The most arguments that clippy takes for few.
const MANY: usize = 7;

/// `impl Executes<Refund> for refund::RefundOrder`.
///
/// The future stands at the name of the user's fn, so that this is what rustc blames when it is not `Send`.
pub(super) fn executor(executor: &Executor, target: &Target, body: &TokenStream) -> TokenStream {
    let name = struct_name(target);
    let place = executor.signature.ident.span();
    let future = quote_spanned! {place=>
        impl ::core::future::Future<
            Output = ::core::result::Result<Self::Emits, ::kiff::__private::Failure>,
        > + ::core::marker::Send + 'a
    };
    let header = header(target, &quote!(Executes), Span::call_site());
    quote! {
        #[automatically_derived]
        #header {
            type Action = #name;

            fn run<'a>(
                __permit: ::kiff::__private::Permit<'a, Self>,
                __action: #name,
                __services: &'a <__Domain as ::kiff::__private::Domain>::Services,
                __execution: &'a ::kiff::__private::Execution,
            ) -> #future {
                let _ = __permit;
                #body
            }
        }
    }
}

/// `impl Executes<Refund> for refund::RefundOrder`, or `Reconciles`.
///
/// What is implemented stands at the attribute as a whole: where an action has two executors, rustc shows both attributes.
fn header(target: &Target, implemented: &TokenStream, place: Span) -> TokenStream {
    let number = number::of(&plain(&target.action));
    let declared = Ident::new("__Declared", Span::call_site().located_at(place));
    quote!(impl ::kiff::__private::#implemented<__Domain, ::kiff::__private::Named<#number>> for #declared)
}

/// The user's fn and the one call of it.
pub(super) fn body(executor: &Executor) -> TokenStream {
    let place = executor.returned().span();
    let same = same(executor.returned());
    let known = match executor.duty {
        Duty::Execute => quote_spanned! {place=>
            <#same as ::kiff::__private::Reply<<__Declared as ::kiff::__private::Declared>::Emits>>::into_reply
        },
        Duty::Reconcile => quote_spanned! {place=>
            <#same as ::kiff::__private::Finding<<__Declared as ::kiff::__private::Declared>::Emits>>::into_finding
        },
    };
    let returned = executor.returned();
    let mut signature = executor.signature.clone();
    signature.output = ReturnType::Type(<Token![->]>::default(), Box::new(Type::Verbatim(same)));
    let function = function(executor, signature);
    let mut name = executor.signature.ident.clone();
    name.set_span(Span::call_site());
    let arguments = executor.arguments.iter().map(|argument| match argument {
        Argument::Services(borrowed) => {
            let typed = &borrowed.reference.elem;
            quote_spanned! {typed.span()=>
                <#typed as ::kiff::__private::Serves<__Domain, <__Domain as ::kiff::__private::Domain>::Services>>::borrow(__services)
            }
        }
        Argument::Execution(borrowed) => quote_spanned!(borrowed.typed.ty.span()=> __execution),
        Argument::Parameter(parameter) => {
            parameter.name.as_ref().map(|name| given(executor.duty, name)).unwrap_or_default()
        }
        Argument::Receiver(_) => TokenStream::new(),
    });
    let call = quote!(#name(#(#arguments),*));
    let reply = match executor.duty {
        // The fn's own future, and not a second one around it.
        Duty::Execute => quote_spanned!(executor.signature.ident.span()=> ::kiff::__private::replied(#call, #known)),
        Duty::Reconcile => quote!(#known(#call.await)),
    };
    let alias = Ident::new("__Returned", Span::mixed_site());
    let parameters = match executor.duty {
        Duty::Execute => quote!(&__action),
        Duty::Reconcile => quote!(__parameters),
    };
    quote! {
        type #alias = #returned;
        #function
        let _ = (__services, __execution, #parameters);
        #reply
    }
}

/// What stands for both where the fn cannot be called.
pub(super) fn nothing(duty: Duty) -> TokenStream {
    match duty {
        Duty::Execute => quote!(async { loop {} }),
        Duty::Reconcile => quote!(loop {}),
    }
}

/// What an argument is given. An action's own parameters are its fields; a reconcile fn takes what was read for it.
fn given(duty: Duty, name: &Ident) -> TokenStream {
    match duty {
        Duty::Execute => {
            let mut field = name.clone();
            field.set_span(Span::call_site());
            quote!(__action.#field)
        }
        Duty::Reconcile => recorded(name).into_token_stream(),
    }
}

/// The returned type under another name, at the same place: rustc makes other proposals for a misspelt type in a signature
/// than elsewhere, and would report it twice.
fn same(returned: Option<&Type>) -> TokenStream {
    let mut places = returned.to_token_stream().into_iter().map(|token| token.span());
    let start = places.next().unwrap_or_else(Span::call_site);
    let end = places.last().unwrap_or(start);
    let opened = quote_spanned!(start=> ::kiff::__private::Same<__Returned);
    let close = quote_spanned!(end=> >);
    quote!(#opened #close)
}

/// The user's fn as far as rustc can take it: async, and without what only `#[action]` reads.
fn function(executor: &Executor, mut signature: Signature) -> TokenStream {
    // The macro demands `async`, and so it is the macro's: no lint tells the user to take it away.
    signature.asyncness = Some(Token![async](Span::call_site()));
    signature.constness = None;
    signature.safety = Safety::Default;
    signature.abi = None;
    let attributes = &executor.attributes;
    let body = &executor.body;
    // An agent sends arguments by their names, so that many of them confuse nobody.
    let many = (signature.inputs.len() > MANY).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote! {
        #many
        #(#attributes)*
        #signature #body
    }
}

/// `impl Reconciles<Refund> for refund::RefundOrder`.
pub(super) fn reconciler(
    executor: &Executor,
    target: &Target,
    fields: &[Field<'_>],
    body: &TokenStream,
) -> TokenStream {
    let place = executor.signature.ident.span();
    let future = quote_spanned! {place=>
        impl ::core::future::Future<
            Output = ::core::result::Result<
                ::kiff::__private::Reconciled<<Self as ::kiff::__private::Declared>::Emits>,
                ::kiff::__private::Failure,
            >,
        > + ::core::marker::Send + 'a
    };
    let (taken, take, reads) = if fields.is_empty() {
        (TokenStream::new(), TokenStream::new(), quote!(::core::result::Result::Ok(())))
    } else {
        (taken(fields), take(fields), reads(fields))
    };
    let block = quote_spanned!(place=> async move {
        #take
        #body
    });
    // Where there is nothing to reconcile, rustc blames the type, and so it stands at the action's name.
    let header = header(target, &quote!(Reconciles), target.action.span());
    quote! {
        #taken

        #[automatically_derived]
        #header {
            fn reads(
                __recorded: &::kiff::__private::Json,
            ) -> ::core::result::Result<(), ::kiff::__private::Failure> {
                #reads
            }

            fn reconcile<'a>(
                __parameters: &'a ::kiff::__private::Json,
                __services: &'a <__Domain as ::kiff::__private::Domain>::Services,
                __execution: &'a ::kiff::__private::Execution,
            ) -> #future {
                #block
            }
        }
    }
}

/// Takes the parameters that a reconcile fn names out of what was recorded.
fn take(fields: &[Field<'_>]) -> TokenStream {
    let (names, values) = (fields.iter().map(Field::access), fields.iter().map(|field| recorded(field.name)));
    quote!(let __Own { #(#names: #values),* } = __taken(__parameters)?;)
}

/// Whether they can be read. Here they are held to the parameters of the action, as types alone.
fn reads(fields: &[Field<'_>]) -> TokenStream {
    let held = fields.iter().map(|field| {
        let (name, typed) = (field.name, &field.parameter.typed.ty);
        let hold = quote_spanned!(typed.span()=> ::kiff::__private::recorded::<_, #typed>);
        // In the user's own name, so that rustc lists the parameters that there are.
        quote!(#hold(__action.#name);)
    });
    quote! {
        if let ::core::option::Option::Some(__action) =
            ::kiff::__private::Asks::<__Domain, __Declared>::NEW.parameters::<__Own>()
        {
            #(#held)*
        }
        __taken(__recorded).map(|_| ())
    }
}

/// The fn that reads them, and nothing else of what was recorded.
fn taken(fields: &[Field<'_>]) -> TokenStream {
    let own = own(fields);
    let names = fields.iter().map(Field::access);
    let values: Vec<Ident> = fields.iter().map(|field| recorded(field.name)).collect();
    let reads = fields.iter().map(|field| {
        let (wire, value, read) = (&field.wire, value(field), field.method("read"));
        quote!(#value::#read(&mut fields, #wire))
    });
    quote! {
        #own

        fn __taken(
            recorded: &::kiff::__private::Json,
        ) -> ::core::result::Result<__Own, ::kiff::__private::Failure> {
            let mut fields = ::kiff::__private::Fields::recorded(recorded);
            let read = match (#(#reads,)*) {
                (#(::core::option::Option::Some(#values),)*) => {
                    ::core::option::Option::Some(__Own { #(#names: #values),* })
                }
                _ => ::core::option::Option::None,
            };
            ::kiff::__private::taken(fields, read)
        }
    }
}

/// What a recorded parameter is called where the reconcile fn is called.
fn recorded(name: &Ident) -> Ident {
    Ident::new(&format!("__recorded_{}", plain(name)), Span::call_site())
}

/// The parameters that a reconcile fn names, which take the place of the action's where the action has no executor: that is said
/// in the block, and here it would be said once more for each of them.
fn own(fields: &[Field<'_>]) -> TokenStream {
    let fields = fields.iter().map(|field| {
        let mut name = field.name.clone();
        name.set_span(Span::call_site().located_at(field.name.span()));
        let typed = &field.parameter.typed.ty;
        quote!(#name: #typed)
    });
    quote! {
        #[allow(unused_imports)]
        use ::kiff::__private::AsksNobody as _;

        #[allow(dead_code)]
        struct __Own { #(#fields),* }
    }
}

/// The fn of which no executor can be made: nobody calls it, and it is there for editors and for rustc's own errors.
pub(super) fn remains(executor: &Executor) -> TokenStream {
    // A free fn with `self` would be one error more, so that only editors see it.
    let condition = executor.is_method().then(|| quote!(#[cfg(rust_analyzer)]));
    let conditions = &executor.conditions;
    let function = function(executor, executor.signature.clone());
    quote! {
        #(#conditions)*
        #[allow(unexpected_cfgs, dead_code)]
        const _: () = {
            #condition
            #function
        };
    }
}

//! Roles: `RefundRole`, and each role as a value.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::names::{Names, distinct, used};
use crate::documentation;
use crate::domain::model::{Id, Model, Role};
use crate::domain::syntax::ActorKind;

/// `pub enum RefundRole { Agent, Operator, System }`
pub(super) fn enumeration(model: &Model, names: &Names) -> TokenStream {
    let Names { domain, role, .. } = names;
    let declared = names.declared_by_domain(role);
    let variants = distinct(&model.roles).map(|(_, role)| {
        let attributes =
            documentation::attributes(&role.syntax.attributes, &format!("The role `{}`.", role.declared.wire));
        let name = &role.declared.name;
        quote!(#attributes #name)
    });
    let item = names.item(declared.span(), &quote!(enum #declared { #(#variants),* }));
    let documentation = format!("Who has a part in [`{domain}`](enum@{domain}).");
    quote! {
        #[doc = #documentation]
        #[derive(
            ::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy,
            ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash
        )]
        #[allow(dead_code, clippy::enum_variant_names)]
        #item
    }
}

/// Each role as a value: `const __ROLE_0: Role = …;`, a literal, so that permissions can borrow it for ever.
pub(super) fn values(model: &Model) -> TokenStream {
    let domain = model.header.domain_wire();
    let values = model.roles.iter().map(|(id, role)| {
        let (value, wire) = (value(id), &role.declared.wire);
        let kind = kind(role);
        quote! {
            const #value: ::kiff::__private::Role = ::kiff::__private::Role {
                domain: ::kiff::__private::Text::Borrowed(#domain),
                name: ::kiff::__private::Text::Borrowed(#wire),
                kind: #kind,
            };
        }
    });
    quote!(#(#values)*)
}

/// `impl From<RefundRole> for Role`
pub(super) fn conversion(model: &Model, names: &Names) -> TokenStream {
    let enumeration = &names.role;
    let arms = distinct(&model.roles).map(|(id, role)| {
        let (name, value) = (used(&role.declared.name), value(id));
        quote!(#enumeration::#name => #value)
    });
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<#enumeration> for ::kiff::__private::Role {
            fn from(role: #enumeration) -> Self {
                match role { #(#arms),* }
            }
        }
    }
}

/// What the role's value is called.
pub(super) fn value(id: Id<Role>) -> Ident {
    format_ident!("__ROLE_{}", id.position())
}

/// The kind of actor that may hold the role.
pub(super) fn kind(role: &Role) -> TokenStream {
    match role.kind() {
        Some(ActorKind::Agent) => quote!(::kiff::__private::ActorKind::Agent),
        Some(ActorKind::Human) => quote!(::kiff::__private::ActorKind::Human),
        Some(ActorKind::Service) => quote!(::kiff::__private::ActorKind::Service),
        Some(ActorKind::System) => quote!(::kiff::__private::ActorKind::System),
        Some(ActorKind::External) | None => quote!(::kiff::__private::ActorKind::External),
    }
}

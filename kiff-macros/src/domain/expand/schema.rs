//! The domain as data: `Schema`, and the `Contract` of each action.

use proc_macro2::TokenStream;
use quote::quote;

use super::roles;
use crate::action::code;
use crate::documentation;
use crate::domain::field_names;
use crate::domain::graph;
use crate::domain::model::{
    Action, Approval, Event, Id, Model, PlaceReference, Promise, Reference, Role, State, Transition,
};
use crate::domain::syntax::{Effect, Field, Risk};

/// `static __CONTRACTS: [Contract; 2] = …;`
pub(super) fn contracts(model: &Model, has_executors: bool) -> TokenStream {
    let contracts: Vec<_> = model.actions.ids().map(|id| contract(model, id, has_executors)).collect();
    let count = contracts.len();
    quote!(static __CONTRACTS: [::kiff::__private::Contract; #count] = [#(#contracts),*];)
}

fn contract(model: &Model, id: Id<Action>, has_executors: bool) -> TokenStream {
    let (action, position) = (&model.actions[id], id.position());
    let name = &action.declared.wire;
    let documentation = documentation::text(&action.syntax.attributes);
    let risk = match action.risk() {
        Some((Risk::Low, _)) | None => quote!(::kiff::__private::Risk::Low),
        Some((Risk::Medium, _)) => quote!(::kiff::__private::Risk::Medium),
        Some((Risk::High, _)) => quote!(::kiff::__private::Risk::High),
        Some((Risk::Critical, _)) => quote!(::kiff::__private::Risk::Critical),
    };
    let effect = match action.effect() {
        Effect::None => quote!(::kiff::__private::Effect::None),
        Effect::Outside => quote!(::kiff::__private::Effect::Outside),
    };
    let permission = permission(&action.permission, action.runners.roles());
    let approval = approval(action);
    let emits = list(action.emits.iter().filter_map(Reference::id).map(|event| text(event_name(model, event))));
    let allowed_in = list(graph::allowing(model, id).map(|state| text(state_name(model, state))));
    // What its executors take is known where they are.
    let parameters = if has_executors { quote!(__ENTRIES[#position].parameters()) } else { quote!(&[]) };
    quote! {
        ::kiff::__private::contract(
            #name, #documentation, #risk, #effect, #permission, #approval, #emits, #allowed_in, #parameters
        )
    }
}

fn approval(action: &Action) -> TokenStream {
    match &action.approval {
        Approval::Roles(approvers) => {
            let permission = permission(&action.approval_permission, approvers);
            quote!(::kiff::__private::ApprovalRule::By(#permission))
        }
        Approval::Waived(reason) => {
            let reason = reason.value();
            quote!(::kiff::__private::ApprovalRule::Waived { reason: ::kiff::__private::text(#reason) })
        }
        Approval::Nobody(_) | Approval::LeftOut => quote!(::kiff::__private::ApprovalRule::None),
    }
}

/// `static __SCHEMA: Schema = …;`
pub(super) fn schema(model: &Model) -> TokenStream {
    let domain = model.header.domain_wire();
    let entity_type = model.header.entity_wire();
    let documentation = documentation::text(&model.header.attributes);
    let roles = list(model.roles.iter().map(|(_, role)| self::role(role)));
    let states = list(model.states.iter().map(|(_, state)| self::state(state)));
    let events = list(model.events.iter().map(|(_, event)| self::event(model, event)));
    let transitions = list(model.transitions.items.iter().flat_map(|line| transitions(model, line)));
    let never = list(model.clauses.items.iter().filter_map(|clause| promise(model, &clause.promise)));
    quote! {
        static __SCHEMA: ::kiff::__private::Schema = ::kiff::__private::Schema {
            domain: ::kiff::__private::text(#domain),
            entity_type: ::kiff::__private::text(#entity_type),
            documentation: ::kiff::__private::text(#documentation),
            roles: ::kiff::__private::list(#roles),
            states: ::kiff::__private::list(#states),
            events: ::kiff::__private::list(#events),
            transitions: ::kiff::__private::list(#transitions),
            actions: ::kiff::__private::list(&__CONTRACTS),
            never: ::kiff::__private::list(#never),
        };
    }
}

fn role(role: &Role) -> TokenStream {
    let (name, kind) = (&role.declared.wire, roles::kind(role));
    let documentation = documentation::text(&role.syntax.attributes);
    quote!(::kiff::__private::role_schema(#name, #kind, #documentation))
}

fn state(state: &State) -> TokenStream {
    let (name, is_final) = (&state.declared.wire, state.syntax.is_final);
    let documentation = documentation::text(&state.syntax.attributes);
    quote!(::kiff::__private::state_schema(#name, #is_final, #documentation))
}

fn event(model: &Model, event: &Event) -> TokenStream {
    let name = &event.declared.wire;
    let documentation = documentation::text(&event.syntax.attributes);
    let fields = list(event.syntax.fields.iter().filter_map(|own| field(event, own)));
    let report = permission(&event.report_permission(&model.header.domain_wire()), &event.reporters);
    quote!(::kiff::__private::event_schema(#name, #documentation, #fields, #report))
}

fn field(event: &Event, field: &Field) -> Option<TokenStream> {
    let (name, kind) = (field_names::on_the_wire(&event.syntax, field)?, field.kind.as_ref()?);
    let (type_name, documentation) = (code(kind), documentation::text(&field.attributes));
    Some(quote!(::kiff::__private::field_schema(#name, #type_name, #documentation)))
}

fn transitions(model: &Model, line: &Transition) -> Vec<TokenStream> {
    let Some((event, target)) = line.event.id().zip(line.target.id()) else {
        return Vec::new();
    };
    let (event, to) = (event_name(model, event), state_name(model, target));
    let sources = line.sources.iter().map(|source| state_of(model, source));
    let transitions = sources.map(|from| {
        from.map_or_else(
            || quote!(::kiff::__private::beginning(#event, #to)),
            |from| quote!(::kiff::__private::transition(#event, #from, #to)),
        )
    });
    transitions.collect()
}

fn promise(model: &Model, promise: &Promise) -> Option<TokenStream> {
    let role_name = |role: &Reference<Role>| Some(&model.roles[role.id()?].declared.wire);
    Some(match promise {
        Promise::Without { state, role } => {
            let (state, role) = (state_name(model, state.id()?), role_name(role)?);
            quote! {
                ::kiff::__private::Never::Without {
                    state: ::kiff::__private::text(#state),
                    role: ::kiff::__private::text(#role),
                }
            }
        }
        Promise::Alone { role, from, to } => {
            let (role, to) = (role_name(role)?, state_name(model, to.id()?));
            let from = state_of(model, from).map_or_else(
                || quote!(::core::option::Option::None),
                |from| quote!(::core::option::Option::Some(::kiff::__private::text(#from))),
            );
            quote! {
                ::kiff::__private::Never::Alone {
                    role: ::kiff::__private::text(#role),
                    from: #from,
                    to: ::kiff::__private::text(#to),
                }
            }
        }
    })
}

/// The state's name on the wire; none for `new`.
fn state_of<'m>(model: &'m Model, place: &PlaceReference) -> Option<&'m str> {
    match place {
        PlaceReference::New(_) => None,
        PlaceReference::State(state) => state.id().map(|state| state_name(model, state)),
    }
}

fn permission(name: &str, roles: &[Reference<Role>]) -> TokenStream {
    let roles = roles.iter().filter_map(Reference::id).map(roles::value);
    quote!(::kiff::__private::permission(#name, &[#(#roles),*]))
}

fn event_name(model: &Model, event: Id<Event>) -> &str {
    &model.events[event].declared.wire
}

fn state_name(model: &Model, state: Id<State>) -> &str {
    &model.states[state].declared.wire
}

fn text(text: &str) -> TokenStream {
    quote!(::kiff::__private::text(#text))
}

/// A list that lives as long as the program.
fn list(items: impl Iterator<Item = TokenStream>) -> TokenStream {
    quote!(const { &[#(#items),*] })
}

//! A domain: who may do what, what needs a human, and the diagram of its states.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, PreEscaped, html};

use crate::json::visible;
use crate::schema::{ApprovalRule, Contract, Effect, Never, Schema};

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::Named;
use super::entity::plain;
use super::frame::{self, Place, encoded};
use super::session::Signed;
use super::sorry::Sorry;

/// `GET /admin/domains`.
pub(super) async fn list(State(shared): State<Shared>, signed: Signed) -> Response {
    let main = html! {
        ul {
            @for served in shared.domains(None) {
                @let schema = served.schema();
                @if served.is_recorded() {
                    li { (visible(&schema.entity_type)) ": journals whose domain is not here." }
                } @else { li {
                    a href={ "/admin/domains/" (encoded(&schema.domain)) } { strong { (schema.domain) } }
                    ", which governs " (schema.entity_type) ". " (schema.documentation)
                } }
            }
        }
    };
    frame::page(&signed, Place::Domains, "Domains", &main)
}

/// `GET /admin/domains/{domain}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Named(domain): Named<String>,
) -> Result<Response, Sorry> {
    let served = shared.domains(None).find(|served| served.schema().domain == domain && !served.is_recorded());
    let served = served.ok_or_else(|| Problem::not_found("no such domain is served here"))?;
    let schema = served.schema();
    let main = html! {
        p { (schema.documentation) }
        p { "It governs " strong { (schema.entity_type) } ". Its governance has the fingerprint " code { (schema.fingerprint()) } "." }
        h2 { "States" }
        // INVARIANT: the diagram is written by `domain!`, which escapes every name in it.
        div.card.diagram.scroll { (PreEscaped(plain(served.diagram()))) }
        h2 { "Governance" }
        (governance(schema))
        h2 { "Roles" }
        ul { @for role in schema.roles.iter() { li { strong { (role.name) } ", held by " (role.kind.as_str()) " actors. " (role.documentation) } } }
        @if !schema.never.is_empty() {
            h2 { "What can never happen" }
            ul { @for never in schema.never.iter() { li { (in_words(never)) } } }
        }
    };
    Ok(frame::page(&signed, Place::Domains, &format!("Domain {}", schema.domain), &main))
}

fn in_words(never: &Never) -> String {
    match never {
        Never::Without { state, role } => {
            format!("{state} is never reached without a step that {role} took or approved.")
        }
        Never::Alone { role, from, to } => {
            format!("{role} alone never gets from {} to {to}.", from.as_deref().unwrap_or("new"))
        }
    }
}

fn governance(schema: &Schema) -> Markup {
    html! {
        div.scroll {
            table.stack aria-label="Governance" {
                thead { tr { th { "Action" } th { "Who may" } th { "Who signs off" } th { "In" } th { "Makes happen" } th { "Outside" } } }
                tbody { @for contract in schema.actions.iter() { (row(contract)) } }
            }
        }
    }
}

fn row(contract: &Contract) -> Markup {
    html! {
        tr {
            td { strong { (contract.name) } " " (frame::risk(contract.risk)) }
            td data-label="may" { (contract.permission.holders()) }
            td data-label="signs off" {
                @match &contract.approval {
                    ApprovalRule::None => "nobody",
                    ApprovalRule::By(permission) => (permission.holders()),
                    ApprovalRule::Waived { reason } => { "nobody: " q { (reason) } }
                }
            }
            td data-label="in" { (contract.allowed_in.join(", ")) }
            td data-label="makes happen" { (contract.emits.join(" or ")) }
            td data-label="outside" { @match contract.effect { Effect::None => "touches nothing", Effect::Outside => "may have effects" } }
        }
    }
}

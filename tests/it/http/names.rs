//! Names on the wire that have more than letters: in ids of events, in addresses, and in descriptions.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use kiff::http::{Api, Limits, NewKey};
use kiff::{Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::description::collect;
use super::page::Browser;
use super::server::{Answer, Server};
use super::stream::Events;
use crate::shop::people;

/// What is said of an invoice, and of what was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    pub text: String,
    pub about: Vec<Note>,
}

domain! {
    /// Invoices and their payment.
    pub domain Payables as "acme:ausgänge" governs Invoice;
    roles { Clerk: human, Payer: agent }
    states { Open, final Paid }
    events {
        InvoiceCame reported by Clerk;
        InvoiceNoted reported by Clerk;
        InvoicePaid { note: Note };
    }
    transitions {
        InvoiceCame: new => Open;
        InvoiceNoted: Open => Open;
        InvoicePaid: Open => Paid;
    }
    actions { PayInvoice as "pay.invoice/now" { risk: low, by: Payer, emits: InvoicePaid }; }
    allow { Open => [PayInvoice]; }
}

/// Pays it.
#[action(Payables::PayInvoice)]
async fn pay_invoice(note: Note) -> Result<InvoicePaid, Failure> {
    Ok(InvoicePaid { note })
}

/// A shop, and beside it the invoices, of which one has come.
fn with_payables() -> (Server, Arc<Runtime<Payables>>) {
    let policy = RolePolicy::new()
        .assign(people().nora.id().clone(), PayablesRole::Clerk)
        .assign(people().agent.id().clone(), PayablesRole::Payer);
    let payables: Arc<Runtime<Payables>> = Arc::new(Runtime::new(MemoryStore::new(), policy, ()));
    let invoice = Payables::entity("one").unwrap();
    assert!(block_on(payables.ingest(&people().nora, &invoice, InvoiceCame)).unwrap().is_allowed());
    let served = Arc::clone(&payables);
    (Server::with(Limits::DEFAULT, |api: Api| api.domain(served)), payables)
}

#[test]
fn a_stream_goes_on_whatever_its_domain_is_called() {
    let (server, payables) = with_payables();
    let nora = server.client(&people().nora);
    let mut events = Events::open(&nora, "/events?after=0&entity_type=Invoice");
    let (id, kind, _) = events.next();
    assert_eq!((kind.as_str(), id.as_str()), ("event_ingested", "acme%3Aausg%C3%A4nge:1.1"));
    // Nothing of what comes while nobody is connected is lost.
    drop(events);
    let invoice = Payables::entity("one").unwrap();
    assert!(block_on(payables.ingest(&people().nora, &invoice, InvoiceNoted)).unwrap().is_allowed());
    // As it was sent, and as a client has it that decodes it.
    for id in [&*id, "acme:ausgänge:1.1"] {
        let resumed = nora.clone().header(&format!("last-event-id: {id}"));
        let mut events = Events::open(&resumed, "/events?entity_type=Invoice");
        assert_eq!([events.next().1, events.next().1], ["state_changed", "event_ingested"], "{id}");
    }
    let mut events = Events::open(&nora, &format!("/events?entity_type=Invoice&after={}", id.replace('%', "%25")));
    assert_eq!(events.next().1, "state_changed");
    // What cannot be read is told, and not taken for nothing.
    let (_, token) = server.keys.create(NewKey::new(people().nora)).unwrap();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!("GET /events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n", server.address);
    stream.write_all(&[head.as_bytes(), b"last-event-id: refund:\xff1\r\n\r\n"].concat()).unwrap();
    let told = Answer::read(&mut BufReader::new(stream)).expect(400);
    assert_eq!(told["error"], "the header `Last-Event-ID` is no text");
}

#[test]
fn an_action_that_agents_cannot_call_is_described_and_done_over_http() {
    let (server, _) = with_payables();
    let agent = server.client(&people().agent);
    let document = agent.get("/openapi.json").expect(200);
    let paths = document["paths"].as_object().unwrap();
    let path = "/entities/{id}/actions/pay.invoice%2Fnow/execute";
    assert_eq!(paths[path]["post"]["tags"][0], "pay.invoice/now");
    assert!(paths.contains_key("/entities/{id}/actions/REFUND_ORDER/execute"));
    // Each component has a name that one may have, and whatever is referred to is there.
    for (sort, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            assert!(!name.is_empty() && name.bytes().all(is_fit), "{sort}: {name}");
        }
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in &references {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    let note = "#/components/schemas/acme-3Aausg-C3-A4nge.pay-2Einvoice-2Fnow.Note";
    assert!(references.iter().any(|reference| reference == note), "{references:?}");

    let paid = agent.post(&path.replace("{id}", "one"), r#"{"parameters": {"note": {"text": "due", "about": []}}}"#);
    assert_eq!(paid.expect(200)["result"]["current_state"], "PAID");
}

#[test]
fn agents_are_told_of_which_action_there_is_no_tool() {
    let (server, _) = with_payables();
    let agent = server.client(&people().agent);
    for file in ["openai", "openai-responses", "anthropic", "mcp"] {
        for of in ["", "?entity_type=Invoice"] {
            let told = agent.get(&format!("/tools/{file}.json{of}")).expect(409);
            let error = told["error"].as_str().unwrap();
            assert!(error.starts_with("agents accept no tool that is called `pay.invoice/now`"), "{error}");
        }
        assert!(agent.get(&format!("/tools/{file}.json?entity_type=Order")).expect(200).is_array());
    }
}

#[test]
fn the_page_of_a_domain_is_found_whatever_it_is_called() {
    let (server, _) = with_payables();
    let nora = Browser::of(&server, &people().nora);
    let path = "/admin/domains/acme%3Aausg%C3%A4nge";
    assert!(nora.get("/admin/domains").contains(&format!("href=\"{path}\"")));
    assert!(nora.get(path).contains("Invoices and their payment."));
}

//! Runs of which nobody knows how they ended, in told tests.

use kiff::{Failure, ReasonCode, Reconciled, Settlement, action, domain, reconcile};
use kiff_test::{Spy, Then, given, histories, obeys_its_schema};

domain! {
    /// Invoices that are paid.
    domain Payables governs Invoice;
    services Bank;

    roles { Agent: agent, Clerk: human, Supplier: external }

    states { Open, Paid, final Closed }

    events {
        InvoiceReceived  reported by Supplier;
        InvoicePaid      { reference: String };
        ReceiptSent      reported by Supplier;
    }

    transitions {
        InvoiceReceived: new  => Open;
        InvoicePaid:     Open => Paid;
        ReceiptSent:     Paid => Closed;
    }

    actions {
        PayInvoice { risk: high, by: Agent, emits: InvoicePaid, approval: Clerk };
        Remind     { risk: low,  by: Agent, emits: none };
        Ring       { risk: low,  by: Agent, emits: none };
    }

    allow { Open => [PayInvoice, Remind, Ring]; }
}

/// What the bank says of payments when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Good,
    /// It always says that nothing was paid.
    Bad,
    /// It says that it does not know.
    Lost,
}

/// Does what it is asked for, also where its answer is lost.
#[derive(Debug)]
struct Bank {
    asked: Spy<String>,
    memory: Memory,
}

impl Bank {
    fn found(&self, what: &str) -> bool {
        self.memory == Memory::Good && self.asked.calls().iter().any(|asked| asked == what)
    }
}

#[action(Payables::PayInvoice)]
async fn pay_invoice(bank: &Bank, reference: String) -> Result<InvoicePaid, Failure> {
    bank.asked.call(reference.clone())?;
    Ok(InvoicePaid { reference })
}

#[reconcile(Payables::PayInvoice)]
async fn find_payment(bank: &Bank, reference: String) -> Result<Reconciled<InvoicePaid>, Failure> {
    Ok(match bank.memory {
        Memory::Lost => Reconciled::Unknown,
        _ if bank.found(&reference) => Reconciled::Happened(InvoicePaid { reference }),
        _ => Reconciled::DidNotHappen,
    })
}

#[action(Payables::Remind)]
async fn remind(bank: &Bank) -> Result<(), Failure> {
    bank.asked.call("remind".to_owned())
}

#[reconcile(Payables::Remind)]
async fn find_reminder(bank: &Bank) -> Result<Reconciled<()>, Failure> {
    if bank.found("remind") { Ok(Reconciled::Happened(())) } else { Err(Failure::unknown("the line is dead")) }
}

#[action(Payables::Ring)]
async fn ring(bank: &Bank) -> Result<(), Failure> {
    bank.asked.call("ring".to_owned())
}

fn pay() -> PayInvoice {
    PayInvoice { reference: "tr-81".into() }
}

fn paid() -> InvoicePaid {
    InvoicePaid { reference: "tr-81".into() }
}

fn bank(memory: Memory) -> Bank {
    let bank = Bank { asked: Spy::new(), memory };
    bank.asked.lose_next("no answer");
    bank
}

/// A payment whose answer is lost, at a bank with such a memory.
#[track_caller]
fn lost(memory: Memory) -> Then<Payables, PayInvoice> {
    given::<Payables>(bank(memory))
        .event(InvoiceReceived)
        .when(PayablesRole::Agent, pay())
        .approved_by(PayablesRole::Clerk)
        .then()
        .in_doubt()
}

#[test]
fn p7_the_outside_world_is_asked_what_became_of_a_run() {
    lost(Memory::Good)
        .reconciled()
        .happened(paid())
        .recorded(["action_executed", "event_ingested", "state_changed"])
        .state(InvoiceState::Paid)
        .when_reported(PayablesRole::Supplier, ReceiptSent)
        .accepted()
        .state(InvoiceState::Closed)
        .replays();
    lost(Memory::Bad).reconciled().did_not_happen().recorded(["action_failed"]).again().approval_required();
    lost(Memory::Lost)
        .reconciled()
        .still_unknown()
        .because("the outside world does not know")
        .recorded([])
        .again()
        .blocked(ReasonCode::ActionInProgress);
    given::<Payables>(bank(Memory::Good))
        .event(InvoiceReceived)
        .when(PayablesRole::Agent, Remind)
        .then()
        .in_doubt()
        .reconciled()
        .happened_without_event()
        .state(InvoiceState::Open);
}

#[test]
fn p7_a_person_says_what_became_of_a_run() {
    lost(Memory::Lost)
        .settled_by(PayablesRole::Agent, Settlement::happened(paid(), "it is on the statement"))
        .blocked(ReasonCode::PermissionDenied)
        .settled_by(PayablesRole::Clerk, Settlement::happened(paid(), " "))
        .invalid(ReasonCode::InvalidContract)
        .settled_by(PayablesRole::Clerk, Settlement::happened(paid(), "it is on the statement"))
        .accepted()
        .recorded(["action_executed", "event_ingested", "state_changed"])
        .state(InvoiceState::Paid);
}

#[test]
fn p7_what_is_in_doubt_is_asked_about_and_settled_in_made_up_histories() {
    let histories = histories::<Payables>().longest(60).counting(|bank| bank.asked.count());
    // The first call of each history is lost, so that no action is ever answered unless what is in doubt gets settled.
    for memory in [Memory::Good, Memory::Bad, Memory::Lost] {
        obeys_its_schema(&histories, || bank(memory));
    }
}

mod failing {
    use super::*;

    #[test]
    #[should_panic(expected = "expected: it happened, with INVOICE_PAID {\"reference\":\"tr-81\"}\n\
        but it was: it did not happen\n\n`Invoice/invoice-1` is OPEN; its timeline:\n")]
    fn a_reconcile_fn_that_finds_nothing() {
        lost(Memory::Bad).reconciled().happened(paid());
    }

    #[test]
    #[should_panic(expected = "expected: it did not happen\nbut it was: it happened, with INVOICE_PAID")]
    fn what_happened() {
        lost(Memory::Good).reconciled().did_not_happen();
    }

    #[test]
    #[should_panic(expected = "expected: it did not happen\nbut it was: still unknown: the line is dead")]
    fn what_is_not_known() {
        let outcome =
            given::<Payables>(bank(Memory::Bad)).event(InvoiceReceived).when(PayablesRole::Agent, Remind).then();
        outcome.in_doubt().reconciled().did_not_happen();
    }

    #[test]
    #[should_panic(
        expected = "`RING` has no `#[reconcile]` fn: write one, or test what a person says with `settled_by`"
    )]
    fn what_nobody_can_be_asked_about() {
        let outcome =
            given::<Payables>(bank(Memory::Good)).event(InvoiceReceived).when(PayablesRole::Agent, Ring).then();
        let _ = outcome.reconciled();
    }

    #[test]
    #[should_panic(expected = "nothing is in doubt that the outside world could be asked about")]
    fn what_is_known_already() {
        let _ = lost(Memory::Good).reconciled().reconciled();
    }

    #[test]
    #[should_panic(expected = "nothing is in doubt that could be settled")]
    fn what_was_settled_already() {
        let nothing = || Settlement::did_not_happen("it is not on the statement");
        let _ = lost(Memory::Good).reconciled().settled_by(PayablesRole::Clerk, nothing());
    }
}

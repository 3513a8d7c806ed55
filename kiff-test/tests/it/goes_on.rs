//! What is open in exported journals, and the domain that came of theirs.

use std::time::Duration;

use kiff_test::{Then, given, replays_exported, replays_exported_without_approvals};

use crate::replay::exported;

mod yesterday {
    use kiff::{Failure, Reconciled, action, domain, reconcile};

    domain! {
        /// Invoices that are paid.
        pub domain Payables governs Invoice;
        roles { Agent: agent, Clerk: human, Supplier: external }
        states { Open, final Paid }
        events { InvoiceReceived reported by Supplier; InvoicePaid { reference: String }; }
        transitions { InvoiceReceived: new => Open; InvoicePaid: Open => Paid; }
        actions {
            PayInvoice { risk: high, by: Agent, emits: InvoicePaid, approval: Clerk };
            Remind     { risk: low,  by: Agent, emits: none };
            Ring       { risk: low,  by: Agent, emits: none };
            Look       { risk: low,  by: Agent, emits: none };
        }
        allow { Open => [PayInvoice, Remind, Ring, Look]; }
    }

    #[action(Payables::PayInvoice)]
    async fn pay_invoice(reference: String) -> Result<InvoicePaid, Failure> {
        Err(Failure::unknown(reference))
    }

    #[reconcile(Payables::PayInvoice)]
    async fn find_payment(reference: String) -> Result<Reconciled<InvoicePaid>, Failure> {
        Ok(Reconciled::Happened(InvoicePaid { reference }))
    }

    #[action(Payables::Remind)]
    async fn remind(text: String) -> Result<(), Failure> {
        Err(Failure::unknown(text))
    }

    #[action(Payables::Ring)]
    async fn ring() -> Result<(), Failure> {
        Err(Failure::unknown("no answer"))
    }

    #[action(Payables::Look)]
    async fn look() -> Result<(), Failure> {
        Ok(())
    }
}

mod today {
    use kiff::{Failure, Reconciled, action, domain, reconcile};

    domain! {
        /// References are numbers of transfers, reminders have lines, and nobody rings.
        pub domain Payables governs Invoice;
        roles { Agent: agent, Clerk: human, Supplier: external }
        states { Open, final Paid }
        events { InvoiceReceived reported by Supplier; InvoicePaid { reference: String }; }
        transitions { InvoiceReceived: new => Open; InvoicePaid: Open => Paid; }
        actions {
            PayInvoice { risk: high, by: Agent, emits: InvoicePaid, approval: Clerk };
            Remind     { risk: low,  by: Agent, emits: none };
            Look       { risk: low,  by: Agent, emits: none };
        }
        allow { Open => [PayInvoice, Remind, Look]; }
    }

    #[action(Payables::PayInvoice)]
    async fn pay_invoice(transfer: String) -> Result<InvoicePaid, Failure> {
        Ok(InvoicePaid { reference: transfer })
    }

    #[reconcile(Payables::PayInvoice)]
    async fn find_payment() -> Result<Reconciled<InvoicePaid>, Failure> {
        Ok(Reconciled::Unknown)
    }

    #[action(Payables::Remind)]
    async fn remind(text: Vec<String>) -> Result<(), Failure> {
        Err(Failure::unknown(text.concat()))
    }

    #[reconcile(Payables::Remind)]
    async fn find_reminder(text: Vec<String>) -> Result<Reconciled<()>, Failure> {
        Ok(if text.is_empty() { Reconciled::DidNotHappen } else { Reconciled::Unknown })
    }

    #[action(Payables::Look)]
    async fn look() -> Result<(), Failure> {
        Ok(())
    }
}

use yesterday::{InvoiceReceived, Look, PayInvoice, Payables, PayablesRole, Remind, Ring};

fn pay() -> PayInvoice {
    PayInvoice { reference: "tr-81".into() }
}

/// A payment that is granted and did not run, `later` after that.
fn granted(later: Duration) -> Then<Payables, Look> {
    let granted = given::<Payables>(()).event(InvoiceReceived).granted(PayablesRole::Agent, pay(), PayablesRole::Clerk);
    granted.after(later).when(PayablesRole::Agent, Look).then()
}

#[test]
fn a_run_in_doubt_goes_on_without_the_parameters_that_its_reconcile_fn_does_not_take() {
    let received = given::<Payables>(()).event(InvoiceReceived);
    let paid = received.when(PayablesRole::Agent, pay()).approved_by(PayablesRole::Clerk).then().in_doubt();
    replays_exported::<Payables>(&exported(&paid));
    replays_exported::<today::Payables>(&exported(&paid));
}

#[test]
#[should_panic(
    expected = "of `REMIND` is in doubt, and its reconcile fn could not be asked about it: what was recorded cannot \
    be read any more: the parameter `text` is invalid: "
)]
fn a_run_in_doubt_whose_parameters_are_read_no_more_is_found() {
    let remind = Remind { text: "pay".into() };
    let reminded = given::<Payables>(()).event(InvoiceReceived).when(PayablesRole::Agent, remind).then().in_doubt();
    // A person settles it.
    replays_exported::<Payables>(&exported(&reminded));
    replays_exported_without_approvals::<today::Payables>(&exported(&reminded));
}

#[test]
#[should_panic(
    expected = "of `RING` is in doubt, and the domain has no such action: nobody could ask about it or settle it, \
    and the entity would wait for ever\nsettle it before the domain changes, "
)]
fn a_run_in_doubt_whose_action_is_gone_is_found() {
    let rung = given::<Payables>(()).event(InvoiceReceived).when(PayablesRole::Agent, Ring).then().in_doubt();
    replays_exported::<Payables>(&exported(&rung));
    replays_exported_without_approvals::<today::Payables>(&exported(&rung));
}

#[test]
#[should_panic(expected = "of `PAY_INVOICE` is open and was asked for under another contract: ")]
fn an_open_approval_under_another_contract_is_found() {
    let granted = granted(Duration::ZERO);
    replays_exported::<Payables>(&exported(&granted));
    replays_exported::<today::Payables>(&exported(&granted));
}

#[test]
#[should_panic(
    expected = "of `RING` had not ended when this was exported, and the domain has no such action: nobody could ask about it"
)]
fn a_run_that_goes_on_and_whose_action_is_gone_is_not_called_in_doubt() {
    let rung = given::<Payables>(()).event(InvoiceReceived).when(PayablesRole::Agent, Ring).then().in_doubt();
    let export = exported(&rung);
    // Its last commit says that the executor does not know.
    let (meanwhile, _) = export.trim_end().rsplit_once('\n').unwrap();
    replays_exported::<today::Payables>(meanwhile);
}

#[test]
fn open_approvals_may_end_where_that_is_said_and_those_that_expired_have_ended() {
    replays_exported_without_approvals::<today::Payables>(&exported(&granted(Duration::ZERO)));
    replays_exported::<today::Payables>(&exported(&granted(Duration::from_hours(24 * 365))));
}

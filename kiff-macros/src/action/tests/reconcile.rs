//! `reconcile_signature`, and what becomes of a reconcile fn.

use super::{check, expansion::expansion};

/// Checks a whole source for one error about its shape.
#[track_caller]
fn one(source: &str, message: &str) {
    check(source, &[("reconcile_signature", message)]);
}

#[test]
fn a_reconcile_fn_is_without_fault() {
    check(
        "#[reconcile(Refund::RefundOrder)]
        /// Asks the bank.
        async fn find(desk: &Desk, execution: &Execution, amount: Cents, rate: f64) -> Result<Reconciled<Ran>, Failure> {}",
        &[],
    );
}

#[test]
fn its_attribute_names_an_action() {
    one(
        "#[reconcile()] async fn «find_refund»() -> Result<Reconciled<E>, Failure> {}",
        "`#[reconcile]` does not say which action `find_refund` asks about: write `#[reconcile(Domain::Action)]` with the \
         name of your domain",
    );
    one(
        "#[reconcile(«RefundOrder»)] async fn run() -> Result<Reconciled<E>, Failure> {}",
        "`RefundOrder` does not say of which domain it is: write `#[reconcile(Domain::RefundOrder)]` with the name of your \
         domain",
    );
    one("#[reconcile(Refund::Run)] pub «struct» Run;", "`#[reconcile(..)]` stands on an async fn that has a body");
}

#[test]
fn it_is_as_plain_as_an_executor() {
    one(
        "#[reconcile(Refund::Run)] «fn» find(amount: Cents) -> Result<Reconciled<Ran>, Failure> {}",
        "the reconcile fn `find` is not async: write `async fn find(amount: Cents) -> Result<Reconciled<Ran>, Failure>`",
    );
    for returned in ["Ran", "Reconciled<Ran>"] {
        one(
            &format!("#[reconcile(Refund::Run)] «fn» find() -> {returned} {{}}"),
            "the reconcile fn `find` is not async: write `async fn find() -> Result<Reconciled<Ran>, Failure>`",
        );
    }
    one(
        "#[reconcile(Refund::Run)] async fn find(«&self») -> Result<Reconciled<Ran>, Failure> {}",
        "a reconcile fn is a free fn, outside of any `impl` and without `self`; what it needs are the services of its domain: \
         write `async fn find() -> Result<Reconciled<Ran>, Failure>`",
    );
    one(
        "#[reconcile(Refund::Run)] async fn «find»() {}",
        "the reconcile fn `find` returns nothing: write `async fn find() -> Result<Reconciled<Event>, Failure>`, with the \
         event that `Run` emits",
    );
}

#[test]
fn rules_stand_on_the_executor() {
    one(
        "#[reconcile(Refund::Run)] async fn find(#[param(«range(min = 1)»)] a: u8) -> Result<Reconciled<Ran>, Failure> {}",
        "the rules of a parameter stand on the executor alone: take this away",
    );
}

#[test]
fn it_disappears_too() {
    let text = expansion(
        "#[reconcile(Refund::Run)] /// Asks.\n async fn find(desk: &Desk, amount: Cents) -> Result<Reconciled<Ran>, Failure> {}",
    );
    assert_eq!(text.matches("struct").count(), 1, "{text}");
    assert!(text.contains("struct __Own { amount : Cents }"), "{text}");
    assert!(
        text.contains("impl :: kiff :: __private :: Reconciles < __Domain , :: kiff :: __private :: Named <"),
        "{text}"
    );
    assert!(text.contains("__action . amount"), "{text}");
    assert!(text.contains(", __recorded_amount)"), "{text}");
    assert_eq!(text.matches("const _ : ()").count(), 2, "one for editors, and one for all the rest: {text}");
}

//! `executor_signature`: the attribute and the fn itself.

use super::check;
use super::expansion::expansion;

/// Checks a whole source for one error about its shape.
#[track_caller]
fn one(source: &str, message: &str) {
    check(source, &[("executor_signature", message)]);
}

#[test]
fn an_executor_is_without_fault() {
    check(
        r#"#[action(Refund::RefundOrder)]
        /// Pays the customer back.
        pub async fn refund_order(
            desk: &RefundDesk,
            /// How much.
            #[param(range(min = -1, max = 1_000_000))] amount: Cents,
            #[param(length(min = 1), pattern("[a-z]+"))] mut reason: Option<String>,
            #[param(float("a ratio"), range(max = 1))] #[allow(unused)] rate: f64,
            execution: &kiff::Execution,
        ) -> Result<OrderRefunded, Failure> { let half = typed. }"#,
        &[],
    );
}

#[test]
fn the_attribute_names_a_domain_and_an_action() {
    one(
        "#[action()] async fn «refund_order»() -> Result<E, Failure> {}",
        "`#[action]` does not say which action `refund_order` executes: write `#[action(Domain::RefundOrder)]` with the \
         name of your domain",
    );
    one(
        "#[action(«RefundOrder»)] async fn run() -> Result<E, Failure> {}",
        "`RefundOrder` does not say of which domain it is: write `#[action(Domain::RefundOrder)]` with the name of your \
         domain",
    );
    one(
        "#[action(«\"Refund\"»)] async fn run() -> Result<E, Failure> {}",
        "this is not the path of an action: write `#[action(Domain::Run)]` with the name of your domain",
    );
    one(
        "#[action(«Refund::Run, low»)] async fn run() -> Result<E, Failure> {}",
        "this is not the path of an action: write `#[action(Domain::Run)]` with the name of your domain",
    );
}

#[test]
fn it_stands_for_one_action() {
    let message = "the executor `run` has its action already: write another fn for this one";
    one(
        "#[action(Refund::Run)] #[inline] «#[action(Refund::Stop)]» async fn run() -> Result<Ran, Failure> {}",
        message,
    );
    one("#[action(Refund::Run)] «#[kiff::reconcile(Refund::Run)]» async fn run() -> Result<Ran, Failure> {}", message);
    one("#[action(Refund::Run)] «#[action(shop::Refund::Run)]» async fn run() -> Result<Ran, Failure> {}", message);
    one(
        "#[action(Refund::Run)] «#[kiff::action(Refund::Run)]» async fn run() -> Result<Ran, Failure> {}",
        "the executor `run` has this action already: take one of the two attributes away",
    );
}

#[test]
fn it_stands_on_a_fn() {
    one("#[action(Refund::Run)] pub «struct» Run;", "`#[action(..)]` stands on an async fn that has a body");
}

#[test]
fn a_comma_that_is_missing_costs_no_executor() {
    let source = "#[action(Refund::Run)] async fn run(a: u8, b: String «#»[param(range(min = 1))] c: u8) -> Result<Ran, Failure> {}";
    one(source, "the parameters of `run` cannot be read: expected `,`");
    let text = expansion(&source.replace(['«', '»'], ""));
    assert!(text.contains("impl :: kiff :: __private :: Executes <") && text.contains("pub c : u8"), "{text}");
}

#[test]
fn it_is_async() {
    one(
        "#[action(Refund::Run)] «fn» run(desk: &Desk, amount: Cents) -> Result<Ran, Failure> {}",
        "the executor `run` is not async: write `async fn run(desk: &Desk, amount: Cents) -> Result<Ran, Failure>`",
    );
}

#[test]
fn what_it_is_to_return_is_a_result() {
    for (returned, right) in [
        ("Ran", "Result<Ran, Failure>"),
        ("shop::Ran", "Result<shop::Ran, Failure>"),
        ("Option<Ran>", "Result<Event, Failure>"),
        ("Box<dyn Future<Output = Ran>>", "Result<Event, Failure>"),
        ("bool", "Result<Event, Failure>"),
        ("kiff::Result<Ran>", "kiff::Result<Ran>"),
        ("ShopResult<Ran>", "ShopResult<Ran>"),
    ] {
        one(
            &format!("#[action(Refund::Run)] «fn» run() -> {returned} {{}}"),
            &format!("the executor `run` is not async: write `async fn run() -> {right}`"),
        );
    }
}

#[test]
fn it_is_plain() {
    let message = "an executor is a plain async fn: write `async fn run() -> Result<Ran, Failure>`";
    check(
        "#[action(Refund::Run)] «const» async «unsafe» «extern \"C\"» fn run() -> Result<Ran, Failure> {}",
        &[("executor_signature", message), ("executor_signature", message), ("executor_signature", message)],
    );
}

#[test]
fn it_is_not_generic() {
    one(
        "#[action(Refund::Run)] async fn run«<'a, T>»(amount: Cents) -> Result<Ran, Failure> where T: Copy {}",
        "the executor `run` is generic, but an agent's JSON chooses no type and no lifetime: \
         write `async fn run(amount: Cents) -> Result<Ran, Failure>`",
    );
    one(
        "#[action(Refund::Run)] async fn run«<'a, T, const N: usize>»(desk: &Desk<'a, u8>, a: T, b: [u8; N]) -> \
         Result<Ran<'a>, Failure> {}",
        "the executor `run` is generic, but an agent's JSON chooses no type and no lifetime: \
         write `async fn run(desk: &Desk<u8>, a: …, b: …) -> Result<Ran, Failure>`",
    );
    one(
        "#[action(Refund::Run)] async fn run«<T>»(amount: Cents) -> Result<T, Failure> {}",
        "the executor `run` is generic, but an agent's JSON chooses no type and no lifetime: \
         write `async fn run(amount: Cents) -> Result<Event, Failure>`",
    );
    one(
        "#[action(Refund::Run)] async fn run() -> Result<Ran, Failure> «where u8: Copy» {}",
        "an executor has nothing to bind with `where`: write `async fn run() -> Result<Ran, Failure>`",
    );
}

#[test]
fn it_has_no_receiver() {
    one(
        "#[action(Refund::Run)] async fn run(«&self», amount: Cents) -> Result<Ran, Failure> {}",
        "an executor is a free fn, outside of any `impl` and without `self`; what it needs are the services of its domain: \
         write `async fn run(amount: Cents) -> Result<Ran, Failure>`",
    );
}

#[test]
fn it_returns_a_result() {
    one(
        "#[action(Refund::Run)] async fn «run»(amount: Cents) {}",
        "the executor `run` returns nothing: write `async fn run(amount: Cents) -> Result<Event, Failure>`, with the event \
         that `Run` emits",
    );
    one(
        "#[action(Refund::Run)] async fn run() -> «impl Future<Output = ()>» {}",
        "the executor `run` returns no `Result`: write `async fn run() -> Result<Event, Failure>`, with the event that \
         `Run` emits",
    );
}

//! `executor_signature`: the arguments.

use super::arguments;

/// Checks a fn with these arguments for one error about its shape, which ends in the signature with `right` arguments.
#[track_caller]
fn one(source: &str, message: &str, right: &str) {
    let message = format!("{message}: write `async fn run({right}) -> Result<Ran, Failure>`");
    arguments(source, &[("executor_signature", &message)]);
}

#[test]
fn services_and_execution_are_shared() {
    let message = "services and execution are shared between runs, and cannot be taken by `&mut`";
    one("desk: &«mut» Desk", message, "desk: &Desk");
    one("execution: &«mut» kiff::Execution", message, "execution: &kiff::Execution");
    one(
        "desk: &«'static» Desk",
        "an executor borrows for one run, and has no use for the lifetime `'static`",
        "desk: &Desk",
    );
    one("desk: «&dyn Pay»", "an executor borrows the services of its domain by their type, not `&dyn Pay`", "desk: &…");
}

#[test]
fn services_are_of_any_one_type() {
    for typed in ["Vec<u8>", "String", "Path", "u8", "(u8, String)", "[Bank; 2]", "fn(u8) -> u8", "&'static Desk"] {
        arguments(&format!("desk: &{typed}"), &[]);
    }
}

#[test]
fn there_is_one_of_each() {
    one(
        "desk: &Desk, amount: Cents, bank: «&Bank»",
        "the services are taken twice, as `&Desk` and as `&Bank`; parameters are taken by value",
        "desk: &Desk, amount: Cents, bank: Bank",
    );
    one(
        "first: &Execution, second: «&kiff::Execution»",
        "the execution is taken twice, as `&Execution` and as `&kiff::Execution`; parameters are taken by value",
        "first: &Execution",
    );
}

#[test]
fn parameters_are_owned() {
    one("reason: «&str»", "a parameter is taken by value, so that `&str` becomes `String`", "reason: String");
    one("lines: «&[Line]»", "a parameter is taken by value, so that `&[Line]` becomes `Vec<Line>`", "lines: Vec<Line>");
    one(
        "#[param(range(min = 1))] amount: «&Money»",
        "a parameter is taken by value, so that `&Money` becomes `Money`",
        "#[param(range(min = 1))] amount: Money",
    );
    one(
        "desk: &Desk, #[param(length(max = 9), pattern(\"[a-z]+\"))] reason: «&str»",
        "a parameter is taken by value, so that `&str` becomes `String`",
        "desk: &Desk, #[param(length(max = 9), pattern(\"[a-z]+\"))] reason: String",
    );
    one(
        "#[param(range(min = 1))] execution: «&Execution»",
        "`&Execution` is borrowed, so that it is no parameter and has no rules",
        "execution: &Execution",
    );
    one("reason: «impl Into<String>»", "`reason` is any of many types, and JSON chooses none", "reason: …");
    one("reason: «Cow<'_, str>»", "`reason` borrows, but parameters own what they hold", "reason: …");
    one("execution: «Execution»", "`execution` is lent, not given", "execution: &Execution");
    arguments("reason: Cow<'static, str>", &[]);
}

#[test]
fn what_is_borrowed_beside_the_services_is_a_parameter() {
    let shape =
        |message: &str, right: &str| format!("{message}: write `async fn run({right}) -> Result<Ran, Failure>`");
    let becomes = |typed: &str| format!("a parameter is taken by value, so that `&{typed}` becomes `{typed}`");
    for (first, last) in [("desk: &Desk, ", ""), ("", ", desk: &Desk")] {
        let right = format!("{first}reason: String, amounts: Vec<Cents>, open: Option<u8>{last}");
        let told = ["String", "Vec<Cents>", "Option<u8>"].map(|typed| shape(&becomes(typed), &right));
        let told: Vec<(&str, &str)> = told.iter().map(|told| ("executor_signature", told.as_str())).collect();
        arguments(&format!("{first}reason: «&String», amounts: «&Vec<Cents>», open: «&Option<u8>»{last}"), &told);
    }
    one(
        "desk: &Desk, bank: «&Bank», execution: &Execution",
        "the services are taken twice, as `&Desk` and as `&Bank`; parameters are taken by value",
        "desk: &Desk, bank: Bank, execution: &Execution",
    );
}

#[test]
fn parameters_have_names() {
    one("«Line { amount, .. }»: Line", "a parameter needs a name, which is also its name in JSON", "name: Line");
    let message = "a parameter needs a name, which is also its name in JSON: \
                   write `async fn run(name_2: u8, name: u8, name_3: (u8, u8)) -> Result<Ran, Failure>`";
    arguments(
        "«_»: u8, name: u8, «(p, q)»: (u8, u8)",
        &[("executor_signature", message), ("executor_signature", message)],
    );
    arguments(
        "r#type: String, «r#type»: String",
        &[("executor_signature", "`r#type` is declared twice: give one of the two another name")],
    );
}

#[test]
fn nobody_reviews_a_hundred_parameters() {
    let mut list: Vec<String> = (1..=66).map(|number| format!("p{number}: u8")).collect();
    list[64] = "«p65: u8»".to_owned();
    arguments(
        &list.join(", "),
        &[(
            "executor_signature",
            "the executor `run` takes 66 parameters and the most is 64: put some of them into a struct",
        )],
    );
}

#[test]
fn an_attribute_of_a_parameter_is_param() {
    arguments(
        "«#[cfg(unix)]» a: u8, «#[serde(default)]» b: u8",
        &[
            (
                "executor_signature",
                "an action has the same parameters in every build: take this away, or write two fns, each with its own \
                 `#[cfg(..)]`",
            ),
            ("executor_signature", "`#[serde]` is no attribute of a parameter: the only one is `#[param(..)]`"),
        ],
    );
}

//! `parameter_rule_mismatch` and `float_parameter`.

use super::arguments;

/// Checks parameters for one error about a rule.
#[track_caller]
fn rule(source: &str, message: &str) {
    arguments(source, &[("parameter_rule_mismatch", message)]);
}

/// Checks parameters for one error about a float.
#[track_caller]
fn float(source: &str, message: &str) {
    arguments(source, &[("float_parameter", message)]);
}

#[test]
fn a_rule_fits_its_type() {
    rule(
        "#[param(«range(min = 1, max = 5)»)] reason: String",
        "`range` does not fit `reason`, which is of type `String`: write `length(min = 1, max = 5)`",
    );
    rule(
        "#[param(«range(min = 1)»)] open: Option<bool>",
        "`range` does not fit `open`, which is of type `bool`: take it away",
    );
    rule(
        "#[param(«range(min = 1)»)] count: usize",
        "`range` does not fit `count`, which is of type `usize`: take it as `u64`",
    );
    rule(
        "#[param(«length(max = 5)»)] amount: kiff::Cents",
        "`length` does not fit `amount`, which is of type `kiff::Cents`: write `range(max = 5)`",
    );
    rule(
        "#[param(«length(max = 5)»)] hash: [u8; 32]",
        "`length` does not fit `hash`, which is of type `[u8; 32]`: its type says its length, so take the rule away",
    );
    rule(
        "#[param(«length(max = 5)»)] map: HashMap<String, u8>",
        "`length` does not fit `map`, which is of type `HashMap<String, u8>`: take it as a `Vec`, or take the rule away",
    );
    rule(
        "#[param(«pattern(\"[0-9]+\")»)] code: u32",
        "`pattern` does not fit `code`, which is of type `u32`: write `range(min = .., max = ..)`, or take it as a `String`",
    );
    arguments("#[param(range(min = 1), length(min = 1), pattern(\"a\"))] own: Own", &[]);
}

#[test]
fn a_rule_that_is_proposed_instead_fits() {
    for (given, instead) in [("min = -5", "min = .., max = .."), ("min = -5, max = 10", "max = 10")] {
        rule(
            &format!("#[param(«range({given})»)] reason: String"),
            &format!("`range` does not fit `reason`, which is of type `String`: write `length({instead})`"),
        );
    }
    for (typed, limits, instead) in [
        ("u8", "min = 1, max = 500", "write `range(min = 1)`"),
        ("u8", "min = 300, max = 500", "write `range(min = .., max = ..)`"),
        ("i64", "max = 18_446_744_073_709_551_615", "write `range(min = .., max = ..)`"),
        ("u128", "max = 5", "write `range(max = 5)`, and take it as `u64`"),
        ("isize", "min = 1, max = 18_446_744_073_709_551_615", "write `range(min = 1)`, and take it as `i64`"),
    ] {
        rule(
            &format!("#[param(«length({limits})»)] count: {typed}"),
            &format!("`length` does not fit `count`, which is of type `{typed}`: {instead}"),
        );
    }
    rule(
        "#[param(«length(max = 5)», range(max = 5))] count: u8",
        "`length` does not fit `count`, which is of type `u8`: take it away",
    );
    rule(
        "#[param(«pattern(\"[0-9]+\")»)] count: u128",
        "`pattern` does not fit `count`, which is of type `u128`: take it as a `String`, or take the rule away",
    );
}

#[test]
fn limits_can_be_kept() {
    rule(
        "#[param(«range(min = 10, max = -1)»)] amount: Cents",
        "no `amount` is at least 10 and at most -1: `min` must not be above `max`",
    );
    rule(
        "#[param(«range(min = -1)»)] count: u32",
        "`count` is of type `u32`, which can be 0 to 4294967295, so that the limit `min = -1` lies outside of it: write one \
         inside, or take it away",
    );
    rule(
        "#[param(«range(min = 1, max = 300)»)] count: Option<u8>",
        "`count` is of type `u8`, which can be 0 to 255, so that the limit `max = 300` lies outside of it: write one \
         inside, or take it away",
    );
    for typed in ["u64", "i64", "kiff::Cents"] {
        let least = if typed == "u64" { "0" } else { "-9007199254740991" };
        rule(
            &format!("#[param(«range(min = 9_007_199_254_740_992)»)] count: {typed}"),
            &format!(
                "`count` is of type `{typed}`, which can be {least} to 9007199254740991, so that the limit \
                 `min = 9007199254740992` lies outside of it: write one inside, or take it away"
            ),
        );
    }
    arguments("#[param(range(min = -128, max = 127))] a: i8, #[param(range(min = 0))] b: u64", &[]);
    rule(
        "#[param(«range()»)] amount: Cents",
        "`range` has no limit: write `range(min = .., max = ..)`, or one of the two",
    );
    rule(
        "#[param(range(min = 1), «range(max = 2)»)] amount: Cents",
        "`range` stands twice on `amount`: write one rule",
    );
    rule("#[param(range(min = 1, «min» = 2))] amount: Cents", "`min` stands twice in `range`: write it once");
    rule(
        "#[param(range(min = «9_223_372_036_854_775_808»))] amount: Cents",
        "this limit does not fit 64 bits: write a smaller one, or take it away",
    );
    rule("#[param(length(min = «-1»))] reason: String", "a length is never negative: write a number from 0");
    rule(
        "#[param(range(«max = MOST»))] amount: Cents",
        "the limit `max` is not a whole number: write it out, as in `max = 100`",
    );
    rule("#[param(range(«mx» = 1))] amount: Cents", "`range` has no `mx`: did you mean `max`?");
    rule("#[param(range(«1..5»))] amount: Cents", "this is no limit: write `range(min = .., max = ..)`");
}

#[test]
fn a_rule_is_known() {
    rule("#[param(«lenght»(min = 1))] reason: String", "there is no rule `lenght`: did you mean `length`?");
    rule(
        "#[param(«email»)] reason: String",
        "there is no rule `email`: the rules are `range`, `length`, `pattern` and `float`",
    );
    rule(
        "«#[param()]» reason: String",
        "`#[param]` holds no rule: write one, as in `#[param(range(min = 1))]`, or take it away",
    );
    rule(
        "#[param(«\"a\"»)] reason: String",
        "expected a rule: write `range(..)`, `length(..)`, `pattern(\"..\")` or `float(\"..\")`",
    );
    rule("#[param(«length = 5»)] reason: String", "this is no rule: write `length(min = .., max = ..)`");
    for limit in ["min", "minimum", "max"] {
        rule(
            &format!("#[param(«{limit}» = 3)] count: u8"),
            &format!(
                "there is no rule `{limit}`: a limit stands in `range(min = .., max = ..)` for a number, and in \
                 `length(min = .., max = ..)` for a text or a list"
            ),
        );
    }
    rule("#[param(«rang» = 3)] count: u8", "there is no rule `rang`: did you mean `range`?");
}

#[test]
fn a_pattern_is_well_formed() {
    rule(
        "#[param(pattern(«\"[a-\"»))] reason: String",
        "`[a-` is no regular expression: invalid range in character class",
    );
    rule(
        "#[param(pattern(«\"\"»))] reason: String",
        "the pattern is empty, so that only the empty text would match: write one, or take it away",
    );
    rule(
        "#[param(pattern(«\"[A-Z]{2})|(?:[0-9]+\"»))] reason: String",
        "`[A-Z]{2})|(?:[0-9]+` is no regular expression: found closing ')' without matching '('",
    );
    rule(
        "#[param(pattern(«\"(?x)[a-z]+ # letters\"»))] reason: String",
        "`(?x)[a-z]+ # letters` does not stand within `^(?:…)$`, by which it is held to the whole of a text: found open group without closing ')'",
    );
    rule("#[param(«pattern(a)»)] reason: String", "`pattern` takes one text: write `pattern(\"[a-z]+\")`");
}

#[test]
fn a_float_says_why() {
    let message = "`amount` is a binary float, which cannot hold 0.10: take an amount of money as `Cents`, or say what it is \
                   with `#[param(float(\"the reason\"))]`";
    for typed in ["«f64»", "Option<«f32»>", "Vec<[(u8, «f64»); 2]>", "(«f32», f64)"] {
        float(&format!("amount: {typed}"), message);
    }
    for reason in [" ", "\u{200b}", "…"] {
        float(
            &format!("#[param(float(«\"{reason}\"»))] rate: f64"),
            "the reason is empty: say why this is a float and no amount of money",
        );
    }
    float(
        "#[param(«float(\"a ratio\")»)] rate: Option<u8>",
        "`rate` is of type `Option<u8>`, which is no float: take `float(..)` away",
    );
    rule("#[param(«flot»(\"a ratio\"))] rate: f64", "there is no rule `flot`: did you mean `float`?");
    arguments("#[param(float(\"a ratio\"))] rate: Ratio", &[]);
    // Only rustc knows whether an alias of a float is called so.
    arguments("#[param(float(\"a share\"))] share: Option<Cents>", &[]);
}

#[test]
fn all_faults_of_a_fn_are_reported_together() {
    arguments(
        "#[param(«range(min = 1)»)] reason: String, rate: «f64», text: «&str»",
        &[
            (
                "parameter_rule_mismatch",
                "`range` does not fit `reason`, which is of type `String`: write `length(min = 1)`",
            ),
            (
                "float_parameter",
                "`rate` is a binary float, which cannot hold 0.10: take an amount of money as `Cents`, or say what it is \
                 with `#[param(float(\"the reason\"))]`",
            ),
            (
                "executor_signature",
                "a parameter is taken by value, so that `&str` becomes `String`: \
                 write `async fn run(#[param(range(min = 1))] reason: String, rate: f64, text: String) -> Result<Ran, Failure>`",
            ),
        ],
    );
}
